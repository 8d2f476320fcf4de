/** Audited rows of a launch, as they came off the device. Who they are, and what the metrics said of them. */
import { shownOf } from "../code/passes.ts";
import type { StructLayout } from "../gpu/reflect.ts";
import { CELL_EXTRA } from "../kernels/spec.ts";
import { roundUp } from "../model/parameters.ts";
import type { AuditPlan } from "./audit-plan.ts";
import { type RowMetricValues, rowMetrics } from "./path-records.ts";
import type { Launch, SweepPlanOptions } from "./plan.ts";

/** Some steps of a row. */
export interface AuditedStretch {
  readonly t0: number;
  /** (N) each, before step t0. */
  readonly v0: Float32Array;
  readonly c0: Float32Array;
  /** (steps + 1, N): states before step t0, after it, … */
  readonly r: Float32Array;
}

export interface AuditedRow {
  /** Of the whole sweep. */
  readonly network: number;
  readonly condition: number;
  readonly repeat: number;
  readonly stretches: readonly AuditedStretch[];
  /** (T, 2): positions after each step; null where a path is too long to come out. */
  readonly path: Float32Array | null;
  readonly metrics: RowMetricValues;
}

export interface RawAudit {
  readonly r: Float32Array;
  readonly extra: Float32Array | null;
  readonly y: Float32Array;
  readonly stats: ArrayBuffer;
}

export function auditedRowsOf(
  o: SweepPlanOptions,
  launch: Launch,
  rowsPerNetwork: number,
  plan: AuditPlan,
  raw: RawAudit,
  stats: StructLayout,
): AuditedRow[] {
  const N = o.model.shape.units;
  const n4 = roundUp(N, 4);
  const { floats } = shownOf(o.code, o.model.shape.outputs);
  const slot = (all: Float32Array, k: number, j: number): Float32Array =>
    all.subarray((k * plan.rows + j) * n4, (k * plan.rows + j) * n4 + N);
  const out: AuditedRow[] = [];
  for (let j = 0; j < plan.rows; j++) {
    const row = plan.row0 + j * plan.stride;
    const own = row % rowsPerNetwork;
    if (own >= launch.conditions * o.repeats || row >= launch.networks * rowsPerNetwork) continue;
    const stretches = plan.stretches.map((s, i): AuditedStretch => {
      const r = new Float32Array((s.steps + 1) * N);
      for (let t = 0; t <= s.steps; t++) r.set(slot(raw.r, s.slot + t, j), t * N);
      const extra = (e: number): Float32Array =>
        raw.extra && s.t0 > 0 ? slot(raw.extra, i * CELL_EXTRA + e, j) : new Float32Array(N);
      return { t0: s.t0, v0: extra(0), c0: extra(1), r };
    });
    const path = plan.pathSteps > 0 ? new Float32Array(2 * plan.pathSteps) : null;
    for (let t = 0; path && t < plan.pathSteps; t++) {
      const at = (t * plan.rows + j) * floats;
      path.set(raw.y.subarray(at, at + 2), 2 * t);
    }
    out.push({
      network: launch.network0 + Math.floor(row / rowsPerNetwork),
      condition: launch.condition0 + Math.floor(own / o.repeats),
      repeat: own % o.repeats,
      stretches,
      path,
      metrics: rowMetrics(stats, raw.stats, row, o.metrics),
    });
  }
  return out;
}
