/**
 * npm run test:mutation: plants one bug after another in a copy of the project and runs the tests that should notice.
 *
 * node scripts/reliability/mutate.mjs [--check] [--only TEXT] [--part i/n]
 *
 * --check: only whether every bug can still be planted. --only: bugs whose name holds TEXT. --part: every n-th of them.
 * The verdicts so far are kept in scripts/reliability/results/mutation-verdicts.json, so that a run can be done in pieces;
 * whoever survives is listed there by name. `caught` counts only where a test of its own failed: a bug that does not
 * compile proves nothing and is an error of the list.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { HOST } from "./mutations/host.mjs";
import { METRICS } from "./mutations/metrics.mjs";
import { MODEL } from "./mutations/model.mjs";
import { TRAINING } from "./mutations/training.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const RESULTS = join(ROOT, "scripts", "reliability", "results");
const VERDICTS = join(RESULTS, "mutation-verdicts.json");
const SECONDS = 900;
/** A test that is only late has not noticed anything. */
const PATIENCE = [`--testTimeout=${1000 * SECONDS}`, `--hookTimeout=${1000 * SECONDS}`];
const REQUIRED = 0.95;

const options = process.argv.slice(2);
const option = (name) => (options.includes(name) ? options[options.indexOf(name) + 1] : null);
const [part, parts] = (option("--part") ?? "1/1").split("/").map(Number);
const ALL = [...MODEL, ...TRAINING, ...METRICS, ...HOST];
const chosen = ALL.filter((m) => m.name.includes(option("--only") ?? "")).filter((_, i) => i % parts === part - 1);

/** The file with its bug. Throws where the place is not there, or not only there. */
function mutated(root, { name, file, find, replace }) {
  const source = readFileSync(join(root, file), "utf8");
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: ${file} holds ${places} times: ${find}`);
  return source.replace(find, () => replace);
}

/** What git knows of the working tree, and links to what it does not. */
function copyTree() {
  const tree = mkdtempSync(join(tmpdir(), "reverie-mutation-"));
  const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  for (const file of listed.stdout.toString().split("\0")) {
    if (file === "" || !existsSync(join(ROOT, file))) continue;
    mkdirSync(dirname(join(tree, file)), { recursive: true });
    cpSync(join(ROOT, file), join(tree, file));
  }
  for (const own of ["node_modules", ".drivers"]) {
    if (existsSync(join(ROOT, own))) symlinkSync(join(ROOT, own), join(tree, own));
  }
  // Kernels that no bug touches come from a copy of the cache; those of the bugs do not go into the project's own.
  if (existsSync(join(ROOT, ".shader-cache"))) {
    cpSync(join(ROOT, ".shader-cache"), join(tree, ".shader-cache"), { recursive: true, dereference: true });
  }
  return tree;
}

/** Runs tests in the tree. Null: none failed; else the first that did, with its reason. */
function failure(tree, tests, only) {
  const out = join(tree, "mutation-results.json");
  rmSync(out, { force: true });
  const named = only === undefined ? [] : ["-t", only];
  const runner = ["node_modules/vitest/vitest.mjs", "run", ...tests, ...named, "--bail=1", ...PATIENCE];
  const run = spawnSync("node", [...runner, "--reporter=json", `--outputFile.json=${out}`], {
    cwd: tree,
    encoding: "utf8",
    timeout: SECONDS * 1000,
    killSignal: "SIGKILL",
    env: { ...process.env, NO_COLOR: "1" },
  });
  if (run.error?.code === "ETIMEDOUT") return { test: "time limit", reason: `longer than ${SECONDS} s` };
  if (!existsSync(out)) return { test: "the whole run", reason: (run.stderr ?? "").trim().split("\n").at(-1) };
  const files = JSON.parse(readFileSync(out, "utf8")).testResults;
  const results = files.flatMap((f) => f.assertionResults);
  const failed = results.find((t) => t.status === "failed");
  if (failed) return { test: failed.fullName, reason: (failed.failureMessages[0] ?? "").split("\n")[0].slice(0, 200) };
  const broken = files.find((f) => f.status === "failed");
  if (broken) return { test: "loading", reason: (broken.message ?? "").split("\n")[0].slice(0, 200) };
  return results.some((t) => t.status === "passed") ? null : { test: "none", reason: "NoTest: nothing ran" };
}

/** Reasons that prove nothing. */
const PROVES_NOTHING = /ShaderError|SyntaxError|Transform failed|ReferenceError|NoTest|STACK_TRACE_ERROR|timed out/;

const verdictsSoFar = () => (existsSync(VERDICTS) ? JSON.parse(readFileSync(VERDICTS, "utf8")) : {});

/** Keeps a verdict beside those of other parts that run meanwhile. */
function keep(name, verdict) {
  const known = { ...verdictsSoFar(), [name]: verdict };
  mkdirSync(RESULTS, { recursive: true });
  const current = Object.fromEntries(ALL.flatMap((x) => (known[x.name] ? [[x.name, known[x.name]]] : [])));
  writeFileSync(VERDICTS, `${JSON.stringify(current, null, 2)}\n`);
}

function main() {
  for (const m of ALL) mutated(ROOT, m);
  console.log(`${ALL.length} bugs can be planted`);
  if (options.includes("--check")) return 0;
  const tree = copyTree();
  const sound = new Map();
  try {
    for (const m of chosen) {
      // Once for all bugs with the same tests: what fails without a bug proves nothing.
      const key = `${m.tests} ${m.only}`;
      if (!sound.has(key)) sound.set(key, failure(tree, m.tests, m.only));
      const broken = sound.get(key);
      keep(m.name, broken ? { file: m.file, verdict: "invalid", ...broken } : judge(tree, m));
    }
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
  return summary(verdictsSoFar());
}

/** Plants one bug, runs its tests, and takes it out again. */
function judge(tree, m) {
  const began = performance.now();
  const path = join(tree, m.file);
  const without = readFileSync(path);
  writeFileSync(path, mutated(tree, m));
  const found = failure(tree, m.tests, m.only);
  writeFileSync(path, without);
  const verdict = found === null ? "survived" : PROVES_NOTHING.test(found.reason) ? "invalid" : "caught";
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`${verdict} (${seconds} s): ${m.name}${found ? `: ${found.test}: ${found.reason}` : ""}`);
  return { file: m.file, verdict, ...(found ?? {}) };
}

function summary(known) {
  const of = (verdict) => ALL.filter((m) => known[m.name]?.verdict === verdict).map((m) => m.name);
  const [caught, survived, invalid] = [of("caught"), of("survived"), of("invalid")];
  const run = caught.length + survived.length + invalid.length;
  const result = {
    order: 11,
    figure: "Mutation: bugs seeded in shaders and host code",
    required: "≥ 30, ≥ 95 % caught",
    result: `${caught.length} of ${run} caught${survived.length > 0 ? `; survived: ${survived.join("; ")}` : ""}`,
    command: "npm run test:mutation",
    date: new Date().toISOString().slice(0, 10),
  };
  console.log(`${result.result}${invalid.length > 0 ? `; invalid: ${invalid.join("; ")}` : ""}`);
  if (run === ALL.length) writeFileSync(join(RESULTS, "mutation.json"), `${JSON.stringify(result, null, 2)}\n`);
  return invalid.length === 0 && caught.length >= REQUIRED * run ? 0 : 1;
}

process.exit(main());
