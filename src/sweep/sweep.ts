/** Runs a sweep, or what is left of it, on an open GPU: awake reference, launches, and who is told of what is done. */
import type { ActivityReference } from "../code/activity.ts";
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { recordLayouts } from "../kernels/records.ts";
import { type AdapterSpec, adapterSpec } from "../kernels/spec.ts";
import { savedSteps } from "../replay/plan.ts";
import type { AuditedRow } from "./audit.ts";
import { awakeOccupancy, measureAwake } from "./awake.ts";
import type { SweepDefinition } from "./definition.ts";
import { SweepMachine, takePositions, takeStates } from "./launch.ts";
import { metricsLayouts } from "./path-metrics.ts";
import { type Launch, planLaunches, type SweepPlanOptions } from "./plan.ts";
import { AWAKE, type ResultRecord, resultKey } from "./results.ts";
import { type MachineOptions, planOptionsOf, sweepRows } from "./spec.ts";

/** Conditions [from, to) of a sweep. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** Part i of n; where positions are kept, its borders are those of their files. */
export function partOf(d: SweepDefinition, index: number, of: number): Part {
  const block = Math.max(1, d.conditionsPerShard);
  const blocks = Math.ceil(d.conditions.length / block);
  const border = (i: number) => Math.min(d.conditions.length, Math.floor((i * blocks) / of) * block);
  return { from: border(index), to: border(index + 1) };
}

/** Positions of some conditions of all networks, as they go to a file. */
export interface Shard {
  readonly index: number;
  readonly condition0: number;
  readonly conditions: number;
  /** (S, saved, conditions × repeats, 2), metres */
  readonly positions: Float32Array;
  /** (S, saved, conditions × sampled, N) */
  readonly states: Float32Array | null;
}

export interface SweepSink {
  /** Lines that are already there. */
  readonly known: ReadonlyMap<string, ResultRecord>;
  /** Whether a file of positions is already there. */
  readonly hasShard: (index: number) => boolean;
  /** Called before the lines that belong to it. */
  readonly shard: (shard: Shard) => void;
  /** Makes lines durable. */
  readonly append: (records: readonly ResultRecord[]) => void;
}

export interface SweepRunOptions {
  readonly kind: PlanKind;
  readonly part: Part;
  /** Bytes on the device. */
  readonly budget: number;
  readonly adapter?: AdapterSpec;
  readonly signal?: AbortSignal;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
  /** Rollouts done, of those of the part. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Looks at some rows of every launch before its lines are kept; throws where they are wrong. */
  readonly audit?: (rows: readonly AuditedRow[]) => void;
}

export function machineOptions(gpu: Gpu, o: Pick<SweepRunOptions, "kind" | "budget" | "adapter">): MachineOptions {
  return {
    kind: o.kind,
    budget: o.budget,
    adapter: o.adapter ?? adapterSpec(gpu),
    records: recordLayouts(gpu.options.readShader),
    layouts: metricsLayouts(gpu.options.readShader),
  };
}

const shardOf = (d: SweepDefinition, condition: number): number =>
  d.conditionsPerShard > 0 ? Math.floor(condition / d.conditionsPerShard) : 0;

/** Whether every line of a launch is known, and so is the file that it writes to. */
function isDone(d: SweepDefinition, sink: SweepSink, l: Launch): boolean {
  if (d.conditionsPerShard > 0 && !sink.hasShard(shardOf(d, l.condition0))) return false;
  for (let c = 0; c < l.conditions; c++) {
    for (let s = 0; s < l.networks; s++) {
      if (!sink.known.has(resultKey({ network: l.network0 + s, condition: l.condition0 + c }))) return false;
    }
  }
  return true;
}

/** Launches that are still to be run, those of one shard one after the other. A shard is written whole or not at all. */
function remaining(d: SweepDefinition, sink: SweepSink, launches: readonly Launch[]): Launch[][] {
  if (d.conditionsPerShard === 0) return launches.filter((l) => !isDone(d, sink, l)).map((l) => [l]);
  const shards = new Map<number, Launch[]>();
  for (const l of launches) {
    const index = shardOf(d, l.condition0);
    shards.set(index, [...(shards.get(index) ?? []), l]);
  }
  return [...shards.values()].filter((own) => !own.every((l) => isDone(d, sink, l)));
}

