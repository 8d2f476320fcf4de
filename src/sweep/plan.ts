/**
 * The plan of a sweep: launches of whole conditions × groups of networks, as large as the budget allows. Within one,
 * states live in a ring of one window: forward, readout, metrics; only records of rows and clouds come back. Pure.
 */
import { shownBuffers, shownOf, showPasses } from "../code/passes.ts";
import { UsageError } from "../errors.ts";
import { type BufferSpec, formatBytes, type Pass, type Plan, type PlanKind, requireFewPasses } from "../gpu/plan.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import {
  type Chunk,
  chunkRows,
  flopsPerStep,
  forwardPass,
  longestForward,
  readoutPass,
  slotView,
  type TimeWindow,
  timeWindows,
  UNUSED_BUFFERS,
} from "../kernels/recurrence.ts";
import { type AdapterSpec, CELL_EXTRA, type ModelSpec, type RolloutSpec, slots } from "../kernels/spec.ts";
import { roundUp } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import {
  carryOver,
  keepSteps,
  longestReadout,
  type ReplayPlanOptions,
  replayRollout,
  savedSteps,
  startBuffers,
  startPasses,
} from "../replay/plan.ts";
import type { Extent } from "../task/extent.ts";
import { type AuditPlan, auditBuffers, auditPasses, planAudit } from "./audit-plan.ts";
import {
  type MetricsChunk,
  type MetricsLayouts,
  metricsBuffers,
  metricsFinish,
  metricsReset,
  metricsWindow,
  type PathMetricsSpec,
} from "./path-metrics.ts";

/** Whole conditions of a group of networks, run together. */
export interface Launch {
  readonly network0: number;
  readonly networks: number;
  readonly condition0: number;
  readonly conditions: number;
}

export interface SweepPlanOptions {
  readonly model: ModelSpec;
  readonly kind: PlanKind;
  /** S of the whole sweep. */
  readonly networks: number;
  /** Rollouts per network and condition. */
  readonly repeats: number;
  /** T */
  readonly steps: number;
  /** Of the whole sweep, whatever part of it is run: a launch alone gives the same bits. */
  readonly noise: boolean;
  readonly extra: boolean;
  readonly start: ReplayPlanOptions["start"];
  /** Place cells, whose activity is decoded. */
  readonly code?: ReplayPlanOptions["code"];
  readonly metrics: PathMetricsSpec;
  /** Activity of place cells at every n-th step is kept until the launch is measured; 0: none. */
  readonly activityEvery: number;
  /** Where the place cells' positions lie. */
  readonly extent: Extent | null;
  /** Positions of every n-th step go to the host; 0: none. */
  readonly keepEvery: number;
  /** Rollouts per network and condition whose states go with them. */
  readonly stateRepeats: number;
  /** Device bytes that everything together may take. */
  readonly budget: number;
  readonly adapter: AdapterSpec;
  readonly records: RecordLayouts;
  readonly layouts: MetricsLayouts;
}

/** A launch that is interrupted is lost: no longer than this at the adapter's cautious rate, seconds … */
const LAUNCH_SECONDS = 20;
/** … which GPUs worth a sweep exceed by far, and they want full launches. */
const GPU_LAUNCH_SECONDS = 200;
/** Steps that a ring should hold: metrics load and store their sums once a window. */
const RING_STEPS = 16;
/** Longer rings than this gain nothing. */
const RING_BYTES = 64 << 20;
const TABLE = "rows";

const rollout = (o: SweepPlanOptions): RolloutSpec => replayRollout(o);

export function chunkOf(o: SweepPlanOptions, launch: Launch): Chunk {
  return {
    network0: launch.network0,
    networks: launch.networks,
    row0: 0,
    rowsPerNetwork: paddedRows(launch.conditions * o.repeats),
    table: TABLE,
  };
}

export function metricsChunkOf(o: SweepPlanOptions, launch: Launch): MetricsChunk {
  const { network0, networks, rowsPerNetwork } = chunkOf(o, launch);
  return { network0, networks, rowsPerNetwork, conditions: launch.conditions, repeats: o.repeats };
}

/** Rollouts of a launch whose states are kept. */
export const sampledRows = (o: SweepPlanOptions, l: Launch): number => l.networks * l.conditions * o.stateRepeats;

