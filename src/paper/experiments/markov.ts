/** Claim 2: adaptation is non-Markov, shown by intervention; what slows, memory or inhibition; information beside it. */
import type { Experiment, Family, Lab } from "../experiment.ts";
import { membersAt } from "../grid.ts";
import { markovClaims } from "../markov/claims.ts";
import { markovFigures } from "../markov/figures.ts";
import { forkMembers, type Memory, type NetworkForks } from "../markov/forks.ts";
import { informationOfMembers, type NetworkInformation } from "../markov/information.ts";
import { measureControls } from "../markov/memoryless.ts";
import { type TaskMarkov, usableOf } from "../markov/result.ts";
import type { FamilyName, NamedCell } from "../protocol.ts";
import type { Place } from "../usable.ts";

interface Markov {
  readonly tasks: readonly TaskMarkov[];
}

/** Adaptation alone forks c, momentum alone forks v. */
function conditionOf(memory: Memory, { friction, adaptStrength, adaptTau }: NamedCell) {
  return memory === "c" ? { friction: 1, adaptStrength, adaptTau } : { friction, adaptStrength: 0 };
}

async function forksOf(lab: Lab, family: Family, places: readonly Place[], memory: Memory): Promise<NetworkForks[]> {
  const { markov: protocol, replay, named } = lab.protocol;
  const condition = conditionOf(memory, named[family.name] as NamedCell);
  const spec = { memory, condition, steps: replay.steps[family.name], repeats: replay.repeats, protocol };
  const all: NetworkForks[] = [];
  // Place by place: the clouds of all at once would be gigabytes.
  for (const place of places) all.push(...(await forkMembers(lab, family, membersAt(family.members, place), spec)));
  return all;
}

async function measureTask(lab: Lab, task: FamilyName): Promise<TaskMarkov> {
  const { protocol } = lab;
  const named = protocol.named[task] as NamedCell;
  const family = await lab.family(task);
  const { members } = family;
  const controls = await measureControls(lab, family, task, named);
  const { usable } = usableOf({ task, members, controls }, protocol);
  const information: NetworkInformation[] = [];
  for (const place of usable.filter((p) => protocol.markov.memoryMaskEvery.includes(p.maskEvery))) {
    const own = membersAt(members, place);
    information.push(...(await informationOfMembers(lab, family, own, named, protocol.markov)));
  }
  const forks = { c: await forksOf(lab, family, usable, "c"), v: await forksOf(lab, family, usable, "v") };
  return { task, steps: protocol.replay.steps[task], members, controls, forks, information };
}

export const markov: Experiment<Markov> = {
  name: "markov",
  title: "non-Markov by intervention: forks, memoryless feedback, information",
  needs: ({ markov: { tasks } }) => ({ families: tasks }),
  async measure(lab) {
    const tasks: TaskMarkov[] = [];
    for (const task of lab.protocol.markov.tasks) tasks.push(await measureTask(lab, task));
    return { tasks };
  },
  judge: ({ tasks }, protocol) => markovClaims(tasks, protocol),
  figures: ({ tasks }, protocol) => markovFigures(tasks, protocol),
};
