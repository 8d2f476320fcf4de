/** A profile as a Chrome trace (chrome://tracing, Perfetto): GPU passes and the host's encoding on tracks of their own. */
import type { Profile } from "./profile.ts";

interface TraceEvent {
  readonly name: string;
  readonly ph: "X" | "M";
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
  readonly args?: Readonly<Record<string, string | number>>;
}

const HOST = 1;
const GPU = 2;

const named = (tid: number, name: string): TraceEvent => ({
  name: "thread_name",
  ph: "M",
  pid: 1,
  tid,
  ts: 0,
  args: { name },
});

/**
 * The clocks of host and GPU have no common origin in WebGPU: the GPU's track ends where the host knew that it was done.
 */
export function chromeTrace(p: Profile, adapter: string): { traceEvents: TraceEvent[]; displayTimeUnit: "ms" } {
  const { run, segments } = p.sample;
  const micro = (seconds: number) => seconds * 1e6;
  const origin = Math.max(run.host, run.wall - run.span);
  const events: TraceEvent[] = [
    named(HOST, "host"),
    named(GPU, adapter),
    { name: "encode and submit", ph: "X", pid: 1, tid: HOST, ts: 0, dur: micro(run.host) },
    { name: "wait", ph: "X", pid: 1, tid: HOST, ts: micro(run.host), dur: micro(run.wall - run.host) },
  ];
  segments.forEach((s, i) => {
    const t = run.segments[i];
    if (!t) return;
    const args = { kernel: s.kernel, launches: s.launches, workgroups: s.workgroups, flops: s.flops, bytes: s.bytes };
    events.push({ name: s.label, ph: "X", pid: 1, tid: GPU, ts: micro(origin + t.begin), dur: micro(t.seconds), args });
  });
  return { traceEvents: events, displayTimeUnit: "ms" };
}
