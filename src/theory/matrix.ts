/** Dense matrices in float64, row-major, for theory: small, or used once. */
import { cholesky } from "../metrics/linear-algebra.ts";

/** Row-major, float64. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

export const zeros = (rows: number, columns: number): Matrix => ({
  rows,
  columns,
  data: new Float64Array(rows * columns),
});

/** c·I */
export function scalar(n: number, c: number): Matrix {
  const out = zeros(n, n);
  for (let i = 0; i < n; i++) out.data[i * n + i] = c;
  return out;
}

export const identity = (n: number): Matrix => scalar(n, 1);

export function transpose({ rows, columns, data }: Matrix): Matrix {
  const out = zeros(columns, rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) out.data[j * rows + i] = data[i * columns + j] as number;
  return out;
}

function product(a: Matrix, b: Matrix): Matrix {
  if (a.columns !== b.rows) throw new Error(`product of ${a.rows}×${a.columns} and ${b.rows}×${b.columns}`);
  const out = zeros(a.rows, b.columns);
  for (let i = 0; i < a.rows; i++) {
    const row = out.data.subarray(i * b.columns, (i + 1) * b.columns);
    for (let k = 0; k < a.columns; k++) {
      const aik = a.data[i * a.columns + k] as number;
      const from = k * b.columns;
      for (let j = 0; j < row.length; j++) row[j] = (row[j] as number) + aik * (b.data[from + j] as number);
    }
  }
  return out;
}

/** Product of all, from the left. */
export const multiply = (first: Matrix, ...others: readonly Matrix[]): Matrix => others.reduce(product, first);

/** a + c·b */
export function add(a: Matrix, b: Matrix, c = 1): Matrix {
  if (a.rows !== b.rows || a.columns !== b.columns) {
    throw new Error(`sum of ${a.rows}×${a.columns} and ${b.rows}×${b.columns}`);
  }
  return { ...a, data: a.data.map((x, i) => x + c * (b.data[i] as number)) };
}

export const subtract = (a: Matrix, b: Matrix): Matrix => add(a, b, -1);

export const scale = (a: Matrix, c: number): Matrix => ({ ...a, data: a.data.map((x) => c * x) });

/** Applied to a vector. */
export function apply(a: Matrix, x: ArrayLike<number>): Float64Array {
  const out = new Float64Array(a.rows);
  for (let i = 0; i < a.rows; i++) {
    let sum = 0;
    for (let j = 0; j < a.columns; j++) sum += (a.data[i * a.columns + j] as number) * (x[j] as number);
    out[i] = sum;
  }
  return out;
}

export function trace(a: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.rows; i++) sum += a.data[i * a.columns + i] as number;
  return sum;
}

/** Frobenius norm. */
export const norm = (a: Matrix): number => Math.sqrt(a.data.reduce((sum, x) => sum + x * x, 0));

/** Inverse of a lower triangular matrix. */
export function inverseOfLower({ rows: n, data: l }: Matrix): Matrix {
  const out = zeros(n, n);
  const x = out.data;
  // Row by row: row i is (e_i − Σ_k l_ik · row k) / l_ii, and every row is contiguous.
  for (let i = 0; i < n; i++) {
    const own = x.subarray(i * n, i * n + i + 1);
    own[i] = 1;
    for (let k = 0; k < i; k++) {
      const lik = l[i * n + k] as number;
      const from = k * n;
      for (let j = 0; j <= k; j++) own[j] = (own[j] as number) - lik * (x[from + j] as number);
    }
    const pivot = l[i * n + i] as number;
    for (let j = 0; j <= i; j++) own[j] = (own[j] as number) / pivot;
  }
  return out;
}

/** aᵀ a of a lower triangular matrix. */
export function gramOfLower({ rows: n, data: a }: Matrix): Matrix {
  const out = zeros(n, n);
  const g = out.data;
  for (let k = 0; k < n; k++) {
    const row = a.subarray(k * n, k * n + k + 1);
    for (let i = 0; i <= k; i++) {
      const aki = row[i] as number;
      const to = i * n;
      for (let j = 0; j <= i; j++) g[to + j] = (g[to + j] as number) + aki * (row[j] as number);
    }
  }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) g[j * n + i] = g[i * n + j] as number;
  return out;
}

/** Lower Cholesky factor. @throws Error where the matrix is not positive definite to rounding */
export function factor(a: Matrix): Matrix {
  const data = cholesky(a.data, a.rows);
  if (data === null) throw new Error(`a ${a.rows}×${a.columns} matrix is not positive definite`);
  return { ...a, data };
}

/** Inverse of a symmetric positive definite matrix. @throws Error where it is not */
export const inverse = (a: Matrix): Matrix => gramOfLower(inverseOfLower(factor(a)));
