/**
 * Figure 7: every call of the disk, and every readback, of a training, a replay and a sweep fails once: with a full disk,
 * an input/output error, a short write, or the end of the process. Whatever fails, the error is the right one, nothing
 * that was saved is lost, and gone on with it comes to the same bytes.
 */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { failureOf } from "../../src/cli/failure.ts";
import { loadConfig } from "../../src/config/load.ts";
import { EXIT } from "../../src/errors.ts";
import { Gpu } from "../../src/gpu/context.ts";
import { loadCheckpoint } from "../../src/io/checkpoint.ts";
import { readNpz } from "../../src/io/npz.ts";
import { openRunDirectory } from "../../src/io/run-dir.ts";
import { trainSpecOf } from "../../src/run/experiment.ts";
import { replayInto } from "../../src/run/replay.ts";
import { sweepInto, sweepOf } from "../../src/run/sweep.ts";
import { trainInto } from "../../src/run/train.ts";
import type { Io } from "../../src/run/types.ts";
import { uploadWeights } from "../../src/run/weights.ts";
import { SweepDirectory } from "../../src/sweep/directory.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { type Blow, bury, Killed, strike } from "./failing-disk.ts";
import { record, SOAK } from "./record.ts";

gpuHygiene();

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-faults-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const silent: Io = {
  progress: { start() {}, update() {}, done() {}, note() {} },
  out() {},
  note() {},
  json: false,
  signal: new AbortController().signal,
};

/** A clock that runs so fast that checkpoints fall due all the time. */
function hurry(): void {
  const now = performance.now.bind(performance);
  let calls = 0;
  vi.spyOn(performance, "now").mockImplementation(() => now() + 4000 * calls++);
}
afterEach(() => {
  vi.restoreAllMocks();
});

const { config } = loadConfig({
  preset: "tiny",
  set: ["train.iterations=3", "seeds=[0]", "test.trajectories=4", "replay.repeats=2", "replay.steps=8"],
});

interface Work {
  readonly name: string;
  /** Starts it, or goes on with what is there. */
  readonly run: (directory: string) => Promise<void>;
  /** The bytes that it must come to. */
  readonly results: (directory: string) => Record<string, string>;
  /** What was saved must be sound, whatever failed. */
  readonly check: (directory: string) => void;
}

const bytesOf = (...parts: string[]): string => readFileSync(join(...parts)).toString("base64");

const training: Work = {
  name: "training",
  async run(directory) {
    const gpu = await testGpu();
    const resume = existsSync(join(directory, "config.json"));
    const dir = openRunDirectory(directory, { resume });
    try {
      hurry();
      const { trainer } = await trainInto(dir, config, gpu, "own-row", silent, { resume });
      trainer.destroy();
    } finally {
      vi.restoreAllMocks();
      dir.close();
    }
  },
  results(directory) {
    const checkpoints = readdirSync(join(directory, "checkpoints")).sort();
    return {
      log: bytesOf(directory, "train.jsonl"),
      newest: `${checkpoints.at(-1)} ${bytesOf(directory, "checkpoints", checkpoints.at(-1) as string)}`,
    };
  },
  check(directory) {
    const saved = existsSync(join(directory, "checkpoints")) ? readdirSync(join(directory, "checkpoints")) : [];
    // Damage would be told: the newest is sound.
    if (saved.some((name) => name.endsWith(".npz"))) loadCheckpoint(directory, (notice) => expect.fail(notice));
  },
};

/** A trained run that replays and sweeps take their networks from. */
const source = (): string => join(folder, "training");

const replay: Work = {
  name: "replay",
  async run(directory) {
    const gpu = await testGpu();
    const { arrays } = loadCheckpoint(source());
    const dir = openRunDirectory(directory, { force: existsSync(join(directory, "manifest.json")) });
    const trained = uploadWeights(gpu, trainSpecOf(config, "own-row").model, arrays.weights);
    try {
      dir.writeManifest({});
      await replayInto(dir.file("replay", "replay.npz"), config, gpu, "own-row", trained, silent);
    } finally {
      for (const b of trained.values()) gpu.destroyBuffer(b);
      dir.close();
    }
  },
  results(directory) {
    const npz = [...readNpz(join(directory, "replay", "replay.npz"))].filter(([name]) => name !== "manifest");
    return Object.fromEntries(npz.map(([name, { data }]) => [name, Buffer.from(data.buffer).toString("base64")]));
  },
  check(directory) {
    const path = join(directory, "replay", "replay.npz");
    if (existsSync(path)) readNpz(path);
  },
};

const sweep: Work = {
  name: "sweep",
  async run(directory) {
    const gpu = await testGpu();
    const resume = existsSync(join(directory, "sweep.json"));
    const grid = ["friction=1,0.7", "adaptStrength=0,0.2"];
    const request = {
      grid,
      list: null,
      random: null,
      save: "decoded",
      saveEvery: 3,
      stateRepeats: 0,
      steps: 9,
      repeats: 4,
    };
    const flags = { sources: resume ? [] : [source()], request: resume ? null : request, budget: 350_000, shard: null };
    const options = { ...flags, out: directory, resume, force: false, plan: false, requireGpu: false };
    const planned = sweepOf(options as never, silent);
    const dir = SweepDirectory.open(directory, { resume });
    try {
      await sweepInto(dir, planned, gpu, { budget: 350_000, resume, planKind: "own-row" }, silent);
    } finally {
      dir.close();
    }
  },
  results: (directory) =>
    Object.fromEntries(
      ["results.jsonl", "metrics.csv", "awake.csv", "sweep.json", join("shards", "shard-000.npz")].map((file) => [
        file,
        bytesOf(directory, file),
      ]),
    ),
  check(directory) {
    const path = join(directory, "shards", "shard-000.npz");
    if (existsSync(path)) readNpz(path);
  },
};

