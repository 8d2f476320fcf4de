import { mean, spreadIndices } from "./statistics.ts";

/**
 * Kullback–Leibler divergence of two clouds by Gaussian kernel densities with Scott's bandwidth: kernel covariance
 * n^{−2/(d+4)} · Cov with d = 2, density floored at 1e−12 (model.md section 8). Clouds larger than `POINTS` are
 * represented by that many of their points, because the cost is a product of the two sizes.
 */
const POINTS = 2000;
const FLOOR = 1e-12;
/** Squared distance, in kernel widths, beyond which a kernel (e^−50) is lost below the floor; exp is the whole cost. */
const FAR = 100;

export interface KernelDensity {
  /** Centres of the kernels, metres, (point, 2). */
  readonly centres: Float64Array;
  /** Cholesky factor of a kernel's covariance: [[a, 0], [b, c]]. */
  readonly factor: {
    readonly a: number;
    readonly b: number;
    readonly c: number;
  };
}

/** Null where the points lie on a line or on one spot: they have no density. */
export function kernelDensity(points: Float32Array | Float64Array): KernelDensity | null {
  const chosen = spreadIndices(points.length / 2, POINTS);
  const n = chosen.length;
  const centres = new Float64Array(n * 2);
  chosen.forEach((from, i) => {
    centres[i * 2] = points[from * 2] as number;
    centres[i * 2 + 1] = points[from * 2 + 1] as number;
  });
  let [mx, my, xx, xy, yy] = [0, 0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    mx += (centres[i * 2] as number) / n;
    my += (centres[i * 2 + 1] as number) / n;
  }
  for (let i = 0; i < n; i++) {
    const [dx, dy] = [(centres[i * 2] as number) - mx, (centres[i * 2 + 1] as number) - my];
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const scale = n ** (-2 / 6) / (n - 1);
  const [sxx, sxy, syy] = [xx * scale, xy * scale, yy * scale];
  // Relative to the trace: the determinant of a line's rounding errors is tiny but not zero.
  if (!(sxx * syy - sxy * sxy > 1e-12 * (sxx + syy) ** 2)) return null;
  const a = Math.sqrt(sxx);
  const b = sxy / a;
  return { centres, factor: { a, b, c: Math.sqrt(syy - b * b) } };
}

/** Log densities at points (point, 2), floored at log 1e−12. */
export function logDensity(density: KernelDensity, at: Float64Array): Float64Array {
  const { centres, factor } = density;
  const n = centres.length / 2;
  const whiten = (p: Float64Array): Float64Array => {
    const w = new Float64Array(p.length);
    for (let i = 0; i < p.length; i += 2) {
      const x = (p[i] as number) / factor.a;
      w[i] = x;
      w[i + 1] = ((p[i + 1] as number) - factor.b * x) / factor.c;
    }
    return w;
  };
  const [kernels, points] = [whiten(centres), whiten(at)];
  const norm = 1 / (n * 2 * Math.PI * factor.a * factor.c);
  return Float64Array.from({ length: at.length / 2 }, (_, i) => {
    const [x, y] = [points[i * 2] as number, points[i * 2 + 1] as number];
    let sum = 0;
    for (let k = 0; k < n; k++) {
      const dx = (kernels[k * 2] as number) - x;
      const dy = (kernels[k * 2 + 1] as number) - y;
      const squared = dx * dx + dy * dy;
      if (squared < FAR) sum += Math.exp(-0.5 * squared);
    }
    return Math.log(Math.max(sum * norm, FLOOR));
  });
}

/**
 * Points drawn from a density. The "random" numbers are Roberts' additive recurrence on three axes (powers of the
 * root of x⁴ = x + 1), so a metric does not change from call to call; one axis picks the kernel, two the normals.
 */
export function drawPoints(density: KernelDensity, count = POINTS): Float64Array {
  const g = 1.2207440846057596;
  const n = density.centres.length / 2;
  const { a, b, c } = density.factor;
  const out = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    const axis = (k: number): number => (0.5 + (i + 1) / g ** k) % 1;
    const kernel = Math.min(n - 1, Math.floor(axis(1) * n));
    const radius = Math.sqrt(-2 * Math.log(1 - axis(2)));
    const [z0, z1] = [radius * Math.cos(2 * Math.PI * axis(3)), radius * Math.sin(2 * Math.PI * axis(3))];
    out[i * 2] = (density.centres[kernel * 2] as number) + a * z0;
    out[i * 2 + 1] = (density.centres[kernel * 2 + 1] as number) + b * z0 + c * z1;
  }
  return out;
}

/** KL(p‖q) in nats as the mean log ratio at `points`. */
function klAt(p: KernelDensity, q: KernelDensity, points: Float64Array): number {
  return mean(logDensity(p, points)) - mean(logDensity(q, points));
}

/** At p's own points. NaN where a density does not exist. */
export function klPlugin(p: KernelDensity | null, q: KernelDensity | null): number {
  return p === null || q === null ? Number.NaN : klAt(p, q, p.centres);
}

/** At 2000 points drawn from p. NaN where a density does not exist. */
export function klResampled(p: KernelDensity | null, q: KernelDensity | null): number {
  return p === null || q === null ? Number.NaN : klAt(p, q, drawPoints(p));
}
