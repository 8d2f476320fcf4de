/**
 * npm run test:mutation: plants one bug after another in a copy of the project and runs the tests that should notice.
 *
 * node scripts/reliability/mutate.mjs [--check] [--again] [--only TEXT] [--part i/n] [--minutes M]
 *
 * Every verdict goes to scripts/reliability/results/mutation-verdicts.json at once, and a run takes up what has none yet:
 * it may be stopped at any time, and `nice -n 15 npm run test:mutation -- --minutes 30` does a piece in the background.
 * --again: whatever is known. --check: only whether every bug can still be planted.
 *
 * caught: a test failed, and not for want of time. survived: all passed. unclear: it took too long, even when run again
 * with three times as much. invalid: the tests fail without the bug too, or the bug does not compile: an error of the list.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BUGS, identity, planted } from "./mutations/index.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const RESULTS = join(ROOT, "scripts", "reliability", "results");
const VERDICTS = join(RESULTS, "mutation-verdicts.json");
const SECONDS = 600;
const REQUIRED = 0.95;
/** A failure that proves nothing about the bug, and one that may only be late. */
const BROKEN = /ShaderError|SyntaxError|Transform failed|ReferenceError|NoTest|STACK_TRACE_ERROR/;
const LATE = /timed out|time limit/i;

const options = process.argv.slice(2);
const option = (name, standard) => (options.includes(name) ? options[options.indexOf(name) + 1] : standard);

