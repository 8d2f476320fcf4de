/**
 * Eigenvalues of a general real matrix in float64: Householder reflections to Hessenberg form, then Francis' implicit
 * double-shift QR steps with deflation (Golub and Van Loan, Matrix Computations, sections 7.4 and 7.5). Pure.
 */

export interface Complex {
  readonly re: number;
  readonly im: number;
}

/** Steps without deflation before a shift that breaks cycles, and before giving up. */
const [UNUSUAL_EVERY, MOST] = [10, 300];

/** I − β v vᵀ that maps x on a multiple of e₁, in `v`; β is 0 where there is nothing to do. */
function reflector(x: Float64Array, count: number, v: Float64Array): number {
  let rest = 0;
  for (let i = 1; i < count; i++) rest += (x[i] as number) ** 2;
  const first = x[0] as number;
  if (rest === 0) return 0;
  const length = Math.sqrt(first * first + rest);
  // The sign that cancels nothing.
  const head = first + (first < 0 ? -length : length);
  v[0] = 1;
  for (let i = 1; i < count; i++) v[i] = (x[i] as number) / head;
  return (2 * head * head) / (head * head + rest);
}

/** Rows from … of H, columns [c0, c1): H ← (I − β v vᵀ) H. */
function fromLeft(
  h: Float64Array,
  n: number,
  v: Float64Array,
  count: number,
  row: number,
  c0: number,
  c1: number,
  b: number,
) {
  for (let c = c0; c < c1; c++) {
    let dot = 0;
    for (let i = 0; i < count; i++) dot += (v[i] as number) * (h[(row + i) * n + c] as number);
    dot *= b;
    for (let i = 0; i < count; i++) h[(row + i) * n + c] = (h[(row + i) * n + c] as number) - dot * (v[i] as number);
  }
}

/** Columns from … of H, rows [r0, r1): H ← H (I − β v vᵀ). */
function fromRight(
  h: Float64Array,
  n: number,
  v: Float64Array,
  count: number,
  column: number,
  r0: number,
  r1: number,
  b: number,
) {
  for (let r = r0; r < r1; r++) {
    const at = r * n + column;
    let dot = 0;
    for (let i = 0; i < count; i++) dot += (v[i] as number) * (h[at + i] as number);
    dot *= b;
    for (let i = 0; i < count; i++) h[at + i] = (h[at + i] as number) - dot * (v[i] as number);
  }
}

/** An orthogonally similar matrix without anything below the first subdiagonal. */
function hessenberg(matrix: ArrayLike<number>, n: number): Float64Array {
  const h = Float64Array.from(matrix);
  const [x, v] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k + 2 < n; k++) {
    const count = n - k - 1;
    for (let i = 0; i < count; i++) x[i] = h[(k + 1 + i) * n + k] as number;
    const b = reflector(x, count, v);
    if (b === 0) continue;
    fromLeft(h, n, v, count, k + 1, k, n, b);
    fromRight(h, n, v, count, k + 1, 0, n, b);
    for (let i = k + 2; i < n; i++) h[i * n + k] = 0;
  }
  return h;
}

/** One double-shift step on rows and columns lo … hi: the bulge that two shifts make is chased out of the window. */
function francisStep(h: Float64Array, n: number, lo: number, hi: number, sum: number, product: number): void {
  const at = (i: number, j: number): number => h[i * n + j] as number;
  const [x, v] = [new Float64Array(3), new Float64Array(3)];
  const [a, b, c] = [at(lo, lo), at(lo + 1, lo), at(lo + 1, lo + 1)];
  x[0] = a * a + at(lo, lo + 1) * b - sum * a + product;
  x[1] = b * (a + c - sum);
  x[2] = b * at(lo + 2, lo + 1);
  for (let k = lo; k < hi; k++) {
    const count = Math.min(3, hi - k + 1);
    const beta = reflector(x, count, v);
    if (beta !== 0) {
      fromLeft(h, n, v, count, k, Math.max(lo, k - 1), hi + 1, beta);
      fromRight(h, n, v, count, k, lo, Math.min(k + 3, hi) + 1, beta);
    }
    for (let i = 0; i < 3; i++) x[i] = k + 1 + i <= hi ? at(k + 1 + i, k) : 0;
  }
  // What the reflections left below the subdiagonal is rounding.
  for (let i = lo + 2; i <= hi; i++) for (let j = lo; j < i - 1; j++) h[i * n + j] = 0;
}

function ofPair(a: number, b: number, c: number, d: number): [Complex, Complex] {
  const [middle, half] = [(a + d) / 2, (a - d) / 2];
  const square = half * half + b * c;
  if (square < 0) {
    const im = Math.sqrt(-square);
    return [
      { re: middle, im },
      { re: middle, im: -im },
    ];
  }
  // The larger root first; the other from the determinant, where a difference would cancel.
  const larger = middle + (middle < 0 ? -1 : 1) * Math.sqrt(square);
  const smaller = larger === 0 ? 0 : (a * d - b * c) / larger;
  return [
    { re: larger, im: 0 },
    { re: smaller, im: 0 },
  ];
}

/**
 * All n eigenvalues of a row-major (n, n) matrix, conjugate pairs side by side.
 * @throws RangeError where an entry is not finite, or where the iteration does not converge
 */
export function eigenvalues(matrix: ArrayLike<number>, n: number): Complex[] {
  for (let i = 0; i < n * n; i++) {
    if (!Number.isFinite(matrix[i]))
      throw new RangeError(`eigenvalues: entry (${Math.floor(i / n)}, ${i % n}) is not finite`);
  }
  const h = hessenberg(matrix, n);
  const at = (i: number, j: number): number => h[i * n + j] as number;
  // The rounding of the reflections: where an eigenvalue is repeated often, as κ is by silent units, so much stays.
  const negligible = n * Number.EPSILON * Math.sqrt(h.reduce((sum, x) => sum + x * x, 0));
  const out: Complex[] = [];
  let [hi, steps] = [n - 1, 0];
  while (hi >= 0) {
    let lo = hi;
    while (lo > 0 && Math.abs(at(lo, lo - 1)) > negligible) lo--;
    if (lo === hi) {
      out.push({ re: at(hi, hi), im: 0 });
      [hi, steps] = [hi - 1, 0];
    } else if (lo === hi - 1) {
      out.push(...ofPair(at(lo, lo), at(lo, hi), at(hi, lo), at(hi, hi)));
      [hi, steps] = [hi - 2, 0];
    } else {
      if (++steps > MOST) throw new RangeError(`eigenvalues: no convergence in ${MOST} steps`);
      const size = Math.abs(at(hi, hi - 1)) + Math.abs(at(hi - 1, hi - 2));
      const [sum, product] =
        steps % UNUSUAL_EVERY === 0
          ? [1.5 * size, size * size]
          : [at(hi - 1, hi - 1) + at(hi, hi), at(hi - 1, hi - 1) * at(hi, hi) - at(hi - 1, hi) * at(hi, hi - 1)];
      francisStep(h, n, lo, hi, sum, product);
    }
  }
  return out;
}