function launchBuffers(o: SweepPlanOptions, launch: Launch, ring: number): BufferSpec[] {
  const { shape, layout } = o.model;
  const rows = chunkRows(chunkOf(o, launch));
  const s = slots(rollout(o), rows);
  const kept = o.keepEvery > 0 ? savedSteps(o.steps, o.keepEvery) : 0;
  const sampled = 4 * kept * sampledRows(o, launch) * roundUp(shape.units, 4);
  return [
    { name: "weights", bytes: 4 * o.networks * layout.stride, axes: "[S][P]" },
    { name: "recurrent_t", bytes: 4 * o.networks * roundUp(shape.units, 4) ** 2, axes: "[S][N][N], W_recᵀ" },
    { name: TABLE, bytes: rows * o.records.row.bytes, axes: "[R] row records" },
    { name: "states", bytes: 4 * (ring + 1) * s.state, axes: "[window+1][R][N]" },
    { name: "carried", bytes: 4 * s.state, axes: "[1][R][N]" },
    ...(o.extra ? [{ name: "extra", bytes: 4 * s.state * CELL_EXTRA, axes: "[v, c][R][N]" }] : []),
    { name: "y", bytes: 4 * ring * s.output, axes: "[window][R][O]" },
    ...shownBuffers(o.code, ring, rows),
    ...(kept > 0
      ? [{ name: "y_all", bytes: 4 * kept * rows * shownOf(o.code, shape.outputs).floats, axes: "[saved][R][O]" }]
      : []),
    ...(sampled > 0 ? [{ name: "sampled_r", bytes: sampled, axes: "[saved][S·C·sampled][N]" }] : []),
    ...(o.activityEvery > 0
      ? [
          {
            name: "code_all",
            bytes: 4 * savedSteps(o.steps, o.activityEvery) * s.output,
            axes: "[kept][R][O], activity",
          },
        ]
      : []),
    { name: "e0", bytes: 4 * rows * shape.encoderInputs, axes: "[R][E]" },
    ...startBuffers(o, rows),
    ...metricsBuffers(o.metrics, metricsChunkOf(o, launch), o.layouts, o.networks),
    ...auditBuffers(o, rows),
    ...UNUSED_BUFFERS,
  ];
}

interface Need {
  readonly total: number;
  readonly largest: number;
  readonly binding: number;
}

function needs(o: SweepPlanOptions, launch: Launch, ring: number): Need {
  const buffers = launchBuffers(o, launch, ring);
  // Weights are bound group by group, and what is kept is only copied.
  const bound = buffers.filter((b) => !["weights", "recurrent_t", "y_all", "code_all"].includes(b.name));
  const group = 4 * launch.networks * Math.max(o.model.layout.stride, roundUp(o.model.shape.units, 4) ** 2);
  return {
    total: buffers.reduce((sum, b) => sum + b.bytes, 0),
    largest: Math.max(...buffers.map((b) => b.bytes)),
    binding: Math.max(group, ...bound.map((b) => b.bytes)),
  };
}

/** Largest number in [1, most] that fits, when 1 does. */
function largest(most: number, fits: (n: number) => boolean): number {
  let [low, high] = [1, most + 1];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

const isRoomFor = (o: SweepPlanOptions, launch: Launch, ring: number): boolean => {
  const n = needs(o, launch, ring);
  return n.total <= o.budget && n.largest <= o.adapter.maxBuffer && n.binding <= o.adapter.maxBinding;
};

/** Steps that the ring of a launch holds: what is left of the budget, but no more than is useful. */
function ringSteps(o: SweepPlanOptions, launch: Launch): number {
  const s = slots(rollout(o), chunkRows(chunkOf(o, launch)));
  const slot = 4 * Math.max(s.state, s.output);
  const useful = Math.min(o.steps, Math.max(RING_STEPS, Math.floor(RING_BYTES / slot) - 1));
  return largest(useful, (ring) => isRoomFor(o, launch, ring));
}

/** Group borders must fall on 256 bytes in `recurrent_t`. */
export const groupStep = (units: number): number => ((roundUp(units, 4) ** 2 * 4) % 256 === 0 ? 1 : 4);

/** How many networks and conditions a launch may hold. @throws UsageError where not even one condition fits */
function launchSize(o: SweepPlanOptions, most: number): { networks: number; conditions: number } {
  const step = groupStep(o.model.shape.units);
  const fits = (networks: number, conditions: number, ring = RING_STEPS): boolean =>
    isRoomFor(o, { network0: 0, networks, condition0: 0, conditions }, Math.min(ring, o.steps));
  const brief = (networks: number, conditions: number): boolean => {
    const flops = flopsPerStep(rollout(o), networks * paddedRows(conditions * o.repeats)) * o.steps;
    return flops <= (o.adapter.software ? LAUNCH_SECONDS : GPU_LAUNCH_SECONDS) * o.adapter.flopsPerSecond;
  };
  const ring = fits(Math.min(step, o.networks), 1) ? RING_STEPS : 1;
  if (ring === 1 && !fits(Math.min(step, o.networks), 1, 1)) {
    const n = needs(o, { network0: 0, networks: Math.min(step, o.networks), condition0: 0, conditions: 1 }, 1);
    throw new UsageError(
      `one condition of ${o.repeats} repeats × ${o.model.shape.units} units × ${o.steps} steps needs ${formatBytes(n.total)} on the device and a binding of ${formatBytes(n.binding)}; ${formatBytes(o.budget)} and ${formatBytes(o.adapter.maxBinding)} are allowed: use fewer repeats, save less, or a larger --budget`,
    );
  }
  const good = (networks: number, conditions: number) =>
    fits(networks, conditions, ring) && brief(networks, conditions);
  const groups = largest(Math.ceil(o.networks / step), (g) => good(Math.min(g * step, o.networks), 1));
  const networks = Math.min(groups * step, o.networks);
  return { networks, conditions: largest(most, (c) => good(networks, c)) };
}

interface Range {
  readonly at: number;
  readonly count: number;
}

/** A range in pieces of at most `size`, as equal as they can be. */
function evenly({ at, count }: Range, size: number): Range[] {
  const n = Math.ceil(count / size);
  const border = (i: number) => at + Math.floor((i * count) / n);
  return Array.from({ length: n }, (_, i) => ({ at: border(i), count: border(i + 1) - border(i) }));
}

/** A range in pieces of exactly `size`, but for the last. */
function cut({ at, count }: Range, size: number): Range[] {
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    at: at + i * size,
    count: Math.min(size, count - i * size),
  }));
}

