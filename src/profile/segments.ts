/** Consecutive passes of one label: what a profile shows as one line, and times as one. Pure. */
import type { Pass, Plan } from "../gpu/plan.ts";
import { type BoundAccess, passBytes } from "./traffic.ts";

export interface Segment {
  readonly label: string;
  /** File under `shaders/`; "copy" for a copy. */
  readonly kernel: string;
  /** Passes [from, to) of the plan. */
  readonly from: number;
  readonly to: number;
  readonly launches: number;
  readonly workgroups: number;
  readonly flops: number;
  readonly bytes: number;
}

/** @param bindings of a pass' kernel, for counting bytes */
export function segmentsOf(plan: Plan, bindings: (pass: number) => readonly BoundAccess[]): Segment[] {
  const out: Segment[] = [];
  const { passes, buffers } = plan;
  for (let from = 0; from < passes.length; ) {
    const first = passes[from] as Pass;
    let to = from;
    let [flops, bytes, workgroups] = [0, 0, 0];
    for (; to < passes.length; to++) {
      const p = passes[to] as Pass;
      if (p.label !== first.label || p.kind !== first.kind) break;
      bytes += passBytes(p, buffers, bindings(to));
      if (p.kind === "dispatch") {
        flops += p.flops ?? 0;
        workgroups += p.groups[0] * p.groups[1] * p.groups[2];
      }
    }
    const kernel = first.kind === "copy" ? "copy" : first.kernel;
    out.push({ label: first.label, kernel, from, to, launches: to - from, workgroups, flops, bytes });
    from = to;
  }
  return out;
}
