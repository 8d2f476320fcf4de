/** The networks awake, on test trajectories with input: measured by the same kernels as what is compared with them. */
import { type ActivityReference, activityReference, measureCloud } from "../code/activity.ts";
import { shownOf } from "../code/passes.ts";
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import type { Pass, Plan } from "../gpu/plan.ts";
import { Program, unlessAborted } from "../gpu/program.ts";
import { timeWindows, UNUSED_BUFFERS } from "../kernels/recurrence.ts";
import { activityValues } from "../metrics/code.ts";
import { roundUp } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import { extentOf } from "../task/extent.ts";
import { type TestResult, testBatch } from "../train/test-batch.ts";
import type { SweepDefinition } from "./definition.ts";
import { cloudRecord, type LaunchHooks } from "./launch.ts";
import {
  geometryUploads,
  type MetricsChunk,
  metricsBuffers,
  metricsFinish,
  metricsReset,
  metricsWindow,
  type PathMetricsSpec,
} from "./path-metrics.ts";
import { groupStep } from "./plan.ts";
import { AWAKE, type ResultRecord } from "./results.ts";
import { awakeSpec, type MachineOptions, planOptionsOf } from "./spec.ts";

export interface AwakeReference {
  /** One per network. */
  readonly records: readonly ResultRecord[];
  /** (S, repeats, N): where replays start from under `awakeEnd`. */
  readonly last: Float32Array;
  /** What activity is compared with, one per network; empty where it is not measured. */
  readonly activity: readonly ActivityReference[];
}

/** States of a group of networks stay below this, and so do the readouts that are measured at once. */
const STATES_BYTES = 128 << 20;
const READOUT_BYTES = 32 << 20;

/** Some of the trained networks, as buffers of their own. */
function subset(
  d: SweepDefinition,
  m: MachineOptions,
  trained: ReadonlyMap<string, DeviceBuffer>,
  from: number,
  count: number,
) {
  const { layout, shape } = planOptionsOf(d, m).model;
  const floats: Record<string, number> = { weights: layout.stride, recurrent_t: roundUp(shape.units, 4) ** 2 };
  return new Map(
    [...trained].map(([name, b]): [string, DeviceBuffer] => {
      const each = 4 * (floats[name] as number);
      return [name, { ...b, offset: b.offset + from * each, bytes: count * each, guard: 0 }];
    }),
  );
}

/** Null when it was interrupted. `trained` holds `weights` and `recurrent_t` of all networks. */
export async function measureAwake(
  gpu: Gpu,
  d: SweepDefinition,
  m: MachineOptions,
  trained: ReadonlyMap<string, DeviceBuffer>,
  hooks: Pick<LaunchHooks, "signal" | "onCompile"> = {},
): Promise<AwakeReference | null> {
  const count = d.awakeTrajectories;
  const n4 = roundUp(d.shape.units, 4);
  const perNetwork = 4 * (d.awakeSteps + 1) * paddedRows(count) * n4;
  const step = groupStep(d.shape.units);
  const size = Math.max(step, Math.floor(Math.min(STATES_BYTES, m.budget / 4) / perNetwork / step) * step);
  const adapter = { ...m.adapter, maxBuffer: Math.min(m.adapter.maxBuffer, Math.max(STATES_BYTES, m.budget / 4)) };
  const records: ResultRecord[] = [];
  const activity: ActivityReference[] = [];
  const N = d.shape.units;
  const last = new Float32Array(d.networks.length * d.repeats * N);
  for (let from = 0; from < d.networks.length; from += size) {
    if (hooks.signal?.aborted) return null;
    const own = Math.min(size, d.networks.length - from);
    const { signal } = hooks;
    const test = await unlessAborted(
      signal,
      testBatch(
        gpu,
        { ...awakeSpec(d, m.kind, from, own), adapter },
        subset(d, m, trained, from, own),
        m.records,
        count,
        {
          keep: true,
          keepCode: d.activity === true,
          ...(signal ? { signal } : {}),
          ...(from === 0 && hooks.onCompile ? { onCompile: hooks.onCompile } : {}),
        },
      ),
    );
    if (test === null) return null;
    if (d.start === "awakeEnd") {
      const states = test.last as Float32Array;
      for (let s = 0; s < own; s++) {
        last.set(states.subarray(s * count * N, (s * count + d.repeats) * N), (from + s) * d.repeats * N);
      }
    }
    const measured = await unlessAborted(signal, measureReadout(gpu, d, m, test, from, own, signal));
    if (measured === null) return null;
    if (!test.code || !d.code || !d.activity) {
      records.push(...measured);
      continue;
    }
    const [cells, all] = [d.shape.outputs, test.code];
    const code = { population: d.code.population, extent: extentOf(d.task) };
    for (const [s, record] of measured.entries()) {
      const cloud = all.subarray((s * all.length) / own, ((s + 1) * all.length) / own);
      const reference = await activityReference(gpu, m.kind, cells, cloud);
      activity.push(reference);
      const values = activityValues(await measureCloud(gpu, m.kind, cells, code, cloud, reference));
      records.push({ ...record, values: { ...record.values, ...values } });
    }
  }
  return { records, last, activity };
}

