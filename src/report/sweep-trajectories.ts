import type { Tensor } from "../metrics/trajectories.ts";
import type { Environment } from "./environment.ts";
import { choosePaths, pathPanel, type TimeScale, timeKey } from "./paths.ts";
import type { Figure } from "./svg.ts";
import { fixedNote, type PanelLayout, sheet } from "./sweep-panels.ts";

/** A drawn path is thinned to about this many positions; the CSV beside the figure has the same ones. */
export const MAX_SAMPLES = 240;
export const PATHS_PER_PANEL = 12;

/** Decoded rollouts of the conditions of a layout, coloured by time. */
export function figureTrajectories(
  layout: PanelLayout,
  environment: Environment,
  positions: ReadonlyMap<string, Tensor>,
  every: number,
): Figure {
  const s = sheet(layout, environment);
  const slots = Math.max(1, ...[...positions.values()].map((t) => t.shape[1] ?? 0));
  const time: TimeScale = { end: slots * every, kind: "squareRoot" };
  const panels = s.placed.map(({ condition, x, y }) => {
    const tensor = positions.get(condition.name);
    if (tensor === undefined) return "";
    return pathPanel({
      environment,
      paths: choosePaths(tensor, PATHS_PER_PANEL),
      time,
      firstStep: every,
      every,
      x,
      y,
      width: s.panelWidth,
      lineWidth: 0.7,
      maxSamples: MAX_SAMPLES,
    });
  });
  const keyWidth = Math.min(220, s.width * 0.5);
  return {
    name: "trajectories",
    width: s.width,
    height: s.bottom + 44,
    body:
      panels.join("") +
      s.body +
      fixedNote(layout, s.bottom + 26) +
      timeKey(time, s.width - keyWidth - 12, s.bottom + 18, keyWidth),
    description: `Decoded rollouts in the maze, coloured by time, one panel for each of ${layout.cells.length} conditions.`,
  };
}
