/** A result of compare.mjs as a table, and in plain words whom we beat and whom we lose to. */
import { PEERS } from "./peers.mjs";

const timed = (peer) => peer && !peer.failed && peer.wallQuartiles;
const median = ([, middle]) => middle;
const figure = (x) => (x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2));
/** Half the distance between the quartiles, of the median. */
const spread = ([low, middle, high]) => `±${Math.max(1, Math.round((50 * (high - low)) / middle))} %`;

function cell(peer, flops) {
  if (!peer || peer.skipped) return "–";
  if (!timed(peer)) return "❌";
  const cpu = flops / median(peer.cpuQuartiles) / 1e9;
  return `${figure(1e3 * median(peer.wallQuartiles))} ${spread(peer.wallQuartiles)}, ${figure(cpu)}`;
}

function column({ kind, S, B, T, N }) {
  return `${kind === "replay" ? "replay " : ""}${S > 1 ? `${S} × ` : ""}(${B}, ${T}, ${N})`;
}

/** Range over shapes of peer ÷ ours (or its inverse), as words. */
function factors(ratios) {
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((x) => x.toFixed(1));
  return low === high ? `${low}×` : `${low}–${high}×`;
}

/** Who is faster than we are, and who slower, in wall time. */
function verdict(shapes, name) {
  const pairs = shapes.filter((s) => timed(s.peers[name]) && timed(s.peers.ours));
  const ratios = pairs.map((s) => median(s.peers[name].wallQuartiles) / median(s.peers.ours.wallQuartiles));
  const label = PEERS[name].label;
  const beaten = ratios.filter((r) => r > 1);
  const lost = ratios.filter((r) => r <= 1).map((r) => 1 / r);
  const parts = [];
  if (lost.length > 0) parts.push(`we are **slower** by ${factors(lost)} on ${lost.length} of ${ratios.length} shapes`);
  if (beaten.length > 0) parts.push(`faster by ${factors(beaten)} on ${beaten.length} of ${ratios.length}`);
  return ratios.length === 0 ? null : `- against ${label}: ${parts.join(", ")}`;
}

/** Time of a network among many over that of one alone (many.mjs). */
function company({ many }) {
  if (!many) return "";
  const percent = (q) => `${(100 * median(q)).toFixed(0)} %`;
  return `A network among ${many.networks} costs us ${percent(many.wallQuartiles)} of the time of one alone, in turn in one process (${percent(many.cpuQuartiles)} in CPU-seconds; medians of ${many.rounds} rounds).`;
}

export function section(result) {
  const shapes = Object.values(result.shapes);
  const present = Object.keys(PEERS).filter((name) => shapes.some((s) => s.peers[name] && !s.peers[name].skipped));
  const { adapter } = result;
  const kind = adapter?.software ? "software adapter: a CPU" : "GPU";
  const versions = [`reverie ${result.reverie}`];
  for (const [key, label] of [
    ["torch", "PyTorch"],
    ["jax", "JAX"],
    ["tfjs", "TensorFlow.js"],
  ]) {
    const about = shapes.flatMap((s) => Object.values(s.peers)).find((p) => p.about?.[key])?.about;
    if (about) versions.push(`${label} ${about[key]}`);
  }
  const rows = present.map(
    (name) => `| ${PEERS[name].label} | ${shapes.map((s) => cell(s.peers[name], s.flops)).join(" | ")} |`,
  );
  const others = present.filter((name) => name !== "ours");
  // The comparison itself keeps the cores busy: only what is far beyond them came from others.
  const load = Math.max(...shapes.map((s) => s.loadBefore));
  return [
    `**${adapter?.name ?? "no adapter"}** (${kind}), ${adapter?.driver ?? ""}; ${result.processor}; ${versions.join(", ")}; ${result.date}.`,
    ...(load > 5
      ? [
          `The machine was shared while this ran (load up to ${load.toFixed(0)}): trust the CPU-seconds more than the times.`,
        ]
      : []),
    "",
    `| (B, T, N): ms, GF per CPU-second | ${shapes.map(column).join(" | ")} |`,
    `|---|${shapes.map(() => "---|").join("")}`,
    ...rows,
    "",
    "In time, not CPU-seconds:",
    "",
    ...others.map((name) => verdict(shapes, name)).filter(Boolean),
    "",
    company(result),
  ].join("\n");
}