/**
 * Launches over conditions [from, to), none across a multiple of `perShard` conditions after `from`; 0: no such borders.
 * @throws UsageError where not even one condition fits
 */
export function planLaunches(o: SweepPlanOptions, from: number, to: number, perShard = 0): Launch[] {
  if (to <= from) return [];
  const all = { at: from, count: to - from };
  const shards = perShard > 0 ? cut(all, perShard) : [all];
  const size = launchSize(o, Math.max(...shards.map((s) => s.count)));
  const groups = cut({ at: 0, count: o.networks }, size.networks);
  return shards
    .flatMap((shard) => evenly(shard, size.conditions))
    .flatMap((part) =>
      groups.map((group) => ({
        network0: group.at,
        networks: group.count,
        condition0: part.at,
        conditions: part.count,
      })),
    );
}

export interface LaunchPlan {
  readonly plan: Plan;
  /** Pass index after each window, and the steps done by then: where progress is told and Ctrl-C heeded. */
  readonly marks: readonly { readonly pass: number; readonly steps: number }[];
  readonly audit: AuditPlan;
}

/** States of the sampled rollouts at the steps of a window that are kept. */
function samplePasses(o: SweepPlanOptions, launch: Launch, w: TimeWindow): Pass[] {
  const kept0 = Math.floor(w.t0 / o.keepEvery);
  const kept = Math.floor((w.t0 + w.steps) / o.keepEvery) - kept0;
  if (kept === 0) return [];
  const chunk = chunkOf(o, launch);
  const rows = chunkRows(chunk);
  const unitQuads = Math.ceil(o.model.shape.units / 4);
  return [
    {
      kind: "dispatch",
      label: "sample states",
      kernel: "sweep/sample_states",
      bind: {
        states: slotView("states", slots(rollout(o), rows).state, 0, w.steps + 1),
        sampled_r: { buffer: "sampled_r" },
      },
      uniforms: {
        sample_pass: {
          rows,
          rows_per_network: chunk.rowsPerNetwork,
          conditions: launch.conditions,
          repeats: o.repeats,
          sampled: o.stateRepeats,
          sampled_rows: sampledRows(o, launch),
          unit_quads: unitQuads,
          first: (kept0 + 1) * o.keepEvery - w.t0,
          every: o.keepEvery,
          kept0,
          row0: 0,
        },
      },
      groups: [Math.ceil((sampledRows(o, launch) * unitQuads) / 64), kept, 1],
    },
  ];
}

