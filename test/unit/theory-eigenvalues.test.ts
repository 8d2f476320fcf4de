import { describe, expect, it } from "vitest";
import { type Complex, eigenvalues } from "../../src/theory/eigenvalues.ts";

/** A sequence that looks random and is the same everywhere. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

const random = (n: number, seed: number): Float64Array => {
  const next = numbers(seed);
  return Float64Array.from({ length: n * n }, next);
};

function product(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++)
      for (let j = 0; j < n; j++)
        out[i * n + j] = (out[i * n + j] as number) + (a[i * n + k] as number) * (b[k * n + j] as number);
  return out;
}

/** A dense orthogonal matrix: reflections at random vectors, one after another. */
function orthogonal(n: number, seed: number): Float64Array {
  const next = numbers(seed);
  let q: Float64Array = Float64Array.from({ length: n * n }, (_, i) => (i % (n + 1) === 0 ? 1 : 0));
  for (let k = 0; k < n; k++) {
    const v = Float64Array.from({ length: n }, next);
    const square = v.reduce((s, x) => s + x * x, 0);
    const mirror = Float64Array.from({ length: n * n }, (_, at) => {
      const [i, j] = [Math.floor(at / n), at % n];
      return (i === j ? 1 : 0) - (2 * (v[i] as number) * (v[j] as number)) / square;
    });
    q = product(mirror, q, n);
  }
  return q;
}

const transpose = (m: Float64Array, n: number): Float64Array =>
  Float64Array.from(m, (_, at) => m[(at % n) * n + Math.floor(at / n)] as number);

/** Largest distance when every expected value takes the nearest one that is left. */
function apart(found: readonly Complex[], expected: readonly Complex[]): number {
  const left = [...found];
  expect(found).toHaveLength(expected.length);
  return Math.max(
    ...expected.map((e) => {
      const distances = left.map((f) => Math.hypot(f.re - e.re, f.im - e.im));
      const nearest = Math.min(...distances);
      left.splice(distances.indexOf(nearest), 1);
      return nearest;
    }),
  );
}

/** Blocks with eigenvalues re ± i·im on the diagonal, single numbers after them, and anything above the blocks. */
function withSpectrum(pairs: readonly Complex[], reals: readonly number[], seed: number) {
  const n = 2 * pairs.length + reals.length;
  const next = numbers(seed);
  const t = new Float64Array(n * n);
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) t[i * n + j] = 0.3 * next();
  pairs.forEach(({ re, im }, p) => {
    const at = 2 * p * (n + 1);
    [t[at], t[at + 1], t[at + n], t[at + n + 1]] = [re, im, -im, re];
  });
  reals.forEach((x, i) => {
    t[(2 * pairs.length + i) * (n + 1)] = x;
  });
  const q = orthogonal(n, seed + 1);
  const expected = [...pairs.flatMap((z) => [z, { re: z.re, im: -z.im }]), ...reals.map((re) => ({ re, im: 0 }))];
  return { n, matrix: product(product(q, t, n), transpose(q, n), n), expected };
}

