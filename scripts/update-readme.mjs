// Puts numbers into README.md: the figures of reliability that were last measured (scripts/reliability/results), and,
// where a run is named, its numbers and its figure. Usage: node scripts/update-readme.mjs [runs/tmaze]
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";

const SHOWN = [
  ["reach_rmean", "mean time to reach an end, steps (500 = never)", 0],
  ["reach_fraction", "share that reaches one", 2],
  ["speed5", "speed, m/step", 4],
  ["track", "share of the maze visited", 3],
  ["both_arms", "share that visits both arms", 2],
  ["offpath", "distance from the maze, m", 3],
];

/** Replaces what stands between the table's marks. */
function put(name, table) {
  const readme = readFileSync("README.md", "utf8");
  const marks = new RegExp(`(<!-- table: ${name} -->\\n)[\\s\\S]*?(<!-- /table -->)`);
  if (!marks.test(readme)) throw new Error(`README.md has no table ${name}`);
  writeFileSync(
    "README.md",
    readme.replace(marks, (_, begin, end) => `${begin}${table}\n${end}`),
  );
}

function runTable(run) {
  const [head, ...lines] = readFileSync(`${run}/metrics-summary.csv`, "utf8").trim().split("\n");
  const columns = head.split(",");
  const rows = lines.map((l) => Object.fromEntries(l.split(",").map((v, i) => [columns[i], v])));
  const manifest = JSON.parse(readFileSync(`${run}/manifest.json`, "utf8"));

  const cell = (condition, metric, digits) => {
    const r = rows.find((x) => x.condition === condition && x.metric === metric);
    if (!r || r.mean === "") return "";
    return `${Number(r.mean).toFixed(digits)} ± ${Number(r.sd).toFixed(digits)}`;
  };
  const conditions = [...new Set(rows.map((r) => r.condition))];
  return [
    `| | ${conditions.join(" | ")} |`,
    `|---|${conditions.map(() => "---").join("|")}|`,
    ...SHOWN.map(
      ([metric, label, digits]) => `| ${label} | ${conditions.map((c) => cell(c, metric, digits)).join(" | ")} |`,
    ),
    "",
    `Mean ± standard deviation over ${manifest.seeds.length} networks; adapter ${manifest.adapter.name}; test error ${manifest.testError
      .map((x) => x.toFixed(4))
      .join(", ")} m² (an independent prototype: .0053). Awake paths end after 60 steps.`,
  ].join("\n");
}

function reliabilityTable() {
  const folder = "scripts/reliability/results";
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  const rows = files
    .map((name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8")))
    // What a figure is made of lies beside it.
    .filter(({ figure }) => figure !== undefined)
    .sort((a, b) => a.order - b.order || (a.figure < b.figure ? -1 : 1));
  const adapters = [...new Set(rows.flatMap(({ adapter }) => adapter ?? []))];
  const dates = rows.map(({ date }) => date).sort();
  return [
    "| figure | required | found | again with |",
    "|---|---|---|---|",
    ...rows.map((r) => `| ${r.figure} | ${r.required} | ${r.result} | ` + `\`${r.command}\` |`),
    "",
    `Adapter ${adapters.join(", ")}; ${dates[0]}${dates.at(-1) === dates[0] ? "" : ` to ${dates.at(-1)}`}.`,
  ].join("\n");
}

const PARTS = {
  1: "**1. The score varies in time and is hard to estimate; leakage gives its linear part**",
  2: "**2. Adaptation explores, is non-Markov, and slows**",
  3: "**3. Momentum compresses time; with adaptation it is fast and explores**",
  4: "**What reviewers asked**",
};
const SIGNS = { holds: "✓ holds", partly: "◐ partly", fails: "✗ fails", undecided: "? undecided" };

/** The verdicts of the last full reproduction whose results are committed. */
function paperTable({ claims, protocol, adapter, ended, seeds, missing }) {
  const text = (s) => s.replaceAll("|", "\\|");
  const row = (c) => {
    const held = c.cells.filter((cell) => cell.holds).length;
    const where = c.cells.length === 0 ? "–" : `${held} of ${c.cells.length}`;
    return `| ${text(c.claim)} | ${text(c.measured)} | ${c.over} | ${where} | ${SIGNS[c.verdict]} |`;
  };
  const groups = Object.entries(PARTS).flatMap(([part, title]) => {
    const own = claims.filter((c) => c.part === Number(part));
    return own.length === 0 ? [] : [`| ${title} | | | | |`, ...own.map(row)];
  });
  const count = (part, verdict) => claims.filter((c) => c.part === Number(part) && c.verdict === verdict).length || "–";
  return [
    `| claims | ${Object.values(SIGNS).join(" | ")} |`,
    "|---|---|---|---|---|",
    ...Object.entries(PARTS).map(
      ([part, title]) =>
        `| ${title} | ${Object.keys(SIGNS)
          .map((v) => count(part, v))
          .join(" | ")} |`,
    ),
    "",
    `<details><summary>All ${claims.length} claims, with what was measured</summary>`,
    "",
    "| claim | measured at the named place | over | holds in | verdict |",
    "|---|---|---|---|---|",
    ...groups,
    "",
    "</details>",
    "",
    `${adapter.name}${adapter.software ? " (software adapter)" : ""}, ${ended.slice(0, 10)}; ${seeds.networks.count} seeds from ${seeds.networks.first}, N = 64; protocol ${protocol.digest.slice(0, 16)}${protocol.quick ? " (quick)" : ""}.${missing.length > 0 ? ` Not run: ${missing.join(", ")}.` : ""}`,
  ].join("\n");
}

put("reliability", reliabilityTable());
const paper = "scripts/paper/results/claims.json";
if (existsSync(paper)) put("paper", paperTable(JSON.parse(readFileSync(paper, "utf8"))));
const run = process.argv[2];
if (run) {
  put("tmaze", runTable(run));
  mkdirSync("scripts/figures", { recursive: true });
  copyFileSync(`${run}/report/replays.png`, "scripts/figures/tmaze-replays.png");
}
