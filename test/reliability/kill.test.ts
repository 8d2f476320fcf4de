/**
 * Figure 6: training and sweeps, killed (SIGKILL) at any moment and gone on with, come to the bytes of those that were
 * left alone. Half of the kills come at a random time, half at a random call of the disk, where files are half written.
 * A process takes a second, of which most is its start: faults.test.ts ends more than a hundred at calls of the disk
 * within one process.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuiltCommandLine, buildProduct, withoutNativeWarnings } from "../story/command-line.ts";
import { seededRandom } from "../unit/io-helpers.ts";
import { callsIn, type Fate, type Life, live } from "./children.ts";
import { record, SEED, scale } from "./record.ts";

const KILLS = scale(28, 520);

let product: BuiltCommandLine;
let folder: string;
const at = (...parts: string[]): string => join(folder, ...parts);

beforeAll(() => {
  product = buildProduct();
  folder = mkdtempSync(join(tmpdir(), "reverie-kill-"));
});
afterAll(() => {
  product?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Something that can be started and gone on with, and the files that it must come to. */
interface Work {
  readonly name: string;
  readonly start: readonly string[];
  readonly resume: readonly string[];
  /** What must be there before there is anything to go on with. */
  readonly sign: string;
  readonly results: (directory: string) => string[];
}

const newest = (directory: string): string =>
  join("checkpoints", readdirSync(join(directory, "checkpoints")).sort().at(-1) as string);

const TRAINING = ["--preset", "tiny", "--set", "train.iterations=24", "--set", "test.trajectories=8"];
const SWEEP = ["--grid", "friction=1,0.7", "--grid", "adaptStrength=0:0.2:3", "--repeats", "20", "--steps", "24"];
const SMALL = ["--budget", "350kB"];

const works = (): Work[] => [
  {
    name: "training",
    start: ["train", ...TRAINING],
    resume: ["train", "--resume"],
    sign: "config.json",
    results: (directory) => ["train.jsonl", "config.json", newest(directory)],
  },
  {
    name: "sweep",
    start: ["sweep", at("training-whole"), ...SWEEP, ...SMALL],
    resume: ["sweep", "--resume", ...SMALL],
    sign: "sweep.json",
    results: () => ["results.jsonl", "metrics.csv", "awake.csv", "sweep.json"],
  },
  {
    name: "sweep with positions",
    start: ["sweep", at("training-whole"), ...SWEEP, ...SMALL, "--save", "decoded", "--save-every", "5"],
    resume: ["sweep", "--resume", ...SMALL],
    sign: "sweep.json",
    results: () => ["results.jsonl", "metrics.csv", join("shards", "shard-000.npz")],
  },
];

const outcome = (directory: string) =>
  (JSON.parse(readFileSync(join(directory, "manifest.json"), "utf8")) as { outcome: unknown }).outcome;

/** What differs from the run that was left alone, and what was left lying about. */
function mismatches(work: Work, directory: string): string[] {
  const whole = at(`${work.name}-whole`);
  const differing = work
    .results(whole)
    .filter(
      (file) =>
        !existsSync(join(directory, file)) ||
        !readFileSync(join(directory, file)).equals(readFileSync(join(whole, file))),
    );
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const left = names.filter((name) => /tmp-|run\.lock/.test(name));
  const sameEnd = JSON.stringify(outcome(directory)) === JSON.stringify(outcome(whole));
  return [...differing, ...left, ...(sameEnd ? [] : ["manifest.json: outcome"])];
}

test(`${KILLS} kills over training and sweeps: the bytes of those that were left alone`, async () => {
  const random = seededRandom(SEED);
  const tally = { kills: 0, inWrites: 0, completed: 0, mismatches: [] as string[] };
  for (const work of works()) {
    const whole = await live(product, [...work.start, "--out", at(`${work.name}-whole`)], { calls: at("calls") });
    expect(withoutNativeWarnings(whole.stderr)).toBe("");
    expect(whole.code).toBe(0);
    const calls = callsIn(at("calls"));
    expect(calls).toBeGreaterThan(30);
    const wanted = work.name === "training" ? Math.ceil(KILLS / 2) : Math.ceil(KILLS / 4);
    let [kills, chains] = [0, 0];
    for (let round = 0; kills < wanted && round < 4 * wanted; round++) {
      const directory = at(`${work.name}-${chains}`);
      const argv = existsSync(join(directory, work.sign)) ? work.resume : work.start;
      const fate: Fate =
        round % 2 === 0
          ? { atCall: 1 + Math.floor(random() * calls) }
          : { afterMs: (0.15 + 0.85 * random()) * whole.lived };
      const life: Life = await live(product, [...argv, "--out", directory], fate);
      if (life.signal === "SIGKILL") {
        kills++;
        if (fate.atCall !== undefined) tally.inWrites++;
        continue;
      }
      expect(withoutNativeWarnings(life.stderr)).toBe("");
      expect(life.code).toBe(0);
      tally.completed++;
      tally.mismatches.push(...mismatches(work, directory).map((what) => `${directory}: ${what}`));
      rmSync(directory, { recursive: true });
      chains++;
    }
    const directory = at(`${work.name}-${chains}`);
    const argv = existsSync(join(directory, work.sign)) ? work.resume : work.start;
    const last = await live(product, [...argv, "--out", directory]);
    expect(withoutNativeWarnings(last.stderr)).toBe("");
    tally.completed++;
    tally.mismatches.push(...mismatches(work, directory).map((what) => `${directory}: ${what}`));
    tally.kills += kills;
    expect(kills).toBe(wanted);
  }
  expect(tally.mismatches).toEqual([]);
  expect(tally.kills).toBeGreaterThanOrEqual(KILLS);
  record(
    "kill",
    {
      order: 6,
      figure: "SIGKILL at random moments of training and sweeps, resumed",
      required: "≥ 500 kills, 0 mismatches",
      result: `${tally.kills} kills (${tally.inWrites} within a call of the disk), ${tally.completed} runs completed, 0 mismatches`,
      command: "npm run test:soak -- kill",
    },
    null,
  );
}, 1_800_000);
