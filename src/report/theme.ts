/**
 * Colours. Figures carry the light ones as plain attributes, which every renderer understands; where a viewer
 * prefers dark, the rules below exchange them one by one. So one file serves a page, a README and a slide.
 */
export const INK = "#1c2024";
export const MUTED = "#68707a";
export const HAIRLINE = "#dcdfe3";
export const PAPER = "#ffffff";
/** The maze's corridor, under the paths. */
export const CORRIDOR = "#eef0f3";
export const CENTRELINE = "#c8cdd4";
export const WARNING = "#9a5b00";

const BASE_PAIRS: readonly Pair[] = [
  [INK, "#e7e5e0"],
  [MUTED, "#9aa1aa"],
  [HAIRLINE, "#343940"],
  [PAPER, "#14161a"],
  [CORRIDOR, "#20242a"],
  [CENTRELINE, "#454c55"],
  [WARNING, "#e5a84b"],
];

/** Hues that stay apart under the common colour blindnesses (after Okabe and Ito), and their dark twins. */
const CONDITION_PAIRS: readonly Pair[] = [
  ["#5b6573", "#aeb6c1"],
  ["#0072b2", "#5bb4ec"],
  ["#d55e00", "#f58f4a"],
  ["#009e73", "#3ecfa3"],
  ["#b5649a", "#e29fcb"],
  ["#8c7000", "#e2c64f"],
  ["#5d3f9e", "#b49ee6"],
  ["#a3243b", "#f2788b"],
];

export const conditionColour = (index: number): string => conditionPair(index)[0];

/** Stops at tenths, from dark to light, even in lightness and readable without colour vision. */
const VIRIDIS = "440154 482475 414487 355f8d 2a788e 21918c 22a884 44bf70 7ad151 bddf26 fde725".split(" ");
const MAGMA = "000004 150e37 3b0f70 641a80 8c2981 b63679 de4968 f76f5c fe9f6d fece91 fcfdbf".split(" ");

function mix(stops: readonly string[], x: number): string {
  const at = Math.min(0.999999, Math.max(0, x)) * (stops.length - 1);
  const low = Math.floor(at);
  const channels = [0, 2, 4].map((from) => {
    const of = (k: number): number => Number.parseInt((stops[k] as string).slice(from, from + 2), 16);
    return Math.round(of(low) + (at - low) * (of(low + 1) - of(low)));
  });
  return `#${channels.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

type Pair = readonly [light: string, dark: string];

const pairs = (count: number, pair: (x: number) => Pair): Pair[] =>
  Array.from({ length: count }, (_, i) => pair(i / (count - 1)));

const nth = (of: readonly Pair[], index: number): string =>
  (of[Math.min(of.length - 1, Math.max(0, index))] as Pair)[0];

export const RAMP_STEPS = 24;

/**
 * Time, viridis. Thin lines: the ramp's yellow end is lost on white and its violet end on black, so each side leaves
 * one out.
 */
const RAMP_PAIRS = pairs(RAMP_STEPS, (x) => [mix(VIRIDIS, 0.93 * x), mix(VIRIDIS, 0.3 + 0.7 * x)]);

export const rampColour = (index: number): string => nth(RAMP_PAIRS, index);

export const HEAT_STEPS = 32;

/** How much there is in a cell, magma. Little is close to the page, much is far from it: reversed on white. */
const HEAT_PAIRS = pairs(HEAT_STEPS, (x) => [mix(MAGMA, 0.97 - 0.87 * x), mix(MAGMA, 0.14 + 0.86 * x)]);

export const heatColour = (index: number): string => nth(HEAT_PAIRS, index);

/** What a reader with a colour-blind audience wants to know. */
export const PALETTES =
  "Palettes: viridis (time), magma (amounts), Okabe–Ito (conditions). Each can be told apart with the common colour blindnesses and in grey.";

/** For what is drawn in the page by its own script, which knows the theme. */
export const RAMP = { light: RAMP_PAIRS.map((p) => p[0]), dark: RAMP_PAIRS.map((p) => p[1]) };

const side = (k: 0 | 1): Readonly<Record<"ink" | "muted" | "corridor" | "centreline" | "paper", string>> => {
  const of = (light: string): string => (BASE_PAIRS.find((p) => p[0] === light) as Pair)[k];
  return { ink: of(INK), muted: of(MUTED), corridor: of(CORRIDOR), centreline: of(CENTRELINE), paper: of(PAPER) };
};

export const INK_PAIR: Pair = BASE_PAIRS[0] as Pair;

export const BASE = { light: side(0), dark: side(1) };

export const conditionPair = (index: number): Pair => CONDITION_PAIRS[index % CONDITION_PAIRS.length] as Pair;

/** CSS that exchanges every light colour of a figure for its dark twin, inside the elements of `scope`. */
export function darkRules(scope: string): string {
  const lines = [...BASE_PAIRS, ...CONDITION_PAIRS, ...RAMP_PAIRS].map(
    ([light, dark]) =>
      `${scope} [stroke="${light}"]{stroke:${dark}}${scope} [fill="${light}"]{fill:${dark}}` +
      `${scope} [stop-color="${light}"]{stop-color:${dark}}`,
  );
  const areas = HEAT_PAIRS.map(([light, dark]) => `${scope} [fill="${light}"]{fill:${dark}}`);
  return [...lines, ...areas].join("");
}

export const darkOf = (light: string): string =>
  [...BASE_PAIRS, ...CONDITION_PAIRS].find(([l]) => l === light)?.[1] ?? light;

export const SANS = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