/** From what a killed training left: the only one that cuts off lines newer than its checkpoint. */
const resumed: Work = {
  ...training,
  name: "resumed training",
  async run(directory) {
    const half = join(folder, "half");
    if (!existsSync(half)) {
      const failed = (error: unknown) => expect.fail(String(error));
      const { calls } = await strike(0, "kill", () => training.run(join(folder, "counted")), failed);
      await strike(
        Math.floor(0.6 * calls),
        "kill",
        () => training.run(half),
        () => undefined,
      );
      bury(half);
    }
    if (!existsSync(directory)) cpSync(half, directory, { recursive: true });
    await training.run(directory);
  },
};

const tally = { hits: 0, kills: 0, sites: new Set<string>(), passed: 0 };

/** Nothing of a dead or failed process may be left once it has come to its end. */
function expectWhole(work: Work, directory: string, wanted: Record<string, string>, what: string): void {
  const got = work.results(directory);
  for (const [name, bytes] of Object.entries(wanted)) expect(got[name] === bytes, `${what}: ${name}`).toBe(true);
  const left = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((f) => /tmp-|run\.lock/.test(f));
  expect(left, what).toEqual([]);
}

async function strikeAll(work: Work, blows: readonly Blow[], every: number): Promise<void> {
  const whole = join(folder, work.name);
  const { calls } = await strike(
    0,
    "EIO",
    () => work.run(whole),
    (error) => expect.fail(String(error)),
  );
  const wanted = work.results(whole);
  for (const [i, blow] of blows.entries()) {
    for (let n = 1 + ((8 * i) % every); ; n += every) {
      const what = `${work.name}, ${blow} at call ${n} of ${calls}`;
      const directory = join(folder, "struck");
      rmSync(directory, { recursive: true, force: true });
      let error: unknown = null;
      const { call } = await strike(
        n,
        blow,
        () => work.run(directory),
        (e) => {
          error = e;
        },
      );
      if (call === null) {
        expect(error, what).toBeNull();
        break;
      }
      tally.hits++;
      tally.sites.add(`${work.name} ${call}`);
      if (blow === "kill") {
        tally.kills++;
        expect(error, what).toBeInstanceOf(Killed);
      } else if (error !== null) {
        const { exitCode, line } = failureOf(error);
        expect(exitCode, `${what}: ${line}`).toBe(EXIT.disk);
      } else {
        // Only a file too many may fail to be removed without a word.
        expect(call, what).toBe("unlink");
      }
      bury(directory);
      if (existsSync(directory)) work.check(directory);
      await work.run(directory);
      expectWhole(work, directory, wanted, what);
      // Copies of guard words wait for this; those of a whole soak are more mappings than Linux gives a process.
      await (await testGpu()).checkGuards();
    }
  }
  tally.passed++;
}

/** Every blow at every call in a soak; in each run of the tests each at every so many, not the same ones. */
const BLOWS: readonly Blow[] = ["ENOSPC", "EIO", "short write", "ENOSPC for ever"];

test.each([training, replay, sweep, resumed])(
  "$name: calls of the disk fail",
  async (work) => {
    await strikeAll(work, BLOWS, SOAK ? 1 : 8 * BLOWS.length);
  },
  900_000,
);

test.each([training, replay, sweep, resumed])(
  "$name: the process ends at a call of the disk",
  async (work) => {
    await strikeAll(work, ["kill"], SOAK ? 1 : 8);
  },
  900_000,
);

test.each([training, replay, sweep])(
  "$name: every readback fails once",
  async (work) => {
    const whole = join(folder, `${work.name}-read`);
    await work.run(whole);
    const wanted = work.results(whole);
    for (let n = 1; ; n++) {
      let maps = 0;
      const real = Gpu.prototype.map;
      const directory = join(folder, "unread");
      rmSync(directory, { recursive: true, force: true });
      let error: unknown = null;
      Gpu.prototype.map = function (buffer, bytes) {
        // As Dawn does when a device goes: what was asked for is not there.
        return ++maps === n
          ? real.call(this, { mapAsync: () => Promise.reject(new Error()), label: buffer.label } as never, bytes)
          : real.call(this, buffer, bytes);
      };
      try {
        await work.run(directory);
      } catch (e) {
        error = e;
      } finally {
        Gpu.prototype.map = real;
      }
      if (maps < n) {
        expect(error).toBeNull();
        tally.passed++;
        break;
      }
      tally.hits++;
      tally.sites.add(`${work.name} readback`);
      expect(failureOf(error), `readback ${n}`).toMatchObject({ exitCode: EXIT.gpu });
      expect(failureOf(error).line).toMatch(/cannot read .* back/);
      work.check(directory);
      await work.run(directory);
      expectWhole(work, directory, wanted, `${work.name}, readback ${n}`);
    }
  },
  900_000,
);

test("what was hit", async () => {
  expect(tally.passed).toBe(11);
  // A few calls in every run of the tests, all of them in a soak.
  const rare = SOAK ? ["rename", "link", "unlink", "makeDirectory", "truncate"] : [];
  for (const call of ["open", "write", "fsync", "close", ...rare]) {
    expect(
      [...tally.sites].some((site) => site.endsWith(` ${call}`)),
      call,
    ).toBe(true);
  }
  const { adapter } = await testGpu();
  record(
    "faults",
    {
      order: 7,
      figure:
        "Every write, fsync, rename, … and readback of training, replay and sweep made to fail, or the last of its process",
      required: "no lost checkpoint, right exit code, 0 hangs",
      result: `${tally.hits} failures (${tally.kills} of them the end of the process): the right code, gone on with to the same bytes`,
      command: "npm run test:soak -- faults",
    },
    adapter,
  );
});
