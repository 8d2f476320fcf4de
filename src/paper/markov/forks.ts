/**
 * The fork test: from the same r_t replays go on with the memory that belongs to it, with that of another visit to
 * nearly the same r, and with none. Everything runs on the GPU from whole states (r, v, c).
 */
import { mean } from "../../metrics/statistics.ts";
import { cellParams } from "../../model/dynamics.ts";
import type { GivenStates, ReplayResult } from "../../replay/replay.ts";
import type { Condition } from "../../sweep/definition.ts";
import type { Family, FamilyMember, Lab } from "../experiment.ts";
import type { Protocol } from "../protocol.ts";
import { replayMembers, replayStep } from "../replays.ts";
import { energyCoefficient } from "./clouds.ts";
import { distance, type Neighbour, neighbours, type Visits, visitsOf } from "./visits.ts";

/** Which memory a fork changes: c under adaptation, v under momentum. */
export type Memory = "v" | "c";

/** As it is; as it is, under other noise; of another visit; none. The noise of all but the second is the same. */
export const FORKS = ["own", "floor", "other", "none"] as const;
export type Fork = (typeof FORKS)[number];
const NOISE_OF = [0, 1, 0, 0];

/** Where and how a family's networks are forked. */
export interface ForkSpec {
  readonly memory: Memory;
  readonly condition: Condition;
  /** T of the replays that are forked. */
  readonly steps: number;
  readonly repeats: number;
  readonly protocol: Protocol["markov"];
}

/** Means over the forks of one network; NaN where nothing could be forked. */
export interface NetworkForks {
  readonly index: number;
  /** Forks that could be made, of those asked for: another visit was near enough. */
  readonly forks: number;
  /** |r − r'| over the spread of r, of the other visits. */
  readonly apart: number;
  /** |m − m'| over |m|, m the memory. */
  readonly memoryApart: number;
  /** Of the one-step mean, in standard deviations of the step's noise. */
  readonly oneStep: Readonly<Record<"other" | "none", number>>;
  /** Energy coefficient of the state's law against that of "own", after a quarter of the horizon and at its end. */
  readonly states: Readonly<Record<"floor" | "other" | "none", readonly [early: number, late: number]>>;
  /** The same of the decoded position, after each quarter. */
  readonly positions: Readonly<Record<"floor" | "other" | "none", readonly number[]>>;
  /** Rollouts that went on from (r, v, c) at half time with the very bits of the unbroken ones, of all. */
  readonly identical: number;
  readonly continued: number;
}

/** Quarters of the horizon at which positions are compared. */
export const QUARTERS = 4;

/** When a fork shows most: c works slowly, v is soon forgotten. Index into `states` of a fork. */
export const SHOWN: Readonly<Record<Memory, 0 | 1>> = { c: 1, v: 0 };

/** Forks of the networks of one place. @throws Interrupted */
export async function forkMembers(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  spec: ForkSpec,
): Promise<NetworkForks[]> {
  const { protocol: p, repeats, steps } = spec;
  const units = family.config.rnn.units;
  const size = { networks: members.length, repeats, units };
  const kept = { saveEvery: p.visitEvery, saveStates: true, saveExtra: true };
  const [whole] = await replayMembers(lab, family, members, { conditions: [spec.condition], repeats, steps, ...kept });
  const histories = historiesOf(whole as ReplayResult);
  const visits = members.map((_, s) => visitsOf(histories, s, size));
  const chosen = visits.map((v) =>
    v.count === 0 ? [] : neighbours(v, p.states).filter((n) => n.other >= 0 && n.apart <= p.neighbours),
  );
  const clouds = await cloudsOf(lab, family, members, spec, visits, chosen);
  const next = await nextMeans(lab, family, members, spec, visits, chosen);
  const same = await continued(lab, family, members, spec, histories);
  return members.map((member, s) => ({
    index: member.index,
    ...summaryOf(visits[s] as Visits, chosen[s] as Neighbour[], spec.memory),
    oneStep: next(s),
    ...clouds(s),
    ...(same[s] as { identical: number; continued: number }),
  }));
}

type Histories = Pick<Visits, "r" | "v" | "c">;
const historiesOf = (h: ReplayResult): Histories => ({
  r: h.states as Float32Array,
  v: h.v as Float32Array,
  c: h.c as Float32Array,
});

function summaryOf(v: Visits, chosen: readonly Neighbour[], memory: Memory) {
  const m = v[memory];
  const n = v.units;
  const zero = new Float32Array(n);
  return {
    forks: chosen.length,
    apart: mean(chosen.map((x) => x.apart)),
    memoryApart: mean(chosen.map((x) => distance(m, x.visit, m, x.other, n) / distance(m, x.visit, zero, 0, n))),
  };
}

/** Whole states of a fork's rows, (S, forks · rows, N): `each` rows of every chosen visit, padded with zeros. */
function startOf(
  visits: readonly Visits[],
  chosen: readonly (readonly Neighbour[])[],
  spec: ForkSpec,
  forks: readonly Fork[],
  each: number,
): GivenStates {
  const units = visits[0]?.units ?? 0;
  const rows = spec.protocol.states * each;
  const empty = () => new Float32Array(visits.length * forks.length * rows * units);
  const out = { r: empty(), v: empty(), c: empty() };
  visits.forEach((own, s) => {
    forks.forEach((fork, f) => {
      chosen[s]?.forEach(({ visit, other }, i) => {
        for (const name of ["r", "v", "c"] as const) {
          const changed = name === spec.memory;
          if (changed && fork === "none") continue;
          const from = (changed && fork === "other" ? other : visit) * units;
          const state = own[name].subarray(from, from + units);
          const to = ((s * forks.length + f) * rows + i * each) * units;
          for (let k = 0; k < each; k++) out[name].set(state, to + k * units);
        }
      });
    });
  });
  return { step: 1, ...out };
}

