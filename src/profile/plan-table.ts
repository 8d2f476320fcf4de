/** What each plan would launch and hold, and what a stated GPU could do with it at best. Needs no GPU. */
import { formatBytes, type Pass, PLAN_KINDS, type PlanKind, planBytes } from "../gpu/plan.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import { type AdapterSpec, choosePlan } from "../kernels/spec.ts";
import { alignColumns } from "../report/columns.ts";
import { planJob } from "./jobs.ts";
import { segmentsOf } from "./segments.ts";
import type { ProfileShape } from "./shapes.ts";
import { formatSeconds } from "./table.ts";
import type { BoundAccess } from "./traffic.ts";

/** An adapter that is not at hand. */
export interface StatedGpu {
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Seconds of an empty dispatch. */
  readonly dispatchSeconds: number;
  readonly adapter: AdapterSpec;
}

export interface PlannedRow {
  readonly shape: ProfileShape;
  readonly kind: PlanKind;
  readonly chosen: boolean;
  /** Why it is the chosen one; empty for the others. */
  readonly why: string;
  readonly deviceBytes: number;
  readonly dispatches: number;
  /** Dispatches that are neither forward nor adjoint: their number does not depend on T. */
  readonly others: number;
  readonly windows: { readonly forward: number; readonly adjoint: number; readonly readout: number };
  /** Workgroups of the largest recurrent launch. */
  readonly workgroups: number;
  readonly flops: number;
  readonly bytes: number;
  readonly roofline: number;
  /** Why this plan cannot be made. */
  readonly refusal: string | null;
}

const launches = (passes: readonly Pass[], label: string): number =>
  passes.filter((p) => p.kind === "dispatch" && p.label === label).length;

/** @param bindings a kernel's storage bindings, for counting bytes */
export function plannedRow(
  shape: ProfileShape,
  kind: PlanKind,
  gpu: StatedGpu,
  records: RecordLayouts,
  bindings: (kernel: string) => readonly BoundAccess[],
): PlannedRow {
  const rows = shape.networks * Math.ceil(shape.batch / 32) * 32;
  const chosen = choosePlan(gpu.adapter, { units: shape.units, rows });
  const base = { shape, kind, chosen: chosen.kind === kind, why: chosen.kind === kind ? chosen.why : "" };
  try {
    const { plan } = planJob(shape, kind, gpu.adapter, records);
    const { passes } = plan;
    const segments = segmentsOf(plan, (i) => {
      const p = passes[i];
      return p?.kind === "dispatch" ? bindings(p.kernel) : [];
    });
    const dispatches = passes.filter((p) => p.kind === "dispatch").length;
    const recurrent = launches(passes, "forward") + launches(passes, "adjoint");
    const flops = segments.reduce((sum, s) => sum + s.flops, 0);
    const bytes = segments.reduce((sum, s) => sum + s.bytes, 0);
    const workgroups = passes.map((p) =>
      p.kind === "dispatch" && p.label === "forward" ? p.groups[0] * p.groups[1] * p.groups[2] : 0,
    );
    return {
      ...base,
      deviceBytes: planBytes(plan),
      dispatches,
      others: dispatches - recurrent,
      windows: {
        forward: launches(passes, "forward"),
        adjoint: launches(passes, "adjoint"),
        readout: launches(passes, "readout"),
      },
      workgroups: Math.max(0, ...workgroups),
      flops,
      bytes,
      roofline: Math.max(flops / gpu.flopsPerSecond, bytes / gpu.bytesPerSecond) + dispatches * gpu.dispatchSeconds,
      refusal: null,
    };
  } catch (error) {
    const windows = { forward: 0, adjoint: 0, readout: 0 };
    const none = {
      deviceBytes: 0,
      dispatches: 0,
      others: 0,
      windows,
      workgroups: 0,
      flops: 0,
      bytes: 0,
      roofline: Number.NaN,
    };
    return { ...base, ...none, refusal: (error as Error).message };
  }
}

/** Every plan kind of every shape. */
export function plannedRows(
  shapes: readonly ProfileShape[],
  gpu: StatedGpu,
  records: RecordLayouts,
  bindings: (kernel: string) => readonly BoundAccess[],
): PlannedRow[] {
  return shapes.flatMap((shape) => PLAN_KINDS.map((kind) => plannedRow(shape, kind, gpu, records, bindings)));
}

export function plannedTable(rows: readonly PlannedRow[]): string {
  const head = [
    "S",
    "B",
    "T",
    "N",
    "plan",
    "device",
    "dispatches",
    "windows f/a/r",
    "workgroups",
    "GFLOP",
    "moved",
    "roofline",
    "why",
  ];
  const body = rows.map((r) => {
    const { shape: s } = r;
    const size = [s.networks, s.batch, s.steps, s.units].map(String);
    const name = `${r.kind}${r.chosen ? " *" : ""}`;
    if (r.refusal !== null) return [...size, name, "does not fit", "", "", "", "", "", "", ""];
    return [
      ...size,
      name,
      formatBytes(r.deviceBytes),
      String(r.dispatches),
      `${r.windows.forward}/${r.windows.adjoint}/${r.windows.readout}`,
      String(r.workgroups),
      (r.flops / 1e9).toFixed(1),
      formatBytes(r.bytes),
      formatSeconds(r.roofline),
      r.why,
    ];
  });
  return [...alignColumns([head, ...body], new Set([4, 12])), "* the plan that would be chosen"].join("\n");
}
