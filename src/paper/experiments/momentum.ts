/** Claim 3: momentum alone, along λ on the common grid, and the law of long replays. */
import type { Experiment } from "../experiment.ts";
import { momentumFigures } from "../momentum/figures.ts";
import { type MomentumResult, momentumClaims } from "../momentum/judge.ts";
import { type LawTask, measureLaw } from "../momentum/law.ts";
import { type MomentumTask, momentumOf } from "../momentum/measure.ts";

export const momentum: Experiment<MomentumResult> = {
  name: "momentum",
  title: "momentum: reach times, laps and the stationary law",
  needs: ({ momentum: { tasks, law } }) => ({ families: [...new Set([...tasks, ...law.tasks])], grids: tasks }),
  async measure(lab) {
    const { tasks, law } = lab.protocol.momentum;
    const measured: MomentumTask[] = [];
    for (const task of tasks) measured.push(momentumOf(task, await lab.grid(task)));
    const laws: LawTask[] = [];
    for (const task of law.tasks) laws.push(await measureLaw(lab, task));
    return { tasks: measured, laws };
  },
  judge: momentumClaims,
  figures: momentumFigures,
};
