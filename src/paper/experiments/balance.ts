/** Claim 4, how to balance friction against adaptation: a phase diagram, and its best mix on unseen seeds. */
import { chooseMix, pointsOf } from "../balance/choose.ts";
import { balanceFigures } from "../balance/figures.ts";
import { type Balance, judgeBalance, namedMembers } from "../balance/judge.ts";
import { planeConditions, planeOfSweep } from "../balance/measure.ts";
import type { Experiment } from "../experiment.ts";
import type { Cell } from "../grid.ts";

const PLAIN: Cell = { friction: 1, adaptStrength: 0, adaptTau: 100 };

export const balance: Experiment<Balance> = {
  name: "balance",
  title: "friction against adaptation, and the best mix on unseen seeds",
  needs: (protocol) => {
    const { task: family, repeats } = protocol.balance;
    return {
      families: [family, "unseen"],
      sweeps: [
        {
          name: "balance",
          family,
          conditions: planeConditions(protocol).length,
          repeats,
          networks: protocol.seeds.count,
        },
        { name: "balance-unseen", family: "unseen", conditions: 2 },
      ],
    };
  },
  async measure(lab) {
    const { protocol } = lab;
    const { task, repeats } = protocol.balance;
    const named = protocol.named[task];
    const conditions = planeConditions(protocol);
    const plane = planeOfSweep(
      await lab.sweep(
        "balance",
        task,
        conditions,
        repeats,
        ({ leak, maskEvery }) => leak === named?.leak && maskEvery === named.maskEvery,
      ),
      conditions,
    );
    const chosen = chooseMix(pointsOf(plane, namedMembers(plane, protocol)), protocol);
    if (chosen === undefined) return { plane, unseen: null };
    const pair = [PLAIN, chosen.cell];
    return { plane, unseen: planeOfSweep(await lab.sweep("balance-unseen", "unseen", pair), pair) };
  },
  judge: judgeBalance,
  figures: balanceFigures,
};
