/** Claim 3: where momentum makes a network diverge, told by the eigenvalues of its Jacobian. */
import type { Experiment } from "../experiment.ts";
import { stabilityFigures } from "../stability/figures.ts";
import { stabilityClaims } from "../stability/judge.ts";
import { measureStability, type StabilityTask } from "../stability/measure.ts";

export const stability: Experiment<readonly StabilityTask[]> = {
  name: "stability",
  title: "stability: eigenvalues against divergence",
  needs: ({ stability: { tasks } }) => ({ families: tasks, grids: tasks }),
  async measure(lab) {
    const tasks: StabilityTask[] = [];
    for (const task of lab.protocol.stability.tasks) tasks.push(await measureStability(lab, task));
    return tasks;
  },
  judge: stabilityClaims,
  figures: stabilityFigures,
};
