import type { Tensor } from "../metrics/trajectories.ts";
import type { Environment } from "./environment.ts";
import { FINE, ground, type Place, panelHeight, placing } from "./ground.ts";
import { px, text } from "./svg.ts";
import { INK, MUTED, RAMP_STEPS, rampColour } from "./theme.ts";

/** Paths in their environment, coloured by time: the panel that every figure of paths is made of. */

/** Colour against time. A square root spends more colours on the start, where replays differ most. */
export interface TimeScale {
  /** Last step. */
  readonly end: number;
  readonly kind: "linear" | "squareRoot";
}

export const progress = (scale: TimeScale, step: number): number =>
  scale.kind === "linear" ? step / scale.end : Math.sqrt(step / scale.end);

/** One path as it lies in a tensor. */
export interface PathChoice {
  readonly tensor: Tensor;
  readonly network: number;
  readonly row: number;
}

/** `count` rows in all, spread evenly over networks and over the rows of each. */
export function choosePaths(tensor: Tensor, count: number, networks?: readonly number[]): PathChoice[] {
  const [S = 0, , R = 0] = tensor.shape;
  const chosen = networks ?? Array.from({ length: S }, (_, s) => s);
  const perNetwork = Math.min(R, Math.max(1, Math.ceil(count / Math.max(1, chosen.length))));
  return chosen
    .flatMap((network) =>
      Array.from({ length: perNetwork }, (_, i) => ({ tensor, network, row: Math.floor((i * R) / perNetwork) })),
    )
    .slice(0, Math.max(count, chosen.length));
}

export interface PathPanel {
  readonly environment: Environment;
  readonly paths: readonly PathChoice[];
  readonly time: TimeScale;
  /** Step of slot 0 and steps between slots. */
  readonly firstStep: number;
  readonly every: number;
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly lineWidth?: number;
  /** At most this many positions per path; longer ones are thinned evenly. */
  readonly maxSamples?: number;
}

export function pathPanel(p: PathPanel): string {
  const { environment, width } = p;
  const { view } = environment;
  const height = panelHeight(view, width);
  const at = placing(view, width);
  return [
    `<svg x="${px(p.x)}" y="${px(p.y)}" width="${px(width)}" height="${px(height)}" ` +
      `viewBox="0 0 ${Math.round(width * FINE)} ${Math.round(height * FINE)}" overflow="hidden" fill="none" ` +
      `stroke-linecap="round" stroke-linejoin="round">`,
    ground(environment, width),
    ...timeColouredPaths(p, at),
    "</svg>",
  ].join("");
}

/** One path element per colour, earliest first, so that what comes later lies on top. */
function timeColouredPaths(p: PathPanel, at: Place): string[] {
  const { view } = p.environment;
  const strokes: string[][] = Array.from({ length: RAMP_STEPS }, () => []);
  for (const choice of p.paths) {
    const [, T = 0, R = 0] = choice.tensor.shape;
    const stride = Math.max(1, Math.ceil(T / (p.maxSamples ?? 600)));
    let before: [number, number] | null = null;
    let open = -1;
    for (let t = 0; t < T; t += stride) {
      const from = ((choice.network * T + t) * R + choice.row) * 2;
      const [x, y] = [choice.tensor.data[from] as number, choice.tensor.data[from + 1] as number];
      // A diverged path ends here: SVG has no infinity, and renderers overflow long before it.
      if (!(Math.hypot(x - view.x, y - view.y) < 100 * view.width)) break;
      const here = at(x, y);
      const share = progress(p.time, p.firstStep + t * p.every);
      const colour = Math.min(RAMP_STEPS - 1, Math.max(0, Math.floor(share * RAMP_STEPS)));
      const stroke = strokes[colour] as string[];
      if (before !== null) {
        if (colour !== open) stroke.push(`M${before[0]} ${before[1]}`);
        stroke.push(relative(here[0] - before[0], here[1] - before[1]));
        open = colour;
      }
      before = here;
    }
  }
  const lineWidth = px((p.lineWidth ?? 0.8) * FINE);
  return strokes.flatMap((stroke, i) =>
    stroke.length === 0
      ? []
      : [`<path d="${stroke.join("")}" stroke="${rampColour(i)}" stroke-width="${lineWidth}" stroke-opacity=".72"/>`],
  );
}

const relative = (dx: number, dy: number): string => `l${dx}${dy < 0 ? "" : " "}${dy}`;

/** The colours' key: a strip with ticks at round steps. */
export function timeKey(scale: TimeScale, x: number, y: number, width: number): string {
  const cells = Array.from({ length: RAMP_STEPS }, (_, i) => {
    const w = width / RAMP_STEPS;
    // Half a pixel of overlap: renderers leave seams between neighbours.
    return `<rect x="${px(x + i * w)}" y="${px(y)}" width="${px(w + (i < RAMP_STEPS - 1 ? 0.5 : 0))}" height="6" fill="${rampColour(i)}"/>`;
  });
  const ticks = roundSteps(scale).map((step) => {
    const at = x + progress(scale, step) * width;
    return (
      `<path d="M${px(at)} ${px(y + 6)}v3" stroke="${MUTED}" fill="none"/>` +
      text(at, y + 20, String(step), { size: 10, fill: MUTED, anchor: "middle" })
    );
  });
  const label = scale.kind === "linear" ? "step" : "step (square-root scale)";
  return `${cells.join("")}${ticks.join("")}${text(x - 8, y + 7, label, { size: 11, fill: INK, anchor: "end" })}`;
}

/** 0, the end, and round numbers that stand apart from both and each other. */
function roundSteps({ end, kind }: TimeScale): number[] {
  const round = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 1e5, 1e6];
  const candidates =
    kind === "squareRoot" ? round : [0.25, 0.5, 0.75].map((f) => Math.round(f * end)).filter((s) => s > 0 && end >= 8);
  const share = (step: number): number => progress({ end, kind }, step);
  const kept = [0];
  for (const step of candidates) {
    if (share(step) - share(kept[kept.length - 1] as number) > 0.12 && share(step) < 0.86) kept.push(step);
  }
  return [...kept, end];
}
