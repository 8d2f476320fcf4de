/** The whole grid of κ × k × b_a × τ_a at once: where adaptation raises, lowers or leaves coverage and reach time. */
import { formatCsv } from "../../io/csv.ts";
import { px, text } from "../../report/svg.ts";
import { conditionColour, MUTED } from "../../report/theme.ts";
import type { PaperFigure } from "../evidence.ts";
import type { Protocol } from "../protocol.ts";
import { pairedDifference } from "../statistics.ts";
import { coverageOf } from "../tasks.ts";
import { type Place, placesOf } from "../usable.ts";
import { TASK_WORDS } from "../words.ts";
import { adaptations, type Kept, PLAIN, seriesAt, type TaskReplays, usableOf } from "./replays.ts";

type Sign = "up" | "down" | "undecided" | "unusable";

const [CELL, LEFT, TOP, GAP, LEAST] = [18, 96, 56, 30, 190];

const COLOURS: Readonly<Record<Sign, string>> = {
  up: conditionColour(2),
  down: conditionColour(1),
  undecided: MUTED,
  unusable: MUTED,
};

/** Shapes tell the signs apart without their colours. */
function glyph(sign: Sign, x: number, y: number): string {
  const d = {
    up: `M${px(x - 5)} ${px(y + 4)}h10l-5 -9z`,
    down: `M${px(x - 5)} ${px(y - 4)}h10l-5 9z`,
    undecided: `M${px(x - 3)} ${px(y - 1)}h6v2h-6z`,
    unusable: "",
  }[sign];
  return d === "" ? "" : `<path d="${d}" fill="${COLOURS[sign]}"/>`;
}

function signAt(r: TaskReplays, name: Kept, place: Place, cell: ReturnType<typeof adaptations>[number], p: Protocol) {
  const own = seriesAt(r, name, place, { friction: 1, ...cell }, p.usable);
  const estimate = pairedDifference(own, seriesAt(r, name, place, PLAIN, p.usable), p.statistics);
  const sign: Sign = estimate.low > 0 ? "up" : estimate.high < 0 ? "down" : "undecided";
  return { estimate, sign };
}

function panel(r: TaskReplays, name: Kept, protocol: Protocol, left: number, top: number) {
  const { usable } = usableOf(r, protocol);
  const columns = adaptations(protocol);
  const rows = placesOf(r.members).map((place) => {
    const is = usable.some((u) => u.leak === place.leak && u.maskEvery === place.maskEvery);
    return { place, cells: columns.map((c) => ({ ...signAt(r, name, place, c, protocol), ...c, usable: is })) };
  });
  const body = rows.map(({ place, cells }, i) => {
    const y = top + TOP + (i + 0.5) * CELL;
    const label = text(left + LEFT - 8, y + 4, `κ ${place.leak}, k ${place.maskEvery}`, { anchor: "end", size: 10.5 });
    return (
      label +
      cells.map((c, j) => glyph(c.usable ? c.sign : "unusable", left + LEFT + (j + 0.5) * CELL, y)).join("") +
      (cells[0]?.usable ? "" : text(left + LEFT, y + 4, "does not replay", { size: 10.5, fill: MUTED }))
    );
  });
  const taus = protocol.replay.adaptTau;
  const heads = columns.map((c, j) =>
    text(left + LEFT + (j + 0.5) * CELL, top + TOP - 6, String(c.adaptTau), {
      size: 8.5,
      anchor: "middle",
      fill: MUTED,
    }),
  );
  const strengths = protocol.replay.adaptStrength.map((b, j) =>
    text(left + LEFT + (j + 0.5) * taus.length * CELL, top + TOP - 20, `b_a ${b}`, { size: 10.5, anchor: "middle" }),
  );
  const title = name === "reach_rmean" ? "reach time" : name;
  const head =
    text(left, top + 12, `${TASK_WORDS[r.task]}: ${title}`, { size: 12.5, weight: 600 }) +
    text(left + LEFT - 8, top + TOP - 6, "τ_a", { size: 10.5, anchor: "end", fill: MUTED });
  const lines = rows.flatMap(({ place, cells }) =>
    cells.map((c) => ({
      task: r.task,
      metric: name,
      ...{ leak: place.leak, maskEvery: place.maskEvery, adaptStrength: c.adaptStrength, adaptTau: c.adaptTau },
      ...{ difference: c.estimate.value, low: c.estimate.low, high: c.estimate.high, networks: c.estimate.n },
      replays: c.usable,
    })),
  );
  return {
    body: head + strengths.join("") + heads.join("") + body.join(""),
    // Titles and the key need room where a grid is small.
    width: LEFT + Math.max(LEAST, columns.length * CELL),
    height: TOP + rows.length * CELL,
    lines,
  };
}

export function signsFigure(tasks: readonly TaskReplays[], protocol: Protocol): PaperFigure {
  let y = 24;
  let width = 0;
  const lines: ReturnType<typeof panel>["lines"] = [];
  const bodies: string[] = [];
  for (const r of tasks) {
    const first = panel(r, coverageOf(r.task), protocol, 0, y);
    const second = panel(r, "reach_rmean", protocol, first.width + GAP, y);
    bodies.push(first.body, second.body);
    lines.push(...first.lines, ...second.lines);
    width = Math.max(width, first.width + GAP + second.width);
    y += first.height + GAP;
  }
  const key = (["up", "down", "undecided"] as const).map((sign, i) => {
    const words = { up: "raised", down: "lowered", undecided: "interval holds 0" }[sign];
    return glyph(sign, LEFT + 6 + i * 90, 8) + text(LEFT + 16 + i * 90, 12, words, { size: 11 });
  });
  return {
    part: 2,
    title: "Adaptation over the whole grid",
    caption:
      "Replays at λ = 1 under every b_a and τ_a (steps) against b_a = 0 of the same networks, paired over seeds: a triangle where the interval of the difference excludes 0.",
    csv: formatCsv(Object.keys(lines[0] ?? { task: "" }), lines),
    figure: {
      name: "adaptation-grid",
      width,
      height: y - GAP,
      body: key.join("") + bodies.join(""),
      description: "For each task, leak and mask: signs of the change of coverage and of reach time under adaptation.",
    },
  };
}