async function cloudsOf(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  spec: ForkSpec,
  visits: readonly Visits[],
  chosen: readonly (readonly Neighbour[])[],
) {
  const { states, draws, horizon } = spec.protocol;
  const every = Math.max(1, Math.floor(horizon / QUARTERS));
  const results = await replayMembers(lab, family, members, {
    conditions: FORKS.map(() => spec.condition),
    noiseOf: NOISE_OF,
    repeats: states * draws,
    steps: every * QUARTERS,
    ...{ saveEvery: every, saveStates: true },
    goOn: startOf(visits, chosen, spec, FORKS, draws),
  });
  const units = family.config.rnn.units;
  const rows = states * draws;
  const part = (all: Float32Array, at: number, i: number, width: number): Float32Array =>
    all.subarray((at * rows + i * draws) * width, (at * rows + (i + 1) * draws) * width);
  /** Of fork f from the i-th visit of network s, after a quarter of the horizon. */
  const positions = (f: number, s: number, i: number, quarter: number): Float32Array =>
    part((results[f] as ReplayResult).readout, s * QUARTERS + quarter, i, 2);
  const statesOf = (f: number, s: number, i: number, quarter: number): Float32Array =>
    part((results[f] as ReplayResult).states as Float32Array, s * QUARTERS + quarter, i, units);
  return (s: number) => {
    const over = (of: (i: number) => number): number => mean((chosen[s] ?? []).map((_, i) => of(i)));
    const states = (f: number, q: number): number =>
      over((i) => energyCoefficient(statesOf(0, s, i, q), statesOf(f, s, i, q), units));
    const against = (f: number) => ({
      states: [states(f, 0), states(f, QUARTERS - 1)] as const,
      positions: Array.from({ length: QUARTERS }, (_, q) =>
        over((i) => energyCoefficient(positions(0, s, i, q), positions(f, s, i, q), 2)),
      ),
    });
    const [floor, other, none] = [against(1), against(2), against(3)];
    return {
      states: { floor: floor.states, other: other.states, none: none.states },
      positions: { floor: floor.positions, other: other.positions, none: none.positions },
    };
  };
}

/** How far the one-step means of the forks lie apart: common noise cancels in the difference of one step. */
export async function nextMeans(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  spec: ForkSpec,
  visits: readonly Visits[],
  chosen: readonly (readonly Neighbour[])[],
) {
  const forks = ["own", "other", "none"] as const;
  const results = await replayMembers(lab, family, members, {
    conditions: forks.map(() => spec.condition),
    repeats: spec.protocol.states,
    steps: 1,
    goOn: startOf(visits, chosen, spec, forks, 1),
  });
  const units = family.config.rnn.units;
  const next = (f: number): Float32Array => (results[f] as ReplayResult).last;
  return (s: number) => {
    const noise = cellParams(replayStep(family, members[s] as FamilyMember, spec.condition)).noise;
    const apart = (f: number): number =>
      mean(
        (chosen[s] ?? []).map((_, i) => {
          const row = s * spec.protocol.states + i;
          return distance(next(0), row, next(f), row, units) / noise;
        }),
      );
    return { other: apart(1), none: apart(2) };
  };
}

/** From the states of half time on, launched anew: rows with the very bits of the unbroken rollouts, of each network. */
async function continued(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  spec: ForkSpec,
  whole: Histories,
): Promise<{ identical: number; continued: number }[]> {
  const { repeats } = spec;
  const every = spec.protocol.visitEvery;
  const rowFloats = family.config.rnn.units;
  const saved = whole.r.length / (members.length * repeats * rowFloats);
  const half = Math.floor(saved / 2);
  const more = Math.min(QUARTERS, saved - half);
  if (half < 1) return members.map(() => ({ identical: 0, continued: 0 }));
  const slot = (x: Float32Array): Float32Array => {
    const out = new Float32Array(members.length * repeats * rowFloats);
    for (let s = 0; s < members.length; s++) {
      const from = (s * saved + half - 1) * repeats * rowFloats;
      out.set(x.subarray(from, from + repeats * rowFloats), s * repeats * rowFloats);
    }
    return out;
  };
  const [again] = await replayMembers(lab, family, members, {
    conditions: [spec.condition],
    repeats,
    steps: more * every,
    ...{ saveEvery: every, saveStates: true, saveExtra: true },
    goOn: { step: half * every, r: slot(whole.r), v: slot(whole.v), c: slot(whole.c) },
  });
  const after = historiesOf(again as ReplayResult);
  return members.map((_, s) => {
    let identical = 0;
    for (let b = 0; b < repeats; b++) {
      const isSame = (["r", "v", "c"] as const).every((name) =>
        Array.from({ length: more }, (_, t) => t).every((t) =>
          sameBits(
            row(whole[name], (s * saved + half + t) * repeats + b, rowFloats),
            row(after[name], (s * more + t) * repeats + b, rowFloats),
          ),
        ),
      );
      if (isSame) identical++;
    }
    return { identical, continued: repeats };
  });
}

const row = (x: Float32Array, at: number, width: number): Float32Array => x.subarray(at * width, (at + 1) * width);

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const words = (x: Float32Array) => new Uint32Array(x.buffer, x.byteOffset, x.length);
  const [x, y] = [words(a), words(b)];
  return x.every((w, i) => w === y[i]);
}
