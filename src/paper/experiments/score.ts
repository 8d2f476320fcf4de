/** Claim 1: the score changes with time, and leakage gives the drift its linear part. Networks on OU paths. */
import { pathTask } from "../../config/resolve.ts";
import type { NetworkTensors } from "../../model/parameters.ts";
import type { OuTask } from "../../task/paths.ts";
import { type Moments, ouPath, pathMoments } from "../../theory/gaussian-path.ts";
import type { Experiment, Lab } from "../experiment.ts";
import { leaksOf, membersAt } from "../grid.ts";
import { scoreClaims } from "../score/claims.ts";
import { compareDrift } from "../score/comparison.ts";
import { awakeDrifts } from "../score/drifts.ts";
import { scoreFigures } from "../score/figures.ts";
import type { ScoreNetwork, ScoreResult } from "../score/result.ts";

async function measure(lab: Lab): Promise<ScoreResult> {
  const family = await lab.family("ou");
  const { protocol } = lab;
  const { times, states: rows, maskEvery } = protocol.score;
  const { config } = family;
  const N = config.rnn.units;
  const path = pathMoments(ouPath(pathTask(config) as OuTask), Math.max(...times));
  const networks: ScoreNetwork[] = [];
  const leaks = leaksOf(family.members);
  // One κ and k at a time: their states are all that has to be held.
  for (const leak of leaks) {
    for (const k of maskEvery) {
      const members = membersAt(family.members, { leak, maskEvery: k });
      if (members.length === 0) continue;
      const { states, drifts } = await awakeDrifts(lab, family, members, times, rows);
      members.forEach((m, s) => {
        const weights = family.weights[m.index] as NetworkTensors;
        const readout = { rows: 2, columns: N, data: Float64Array.from(weights.W_out) };
        const comparisons = times.map((t, at) => {
          const from = (s * times.length + at) * rows * N;
          return compareDrift({
            states: states.subarray(from, from + rows * N),
            drifts: drifts.subarray(from, from + rows * N),
            readout,
            noiseStd: config.rnn.noiseStd,
            path: path[t] as Moments,
          });
        });
        networks.push({ ...m, diverged: family.diverged[m.index] === true, comparisons });
      });
    }
  }
  return { times, units: N, noiseStd: config.rnn.noiseStd, networks };
}

export const score: Experiment<ScoreResult> = {
  name: "score",
  title: "the drift against the score on OU paths",
  needs: () => ({ families: ["ou"] }),
  measure,
  judge: scoreClaims,
  figures: scoreFigures,
};
