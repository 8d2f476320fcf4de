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

put("reliability", reliabilityTable());
const run = process.argv[2];
if (run) {
  put("tmaze", runTable(run));
  mkdirSync("scripts/figures", { recursive: true });
  copyFileSync(`${run}/report/replays.png`, "scripts/figures/tmaze-replays.png");
}