/**
 * `trained` holds `weights` and `recurrent_t` of all networks. An interruption loses the launch under way, or the shard
 * where positions are kept; what is done stays done. Throws GpuError, UsageError, and what the sink throws.
 */
export async function runSweep(
  gpu: Gpu,
  d: SweepDefinition,
  trained: ReadonlyMap<string, DeviceBuffer>,
  sink: SweepSink,
  options: SweepRunOptions,
): Promise<"completed" | "interrupted"> {
  const machineOf = machineOptions(gpu, options);
  const plan = planOptionsOf(d, machineOf);
  const launches = planLaunches(plan, options.part.from, options.part.to, d.conditionsPerShard);
  const work = remaining(d, sink, launches);
  const rollouts = (l: Launch) => l.networks * l.conditions * d.repeats;
  const total = launches.reduce((sum, l) => sum + rollouts(l), 0);
  let done = total - work.flat().reduce((sum, l) => sum + rollouts(l), 0);
  const hooks = { ...(options.signal ? { signal: options.signal } : {}) };
  const compile = options.onCompile ? { onCompile: options.onCompile } : {};

  let awake = d.networks.flatMap((_, network) => sink.known.get(resultKey({ network, condition: AWAKE })) ?? []);
  let startStates: Float32Array | null = null;
  let activity: readonly ActivityReference[] = [];
  // What stands in no line has to be made again for what is left.
  const wantsAwake = (d.start === "awakeEnd" || d.activity === true) && work.length > 0;
  if (awake.length < d.networks.length || wantsAwake) {
    const measured = await measureAwake(gpu, d, machineOf, trained, { ...hooks, ...compile });
    if (measured === null) return "interrupted";
    if (awake.length < d.networks.length) sink.append(measured.records);
    awake = [...measured.records];
    if (d.start === "awakeEnd") startStates = measured.last;
    activity = measured.activity;
  }
  if (work.length === 0) return "completed";
  const cells = plan.metrics.geometry.box.cells ** 2;
  const machine = await SweepMachine.create(gpu, plan, work.flat(), {
    trained,
    rows: (network, from, count) => sweepRows(d, network, from, count),
    awakeOccupancy: awakeOccupancy(d, awake, cells),
    startStates,
    activity,
    audit: options.audit !== undefined,
  });
  try {
    for (const own of work) {
      const shard = d.conditionsPerShard > 0 ? emptyShard(d, plan, own) : null;
      const records: ResultRecord[] = [];
      for (const launch of own) {
        const output = await machine.run(launch, {
          ...hooks,
          ...compile,
          onSteps: (steps) => options.onProgress?.(done + (rollouts(launch) * steps) / d.steps, total),
        });
        if (output === null) return "interrupted";
        options.audit?.(output.audited);
        done += rollouts(launch);
        records.push(...output.records);
        if (shard && output.positions) {
          const rows = shard.conditions * d.repeats;
          takePositions(plan, launch, output.positions, shard.positions, shard.condition0, rows);
          if (shard.states && output.states)
            takeStates(plan, launch, output.states, shard.states, shard.condition0, shard.conditions * d.stateRepeats);
        }
      }
      if (shard) sink.shard(shard);
      sink.append(records);
    }
    return "completed";
  } finally {
    machine.destroy();
  }
}

function emptyShard(d: SweepDefinition, plan: SweepPlanOptions, launches: readonly Launch[]): Shard {
  const index = shardOf(d, launches[0]?.condition0 as number);
  const condition0 = index * d.conditionsPerShard;
  const conditions = Math.min(d.conditionsPerShard, d.conditions.length - condition0);
  const slots = d.networks.length * savedSteps(d.steps, plan.keepEvery) * conditions;
  return {
    index,
    condition0,
    conditions,
    positions: new Float32Array(slots * d.repeats * 2),
    states: d.stateRepeats > 0 ? new Float32Array(slots * d.stateRepeats * d.shape.units) : null,
  };
}
