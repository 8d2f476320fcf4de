/** The parameters that a sweep varies, as axes of a figure. */

export interface SweepAxis {
  /** Name in the configuration and in metrics.csv. */
  readonly name: string;
  /** "friction λ", with its unit. */
  readonly title: string;
  /** "λ", for short labels. */
  readonly symbol: string;
  /** Distinct, ascending. */
  readonly values: readonly number[];
  /** Evenly spaced values lie on a linear or logarithmic axis; any others stand side by side, each with its label. */
  readonly scale: "linear" | "log" | "ordinal";
}

const PARAMETERS: Readonly<Record<string, readonly [symbol: string, title: string]>> = {
  leak: ["κ", "leak κ (per step)"],
  gain: ["γ", "gain γ"],
  noiseStd: ["σ", "noise σ"],
  noiseScale: ["noise ×", "noise scale"],
  noiseFriction: ["noise √λ", "noise scaled by √λ"],
  friction: ["λ", "friction λ"],
  adaptStrength: ["bₐ", "adaptation strength bₐ"],
  adaptTau: ["τₐ", "adaptation time constant τₐ (steps)"],
};

export const symbolOf = (name: string): string => PARAMETERS[name]?.[0] ?? name;

const isEven = (values: readonly number[]): boolean => {
  const step = ((values[values.length - 1] as number) - (values[0] as number)) / (values.length - 1);
  // Grids are written with a few decimals: 0.333 is a third.
  return values.every((v, i) => Math.abs(v - (values[0] as number) - i * step) <= 0.02 * Math.abs(step));
};

function scaleOf(values: readonly number[]): SweepAxis["scale"] {
  if (values.length < 3) return "ordinal";
  if (isEven(values)) return "linear";
  return (values[0] as number) > 0 && isEven(values.map(Math.log)) ? "log" : "ordinal";
}

/** `values` in any order, repeats allowed. */
export function sweepAxis(name: string, values: Iterable<number>): SweepAxis {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const [symbol, title] = PARAMETERS[name] ?? [name, name];
  return { name, symbol, title, values: distinct, scale: scaleOf(distinct) };
}

/** At most six digits, no trailing zeros. */
export const valueText = (v: number): string => String(Number(v.toPrecision(6))).replace("-", "\u2212");

/** "λ 0.6", to four digits. */
export const axisValueText = (axis: SweepAxis, value: number): string =>
  `${axis.symbol} ${valueText(Number(value.toPrecision(4)))}`;

/** The axis as a chart needs it: positions in units of its scale, and cells that meet halfway between values. */
export interface AxisLayout {
  readonly type: "linear" | "log";
  readonly domain: readonly [number, number];
  /** Where a value lies, in units of the domain. */
  readonly at: (value: number) => number;
  /** Share of the axis at which cell i begins; one more than there are values. */
  readonly edges: readonly number[];
  /** Positions of labels, where they are not to be chosen by the chart. */
  readonly ticks?: readonly number[];
  readonly format?: (position: number) => string;
}

const MAX_LABELS = 12;
const FEW = 6;

export function axisLayout(axis: SweepAxis): AxisLayout {
  const { values, scale } = axis;
  const n = values.length;
  const edges = Array.from({ length: n + 1 }, (_, i) => i / n);
  const stride = Math.ceil(n / MAX_LABELS);
  if (scale === "ordinal") {
    return {
      type: "linear",
      domain: [-0.5, n - 0.5],
      at: (v) => values.indexOf(v),
      edges,
      ticks: values.map((_, i) => i).filter((i) => i % stride === 0),
      format: (i) => valueText(values[i] ?? Number.NaN),
    };
  }
  const [low, high] = [values[0] as number, values[n - 1] as number];
  if (scale === "log") {
    const half = (high / low) ** (0.5 / (n - 1));
    return {
      type: "log",
      domain: [low / half, high * half],
      at: (v) => v,
      edges,
      ticks: values.filter((_, i) => i % stride === 0),
      format: valueText,
    };
  }
  const half = (0.5 * (high - low)) / (n - 1);
  // Of few values each has its label, where it lies; of many, round numbers say more.
  const own = n > FEW ? {} : { ticks: values, format: (v: number) => valueText(Number(v.toPrecision(3))) };
  return { type: "linear", domain: [low - half, high + half], at: (v) => v, edges, ...own };
}

/** `count` of n indices, evenly spread, both ends among them. */
export function spreadOut(n: number, count: number): number[] {
  if (n <= count) return Array.from({ length: n }, (_, i) => i);
  if (count === 1) return [0];
  return Array.from({ length: count }, (_, i) => Math.round((i * (n - 1)) / (count - 1)));
}
