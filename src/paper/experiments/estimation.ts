/**
 * Claim 1: the score is hard to estimate, and a given leak leaves only a term of the path's own dimension to learn.
 * Theory and sampled covariances; no network. Half a minute of one core: the host does it.
 */
import { ouTask } from "../../task/paths.ts";
import { estimationClaims } from "../estimation/claims.ts";
import { estimationFigures } from "../estimation/figures.ts";
import type { EstimationResult } from "../estimation/result.ts";
import { sampleEstimates } from "../estimation/sample.ts";
import type { Experiment, Lab } from "../experiment.ts";
import { familyConfig } from "../family.ts";
import { Interrupted } from "../lab.ts";

async function measure({ protocol, io }: Lab): Promise<EstimationResult> {
  const { dimensions, samples, repeats } = protocol.estimation;
  io.progress.start("estimating the score from samples", dimensions.length * samples.length * repeats, "draws");
  const result = await sampleEstimates({
    seed: protocol.seed,
    task: ouTask(),
    steps: familyConfig(protocol, "ou").task.steps,
    protocol: protocol.estimation,
    onDraw: async (done) => {
      if (io.signal.aborted) throw new Interrupted();
      io.progress.update(done);
      // Ctrl-C is heard between two draws.
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  io.progress.done();
  return result;
}

export const estimation: Experiment<EstimationResult> = {
  name: "estimation",
  title: "how hard the score is to estimate",
  measure,
  judge: estimationClaims,
  figures: estimationFigures,
};
