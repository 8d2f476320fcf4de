/** Power laws of errors: how they fall with samples, and how the samples needed grow with dimension. Pure. */
import { mean } from "../../metrics/statistics.ts";
import { cellAt, type EstimationResult, inCell, type Measure } from "./result.ts";

/** Least-squares line through (x, y). */
export function line(points: readonly (readonly [number, number])[]): { readonly slope: number; readonly at0: number } {
  const mx = mean(points.map((p) => p[0]));
  const my = mean(points.map((p) => p[1]));
  const sxx = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  const sxy = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  const slope = sxy / sxx;
  return { slope, at0: my - slope * mx };
}

export interface SampleLaw {
  /** error ∝ samples^exponent, of each repeat. */
  readonly exponents: readonly number[];
  /** Samples at which the law reaches the error that was asked for, of each repeat. */
  readonly needed: readonly number[];
}

/** Of one dimension and time, from samples where the inverse no longer suffers from being near singular. */
export function sampleLaw(
  result: EstimationResult,
  at: { readonly dimension: number; readonly time: number },
  measure: Measure,
  options: { readonly samplesPerDimension: number; readonly error: number },
): SampleLaw {
  const sizes = [...new Set(result.cells.map((c) => c.samples))].filter(
    (n) => n >= options.samplesPerDimension * at.dimension,
  );
  const errors = sizes.map((samples) => inCell(cellAt(result, { ...at, samples }), measure));
  const repeats = Math.min(...errors.map((e) => e.length));
  const fits = Array.from({ length: Number.isFinite(repeats) ? repeats : 0 }, (_, i) =>
    line(sizes.map((n, k) => [Math.log(n), Math.log(errors[k]?.[i] as number)])),
  );
  return {
    exponents: fits.map((f) => f.slope),
    needed: fits.map((f) => Math.exp((Math.log(options.error) - f.at0) / f.slope)),
  };
}

/** samples needed ∝ dimension^exponent, of each repeat. */
export function dimensionExponents(laws: readonly { readonly dimension: number; readonly law: SampleLaw }[]): number[] {
  const repeats = Math.min(...laws.map(({ law }) => law.needed.length));
  return Array.from(
    { length: repeats },
    (_, i) => line(laws.map(({ dimension, law }) => [Math.log(dimension), Math.log(law.needed[i] as number)])).slope,
  );
}
