/** Conditional mutual information of the past of r, given r alone and given the memory beside it. */
import { informationOfScores, principalScores, type Scores } from "../../metrics/markov.ts";
import type { States } from "../../metrics/trajectories.ts";
import type { ReplayResult } from "../../replay/replay.ts";
import type { Family, FamilyMember, Lab } from "../experiment.ts";
import type { NamedCell, Protocol } from "../protocol.ts";
import { replayMembers } from "../replays.ts";

/** Steps between now and the past that is asked about. */
export const LAGS = [1, 5] as const;

/** What is known of the present. */
export const GIVEN = ["r", "r, v", "r, c", "r, v, c"] as const;
export type Given = (typeof GIVEN)[number];

export const REPLAYS = ["plain", "adaptation", "momentum", "both"] as const;
export type ReplayName = (typeof REPLAYS)[number];

/** What there is beside r in each replay. */
export const KNOWABLE: Readonly<Record<ReplayName, readonly Given[]>> = {
  plain: ["r"],
  adaptation: ["r", "r, c"],
  momentum: ["r", "r, v"],
  both: ["r", "r, v", "r, c", "r, v, c"],
};

export interface NetworkInformation {
  readonly index: number;
  /** Nats per component, one number for each of `LAGS`; NaN where rollouts do not stay finite. */
  readonly nats: Readonly<Record<ReplayName, Nats>>;
}

/** Network s of a history (S, saved, repeats, N) without rollouts that stop being finite in any of them. */
function statesOfAll(histories: readonly Float32Array[], s: number, networks: number, repeats: number, units: number) {
  const steps = (histories[0]?.length ?? 0) / (networks * repeats * units);
  const at = (b: number, t: number): number => ((s * steps + t) * repeats + b) * units;
  const isSound = (b: number): boolean =>
    histories.every((h) => {
      for (let t = 0; t < steps; t++) {
        for (let u = 0; u < units; u++) if (!Number.isFinite(h[at(b, t) + u] as number)) return false;
      }
      return true;
    });
  const rows = Array.from({ length: repeats }, (_, b) => b).filter(isSound);
  return histories.map((h): States => {
    const values = new Float32Array(rows.length * steps * units);
    rows.forEach((b, i) => {
      for (let t = 0; t < steps; t++) {
        values.set(h.subarray(at(b, t), at(b, t) + units), (i * steps + t) * units);
      }
    });
    return { values, rows: rows.length, steps, units };
  });
}

type Nats = Readonly<Partial<Record<Given, readonly number[]>>>;

function informationOf(
  r: ReplayResult,
  name: ReplayName,
  s: number,
  networks: number,
  repeats: number,
  units: number,
): Nats {
  const histories = [r.states, r.v, r.c] as readonly Float32Array[];
  const known = statesOfAll(histories, s, networks, repeats, units) as [States, States, States];
  const [{ rows }] = known;
  const has = (variable: "v" | "c"): boolean => KNOWABLE[name].some((given) => given.includes(variable));
  const wanted = [true, has("v"), has("c")];
  const [own, v, c] = known.map((x, i) => (rows > 0 && wanted[i] ? principalScores(x) : null));
  return Object.fromEntries(
    KNOWABLE[name].map((given) => {
      const beside = [...(given.includes("v") ? [v] : []), ...(given.includes("c") ? [c] : [])] as Scores[];
      return [given, own ? informationOfScores(known[0], LAGS, own, beside) : LAGS.map(() => Number.NaN)];
    }),
  );
}

/** @throws Interrupted */
export async function informationOfMembers(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  { friction, adaptStrength, adaptTau }: NamedCell,
  { memoryRepeats: repeats, memorySteps: steps }: Protocol["markov"],
): Promise<NetworkInformation[]> {
  const adapt = { adaptStrength, adaptTau };
  const results = await replayMembers(lab, family, members, {
    conditions: [
      { friction: 1, adaptStrength: 0 },
      { friction: 1, ...adapt },
      { friction, adaptStrength: 0 },
      { friction, ...adapt },
    ],
    ...{ repeats, steps, saveStates: true, saveExtra: true },
  });
  const units = family.config.rnn.units;
  return members.map((member, s) => ({
    index: member.index,
    nats: Object.fromEntries(
      REPLAYS.map((name, i) => [
        name,
        informationOf(results[i] as ReplayResult, name, s, members.length, repeats, units),
      ]),
    ) as Record<ReplayName, Nats>,
  }));
}
