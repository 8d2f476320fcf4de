/** How far apart two laws are, from clouds of draws of each. Pure. */

/** Mean distance between points i of a and j ≠ i of b, (point, width) each, of two clouds of as many points. */
function meanDistance(a: Float32Array, b: Float32Array, width: number): number {
  const count = a.length / width;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) {
      if (i === j) continue;
      let square = 0;
      for (let k = 0; k < width; k++) square += ((a[i * width + k] as number) - (b[j * width + k] as number)) ** 2;
      sum += Math.sqrt(square);
    }
  }
  return sum / (count * (count - 1));
}

/**
 * Energy coefficient (2E|X−Y| − E|X−X′| − E|Y−Y′|) / 2E|X−Y| of the laws of two clouds of as many points: 0 where they
 * are one law, 1 where they are two points; no unit. Expectations are over pairs i ≠ j, so the numerator has no bias:
 * it scatters around 0 where the laws are one, and point i of both clouds may come of the same noise. NaN where a
 * number is not finite; 0 where all points are one.
 */
export function energyCoefficient(a: Float32Array, b: Float32Array, width: number): number {
  const between = meanDistance(a, b, width);
  if (between === 0) return 0;
  return (2 * between - meanDistance(a, a, width) - meanDistance(b, b, width)) / (2 * between);
}
