/**
 * Below which λ a network should diverge, from its Jacobian alone, beside the λ at which it does.
 *
 * A piecewise linear network has another Jacobian in each piece, and along a replay its noise carries it from piece to
 * piece at almost every step, while the modes that momentum makes unstable grow over many steps: they see the mean of the
 * pieces. So the prediction is made from −∂f/∂r averaged over states of replays at λ = 1, which nobody has to diverge
 * for. Single states are kept beside it, to show what a choice of one would have said.
 */
import type { Complex } from "../../theory/eigenvalues.ts";
import { eigenvalues } from "../../theory/eigenvalues.ts";
import { criticalFriction, driftMatrix, isStableMode, type LinearisedNetwork } from "../../theory/stability.ts";
import type { Family, FamilyMember, Lab } from "../experiment.ts";
import { momentumOf } from "../momentum/measure.ts";
import type { FamilyName } from "../protocol.ts";
import { replayMembers } from "../replays.ts";

export interface StabilityMember extends FamilyMember {
  /** Of the averaged Jacobian; empty where training diverged. */
  readonly modes: readonly Complex[];
  /** The largest λ below which a mode that is stable at λ = 1 is not: 0 = stable for every λ, NaN = no prediction. */
  readonly critical: number;
  /** The same of single states, ascending. */
  readonly criticalOfStates: readonly number[];
  /** [λ]: share of replays that diverged. */
  readonly diverged: readonly number[];
}

export interface StabilityTask {
  readonly task: FamilyName;
  /** Descending from 1. */
  readonly frictions: readonly number[];
  readonly members: readonly StabilityMember[];
}

/** Single states whose own Jacobian is looked at. */
const SINGLE = 6;
/** Replays that give states. */
const REPEATS = 8;

/** Modes that are not stable at λ = 1 either are the path itself and its forks: no friction makes them diverge. */
export function criticalOf(modes: readonly Complex[]): number {
  const own = modes.filter((k) => isStableMode(k, 1)).map(criticalFriction);
  return own.length === 0 ? Number.NaN : Math.max(...own);
}

function networkOf(family: Family, m: FamilyMember): LinearisedNetwork {
  const { rnn } = family.config;
  const weights = family.weights[m.index] as Family["weights"][number];
  return {
    units: rnn.units,
    recurrent: weights.W_rec,
    bias: weights.b,
    leak: m.leak,
    gain: rnn.gain,
    activation: rnn.activation,
    leakySlope: rnn.leakySlope,
  };
}

/** @param states (state, N) of a replay at λ = 1 */
export function predict(network: LinearisedNetwork, states: Float32Array) {
  const N = network.units;
  const count = states.length / N;
  if (!states.every(Number.isFinite)) return { modes: [], critical: Number.NaN, criticalOfStates: [] };
  const modes = eigenvalues(driftMatrix(network, states, 0, count), N);
  const single = Array.from({ length: Math.min(SINGLE, count) }, (_, i) => {
    const at = Math.floor((i * count) / Math.min(SINGLE, count));
    return criticalOf(eigenvalues(driftMatrix(network, states, at, 1), N));
  });
  return { modes, critical: criticalOf(modes), criticalOfStates: single.sort((a, b) => a - b) };
}

export async function measureStability(lab: Lab, task: FamilyName): Promise<StabilityTask> {
  const { states } = lab.protocol.stability;
  const sweep = await lab.grid(task);
  const { family } = sweep;
  const actual = momentumOf(task, sweep);
  const saved = Math.ceil(states / REPEATS);
  const steps = sweep.steps - (sweep.steps % saved);
  lab.io.note(`modes of ${task}: ${family.members.length} networks`);
  const [plain] = await replayMembers(lab, family, family.members, {
    conditions: [{ friction: 1, adaptStrength: 0 }],
    repeats: REPEATS,
    steps,
    saveEvery: steps / saved,
    saveStates: true,
  });
  const kept = plain?.states as Float32Array;
  const size = saved * REPEATS * family.config.rnn.units;
  return {
    task,
    frictions: actual.frictions,
    members: family.members.map((m, i) => ({
      ...m,
      ...predict(networkOf(family, m), kept.subarray(i * size, (i + 1) * size)),
      diverged: (actual.members[i]?.replays ?? []).map((r) => r.diverged),
    })),
  };
}