/** What git knows of the working tree, and links to what it does not. */
function copyTree() {
  const tree = mkdtempSync(join(tmpdir(), "reverie-mutation-"));
  const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  const linked = ["node_modules", ".drivers", ".shader-cache"];
  for (const file of listed.stdout.toString().split("\0")) {
    if (file === "" || linked.includes(file) || !existsSync(join(ROOT, file))) continue;
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
function failure(tree, { tests, only }, seconds) {
  const out = join(tree, "mutation-results.json");
  rmSync(out, { force: true });
  const named = only === undefined ? [] : ["-t", only];
  // A test that is only late has not noticed anything.
  const patience = [`--testTimeout=${1000 * seconds}`, `--hookTimeout=${1000 * seconds}`];
  const runner = ["node_modules/vitest/vitest.mjs", "run", ...tests, ...named, "--bail=1", ...patience];
  const run = spawnSync("node", [...runner, "--reporter=json", `--outputFile.json=${out}`], {
    cwd: tree,
    encoding: "utf8",
    timeout: seconds * 1000,
    killSignal: "SIGKILL",
    env: { ...process.env, NO_COLOR: "1" },
  });
  if (run.error?.code === "ETIMEDOUT") return { test: "time limit", reason: `longer than ${seconds} s: time limit` };
  if (!existsSync(out)) return { test: "the whole run", reason: (run.stderr ?? "").trim().split("\n").at(-1) };
  const files = JSON.parse(readFileSync(out, "utf8")).testResults;
  const results = files.flatMap((f) => f.assertionResults);
  const failed = results.find((t) => t.status === "failed");
  if (failed) return { test: failed.fullName, reason: (failed.failureMessages[0] ?? "").split("\n")[0].slice(0, 200) };
  const broken = files.find((f) => f.status === "failed");
  if (broken) return { test: "loading", reason: (broken.message ?? "").split("\n")[0].slice(0, 200) };
  return results.some((t) => t.status === "passed") ? null : { test: "none", reason: "NoTest: nothing ran" };
}

const known = () => (existsSync(VERDICTS) ? JSON.parse(readFileSync(VERDICTS, "utf8")) : {});
const standing = (bug, verdicts) => {
  const found = verdicts[bug.name];
  return found?.bug === identity(bug) && found.verdict !== "invalid" ? found.verdict : null;
};

/** Keeps a verdict beside those of other parts that run meanwhile, in the order of the list. */
function keep(bug, verdict) {
  const all = { ...known(), [bug.name]: { bug: identity(bug), file: bug.file, ...verdict } };
  mkdirSync(RESULTS, { recursive: true });
  const current = Object.fromEntries(BUGS.flatMap(({ name }) => (all[name] ? [[name, all[name]]] : [])));
  writeFileSync(VERDICTS, `${JSON.stringify(current, null, 2)}\n`);
}

/** Plants one bug, runs its tests, and takes it out again. */
function judge(tree, bug, seconds) {
  const path = join(tree, bug.file);
  const without = readFileSync(path);
  writeFileSync(path, planted(tree, bug));
  const found = failure(tree, bug, seconds);
  writeFileSync(path, without);
  if (found === null) return { verdict: "survived" };
  if (LATE.test(found.reason)) return { verdict: "unclear", ...found };
  return { verdict: BROKEN.test(found.reason) ? "invalid" : "caught", ...found };
}

/** Judges bugs until the time is up. Whoever was too slow comes once more in the end. */
function judgeAll(bugs, until) {
  const tree = copyTree();
  const sound = new Map();
  const one = (bug, seconds) => {
    if (performance.now() > until) return;
    const began = performance.now();
    // Once for all bugs with the same tests: what fails without a bug proves nothing.
    const tests = `${bug.tests} ${bug.only}`;
    if (!sound.has(tests)) sound.set(tests, failure(tree, bug, 3 * SECONDS));
    const broken = sound.get(tests);
    const verdict = broken ? { verdict: "invalid", ...broken } : judge(tree, bug, seconds);
    keep(bug, verdict);
    const took = ((performance.now() - began) / 1000).toFixed(0);
    console.log(
      `${verdict.verdict} (${took} s): ${bug.name}${verdict.test ? `: ${verdict.test}: ${verdict.reason}` : ""}`,
    );
  };
  try {
    for (const bug of bugs) one(bug, SECONDS);
    for (const bug of bugs) if (standing(bug, known()) === "unclear") one(bug, 3 * SECONDS);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

function summary() {
  const verdicts = known();
  const of = (verdict) => BUGS.filter((bug) => standing(bug, verdicts) === verdict).map(({ name }) => name);
  const [caught, survived, unclear] = [of("caught"), of("survived"), of("unclear")];
  const run = caught.length + survived.length + unclear.length;
  const list = (word, names) => (names.length > 0 ? `; ${word}: ${names.join("; ")}` : "");
  const missing = BUGS.length - run;
  const result = {
    order: 11,
    figure: "Mutation: bugs seeded in shaders and host code",
    required: "≥ 30, ≥ 95 % caught",
    result: `${caught.length} of ${run} caught${list("survived", survived)}${list("unclear", unclear)}${missing > 0 ? `; ${missing} not run yet` : ""}`,
    command: "npm run test:mutation",
    date: new Date().toISOString().slice(0, 10),
  };
  console.log(result.result);
  if (run >= 30) writeFileSync(join(RESULTS, "mutation.json"), `${JSON.stringify(result, null, 2)}\n`);
  return missing === 0 && caught.length >= REQUIRED * run ? 0 : 1;
}

for (const bug of BUGS) planted(ROOT, bug);
console.log(`${BUGS.length} bugs can be planted`);
if (options.includes("--check")) process.exit(0);
const [part, parts] = option("--part", "1/1").split("/").map(Number);
const again = options.includes("--again");
/** Tests that compile no or small kernels come first: a run that is stopped has judged the more. */
const FOLDERS = ["unit", "contract", "kernel", "physics", "replay", "train", "sweep"];
const dear = ({ tests }) => FOLDERS.indexOf(tests[0].split("/")[1]);
const verdicts = known();
const chosen = BUGS.filter((bug) => bug.name.includes(option("--only", "")))
  .filter((_, i) => i % parts === part - 1)
  .filter((bug) => again || standing(bug, verdicts) === null || standing(bug, verdicts) === "unclear")
  .sort((a, b) => dear(a) - dear(b));
judgeAll(chosen, performance.now() + 60_000 * Number(option("--minutes", "1e6")));
process.exit(summary());
