/** Claim 4, what else reviewers asked: other activation functions, no masking, small friction. */
import { activationFigures } from "../activations/figures.ts";
import { type Activations, judgeActivations } from "../activations/judge.ts";
import { type Plane, planeOfSweep } from "../balance/measure.ts";
import type { Experiment, FamilySweep } from "../experiment.ts";
import type { Cell } from "../grid.ts";

/** The common grid; without adaptation τ_a says nothing. */
function planeOfGrid(sweep: FamilySweep): Plane {
  const cells = sweep.conditions.map(
    (c): Cell => ({ friction: c.friction ?? 1, adaptStrength: c.adaptStrength ?? 0, adaptTau: c.adaptTau ?? 0 }),
  );
  return planeOfSweep(sweep, cells);
}

export const activations: Experiment<Activations> = {
  name: "activations",
  title: "other activation functions, no masking, small friction",
  needs: ({ activations: { families, task } }) => ({ families: [], grids: [task, ...families] }),
  async measure(lab) {
    const { families, task } = lab.protocol.activations;
    const relu = planeOfGrid(await lab.grid(task));
    const others: Activations["families"][number][] = [];
    for (const family of families) others.push({ family, plane: planeOfGrid(await lab.grid(family)) });
    return { relu, families: others };
  },
  judge: judgeActivations,
  figures: activationFigures,
};
