/** Runs the launches of a sweep on one GPU: buffers made once for all of them, one program per kind of launch. */
import { type ActivityReference, measureCloud } from "../code/activity.ts";
import { shownOf } from "../code/passes.ts";
import { BUFFER_USAGE, type DeviceBuffer, type Gpu } from "../gpu/context.ts";
import { Clock, makeBuffers, Program } from "../gpu/program.ts";
import { chunkRows } from "../kernels/recurrence.ts";
import { unpackRows } from "../kernels/unpack.ts";
import { activityValues } from "../metrics/code.ts";
import { conditionalMutualInformation } from "../metrics/markov.ts";
import { roundUp } from "../model/parameters.ts";
import { packRows, type RowRecord } from "../model/rows.ts";
import { savedSteps } from "../replay/plan.ts";
import { startSlot } from "../replay/replay.ts";
import type { Extent } from "../task/extent.ts";
import { aggregateRows } from "./aggregate.ts";
import { type AuditedRow, auditedRowsOf } from "./audit.ts";
import {
  geometryUploads,
  type MetricsChunk,
  type MetricsLayouts,
  metricsRow,
  metricsSummary,
  type PathMetricsSpec,
} from "./path-metrics.ts";
import { rowMetrics, summaryMetrics } from "./path-records.ts";
import {
  chunkOf,
  type Launch,
  type LaunchPlan,
  metricsChunkOf,
  planKey,
  planLaunch,
  type SweepPlanOptions,
  sampledRows,
  sharedBuffers,
} from "./plan.ts";
import type { ResultRecord } from "./results.ts";

export interface LaunchInputs {
  /** `weights` and `recurrent_t` of all networks. */
  readonly trained: ReadonlyMap<string, DeviceBuffer>;
  /** Rows of a network under conditions [from, from + count), condition-major. */
  readonly rows: (network: number, from: number, count: number) => readonly RowRecord[];
  /** (S, cells): steps of the awake trajectories in each cell. */
  readonly awakeOccupancy: Uint32Array<ArrayBuffer> | null;
  /** Where activity is measured: of each network, what its clouds are compared with. */
  readonly activity?: readonly ActivityReference[];
  /** (S, repeats, N): states to start from, or null for encoded positions. */
  readonly startStates: Float32Array | null;
  /** Whether audited rows are read back. */
  readonly audit?: boolean;
}

export interface LaunchOutput {
  readonly records: readonly ResultRecord[];
  readonly audited: readonly AuditedRow[];
  /** What was kept, as it lies on the device: [saved][R][O padded]. */
  readonly positions: Float32Array | null;
  /** [saved][S·C·sampled][N padded] of the sampled rollouts. */
  readonly states: Float32Array | null;
}

export interface LaunchHooks {
  readonly signal?: AbortSignal;
  /** Steps of the launch that are done. */
  readonly onSteps?: (steps: number) => void;
  readonly onCompile?: (kernel: string, index: number, of: number) => void;
}

interface Ready {
  readonly launch: LaunchPlan;
  readonly program: Program;
}

export class SweepMachine {
  readonly options: SweepPlanOptions;
  readonly #gpu: Gpu;
  readonly #inputs: LaunchInputs;
  readonly #clock: Clock;
  readonly #buffers: Map<string, DeviceBuffer>;
  readonly #ready = new Map<string, Ready>();
  #compiled = false;

  private constructor(gpu: Gpu, options: SweepPlanOptions, inputs: LaunchInputs, buffers: Map<string, DeviceBuffer>) {
    this.#gpu = gpu;
    this.options = options;
    this.#inputs = inputs;
    this.#buffers = buffers;
    this.#clock = new Clock(gpu, 1);
  }

