import { quantileSorted } from "../metrics/statistics.ts";

/** Colours of a map of numbers. Written as rgb(): the page's dark theme exchanges only the hexadecimal line colours. */

/** viridis: even in lightness, readable without colour vision and on a bad projector. */
const SEQUENTIAL = ["440154", "472d7b", "3b528b", "2c728e", "21918c", "28ae80", "5ec962", "addc30", "fde725"];
/** Dark at both ends, light in the middle; blue and brown stay apart under the common colour blindnesses. */
const DIVERGING = ["1f3a6e", "3f6ba8", "86aed3", "cfdfeb", "f4f1ea", "f0d3a8", "dc9a52", "b1611c", "70350b"];

const LEVELS = 192;

function mix(stops: readonly string[], share: number): string {
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(stops.length - 2, Math.floor(at));
  const channel = (stop: number, k: number): number =>
    Number.parseInt((stops[stop] as string).slice(2 * k, 2 * k + 2), 16);
  const channels = [0, 1, 2].map((k) =>
    Math.round(channel(low, k) + (at - low) * (channel(low + 1, k) - channel(low, k))),
  );
  return `rgb(${channels.join(",")})`;
}

export interface ColourScale {
  /** Lowest and highest value that have a colour of their own. */
  readonly domain: readonly [number, number];
  readonly type: "linear" | "log";
  /** There are values beyond the ends of the domain, drawn in the end's colour. */
  readonly below: boolean;
  readonly above: boolean;
  /** One of at most 192 colours, so that a drawing can gather what shares one. */
  readonly colour: (value: number) => string;
}

/** A few outliers, such as the cells just before divergence, must not take all colours. */
function trimmed(values: readonly number[]): [number, number] {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const [min, max] = [sorted[0] ?? 0, sorted[sorted.length - 1] ?? 1];
  const [low, high] = [quantileSorted(sorted, 0.05), quantileSorted(sorted, 0.95)];
  // Of few values, each is a finding.
  if (sorted.length < 40 || !(high > low)) return [min, max];
  const span = high - low;
  return [low - min > 0.5 * span ? low : min, max - high > 0.5 * span ? high : max];
}

function scale(
  stops: readonly string[],
  type: "linear" | "log",
  domain: readonly [number, number],
  values: readonly number[],
): ColourScale {
  const f = type === "log" ? Math.log : (x: number): number => x;
  const [low, high] = domain;
  const colour = (value: number): string => {
    const share = high > low ? (f(value) - f(low)) / (f(high) - f(low)) : 0.5;
    return mix(stops, Math.round(Math.min(1, Math.max(0, share)) * (LEVELS - 1)) / (LEVELS - 1));
  };
  return { domain, type, below: values.some((v) => v < low), above: values.some((v) => v > high), colour };
}

/** Small to large. */
export function sequentialScale(values: readonly number[]): ColourScale {
  const [low, high] = trimmed(values);
  // Equal values have one colour, in the middle of a bar that says so.
  const half = high > low ? 0 : Math.abs(low) * 0.05 || 0.5;
  return scale(SEQUENTIAL, "linear", [low - half, high + half], values);
}

/** Ratios: 1 in the middle, twice and half equally far from it. */
export function ratioScale(values: readonly number[]): ColourScale {
  const positive = values.filter((v) => v > 0);
  const [low, high] = positive.length === 0 ? [1, 1] : trimmed(positive);
  const reach = Math.max(1.1, high, 1 / low);
  return scale(DIVERGING, "log", [1 / reach, reach], positive);
}
