// Puts the numbers and the figure of a run into README.md: node scripts/update-readme.mjs runs/tmaze
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const run = process.argv[2];
if (!run) throw new Error("usage: node scripts/update-readme.mjs RUN");
const [head, ...lines] = readFileSync(`${run}/metrics-summary.csv`, "utf8").trim().split("\n");
const columns = head.split(",");
const rows = lines.map((l) => Object.fromEntries(l.split(",").map((v, i) => [columns[i], v])));
const manifest = JSON.parse(readFileSync(`${run}/manifest.json`, "utf8"));

const SHOWN = [
  ["reach_rmean", "mean time to reach an end, steps (500 = never)", 0],
  ["reach_fraction", "share that reaches one", 2],
  ["speed5", "speed, m/step", 4],
  ["track", "share of the maze visited", 3],
  ["both_arms", "share that visits both arms", 2],
  ["offpath", "distance from the maze, m", 3],
];

const cell = (condition, metric, digits) => {
  const r = rows.find((x) => x.condition === condition && x.metric === metric);
  if (!r || r.mean === "") return "";
  return `${Number(r.mean).toFixed(digits)} ± ${Number(r.sd).toFixed(digits)}`;
};
const conditions = [...new Set(rows.map((r) => r.condition))];
const table = [
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

const readme = readFileSync("README.md", "utf8");
writeFileSync("README.md", readme.replace(/(<!-- table: tmaze -->\n)[\s\S]*?(<!-- \/table -->)/, `$1${table}\n$2`));
mkdirSync("scripts/figures", { recursive: true });
copyFileSync(`${run}/report/replays.png`, "scripts/figures/tmaze-replays.png");
