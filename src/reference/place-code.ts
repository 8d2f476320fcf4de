/** Float64 witness of `shaders/lib/place_code.wgsl`: the rate of each cell at a point (model.md section 7). */
import type { Population } from "../code/population.ts";

export function ratesReference({ centres, width, tuning }: Population, x: number, y: number): Float64Array {
  const square = Float64Array.from(centres, ([cx, cy]) => (x - cx) ** 2 + (y - cy) ** 2);
  const gaussian = (w: number) => square.map((d) => Math.exp(-d / (2 * w * w)));
  const g = gaussian(width);
  switch (tuning) {
    case "gaussian":
      return g;
    case "gaussianThreshold": {
      const floor = Math.exp(-0.5);
      return g.map((v) => Math.max(v - floor, 0) / (1 - floor));
    }
    case "differenceOfGaussians": {
      const wide = gaussian(1.5 * width);
      return g.map((v, i) => ((v - (wide[i] as number) / 2.25) * 2.25) / 1.25);
    }
    case "softmax": {
      // Relative to the nearest cell, so that the sum is never 0 however far away all of them are.
      const nearest = Math.min(...square);
      const relative = square.map((d) => Math.exp(-(d - nearest) / (2 * width * width)));
      const sum = relative.reduce((a, b) => a + b, 0);
      return relative.map((v) => v / sum);
    }
  }
}
