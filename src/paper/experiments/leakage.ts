/** Claim 1, "leakage helps": how networks learn, κ × k, on every task. */
import type { Experiment } from "../experiment.ts";
import { leakageFigures } from "../leakage/figures.ts";
import { judgeLeakage } from "../leakage/judge.ts";
import { type TaskLeakage, taskLeakage } from "../leakage/measure.ts";

interface Leakage {
  readonly tasks: readonly TaskLeakage[];
}

export const leakage: Experiment<Leakage> = {
  name: "leakage",
  title: "learning with and without a leak",
  needs: ({ leakage: { tasks } }) => ({ families: tasks }),
  async measure(lab) {
    const tasks: TaskLeakage[] = [];
    for (const name of lab.protocol.leakage.tasks) tasks.push(taskLeakage(await lab.family(name), lab.protocol));
    return { tasks };
  },
  judge: ({ tasks }, protocol) => judgeLeakage(tasks, protocol),
  figures: ({ tasks }, protocol) => leakageFigures(tasks, protocol),
};