/** Passes and buffers of one launch. Launches of the same networks and number of conditions have the same plan. */
export function planLaunch(o: SweepPlanOptions, launch: Launch): LaunchPlan {
  const r = rollout(o);
  const chunk = chunkOf(o, launch);
  const metrics = metricsChunkOf(o, launch);
  const rows = chunkRows(chunk);
  const s = slots(r, rows);
  const shown = shownOf(o.code, o.model.shape.outputs);
  const longest = longestForward(r, rows, o.adapter);
  const most = Math.min(longestReadout(r, rows, o.adapter), ringSteps(o, launch));
  const windows = timeWindows(o.steps, o.kind === "step" ? most : Math.min(most, longest));
  const ring = Math.max(...windows.map((w) => w.steps));
  const audit = planAudit(o, rows, windows);
  const passes: Pass[] = [...metricsReset(o.metrics, metrics), ...startPasses(o, r, chunk)];
  const marks: { pass: number; steps: number }[] = [];
  for (const w of windows) {
    const audited = auditPasses(o, audit, rows, w);
    passes.push(...audited.before);
    for (const l of timeWindows(w.steps, longest)) {
      passes.push(forwardPass(r, chunk, { t0: w.t0 + l.t0, steps: l.steps }, { slot0: () => l.t0 }));
    }
    passes.push(readoutPass(r, chunk, w, 0), ...showPasses(o.code, w.steps * rows, { buffer: "decoded" }));
    passes.push(...metricsWindow(o.metrics, metrics, w), ...audited.behind);
    if (o.activityEvery > 0)
      passes.push(...keepSteps("keep activity", { buffer: "y", skip: 0 }, "code_all", s.output, o.activityEvery, w));
    if (o.keepEvery > 0)
      passes.push(
        ...keepSteps("keep positions", { buffer: shown.buffer, skip: 0 }, "y_all", rows * shown.floats, o.keepEvery, w),
      );
    if (o.stateRepeats > 0) passes.push(...samplePasses(o, launch, w));
    const last = w.t0 + w.steps === o.steps;
    if (!last) passes.push(...carryOver(s.state, w.steps));
    else passes.push(...metricsFinish(o.metrics, metrics));
    requireFewPasses("sweep", passes.length, o.steps);
    marks.push({ pass: passes.length, steps: w.t0 + w.steps });
  }
  const notes = [
    `${launch.networks} networks × ${launch.conditions} conditions × ${o.repeats} repeats: ${rows} rows, windows of ${ring} steps`,
  ];
  return {
    plan: { name: "sweep", kind: o.kind, buffers: launchBuffers(o, launch, ring), passes, notes },
    marks,
    audit,
  };
}

/** Buffers that serve every launch: of each name the largest. */
export function sharedBuffers(plans: readonly LaunchPlan[]): BufferSpec[] {
  const byName = new Map<string, BufferSpec>();
  for (const { plan } of plans) {
    for (const b of plan.buffers) if (b.bytes > (byName.get(b.name)?.bytes ?? 0)) byName.set(b.name, b);
  }
  return [...byName.values()];
}

/** Launches with the same plan, by a key. */
export const planKey = (l: Launch): string => `${l.network0}+${l.networks}, ${l.conditions} conditions`;

/** What comes back from a launch. */
const READ_BACK: readonly string[] = ["path_stats", "summaries", "occupancy", "y_all", "code_all", "sampled_r"];

export interface SweepSummary {
  readonly launches: number;
  readonly windows: number;
  readonly dispatches: number;
  readonly deviceBytes: number;
  readonly readBackBytes: number;
  readonly rowSteps: number;
  readonly flops: number;
}

/** What the launches come to, without running them. */
export function summarise(o: SweepPlanOptions, launches: readonly Launch[]): SweepSummary {
  const plans = new Map<string, LaunchPlan>();
  for (const l of launches) if (!plans.has(planKey(l))) plans.set(planKey(l), planLaunch(o, l));
  const sum = (of: (l: Launch, p: LaunchPlan) => number): number =>
    launches.reduce((total, l) => total + of(l, plans.get(planKey(l)) as LaunchPlan), 0);
  const dispatches = (p: LaunchPlan) => p.plan.passes.filter((x) => x.kind === "dispatch");
  return {
    launches: launches.length,
    windows: sum((_, p) => p.marks.length),
    dispatches: sum((_, p) => dispatches(p).length),
    deviceBytes: sharedBuffers([...plans.values()]).reduce((total, b) => total + b.bytes, 0),
    readBackBytes: sum((_, p) =>
      p.plan.buffers.filter((b) => READ_BACK.includes(b.name)).reduce((total, b) => total + b.bytes, 0),
    ),
    rowSteps: sum((l) => l.networks * l.conditions * o.repeats * o.steps),
    flops: sum((_, p) => dispatches(p).reduce((total, x) => total + (x.kind === "dispatch" ? (x.flops ?? 0) : 0), 0)),
  };
}
