/**
 * Which rows of a launch are audited, and how they get out: their states over stretches of steps, with v and c where a
 * stretch begins, and their whole path. Rows lie a fixed way apart, at least one a launch. Pure.
 */
import { shownOf } from "../code/passes.ts";
import type { BufferSpec, BufferView, DispatchPass } from "../gpu/plan.ts";
import { slotView, type TimeWindow } from "../kernels/recurrence.ts";
import { CELL_EXTRA } from "../kernels/spec.ts";
import { roundUp } from "../model/parameters.ts";
import type { SweepPlanOptions } from "./plan.ts";

/** One row in so many. */
const ROWS_PER_AUDIT = 1000;
/** Steps of a row whose states are looked at, and how many of them may follow one another: long rollouts are sampled. */
const AUDIT_STEPS = 256;
const STRETCH = 64;
/** Device bytes of the audited states, and of the audited paths. */
const AUDIT_BYTES = 16 << 20;

/** Steps [t0, t0 + steps) of the audited rows; their states are slots `slot` … `slot` + steps of `audit_r`. */
export interface Stretch {
  readonly t0: number;
  readonly steps: number;
  readonly slot: number;
}

export interface AuditPlan {
  /** Rows `row0`, `row0` + `stride`, … of the launch; those that are padding are nobody's. */
  readonly rows: number;
  readonly row0: number;
  readonly stride: number;
  readonly stretches: readonly Stretch[];
  /** T where the whole path comes out, else 0. */
  readonly pathSteps: number;
}

type Options = Pick<SweepPlanOptions, "model" | "steps" | "repeats" | "code" | "extra">;

const quads = (o: Options): number => roundUp(o.model.shape.units, 4) / 4;
const shownFloats = (o: Options): number => shownOf(o.code, o.model.shape.outputs).floats;
/** A stretch of n steps has n + 1 states. */
const mostSlots = (o: Options): number => 2 * Math.min(AUDIT_STEPS, o.steps);

function auditedRows(o: Options, rows: number): number {
  const bytes = Math.max(16 * quads(o) * mostSlots(o), 4 * shownFloats(o) * o.steps);
  return Math.max(1, Math.min(Math.ceil(rows / ROWS_PER_AUDIT), Math.floor(AUDIT_BYTES / bytes)));
}

/** Steps of the path that come out: all, unless one path alone is beyond all measure. */
const pathSteps = (o: Options): number => (4 * shownFloats(o) * o.steps <= 4 * AUDIT_BYTES ? o.steps : 0);

/** @param rows of the launch, padding included */
export function auditBuffers(o: Options, rows: number): BufferSpec[] {
  const own = auditedRows(o, rows);
  const state = 16 * own * quads(o);
  return [
    { name: "audit_r", bytes: state * mostSlots(o), axes: "[slot][audited][N]" },
    ...(o.extra
      ? [{ name: "audit_extra", bytes: state * CELL_EXTRA * mostSlots(o), axes: "[stretch][v, c][audited][N]" }]
      : []),
    { name: "audit_y", bytes: 4 * own * shownFloats(o) * Math.max(1, pathSteps(o)), axes: "[T][audited][O]" },
  ];
}

export function planAudit(o: Options, rows: number, windows: readonly TimeWindow[]): AuditPlan {
  const own = auditedRows(o, rows);
  const stride = Math.floor(rows / own);
  const most = Math.max(1, Math.floor(AUDIT_STEPS / Math.min(STRETCH, Math.max(...windows.map((w) => w.steps)))));
  const every = Math.ceil(windows.length / most);
  const stretches: Stretch[] = [];
  let slot = 0;
  windows.forEach((w, i) => {
    if (i % every !== 0) return;
    const steps = Math.min(w.steps, STRETCH);
    stretches.push({ t0: w.t0, steps, slot });
    slot += steps + 1;
  });
  // Not always the first repeat, and never a padded row.
  return { rows: own, row0: Math.min(7, o.repeats - 1), stride, stretches, pathSteps: pathSteps(o) };
}

/** What goes before the forward passes of a window, and what behind its readout. */
export function auditPasses(
  o: Options,
  a: AuditPlan,
  rows: number,
  w: TimeWindow,
): { readonly before: DispatchPass[]; readonly behind: DispatchPass[] } {
  const before: DispatchPass[] = [];
  const behind: DispatchPass[] = [];
  const take = (from: BufferView, to: string, floats: number, slots: number, slot0: number): DispatchPass => ({
    kind: "dispatch",
    label: "audit",
    kernel: "sweep/sample_states",
    bind: { states: from, sampled_r: { buffer: to } },
    uniforms: {
      sample_pass: {
        rows,
        rows_per_network: a.stride,
        conditions: 1,
        repeats: 0,
        sampled: 1,
        sampled_rows: a.rows,
        unit_quads: floats / 4,
        first: 0,
        every: 1,
        kept0: slot0,
        row0: a.row0,
      },
    },
    groups: [Math.ceil((a.rows * floats) / 256), slots, 1],
  });
  const n4 = 4 * quads(o);
  const index = a.stretches.findIndex((s) => s.t0 === w.t0);
  const stretch = a.stretches[index];
  if (stretch) {
    if (o.extra && w.t0 > 0) before.push(take({ buffer: "extra" }, "audit_extra", n4, CELL_EXTRA, index * CELL_EXTRA));
    const states = slotView("states", rows * n4, 0, stretch.steps + 1);
    behind.push(take(states, "audit_r", n4, stretch.steps + 1, stretch.slot));
  }
  if (a.pathSteps > 0) {
    const { buffer, floats } = shownOf(o.code, o.model.shape.outputs);
    // A launch in one dimension more than WebGPU allows is cut.
    for (let t = 0; t < w.steps; t += 32768) {
      const steps = Math.min(32768, w.steps - t);
      behind.push(take(slotView(buffer, rows * floats, t, steps), "audit_y", floats, steps, w.t0 + t));
    }
  }
  return { before, behind };
}