async function measureReadout(
  gpu: Gpu,
  d: SweepDefinition,
  m: MachineOptions,
  test: TestResult,
  network0: number,
  networks: number,
  signal: AbortSignal | undefined,
): Promise<ResultRecord[]> {
  const [T, count, O] = [d.awakeSteps, d.awakeTrajectories, shownOf(d.code, d.shape.outputs).width];
  const { geometry } = planOptionsOf(d, m).metrics;
  const spec: PathMetricsSpec = { geometry, steps: T, outputs: O, awakeOccupancy: false };
  const rowsPerNetwork = paddedRows(count);
  const chunk: MetricsChunk = { network0: 0, networks, rowsPerNetwork, conditions: 1, repeats: count };
  const rows = networks * rowsPerNetwork;
  const o4 = roundUp(O, 4);
  const windows = timeWindows(T, Math.max(1, Math.floor(READOUT_BYTES / (4 * rows * o4))));
  const longest = Math.max(...windows.map((w) => w.steps));
  const passes: Pass[] = [...metricsReset(spec, chunk)];
  const borders = windows.map((w) => passes.push(...metricsWindow(spec, chunk, w)));
  passes.push(...metricsFinish(spec, chunk));
  const plan: Plan = {
    name: "awake metrics",
    kind: m.kind,
    buffers: [
      { name: "y", bytes: 4 * longest * rows * o4, axes: "[window][R][O]" },
      ...metricsBuffers(spec, chunk, m.layouts, networks),
      ...UNUSED_BUFFERS,
    ],
    passes,
    notes: [],
  };
  const program = await Program.create(gpu, plan);
  try {
    for (const u of geometryUploads(spec)) gpu.write(program.buffer(u.buffer), u.data);
    const hooks = { label: "awake metrics", ...(signal ? { signal } : {}) };
    let at = 0;
    for (const [i, w] of windows.entries()) {
      const y = new Float32Array(w.steps * rows * o4);
      for (let s = 0; s < networks; s++) {
        for (let t = 0; t < w.steps; t++) {
          for (let b = 0; b < count; b++) {
            const source = ((s * T + w.t0 + t) * count + b) * O;
            y.set(
              (test.readout as Float32Array).subarray(source, source + O),
              (t * rows + s * rowsPerNetwork + b) * o4,
            );
          }
        }
      }
      gpu.write(program.buffer("y"), y);
      await program.run({ ...hooks, from: at, to: borders[i] as number });
      at = borders[i] as number;
    }
    await program.run({ ...hooks, from: at });
    const read = (name: string) => gpu.read(program.buffer(name));
    const raw = {
      stats: await read("path_stats"),
      summaries: await read("summaries"),
      occupancy: await read("occupancy"),
    };
    return Array.from({ length: networks }, (_, s) => ({
      ...cloudRecord(spec, m.layouts, chunk, raw, s, 0),
      network: network0 + s,
      condition: AWAKE,
    }));
  } finally {
    program.destroy();
  }
}

/** (S, cells) from the awake records: steps of a network's awake trajectories in each cell. */
export function awakeOccupancy(d: SweepDefinition, records: readonly ResultRecord[], cells: number) {
  const out = new Uint32Array(d.networks.length * cells);
  for (const r of records) for (const [cell, steps] of r.occupancy) out[r.network * cells + cell] = steps;
  return out;
}
