import { hasArrivals } from "../metrics/geometry.ts";
import { figureAwake } from "./figure-awake.ts";
import { explorationAxes, figureExploration } from "./figure-exploration.ts";
import { figureLoss } from "./figure-loss.ts";
import { figureOccupancy, MAX_OCCUPANCIES, occupancyMaps } from "./figure-occupancy.ts";
import { figureRates, MAX_RATE_NETWORKS, MAX_RATE_UNITS } from "./figure-rates.ts";
import { figureReach } from "./figure-reach.ts";
import { figureReplays, figureReplaysByNetwork, MAX_PANELS, PATHS_BY_NETWORK } from "./figure-replays.ts";
import { figureSpeed, MAX_RIDGES, speedRidges } from "./figure-speed.ts";
import { figureTuning } from "./figure-tuning.ts";
import { environmentIn, type ReportInput } from "./input.ts";
import type { PageFigure } from "./page.ts";
import { explorationBehind, lossBehind, occupancyBehind, ratesBehind, reachBehind, speedBehind } from "./run-csv.ts";

export const seedsOf = (input: ReportInput): number[] => {
  const seeds: number[] = [];
  for (const r of input.records) seeds[r.network] = r.seed;
  return seeds;
};

/** What a row does to arrive. */
function arrival({ geometry }: ReportInput): string {
  if (geometry.leave === null) return "have reached the goal";
  return geometry.kind === "ring"
    ? "have turned a quarter away from their start"
    : `are farther than ${Number(geometry.leave.toPrecision(2))} m from their start`;
}

const more = (left: number, where: string): string => (left > 0 ? ` ${left} more conditions are in ${where}.` : "");

function replays(input: ReportInput, networks: number): PageFigure {
  const { word, discs, centres } = environmentIn(input);
  const results =
    (discs.length > 0
      ? "Dashed circles are goals. Mean reach time counts a replay that never arrives at its whole length; track coverage is the share of the maze that a replay sees."
      : "Cells visited are those of a 20 × 20 grid.") + (centres.length > 0 ? " Dots are centres of place cells." : "");
  return {
    figure: figureReplays(input),
    title: "Replays",
    caption:
      `Decoded positions during replay, without input, in the ${word}, coloured by time; later steps lie on top. ${results}` +
      (networks > 1 ? " Numbers are mean ± standard deviation over networks." : "") +
      more(input.conditions.length - MAX_PANELS, "metrics.csv"),
  };
}

function exploration(input: ReportInput, networks: number): PageFigure {
  const isFree = explorationAxes(input).y === "cells";
  return {
    figure: figureExploration(input),
    data: { name: "exploration.csv", csv: explorationBehind(input, explorationAxes(input)) },
    title: isFree ? "Exploration against speed" : "Exploration against time",
    caption:
      (networks > 1 ? "Small dots: networks. Large dots: their mean; bars: one standard deviation. " : "") +
      (isFree
        ? "Further right is faster, further up covers more cells."
        : "Further left is faster, further up sees more of the maze in one replay."),
  };
}

/** The figures that a run's data allow, in the order of the page. */
export function figuresOf(input: ReportInput): PageFigure[] {
  const figures: PageFigure[] = [];
  const networks = input.conditions[0]?.positions.shape[0] ?? 0;
  const hasReplays = input.conditions.length > 0;
  if (hasReplays) figures.push(replays(input, networks));
  if (hasReplays && input.records.length > 0) {
    figures.push(exploration(input, networks));
    if (hasArrivals(input.geometry)) {
      figures.push({
        figure: figureReach(input),
        data: { name: "reach.csv", csv: reachBehind(input) },
        title: "Reach times",
        caption:
          `Share of replays that ${arrival(input)} by each step. Thick: all networks together; thin: each network. ` +
          "Replays end with their last step, so later arrivals are not seen (censored): the gap between a curve's end and 1. Dashed: awake paths, which are shorter.",
      });
    }
  }
  if (hasReplays) {
    const occupancy = occupancyMaps(input);
    const speeds = speedRidges(input);
    figures.push({
      figure: figureOccupancy(environmentIn(input), occupancy),
      data: { name: "occupancy.csv", csv: occupancyBehind(occupancy.maps, occupancy.grid) },
      title: "Occupancy, awake and in replay",
      caption:
        "Two-dimensional histograms of decoded positions, all networks and repeats together, on one logarithmic scale: how often each place is visited, not only whether." +
        more(input.conditions.length + (input.awake ? 1 : 0) - MAX_OCCUPANCIES, "replay.npz"),
    });
    figures.push({
      figure: figureSpeed(speeds),
      data: { name: "speed.csv", csv: speedBehind(speeds.ridges, speeds.most) },
      title: "Speeds",
      caption:
        "How fast the decoded position moves, at all times of all replays and networks; lines are medians. Waiting at an end counts as slow. Still: decoded to the very same position again; such times are told, not drawn." +
        more(input.conditions.length + (input.awake ? 1 : 0) - MAX_RIDGES, "metrics.csv"),
    });
  }
  if (networks > 1) {
    const replaysEach = Math.max(...input.conditions.map((c) => c.positions.shape[2] ?? 0));
    figures.push({
      figure: figureReplaysByNetwork(input, seedsOf(input)),
      title: "Replays, network by network",
      caption: `The same colours as above, ${Math.min(PATHS_BY_NETWORK, replaysEach)} replays in each panel${networks > 4 ? `; the first 4 of ${networks} networks` : ""}.`,
    });
  }
  if (input.rates !== undefined && input.rates.networks.length > 0) {
    const { grid, networks: maps } = input.rates;
    const side = Number((grid.width / grid.columns).toPrecision(2));
    const data = { name: "rates.csv", csv: ratesBehind(grid, maps.slice(0, MAX_RATE_NETWORKS), MAX_RATE_UNITS) };
    const isRing = input.geometry.kind === "ring";
    if (isRing) {
      figures.push({
        figure: figureTuning(grid, maps, seedsOf(input)),
        data,
        title: "Tuning curves",
        caption:
          "Mean activity max(r, 0) of hidden units against direction, awake, with input; 0° to the right, counter-clockwise; the outer circle is the unit's peak. " +
          "Of each network, the units that tell most about the direction (bits per unit of activity, as spatial information per spike).",
      });
    } else
      figures.push({
        figure: figureRates(input, input.rates, seedsOf(input)),
        data,
        title: "Rate maps",
        caption:
          `Mean activity of hidden units in cells of ${side} m, awake, with input; cells with fewer than three visits are left out. ` +
          "Of each network, the units that tell most about the place (bits per unit of activity, as spatial information per spike), each on its own scale from 0 to its peak." +
          (input.rates.replay === undefined
            ? ""
            : " Below, on the same scales: the same units in replay, at the decoded position."),
      });
  }
  if (input.awake !== undefined) {
    figures.push({
      figure: figureAwake(input, input.awake),
      title: "Awake",
      caption: "Test paths, and what the networks decode of them from the input that they see.",
    });
  }
  if (input.loss !== undefined && input.loss.iterations.length > 0) {
    figures.push({
      figure: figureLoss(input, input.loss),
      data: { name: "loss.csv", csv: lossBehind(input.loss) },
      title: "Training",
      caption:
        input.loss.perNetwork.length > 1
          ? "Thin: networks; thick: their median. Dots at the end: test error of each network on fresh paths."
          : "Training loss; the dot at the end is the test error on fresh paths.",
    });
  }
  return figures;
}
