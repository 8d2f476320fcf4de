/** Small dense matrices, row-major, for the states' principal components and regressions. */

/** Turns the vectors that start at i and j, `stride` apart, in their plane. */
function rotate(m: Float64Array, i: number, j: number, stride: number, n: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const x = m[i + k * stride] as number;
    const y = m[j + k * stride] as number;
    m[i + k * stride] = c * x - s * y;
    m[j + k * stride] = s * x + c * y;
  }
}

/**
 * Eigenvalues and eigenvectors of a symmetric n × n matrix by cyclic Jacobi rotations: slow, but it finds close
 * eigenvalues as well as distant ones. Descending; `vectors` holds one eigenvector per row.
 */
export function symmetricEigen(matrix: Float64Array, n: number): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(matrix);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const at = (i: number, j: number): number => a[i * n + j] as number;
  const offDiagonal = (): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) sum += at(i, j) ** 2;
    return sum;
  };
  const total = a.reduce((s, x) => s + x * x, 0);
  for (let sweep = 0; sweep < 60 && offDiagonal() > 1e-30 * total; sweep++) {
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const apq = at(p, q);
        if (apq === 0) continue;
        const theta = (at(q, q) - at(p, p)) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        rotate(a, p, q, n, n, c, s);
        rotate(a, p * n, q * n, 1, n, c, s);
        rotate(v, p * n, q * n, 1, n, c, s);
      }
    }
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => at(j, j) - at(i, i));
  const vectors = new Float64Array(n * n);
  order.forEach((from, to) => {
    vectors.set(v.subarray(from * n, (from + 1) * n), to * n);
  });
  return { values: Float64Array.from(order, (i) => at(i, i)), vectors };
}

/** Lower Cholesky factor, or null where the matrix is not positive definite to rounding. */
export function cholesky(matrix: Float64Array, n: number): Float64Array | null {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j] as number;
      for (let k = 0; k < j; k++) sum -= (l[i * n + k] as number) * (l[j * n + k] as number);
      if (i === j) {
        if (!(sum > 1e-14 * (matrix[i * n + i] as number))) return null;
        l[i * n + i] = Math.sqrt(sum);
      } else {
        l[i * n + j] = sum / (l[j * n + j] as number);
      }
    }
  }
  return l;
}

/** log det of a positive definite matrix from its Cholesky factor. */
export function logDeterminant(factor: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += 2 * Math.log(factor[i * n + i] as number);
  return sum;
}
