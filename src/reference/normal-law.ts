/** Hazard of a standard normal and its inverse in float64; witness of `shaders/lib/normal_law.wgsl`. */

const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);

/** P(Z > z) for z ≥ 0: the power series near 0, the continued fraction of Mills' ratio beyond. */
export function upperTailReference(z: number): number {
  if (z < 3) {
    let term = z;
    let sum = z;
    for (let k = 3; term > 1e-17 * sum; k += 2) {
      term *= (z * z) / k;
      sum += term;
    }
    return 0.5 - density(z) * sum;
  }
  let fraction = z;
  for (let k = 80; k > 0; k--) fraction = z + k / fraction;
  return density(z) / fraction;
}

/** E(z) = −ln P(Z > z). */
export function normalHazardReference(z: number): number {
  return z >= 0 ? -Math.log(upperTailReference(z)) : -Math.log1p(-upperTailReference(-z));
}

/** The z with E(z) = x; probabilities of either side are cut at 1e-6 (model.md section 7). By bisection. */
export function normalOfHazardReference(x: number): number {
  const cut = Math.min(Math.max(x, -Math.log1p(-1e-6)), -Math.log(1e-6));
  let [low, high] = [-6, 6];
  for (let i = 0; i < 56; i++) {
    const middle = (low + high) / 2;
    if (normalHazardReference(middle) < cut) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