  /** Allocates for all of `launches`. @throws UsageError when the bytes do not fit */
  static async create(
    gpu: Gpu,
    o: SweepPlanOptions,
    launches: readonly Launch[],
    inputs: LaunchInputs,
  ): Promise<SweepMachine> {
    const kinds = new Map(launches.map((l) => [planKey(l), l]));
    const specs = sharedBuffers([...kinds.values()].map((l) => planLaunch(o, l)));
    const fresh = specs.filter((b) => !inputs.trained.has(b.name));
    gpu.requireBytes(
      "sweep",
      fresh.reduce((sum, b) => sum + b.bytes, 0),
      Math.max(...fresh.map((b) => b.bytes)),
    );
    const buffers = new Map([...inputs.trained, ...(await makeBuffers(gpu, "sweep", fresh))]);
    const machine = new SweepMachine(gpu, o, inputs, buffers);
    for (const u of geometryUploads(o.metrics)) gpu.write(machine.#buffer(u.buffer), u.data);
    if (inputs.awakeOccupancy) gpu.write(machine.#buffer("awake_occupancy"), inputs.awakeOccupancy);
    return machine;
  }

  #buffer(name: string): DeviceBuffer {
    return this.#buffers.get(name) as DeviceBuffer;
  }

  async #program(launch: Launch): Promise<Ready> {
    const key = planKey(launch);
    let ready = this.#ready.get(key);
    if (!ready) {
      const plan = planLaunch(this.options, launch);
      ready = { launch: plan, program: await Program.create(this.#gpu, plan.plan, this.#buffers) };
      this.#ready.set(key, ready);
    }
    return ready;
  }

  /** Null when it was interrupted: a launch counts whole or not at all. */
  async run(launch: Launch, hooks: LaunchHooks = {}): Promise<LaunchOutput | null> {
    const { launch: plan, program } = await this.#program(launch);
    this.#upload(launch, program);
    let at = 0;
    for (const mark of plan.marks) {
      while (at < mark.pass) {
        if (hooks.signal?.aborted) return null;
        // A software adapter compiles for seconds at a kernel's first dispatch: Ctrl-C must not wait for all of them.
        const first = !this.#compiled && mark === plan.marks[0];
        const to = first ? at + 1 : mark.pass;
        const onCompile = first && at === 0 && hooks.onCompile ? { onCompile: hooks.onCompile } : {};
        await program.run({ label: "sweep", clock: this.#clock, from: at, to, ...onCompile });
        at = to;
      }
      hooks.onSteps?.(mark.steps);
    }
    this.#compiled = true;
    return this.#collect(launch, plan);
  }

  #upload(launch: Launch, program: Program): void {
    const { options: o } = this;
    const chunk = chunkOf(o, launch);
    const own = Array.from({ length: launch.networks }, (_, s) =>
      this.#inputs.rows(launch.network0 + s, launch.condition0, launch.conditions),
    );
    this.#gpu.write(this.#buffer(chunk.table), packRows(o.records.row, own, chunk.rowsPerNetwork));
    if (this.#inputs.startStates) {
      const n4 = roundUp(o.model.shape.units, 4);
      const counts = own.map((rows) => rows.length);
      const first = startSlot(this.#inputs.startStates, o, chunk, chunkRows(chunk), n4, counts);
      this.#gpu.write(this.#buffer("states"), first);
    }
    if (program.clockKernel) {
      const record = { iteration: 0, slot: 0, progress: 0, correction1: 1, correction2: 1 };
      this.#clock.set(0, program.clockKernel, record);
    }
  }

  async #audited(launch: Launch, { audit }: LaunchPlan, stats: ArrayBuffer): Promise<AuditedRow[]> {
    if (!this.#inputs.audit) return [];
    const { options: o } = this;
    const read = (name: string) => this.#gpu.readF32(this.#buffer(name));
    const raw = {
      r: await read("audit_r"),
      extra: o.extra ? await read("audit_extra") : null,
      y: await read("audit_y"),
      stats,
    };
    return auditedRowsOf(o, launch, chunkOf(o, launch).rowsPerNetwork, audit, raw, o.layouts.stats);
  }

  /** One cloud in activity space: a cloud at a time, for all of a launch may be more than the host should hold. */
  async #activity(launch: Launch, network: number, condition: number): Promise<Record<string, number>> {
    const { options: o } = this;
    const references = this.#inputs.activity;
    if (!o.code || !references || o.activityEvery === 0) return {};
    const { rowsPerNetwork, networks } = chunkOf(o, launch);
    const [O, padded] = [o.model.shape.outputs, roundUp(o.model.shape.outputs, 4)];
    const row0 = network * rowsPerNetwork + condition * o.repeats;
    const kept = savedSteps(o.steps, o.activityEvery);
    const bytes = 4 * o.repeats * padded;
    const y = await this.#slots("code_all", 4 * networks * rowsPerNetwork * padded, 4 * row0 * padded, bytes, kept);
    const cloud = new Float32Array(kept * o.repeats * O);
    for (let i = 0; i < kept * o.repeats; i++) cloud.set(y.subarray(i * padded, i * padded + O), i * O);
    const reference = references[launch.network0 + network] ?? null;
    const code = { population: o.code.population, extent: o.extent as Extent };
    return activityValues(await measureCloud(this.#gpu, o.kind, O, code, cloud, reference));
  }

  /** The same part of every slot of a buffer, one behind the other; all in bytes. */
  async #slots(name: string, slot: number, from: number, bytes: number, count: number): Promise<Float32Array> {
    const { device } = this.#gpu;
    const source = this.#buffer(name);
    const staging = device.createBuffer({ label: name, size: count * bytes, usage: BUFFER_USAGE.readback });
    try {
      const encoder = device.createCommandEncoder({ label: name });
      for (let t = 0; t < count; t++)
        encoder.copyBufferToBuffer(source.buffer, source.offset + t * slot + from, staging, t * bytes, bytes);
      device.queue.submit([encoder.finish()]);
      await this.#gpu.map(staging, count * bytes);
      return new Float32Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  async #collect(launch: Launch, plan: LaunchPlan): Promise<LaunchOutput> {
    const { options: o } = this;
    const { metrics, layouts } = o;
    const chunk = metricsChunkOf(o, launch);
    const clouds = launch.networks * launch.conditions;
    const cells = metrics.geometry.box.cells ** 2;
    const rows = chunk.networks * chunk.rowsPerNetwork;
    const raw: RawMetrics = {
      stats: await this.#gpu.read(this.#buffer("path_stats"), 0, rows * layouts.stats.bytes),
      summaries: await this.#gpu.read(this.#buffer("summaries"), 0, clouds * layouts.summary.bytes),
      occupancy: await this.#gpu.read(this.#buffer("occupancy"), 0, 4 * clouds * cells),
    };
    const records: ResultRecord[] = [];
    for (let c = 0; c < launch.conditions; c++) {
      for (let s = 0; s < launch.networks; s++) {
        const { values, ...record } = cloudRecord(metrics, layouts, chunk, raw, s, c);
        const own = await this.#activity(launch, s, c);
        const who = { network: launch.network0 + s, condition: launch.condition0 + c };
        records.push({ ...record, ...who, values: { ...values, ...own } });
      }
    }
    const audited = await this.#audited(launch, plan, raw.stats);
    if (o.keepEvery === 0) return { records, audited, positions: null, states: null };
    const saved = savedSteps(o.steps, o.keepEvery);
    const bytes = 4 * saved * rows * shownOf(o.code, o.model.shape.outputs).floats;
    const positions = await this.#gpu.readF32(this.#buffer("y_all"), 0, bytes);
    if (o.stateRepeats === 0) return { records, audited, positions, states: null };
    const stateBytes = 4 * saved * sampledRows(o, launch) * roundUp(o.model.shape.units, 4);
    const states = await this.#gpu.readF32(this.#buffer("sampled_r"), 0, stateBytes);
    return { records: records.map((r) => withMemory(o, launch, r, states)), audited, positions, states };
  }

  destroy(): void {
    for (const { program } of this.#ready.values()) program.destroy();
    for (const [name, b] of this.#buffers) if (!this.#inputs.trained.has(name)) this.#gpu.destroyBuffer(b);
    this.#clock.destroy();
  }
}

/** The record with the memory of its sampled rollouts: cmi1 and cmi5, of those that stayed finite. */
function withMemory(o: SweepPlanOptions, launch: Launch, record: ResultRecord, states: Float32Array): ResultRecord {
  const [N, k] = [o.model.shape.units, o.stateRepeats];
  const saved = savedSteps(o.steps, o.keepEvery);
  const all = sampledRows(o, launch);
  const n4 = roundUp(N, 4);
  const cloud =
    (record.network - launch.network0) * launch.conditions + (record.condition as number) - launch.condition0;
  const rows = Array.from({ length: k }, (_, b) => {
    const own = new Float64Array(saved * N);
    for (let t = 0; t < saved; t++) {
      const from = (t * all + cloud * k + b) * n4;
      own.set(states.subarray(from, from + N), t * N);
    }
    return own;
  }).filter((own) => own.every(Number.isFinite));
  const values = new Float64Array(rows.length * saved * N);
  rows.forEach((own, i) => {
    values.set(own, i * saved * N);
  });
  const sampled = { values, rows: rows.length, steps: saved, units: N, every: o.keepEvery };
  const [cmi1, cmi5] = rows.length > 0 ? conditionalMutualInformation(sampled, [1, 5]) : [Number.NaN, Number.NaN];
  return { ...record, values: { ...record.values, cmi1: cmi1 as number, cmi5: cmi5 as number } };
}

/** What comes back of the metrics of a launch, as it lies on the device. */
export interface RawMetrics {
  readonly stats: ArrayBuffer;
  readonly summaries: ArrayBuffer;
  readonly occupancy: ArrayBuffer;
}

/** One network under one condition of a launch; who they are in the sweep is the caller's to say. */
export function cloudRecord(
  spec: PathMetricsSpec,
  layouts: MetricsLayouts,
  chunk: MetricsChunk,
  raw: RawMetrics,
  network: number,
  condition: number,
): Omit<ResultRecord, "network" | "condition"> {
  const rows = Array.from({ length: chunk.repeats }, (_, b) =>
    rowMetrics(layouts.stats, raw.stats, metricsRow(chunk, network, condition, b), spec),
  );
  const cloud = metricsSummary(chunk, network, condition);
  const cells = spec.geometry.box.cells ** 2;
  return {
    n: chunk.repeats,
    values: { ...aggregateRows(rows, spec.steps), ...summaryMetrics(layouts.summary, raw.summaries, cloud, spec) },
    occupancy: sparse(new Uint32Array(raw.occupancy, 4 * cloud * cells, cells)),
  };
}

function sparse(counts: Uint32Array): (readonly [number, number])[] {
  const out: (readonly [number, number])[] = [];
  counts.forEach((n, cell) => {
    if (n > 0) out.push([cell, n]);
  });
  return out;
}

/**
 * Positions of a launch into a shard's tensor (S, saved, conditions of the shard × repeats, 2).
 * @param condition0 first condition of the shard
 * @param shardRows rows of a network in the shard
 */
export function takePositions(
  o: SweepPlanOptions,
  launch: Launch,
  device: Float32Array,
  out: Float32Array,
  condition0: number,
  shardRows: number,
): void {
  const row0 = (launch.condition0 - condition0) * o.repeats;
  const saved = savedSteps(o.steps, o.keepEvery);
  const padded = shownOf(o.code, o.model.shape.outputs).floats;
  unpackRows(device, chunkOf(o, launch), launch.conditions * o.repeats, saved, 2, padded, (row) => ({
    out,
    row: row0 + row,
    rows: shardRows,
  }));
}

/** The sampled states of a launch into a shard's tensor (S, saved, conditions of the shard × sampled, N). */
export function takeStates(
  o: SweepPlanOptions,
  launch: Launch,
  device: Float32Array,
  out: Float32Array,
  condition0: number,
  shardRows: number,
): void {
  const saved = savedSteps(o.steps, o.keepEvery);
  const row0 = (launch.condition0 - condition0) * o.stateRepeats;
  const count = launch.conditions * o.stateRepeats;
  const N = o.model.shape.units;
  // Sampled rows are packed: no padding between networks.
  const chunk = { ...chunkOf(o, launch), rowsPerNetwork: count };
  unpackRows(device, chunk, count, saved, N, roundUp(N, 4), (row) => ({ out, row: row0 + row, rows: shardRows }));
}
