/** The metrics of an audited path once more, in float64, from the positions that the GPU read out. */
import type { Geometry, Point } from "../metrics/geometry.ts";
import { rowMetricsReference } from "../reference/path-metrics.ts";
import type { RowMetricName, RowMetricValues } from "../sweep/path-records.ts";

/** Of a metric's own size: sums of float32 in blocks, whose terms partly cancel. */
const ROUNDING = 1e-4;
/** A border this near, of the size of the maze and of the position, may be crossed by rounding alone. */
const BORDER = 1e-6;

const UNITS: Partial<Record<RowMetricName, 1 | 2>> = {
  speed5: 1,
  path_length: 1,
  offpath: 1,
  msd1: 2,
  msd2: 2,
  msd4: 2,
  msd8: 2,
  msd16: 2,
  autocovariance10: 2,
  output_variance: 2,
};

export interface WorstMetric {
  readonly share: number;
  readonly name: RowMetricName | null;
}

/** Largest error of a metric, as a share of what is allowed. */
export function auditMetrics(path: Float32Array, got: RowMetricValues, g: Geometry): WorstMetric {
  const points = Array.from(
    { length: path.length / 2 },
    (_, t): Point => [path[2 * t] as number, path[2 * t + 1] as number],
  );
  const exact = rowMetricsReference(points, g);
  const reach = Math.max(
    g.scale,
    ...points.map(([x, y]) => Math.max(Math.abs(x - g.centre[0]), Math.abs(y - g.centre[1]))).filter(Number.isFinite),
  );
  let worst: WorstMetric = { share: 0, name: null };
  let nearby: readonly RowMetricValues[] | null = null;
  for (const name of Object.keys(exact) as RowMetricName[]) {
    let share = shareOf(name, got[name], exact[name], reach);
    if (share > 1) {
      nearby ??= shifted(points, g);
      if (
        isBetween(
          got[name],
          [exact, ...nearby].map((m) => m[name]),
        )
      )
        share = 0;
    }
    if (share > worst.share) worst = { share, name };
  }
  return worst;
}

function shareOf(name: RowMetricName, got: number, exact: number, reach: number): number {
  if (Object.is(got, exact) || got === exact) return 0;
  const power = UNITS[name] ?? 0;
  const share = Math.abs(got - exact) / (ROUNDING * Math.max(Math.abs(exact), reach ** power));
  return Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
}

/** The same path a little aside, in eight directions: what a count may be where a step lies on a border. */
function shifted(points: readonly Point[], g: Geometry): RowMetricValues[] {
  return Array.from({ length: 8 }, (_, k) => {
    const [dx, dy] = [Math.cos((k * Math.PI) / 4), Math.sin((k * Math.PI) / 4)];
    const far = (x: number): number => BORDER * Math.max(g.scale, Math.abs(x));
    return rowMetricsReference(
      points.map(([x, y]): Point => [x + dx * far(x), y + dy * far(y)]),
      g,
    );
  });
}

function isBetween(got: number, values: readonly number[]): boolean {
  if (values.some((v) => Object.is(v, got))) return true;
  return got >= Math.min(...values) && got <= Math.max(...values);
}
