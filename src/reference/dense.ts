/** The three matrix products of the reference, on row-major matrices and slices of flat arrays. */
import { DataError } from "../errors.ts";

/** out[i] += Σ_k W[i, k] x[k], k ascending; W is (rows, columns). */
export function addProduct(
  out: Float64Array,
  outAt: number,
  W: Float64Array,
  rows: number,
  columns: number,
  x: Float64Array,
  xAt: number,
): void {
  for (let i = 0; i < rows; i++) {
    let sum = out[outAt + i] as number;
    const row = i * columns;
    for (let k = 0; k < columns; k++) sum += (W[row + k] as number) * (x[xAt + k] as number);
    out[outAt + i] = sum;
  }
}

/** out[k] += Σ_i W[i, k] g[i]; W is (rows, columns). */
export function addTransposedProduct(
  out: Float64Array,
  outAt: number,
  W: Float64Array,
  rows: number,
  columns: number,
  g: Float64Array,
  gAt: number,
): void {
  for (let i = 0; i < rows; i++) {
    const gi = g[gAt + i] as number;
    const row = i * columns;
    for (let k = 0; k < columns; k++) out[outAt + k] = (out[outAt + k] as number) + (W[row + k] as number) * gi;
  }
}

/** dW[i, k] += g[i] x[k]; dW is (rows, columns). */
export function addOuterProduct(
  dW: Float64Array,
  rows: number,
  columns: number,
  g: Float64Array,
  gAt: number,
  x: Float64Array,
  xAt: number,
): void {
  for (let i = 0; i < rows; i++) {
    const gi = g[gAt + i] as number;
    const row = i * columns;
    for (let k = 0; k < columns; k++) dW[row + k] = (dW[row + k] as number) + gi * (x[xAt + k] as number);
  }
}

/** Throws `DataError` where an array does not hold what its shape says. */
export function requireLength(name: string, array: { readonly length: number }, length: number): void {
  if (array.length !== length) {
    throw new DataError(`reference: ${name} has ${array.length} elements; its shape needs ${length}`);
  }
}
