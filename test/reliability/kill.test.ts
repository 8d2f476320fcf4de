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
import { addedUp, record, SEED, scale } from "./record.ts";

const KILLS = scale(52, 520);
/** Most of a process's life is its start, on one core. */
const LANES = 2;

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

const tally = { kills: 0, inWrites: 0, completed: 0 };

/** Kills and goes on, then lets the last one end. What came of those that ended, where it is not what it should be. */
async function killed(work: Work, lane: number, wanted: number, calls: number, lived: number): Promise<string[]> {
  const random = seededRandom(LANES * SEED + lane);
  const wrong: string[] = [];
  let [kills, chains] = [0, 0];
  const directory = (): string => at(`${work.name}-${lane}-${chains}`);
  const argv = (): string[] => [
    ...(existsSync(join(directory(), work.sign)) ? work.resume : work.start),
    "--out",
    directory(),
  ];
  const ended = (life: Life): void => {
    expect(withoutNativeWarnings(life.stderr)).toBe("");
    expect(life.code).toBe(0);
    tally.completed++;
    wrong.push(...mismatches(work, directory()).map((what) => `${directory()}: ${what}`));
    rmSync(directory(), { recursive: true });
    chains++;
  };
  for (let round = 0; kills < wanted && round < 4 * wanted; round++) {
    const fate: Fate =
      round % 2 === 0 ? { atCall: 1 + Math.floor(random() * calls) } : { afterMs: (0.15 + 0.85 * random()) * lived };
    const life = await live(product, argv(), fate);
    if (life.signal !== "SIGKILL") {
      ended(life);
      continue;
    }
    kills++;
    if (fate.atCall !== undefined) tally.inWrites++;
  }
  ended(await live(product, argv()));
  expect(kills).toBe(wanted);
  tally.kills += kills;
  return wrong;
}

test(`${KILLS} kills over training and sweeps: the bytes of those that were left alone`, async () => {
  for (const work of works()) {
    const whole = await live(product, [...work.start, "--out", at(`${work.name}-whole`)], { calls: at("calls") });
    expect(withoutNativeWarnings(whole.stderr)).toBe("");
    expect(whole.code).toBe(0);
    const calls = callsIn(at("calls"));
    expect(calls).toBeGreaterThan(30);
    const share = Math.ceil(KILLS / (work.name === "training" ? 2 : 4) / LANES);
    const lanes = Array.from({ length: LANES }, (_, lane) => killed(work, lane, share, calls, whole.lived));
    expect((await Promise.all(lanes)).flat()).toEqual([]);
  }
  expect(tally.kills).toBeGreaterThanOrEqual(KILLS);
  const { sums, pieces } = addedUp("kill", tally);
  record(
    "kill",
    {
      order: 6,
      figure: "SIGKILL at random moments of training and sweeps, resumed",
      required: "≥ 500 kills, 0 mismatches",
      result: `${sums.kills} kills (${sums.inWrites} within a call of the disk), ${sums.completed} runs completed, 0 mismatches`,
      command: "npm run test:soak -- kill",
    },
    null,
    pieces,
  );
}, 1_800_000);
