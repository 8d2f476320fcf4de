/** How far apart two laws are, from clouds of draws of each. Pure. */

/** Mean distance over all pairs of points of two clouds, (point, width) each. */
function meanDistance(a: Float32Array, b: Float32Array, width: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += width) {
    for (let j = 0; j < b.length; j += width) {
      let square = 0;
      for (let k = 0; k < width; k++) square += ((a[i + k] as number) - (b[j + k] as number)) ** 2;
      sum += Math.sqrt(square);
    }
  }
  return sum / ((a.length / width) * (b.length / width));
}

/**
 * Energy coefficient (2E|X−Y| − E|X−X′| − E|Y−Y′|) / 2E|X−Y| of two clouds, over all pairs: 0 where the clouds are
 * the same, 1 where each is a point; it does not depend on the unit. Two clouds of n draws of one law come to about 1/n, the floor. NaN
 * where a number is not finite; 0 where all points are one.
 * @param within mean distances within a and within b, where they are known
 */
export function energyCoefficient(a: Float32Array, b: Float32Array, width: number): number {
  const between = meanDistance(a, b, width);
  if (between === 0) return 0;
  return (2 * between - meanDistance(a, a, width) - meanDistance(b, b, width)) / (2 * between);
}
