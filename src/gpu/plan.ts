/**
 * A plan is plain data: buffers and a list of passes. It is printed, counted and tested without a GPU, and becomes
 * command buffers in `program.ts`.
 */
import { UsageError } from "../errors.ts";
import type { FieldValues } from "./pack.ts";
import type { Tune } from "./shader-source.ts";

/** How the recurrence is laid out on the adapter; every plan computes the same bits (decision 13). */
export const PLAN_KINDS = ["step", "tile-persistent", "own-row"] as const;
export type PlanKind = (typeof PLAN_KINDS)[number];

export interface BufferSpec {
  readonly name: string;
  readonly bytes: number;
  /** Axes in words, such as `[T+1][R][N]`. */
  readonly axes: string;
  /** A constant: written when the buffer is made. A function, so that a plan prints without it. */
  readonly contents?: () => Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
}

/** Part of a buffer; the whole of it when offset and bytes are left out. */
export interface BufferView {
  readonly buffer: string;
  readonly offset?: number;
  readonly bytes?: number;
}

export interface DispatchPass {
  readonly kind: "dispatch";
  readonly label: string;
  /** File under `shaders/` without its ending. */
  readonly kernel: string;
  readonly tune?: Tune;
  /** Storage binding name → view. */
  readonly bind: Readonly<Record<string, BufferView>>;
  /** Uniform variable name (group 0) → its fields. */
  readonly uniforms: Readonly<Record<string, FieldValues>>;
  readonly groups: readonly [number, number, number];
  /** Useful floating-point operations, for the profiler and the choice of windows. */
  readonly flops?: number;
}

export interface CopyPass {
  readonly kind: "copy";
  readonly label: string;
  readonly from: BufferView;
  readonly to: BufferView;
  readonly bytes: number;
}

export type Pass = DispatchPass | CopyPass;

export interface Plan {
  readonly name: string;
  readonly kind: PlanKind;
  readonly buffers: readonly BufferSpec[];
  readonly passes: readonly Pass[];
  /** What the planner decided, in words, for `--plan` and manifests. */
  readonly notes: readonly string[];
}

/** Each takes about 2 kB of the host, and some of the device's driver. */
const MAX_PASSES = 100_000;

/** Refuses a plan while it grows, before it fills the memory. @throws UsageError */
export function requireFewPasses(name: string, passes: number, steps: number): void {
  if (passes <= MAX_PASSES) return;
  throw new UsageError(
    `${name}: ${steps} steps in so many pieces are more than ${MAX_PASSES.toLocaleString("en")} passes: use fewer steps, fewer rows, or another --plan-kind`,
  );
}

export function planBytes(plan: Plan): number {
  return plan.buffers.reduce((sum, b) => sum + b.bytes, 0);
}

export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** How often each kernel is dispatched in one run of the plan. */
export function dispatchCounts(passes: readonly Pass[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const p of passes) if (p.kind === "dispatch") counts[p.kernel] = (counts[p.kernel] ?? 0) + 1;
  return counts;
}

/** The plan as people read it: buffers, then passes with repetitions folded. */
export function describePlan(plan: Plan): string {
  const out = [`plan ${plan.name} (${plan.kind}), ${formatBytes(planBytes(plan))}`];
  for (const n of plan.notes) out.push(`  ${n}`);
  out.push("  buffers");
  for (const b of plan.buffers) out.push(`    ${b.name.padEnd(16)} ${formatBytes(b.bytes).padStart(9)}  ${b.axes}`);
  const dispatches = plan.passes.filter((p) => p.kind === "dispatch").length;
  out.push(`  passes: ${dispatches} dispatches, ${plan.passes.length - dispatches} copies`);
  let i = 0;
  while (i < plan.passes.length) {
    const p = plan.passes[i] as Pass;
    const what = p.kind === "copy" ? "copy" : p.kernel;
    let n = 1;
    while (i + n < plan.passes.length) {
      const q = plan.passes[i + n] as Pass;
      if ((q.kind === "copy" ? "copy" : q.kernel) !== what) break;
      n++;
    }
    const detail = p.kind === "copy" ? formatBytes(p.bytes) : `${p.groups.join("×")} workgroups`;
    out.push(`    ${p.label.padEnd(28)} ${what.padEnd(24)} ${detail}${n > 1 ? `  (× ${n})` : ""}`);
    i += n;
  }
  return out.join("\n");
}

/** Workgroups of a one-dimensional launch as (x, y), none above the limit per dimension. */
export function spread(groups: number, limit = 65535): [number, number, number] {
  if (groups <= limit) return [groups, 1, 1];
  const y = Math.ceil(groups / limit);
  return [Math.ceil(groups / y), y, 1];
}
