/** A profile as people read it in a terminal. */
import { formatBytes } from "../gpu/plan.ts";
import { alignColumns } from "../report/columns.ts";
import type { PassProfile, Profile } from "./profile.ts";
import { describeShape } from "./shapes.ts";
import type { Spread } from "./statistics.ts";

export function formatSeconds(seconds: number): string {
  if (seconds >= 1) return `${seconds.toFixed(2)} s`;
  if (seconds >= 1e-3) return `${(seconds * 1e3).toFixed(seconds >= 0.1 ? 0 : 2)} ms`;
  return `${(seconds * 1e6).toFixed(1)} µs`;
}

const rate = (perSecond: number): string =>
  perSecond === 0 ? "–" : (perSecond / 1e9).toFixed(perSecond >= 1e11 ? 0 : 1);
const percent = (share: number): string => (share === 0 ? "–" : `${(100 * share).toFixed(0)} %`);
const half = (s: Spread): string => `±${((100 * (s.upper - s.lower)) / 2 / (s.median || 1)).toFixed(0)} %`;

const BAR = 24;

/** Where in the iteration a pass lies, as a flame graph would draw it. */
function bar(begin: number, share: number): string {
  const from = Math.min(BAR - 1, Math.floor(begin * BAR));
  const length = Math.max(1, Math.round(share * BAR));
  return `${" ".repeat(from)}${"█".repeat(Math.min(length, BAR - from))}`.padEnd(BAR);
}

function secondsOf(p: PassProfile): Spread | null {
  return p.gpu ?? p.cpu;
}

/** Of the peak; on a software adapter per CPU second, which other programs disturb less than the wall. */
function ofPeak(p: Profile, x: { readonly flops: number; readonly cpu: Spread | null }, perSecond: number): number {
  const { flopsPerSecond, flopsPerCpuSecond } = p.ceilings;
  if (flopsPerCpuSecond && x.cpu) return x.flops / x.cpu.median / flopsPerCpuSecond.median;
  return perSecond / flopsPerSecond.median;
}

function passRows(p: Profile): string[][] {
  const total = p.passes.reduce((sum, x) => sum + (secondsOf(x)?.median ?? 0), 0) || 1;
  const { bytesPerSecond, flopsPerCpuSecond } = p.ceilings;
  let begin = 0;
  return p.passes.map((x) => {
    const s = secondsOf(x);
    const seconds = s?.median ?? 0;
    const [flops, bytes] = seconds > 0 ? [x.flops / seconds, x.bytes / seconds] : [0, 0];
    const row = [
      x.label,
      x.kernel,
      String(x.launches),
      s ? formatSeconds(seconds) : "–",
      s ? half(s) : "–",
      bar(begin / total, seconds / total),
      rate(flops),
      percent(ofPeak(p, x, flops)),
      rate(bytes),
      percent(bytes / bytesPerSecond.median),
      formatSeconds(x.roofline),
    ];
    begin += seconds;
    if (flopsPerCpuSecond && x.cpu) row.push(formatSeconds(x.cpu.median), rate(x.flops / x.cpu.median));
    return row;
  });
}

function accountLine(p: Profile): string {
  const { wall, host, busy, gaps, rest } = p.whole;
  const of = (s: Spread) => `${formatSeconds(s.median)} (${percent(s.median / wall.median)})`;
  if (!busy || !gaps || !rest)
    return `wall ${formatSeconds(wall.median)}, host ${of(host)}; this adapter has no timestamps: passes are timed alone, by the wall`;
  const sum = `wall ${formatSeconds(wall.median)} ${half(wall)} = host ${of(host)} + passes ${of(busy)} + gaps ${of(gaps)}`;
  // The adapter may begin while the host still encodes: then the parts are more than the whole.
  const both = { ...rest, median: -rest.median };
  return rest.median < 0 ? `${sum} − host and passes at once ${of(both)}` : `${sum} + submit and wait ${of(rest)}`;
}

export function profileTable(p: Profile, adapter: string): string {
  const { ceilings: c, whole } = p;
  const software = c.flopsPerCpuSecond !== null;
  const head = [
    "pass",
    "kernel",
    "launches",
    "time",
    "spread",
    "in the iteration",
    "GF/s",
    "of peak",
    "GB/s",
    "of copy",
    "roofline",
  ];
  if (software) head.push("CPU", "GF/CPU-s");
  const perCpu = c.flopsPerCpuSecond ? `, ${rate(c.flopsPerCpuSecond.median)} GF per CPU-second` : "";
  const total = [
    `${(whole.flops / 1e9).toFixed(2)} GFLOP, ${formatBytes(whole.bytes)} moved at least, ${whole.dispatches} dispatches, ${formatBytes(p.deviceBytes)} on the device`,
    `whole: ${rate(whole.flops / whole.wall.median)} GF/s = ${percent(ofPeak(p, whole, whole.flops / whole.wall.median))} of peak; roofline ${formatSeconds(whole.roofline)}`,
    ...(whole.cpu
      ? [`whole: ${formatSeconds(whole.cpu.median)} of CPU = ${rate(whole.flops / whole.cpu.median)} GF per CPU-second`]
      : []),
  ];
  return [
    describeShape(p.shape),
    `${adapter}; plan ${p.planKind}${p.why === undefined ? "" : ` (${p.why})`}; median of ${p.repeats} runs`,
    `ceilings: ${rate(c.flopsPerSecond.median)} GF/s of multiply-adds${perCpu}, ${rate(c.bytesPerSecond.median)} GB/s of copying, ${formatSeconds(c.emptyDispatch.median)} an empty dispatch, ${formatSeconds(c.roundTrip.median)} a submit with its answer`,
    "",
    ...alignColumns([head, ...passRows(p)], new Set([0, 1, 5])),
    "",
    accountLine(p),
    ...total,
  ].join("\n");
}