describe("eigenvalues of a general real matrix", () => {
  it("a rotation has e^±iθ, also when it is of an odd or a single row", () => {
    for (const theta of [0.01, 1, 3]) {
      const [c, s] = [Math.cos(theta), Math.sin(theta)];
      const own = [
        { re: c, im: s },
        { re: c, im: -s },
      ];
      expect(apart(eigenvalues([c, -s, s, c], 2), own)).toBeLessThan(1e-15);
      expect(apart(eigenvalues([c, 0, -s, 0, 5, 0, s, 0, c], 3), [...own, { re: 5, im: 0 }])).toBeLessThan(1e-14);
    }
    expect(eigenvalues([-3], 1)).toEqual([{ re: -3, im: 0 }]);
    expect(eigenvalues([], 0)).toEqual([]);
  });

  it("a cyclic permutation, on which unshifted and plainly shifted QR stand still, has the roots of unity", () => {
    for (const n of [3, 4, 5, 16]) {
      const m = new Float64Array(n * n);
      for (let i = 0; i < n; i++) m[i * n + ((i + 1) % n)] = 1;
      const roots = Array.from({ length: n }, (_, i) => ({
        re: Math.cos((2 * Math.PI * i) / n),
        im: Math.sin((2 * Math.PI * i) / n),
      }));
      expect(apart(eigenvalues(m, n), roots)).toBeLessThan(1e-13);
    }
  });

  it("a companion matrix has its polynomial's roots", () => {
    // (x − 1)(x − 2)…(x − 7): condition numbers of the roots up to 2e4.
    let p = [1];
    for (let root = 1; root <= 7; root++) p = [...p, 0].map((x, i) => x - root * (p[i - 1] ?? 0));
    const n = 7;
    const m = new Float64Array(n * n);
    for (let j = 0; j < n; j++) m[j] = -(p[j + 1] as number);
    for (let i = 1; i < n; i++) m[i * n + i - 1] = 1;
    const roots = Array.from({ length: n }, (_, i) => ({ re: i + 1, im: 0 }));
    expect(apart(eigenvalues(m, n), roots)).toBeLessThan(1e-8);
  });

  it("a prescribed spectrum of 64 under a dense similarity comes back", () => {
    const pairs = Array.from({ length: 25 }, (_, i) => ({ re: Math.cos(i) / 2, im: 0.1 + i / 40 }));
    const reals = Array.from({ length: 14 }, (_, i) => 1 - i / 5);
    const { n, matrix, expected } = withSpectrum(pairs, reals, 5);
    expect(n).toBe(64);
    // The departure from normality costs a few digits of the sixteen.
    expect(apart(eigenvalues(matrix, n), expected)).toBeLessThan(1e-9);
  });

  it("sums to the trace, and squares to the trace of the square", () => {
    for (const n of [2, 3, 7, 33, 64]) {
      const m = random(n, n);
      const found = eigenvalues(m, n);
      const trace = (a: Float64Array): number =>
        Array.from({ length: n }, (_, i) => a[i * (n + 1)] as number).reduce((x, y) => x + y);
      expect(found).toHaveLength(n);
      expect(found.reduce((s, z) => s + z.re, 0)).toBeCloseTo(trace(m), 10);
      expect(found.reduce((s, z) => s + z.im, 0)).toBe(0);
      expect(found.reduce((s, z) => s + z.re * z.re - z.im * z.im, 0)).toBeCloseTo(trace(product(m, m, n)), 9);
    }
  });

  it("a defective matrix gives its one eigenvalue to the root of the precision", () => {
    const n = 4;
    const m = Float64Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 2 : at % 5 === 1 ? 1 : 0));
    expect(
      apart(
        eigenvalues(m, n),
        Array.from({ length: n }, () => ({ re: 2, im: 0 })),
      ),
    ).toBeLessThan(1e-3);
  });

  it("silent units repeat one eigenvalue many times, and the others stay what they are", () => {
    // κI − DW with 34 of 64 rows of D zero: κ 34 times, and the spectrum of the active block, row by row and column by column.
    const [n, active] = [64, 30];
    const w = random(n, 9).map((x) => x / 8);
    const isActive = (i: number): boolean => (i * 7) % n < active;
    const m = w.map((x, at) => (Math.floor(at / n) === at % n ? 0.2 : 0) - (isActive(Math.floor(at / n)) ? x : 0));
    const own = Array.from({ length: n }, (_, i) => i).filter(isActive);
    const block = Float64Array.from(own.flatMap((i) => own.map((j) => m[i * n + j] as number)));
    const expected = [...eigenvalues(block, active), ...Array.from({ length: n - active }, () => ({ re: 0.2, im: 0 }))];
    expect(apart(eigenvalues(m, n), expected)).toBeLessThan(1e-10);
  });

  it("refuses what is not finite", () => {
    expect(() => eigenvalues([1, 0, Number.NaN, 1], 2)).toThrow("entry (1, 0) is not finite");
  });
});
