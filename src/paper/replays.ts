/** Replays of some members of a family whose positions, and perhaps states and activity, come to the host. */
import { codeSpec, networkSettings, pathTask } from "../config/resolve.ts";
import { recordLayouts } from "../kernels/records.ts";
import type { StepParameters } from "../model/dynamics.ts";
import type { NetworkTensors } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import { type GivenStates, type ReplayResult, runReplay } from "../replay/replay.ts";
import { modelOf, trainSpecOf } from "../run/experiment.ts";
import { compiling, planKindFor } from "../run/open.ts";
import { uploadWeights } from "../run/weights.ts";
import type { Condition } from "../sweep/definition.ts";
import { testBatch } from "../train/test-batch.ts";
import type { Family, FamilyMember, Lab } from "./experiment.ts";
import { Interrupted } from "./lab.ts";

export interface ReplayRequest {
  readonly conditions: readonly Condition[];
  readonly repeats: number;
  readonly steps: number;
  /** Every n-th step is kept; 1 without. */
  readonly saveEvery?: number;
  readonly saveStates?: boolean;
  /** Activity of place cells at every n-th step; none without. */
  readonly codeEvery?: number;
  /** v and c of the kept steps too. */
  readonly saveExtra?: boolean;
  /** Whole states to go on from, (network, conditions · repeats, N). */
  readonly goOn?: GivenStates;
  /** Which noise each condition has; the same for all without. */
  readonly noiseOf?: readonly number[];
  /** Other weights than the members' own, in their order. */
  readonly weights?: readonly NetworkTensors[];
}

const weightsOf = (family: Family, members: readonly FamilyMember[]): NetworkTensors[] =>
  members.map((m) => family.weights[m.index] as NetworkTensors);

/** What a member's replay under a condition steps by. */
export function replayStep(family: Family, member: FamilyMember, condition: Condition): StepParameters {
  const { noiseScale, noiseFriction } = family.config.replay;
  const own = networkSettings(family.config)[member.index] as { readonly step: StepParameters };
  return { ...own.step, noiseScale, noiseFriction, ...condition };
}

/** Labs whose kernels are compiled: hundreds of short replays need not say so each. */
const compiled = new WeakSet<Lab>();

function compilingOnce(lab: Lab): { onCompile?: ReturnType<typeof compiling> } {
  if (compiled.has(lab)) return {};
  compiled.add(lab);
  return { onCompile: compiling(lab.io) };
}

/** One result for each condition, networks in the order of `members`. @throws Interrupted */
export async function replayMembers(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  request: ReplayRequest,
): Promise<readonly ReplayResult[]> {
  const { config } = family;
  const { conditions, repeats, steps } = request;
  const rows = members.length * paddedRows(conditions.length * repeats);
  const model = modelOf(config);
  const trained = uploadWeights(lab.gpu, model, request.weights ?? weightsOf(family, members));
  try {
    const outcome = await runReplay(
      lab.gpu,
      {
        model,
        seeds: members.map((m) => m.seed),
        conditions: members.map((m) => conditions.map((c) => replayStep(family, m, c))),
        repeats,
        steps,
        saveEvery: request.saveEvery ?? 1,
        saveStates: request.saveStates ?? false,
        codeEvery: request.codeEvery ?? 0,
        saveExtra: request.saveExtra ?? false,
        goOn: request.goOn ?? null,
        pairedNoise: true,
        ...(request.noiseOf ? { noiseOf: request.noiseOf } : {}),
        task: pathTask(config),
        code: codeSpec(config),
        startStates: null,
        kind: planKindFor(lab.gpu, {}, { units: config.rnn.units, rows }),
      },
      trained,
      { signal: lab.io.signal, ...compilingOnce(lab) },
    );
    if (outcome.kind === "interrupted") throw new Interrupted();
    return outcome.conditions;
  } finally {
    for (const buffer of trained.values()) lab.gpu.destroyBuffer(buffer);
  }
}

export interface AwakePaths {
  /** (network, T+1, row, 2): true positions s_0 … s_T, metres. */
  readonly positions: Float32Array;
  /** (network, T, row, 2): decoded positions with input on, metres; slot t belongs to s_{t+1}. */
  readonly readout: Float32Array;
  /** (network, T, row, O): of place cells. */
  readonly code: Float32Array | null;
  readonly steps: number;
  readonly rows: number;
}

/** Awake test trajectories of some members: their readout with input on. */
export async function awakeMembers(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  rows: number,
): Promise<AwakePaths> {
  const spec = trainSpecOf(
    family.config,
    planKindFor(lab.gpu, {}, { units: family.config.rnn.units, rows: members.length * paddedRows(rows) }),
  );
  const trained = uploadWeights(lab.gpu, spec.model, weightsOf(family, members));
  try {
    const networks = members.map((m) => spec.networks[m.index] as (typeof spec.networks)[number]);
    const test = await testBatch(
      lab.gpu,
      { ...spec, networks },
      trained,
      recordLayouts(lab.gpu.options.readShader),
      rows,
      {
        keep: true,
        keepCode: spec.code !== null,
        onCompile: compiling(lab.io),
        signal: lab.io.signal,
      },
    );
    return {
      positions: test.positions as Float32Array,
      readout: test.readout as Float32Array,
      code: test.code,
      steps: spec.steps,
      rows,
    };
  } finally {
    for (const buffer of trained.values()) lab.gpu.destroyBuffer(buffer);
  }
}
