/** Intervals and tests over independently trained networks, the unit of every claim. Pure, float64, no randomness. */
import { mean, standardDeviation } from "../metrics/statistics.ts";
import type { Verdict } from "../report/table.ts";
import type { ClaimCell, Estimate } from "./evidence.ts";
import type { Protocol } from "./protocol.ts";

/** ln Γ(x), x > 0, by Stirling's series above 8 (error below 1e-12 there). */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 8; z++) shift -= Math.log(z);
  const q = 1 / (z * z);
  const series = (1 / 12 - q * (1 / 360 - q * (1 / 1260 - q * (1 / 1680 - q / 1188)))) / z;
  return shift + (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series;
}

/** Density of Student's t with `df` degrees of freedom. */
function density(t: number, df: number): number {
  const scale = Math.exp(logGamma((df + 1) / 2) - logGamma(df / 2)) / Math.sqrt(df * Math.PI);
  return scale * (1 + (t * t) / df) ** (-(df + 1) / 2);
}

/** P(0 ≤ T ≤ t) by Simpson's rule in x = atan(t/√df), where the integrand is smooth and its range finite. */
function halfMass(t: number, df: number): number {
  const end = Math.atan(t / Math.sqrt(df));
  const steps = 200;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const x = (end * i) / steps;
    const jacobian = Math.sqrt(df) / Math.cos(x) ** 2;
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * density(Math.sqrt(df) * Math.tan(x), df) * jacobian;
  }
  return (sum * end) / steps / 3;
}

const quantiles = new Map<string, number>();

/** The t that |T| stays below with probability `confidence`. */
export function studentQuantile(confidence: number, df: number): number {
  const key = `${confidence} ${df}`;
  const known = quantiles.get(key) ?? solveQuantile(confidence, df);
  quantiles.set(key, known);
  return known;
}

function solveQuantile(confidence: number, df: number): number {
  let [low, high] = [0, 1];
  while (halfMass(high, df) < confidence / 2 && high < 1e6) high *= 2;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (halfMass(middle, df) < confidence / 2) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

type Statistics = Protocol["statistics"];

/**
 * Mean over networks with Student's interval. Values that are not finite are left out and `n` says so: give restricted
 * means instead of times that may be “never”. With fewer than two values the interval is the whole line.
 */
export function estimateMean(values: readonly number[], { confidence }: Statistics): Estimate {
  const finite = values.filter(Number.isFinite);
  const n = finite.length;
  const value = mean(finite);
  if (n < 2) return { value, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, n };
  const half = (studentQuantile(confidence, n - 1) * standardDeviation(finite)) / Math.sqrt(n);
  return { value, low: value - half, high: value + half, n };
}

/** A value in closed form: nothing was sampled. */
export const exactly = (value: number): Estimate => ({ value, low: value, high: value, n: 0 });

/** a − b, seed by seed. */
export function pairedDifference(a: readonly number[], b: readonly number[], s: Statistics): Estimate {
  return estimateMean(
    a.map((x, i) => x - (b[i] as number)),
    s,
  );
}

/** a / b, seed by seed: the geometric mean of the ratios, its interval made of logarithms. For positive values. */
export function pairedRatio(a: readonly number[], b: readonly number[], s: Statistics): Estimate {
  const { value, low, high, n } = estimateMean(
    a.map((x, i) => Math.log(x / (b[i] as number))),
    s,
  );
  return { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high), n };
}

/**
 * Exact one-sided sign-flip (permutation) test: the share of all 2ⁿ sign patterns whose mean is at least that of the
 * differences. No assumption but symmetry under "no difference"; at most 20 values.
 */
export function signFlipP(differences: readonly number[]): number {
  const finite = differences.filter(Number.isFinite);
  const n = finite.length;
  if (n === 0 || n > 20) return Number.NaN;
  const sum = finite.reduce((a, b) => a + b, 0);
  // Rounding must not hide a tie with the pattern itself.
  const least = sum - 1e-12 * finite.reduce((a, b) => a + Math.abs(b), 0);
  let count = 0;
  for (let pattern = 0; pattern < 2 ** n; pattern++) {
    let flipped = 0;
    for (let i = 0; i < n; i++) flipped += (pattern >> i) & 1 ? -(finite[i] as number) : (finite[i] as number);
    if (flipped >= least) count++;
  }
  return count / 2 ** n;
}

export const shareOf = (cells: readonly ClaimCell[]): number =>
  cells.length === 0 ? Number.NaN : cells.filter((c) => c.holds).length / cells.length;

/** From the share of the grid where a claim holds. */
export function verdictOf(cells: readonly ClaimCell[], { holdsFrom, partlyFrom }: Protocol["verdict"]): Verdict {
  const share = shareOf(cells);
  if (Number.isNaN(share)) return "undecided";
  return share >= holdsFrom ? "holds" : share >= partlyFrom ? "partly" : "fails";
}

/** "1.90 [1.82, 1.98]"; "no value" where no network has one. */
export function formatEstimate({ value, low, high }: Estimate, unit = "", digits = 3): string {
  if (Number.isNaN(value)) return "no value";
  const text = (x: number) => (Number.isFinite(x) ? Number(x.toPrecision(digits)).toString() : x > 0 ? "∞" : "−∞");
  return `${text(value)}${unit} [${text(low)}, ${text(high)}]`;
}
