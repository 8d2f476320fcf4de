/** Claim 2: adaptation explores and slows; momentum with it is fast and exploratory. All on the common grid of replays. */
import { adaptationClaims } from "../adaptation/claims.ts";
import { curvesFigure } from "../adaptation/curves.ts";
import { fourFigure } from "../adaptation/four.ts";
import { type TaskReplays, taskReplays } from "../adaptation/replays.ts";
import { signsFigure } from "../adaptation/signs.ts";
import type { Experiment } from "../experiment.ts";

export const adaptation: Experiment<readonly TaskReplays[]> = {
  name: "adaptation",
  title: "adaptation: exploration, speed, and momentum beside it",
  needs: ({ adaptation: { tasks } }) => ({ families: tasks, grids: tasks }),
  async measure(lab) {
    const tasks: TaskReplays[] = [];
    for (const task of lab.protocol.adaptation.tasks) tasks.push(taskReplays(task, await lab.grid(task)));
    return tasks;
  },
  judge: adaptationClaims,
  figures: (tasks, protocol) => [
    ...tasks.flatMap((r) => curvesFigure(r, protocol)),
    signsFigure(tasks, protocol),
    fourFigure(tasks, protocol),
  ],
};
