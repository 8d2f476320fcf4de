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

const BASE_PAIRS: readonly (readonly [light: string, dark: string])[] = [
  [INK, "#e7e5e0"],
  [MUTED, "#9aa1aa"],
  [HAIRLINE, "#343940"],
  [PAPER, "#14161a"],
  [CORRIDOR, "#20242a"],
  [CENTRELINE, "#454c55"],
  [WARNING, "#e5a84b"],
];

/** Hues that stay apart under the common colour blindnesses (after Okabe and Ito), and their dark twins. */
const CONDITION_PAIRS: readonly (readonly [light: string, dark: string])[] = [
  ["#5b6573", "#aeb6c1"],
  ["#0072b2", "#5bb4ec"],
  ["#d55e00", "#f58f4a"],
  ["#009e73", "#3ecfa3"],
  ["#b5649a", "#e29fcb"],
  ["#8c7000", "#e2c64f"],
  ["#5d3f9e", "#b49ee6"],
  ["#a3243b", "#f2788b"],
];

export const conditionColour = (index: number): string =>
  (CONDITION_PAIRS[index % CONDITION_PAIRS.length] as readonly [string, string])[0];

/** viridis at tenths: even in lightness and readable without colour vision. */
const VIRIDIS = [
  "#440154",
  "#482475",
  "#414487",
  "#355f8d",
  "#2a788e",
  "#21918c",
  "#22a884",
  "#44bf70",
  "#7ad151",
  "#bddf26",
  "#fde725",
];

function viridis(x: number): string {
  const at = Math.min(0.999999, Math.max(0, x)) * (VIRIDIS.length - 1);
  const low = Math.floor(at);
  const channels = [1, 3, 5].map((from) => {
    const of = (k: number): number => Number.parseInt((VIRIDIS[k] as string).slice(from, from + 2), 16);
    return Math.round(of(low) + (at - low) * (of(low + 1) - of(low)));
  });
  return `#${channels.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

export const RAMP_STEPS = 24;

/** Thin lines: the ramp's yellow end is lost on white and its violet end on black, so each side leaves one out. */
const RAMP_PAIRS = Array.from({ length: RAMP_STEPS }, (_, i) => {
  const x = i / (RAMP_STEPS - 1);
  return [viridis(0.93 * x), viridis(0.3 + 0.7 * x)] as const;
});

export const rampColour = (index: number): string =>
  (RAMP_PAIRS[Math.min(RAMP_STEPS - 1, Math.max(0, index))] as readonly [string, string])[0];

/** CSS that exchanges every light colour of a figure for its dark twin, inside the elements of `scope`. */
export function darkRules(scope: string): string {
  return [...BASE_PAIRS, ...CONDITION_PAIRS, ...RAMP_PAIRS]
    .map(
      ([light, dark]) =>
        `${scope} [stroke="${light}"]{stroke:${dark}}${scope} [fill="${light}"]{fill:${dark}}` +
        `${scope} [stop-color="${light}"]{stop-color:${dark}}`,
    )
    .join("");
}

export const darkOf = (light: string): string => BASE_PAIRS.find(([l]) => l === light)?.[1] ?? light;

export const SANS = "Inter, 'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
