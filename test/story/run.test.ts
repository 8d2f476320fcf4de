/** What a user does with a run, on the preset that takes seconds: start, train, stop, go on, replay, report. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { main } from "../../src/cli/program.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { ExperimentConfig } from "../../src/config/schema.ts";
import { configHash } from "../../src/io/config-hash.ts";
import { DirectoryLock } from "../../src/io/lock.ts";
import { type Npz, readNpz } from "../../src/io/npz.ts";
import { METRIC_NAMES } from "../../src/metrics/table.ts";
import {
  type BuiltCommandLine,
  buildProduct,
  Capture,
  freshEnvironment,
  ONE_LINE,
  type Outcome,
  reverie,
  runChild,
  withoutNativeWarnings,
} from "./command-line.ts";

const TINY: ExperimentConfig = loadConfig({ preset: "tiny" }).config;
const CONDITIONS = Object.keys(TINY.replay.conditions);
const [S, T, N] = [TINY.seeds.length, TINY.task.steps, TINY.rnn.units];
const { steps: REPLAY_STEPS, repeats: REPEATS } = TINY.replay;

let folder: string;
const inside = (...parts: string[]): string => join(folder, ...parts);

/** `reverie start --preset tiny`, which most tests compare with. */
let started: Outcome;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reverie-run-"));
  started = await reverie(["start", "--preset", "tiny", "--out", inside("started"), "--json"]);
  expect(started.code, started.stderr).toBe(0);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function succeed(...argv: string[]): Promise<Outcome> {
  const outcome = await reverie(argv);
  expect(outcome.code, outcome.stderr).toBe(0);
  return outcome;
}

const json = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8"));
const floats = (npz: Npz, name: string): Float32Array => npz.get(name)?.data as Float32Array;
const lastCheckpoint = (run: string): string =>
  join(run, "checkpoints", readdirSync(join(run, "checkpoints")).sort().at(-1) as string);

/** Every file and folder below, but for their times. */
function contentOf(directory: string): Record<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: "utf8", withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(directory.length + 1), readFileSync(path).toString("base64")]),
  );
}

describe("start", () => {
  test("leaves a whole run: nothing missing, nothing temporary, no lock", () => {
    const figures = [
      "awake",
      "exploration",
      "loss",
      "occupancy",
      "rates",
      "reach",
      "replays",
      "replays-by-network",
      "speed",
    ];
    const files = Object.keys(contentOf(inside("started"))).filter((name) => !name.endsWith(".png"));
    expect(files).toEqual(
      [
        "checkpoints/iteration-000000.npz",
        "checkpoints/iteration-000020.npz",
        "config.json",
        "manifest.json",
        "metrics-summary.csv",
        "metrics.csv",
        "replay/replay.npz",
        "report/index.html",
        ...figures.map((name) => `report/${name}.svg`),
        ...["exploration", "loss", "occupancy", "rates", "reach", "speed"].map((name) => `report/${name}.csv`),
        "train.jsonl",
      ].sort(),
    );
    expect(json(inside("started", "config.json"))).toEqual(TINY);
  });

  test("the manifest says what ran, where, from what, and how it ended", () => {
    expect(json(inside("started", "manifest.json"))).toMatchObject({
      format: "reverie-run",
      versions: { reverie: expect.any(String), webgpu: expect.any(String), node: process.versions.node },
      adapter: { name: expect.any(String), driver: expect.any(String), software: expect.any(Boolean) },
      limits: { maxStorageBufferBindingSize: expect.any(Number) },
      configHash: configHash(TINY),
      seed: TINY.seed,
      seeds: TINY.seeds,
      plan: { kind: expect.any(String), bytes: expect.any(Number), dispatchesPerIteration: { "optim/adam": 1 } },
      outcome: { kind: "completed", iteration: 20, networks: [{ kind: "completed" }, { kind: "completed" }] },
      testError: [expect.any(Number), expect.any(Number)],
      replay: { outcome: "completed" },
      started: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      ended: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
  });

  test("one line of losses per iteration, and they fall", () => {
    const lines = readFileSync(inside("started", "train.jsonl"), "utf8").trimEnd().split("\n");
    const log = lines.map((line) => JSON.parse(line) as { iteration: number; loss: number[]; gradNorm: number[] });
    expect(log.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const { loss, gradNorm } of log) for (const x of [...loss, ...gradNorm]) expect(x).toBeGreaterThan(0);
    for (const network of [0, 1]) expect(log[19]?.loss[network]).toBeLessThan(log[0]?.loss[network] as number);
  });

  test("metrics.csv: a row for every network and condition, a column for every metric", () => {
    const rows = readFileSync(inside("started", "metrics.csv"), "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    const [header, ...body] = rows as [string[], ...string[][]];
    expect(header).toEqual(["network", "seed", "condition", ...METRIC_NAMES]);
    expect(body.map(([network, , condition]) => `${network} ${condition}`).sort()).toEqual(
      [0, 1].flatMap((network) => ["awake", ...CONDITIONS].map((condition) => `${network} ${condition}`)).sort(),
    );
    for (const row of body) {
      expect(row).toHaveLength(header.length);
      // A number, `inf`, or nothing where a metric has no meaning.
      for (const cell of row.slice(3)) expect(cell).toMatch(/^(|-?inf|-?[\d.]+(e[+-]?\d+)?)$/);
    }
  });

  test("the page needs no other file and no network", () => {
    const page = readFileSync(inside("started", "report", "index.html"), "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page.match(/<svg/g)?.length).toBeGreaterThanOrEqual(5);
    expect(page).not.toMatch(/<script src|<link|<iframe|@import|\bsrc=|url\((?!#)|href="(?![a-z]+\.csv")/);
    for (const name of CONDITIONS) expect(page.toLowerCase()).toContain(name);
  });

  test("--json: one document with where things are and what was measured", () => {
    const result = JSON.parse(started.stdout) as { metrics: Record<string, unknown>[] };
    expect(result).toMatchObject({
      run: inside("started"),
      report: inside("started", "report", "index.html"),
      outcome: { kind: "completed" },
    });
    expect(result.metrics).toHaveLength(S * (1 + CONDITIONS.length));
    for (const { speed5 } of result.metrics) expect(speed5).toBeGreaterThan(0);
    // As in the CSV: a time that is never reached is "inf", what is not defined is nothing.
    for (const { reach_median, reach_fraction, laps } of result.metrics) {
      expect(laps).toBeNull();
      if ((reach_fraction as number) < 0.5) expect(reach_median).toBe("inf");
    }
  });
});

describe("train", () => {
  const train = (out: string, ...more: string[]) => succeed("train", "--preset", "tiny", "--out", inside(out), ...more);

  test("gives the networks that start gives", async () => {
    const { stdout, stderr } = await train("trained");
    expect(stdout).toMatch(/trained: completed, 20 iterations, test error 0\.\d+ m²\n$/);
    expect(stderr).toMatch(/^adapter: /);
    for (const file of ["train.jsonl", "checkpoints/iteration-000020.npz", "config.json"]) {
      expect(readFileSync(inside("trained", file)), file).toEqual(readFileSync(inside("started", file)));
    }
    expect(json(inside("trained", "manifest.json")).testError).toEqual(
      json(inside("started", "manifest.json")).testError,
    );
  });

  test("another seed, other networks", async () => {
    await train("reseeded", "--seed", "2");
    const [a, b] = ["started", "reseeded"].map((run) => floats(readNpz(lastCheckpoint(inside(run))), "W_rec"));
    expect(a).not.toEqual(b);
  });

  test("an existing run is neither overwritten nor mixed up with another (2), unless told to", async () => {
    cpSync(inside("started"), inside("kept"), { recursive: true });
    const before = contentOf(inside("kept"));
    const refused = await reverie(["train", "--preset", "tiny", "--out", inside("kept")]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(ONE_LINE);
    expect(refused.stderr).toMatch(/kept: holds a run \(.*\); add --resume to go on with it, --force to delete it/);
    expect(contentOf(inside("kept"))).toEqual(before);
    writeFileSync(inside("kept", "notes.txt"), "mine");
    await train("kept", "--force", "--set", "train.iterations=2");
    expect(Object.keys(contentOf(inside("kept")))).toEqual([
      "checkpoints/iteration-000000.npz",
      "checkpoints/iteration-000002.npz",
      "config.json",
      "manifest.json",
      "notes.txt",
      "train.jsonl",
    ]);
  });

  test("a directory that another process works in is left alone (5)", async () => {
    mkdirSync(inside("locked"));
    const lock = new DirectoryLock(inside("locked"));
    try {
      const refused = await reverie(["train", "--preset", "tiny", "--out", inside("locked")]);
      expect(refused).toMatchObject({ code: 5, stdout: "" });
      expect(refused.stderr).toMatch(ONE_LINE);
      expect(refused.stderr).toContain(`in use by process ${process.pid}`);
    } finally {
      lock.release();
    }
  });

  test("--plan prints buffers and passes, and leaves nothing behind", async () => {
    const { stdout } = await train("planned", "--plan");
    expect(stdout).toMatch(/^plan train \(\S+\), [\d.]+ KiB\n/);
    // The lanes of a CPU take the gradient's inputs in a launch of their own.
    expect(stdout).toMatch(/\n {2}buffers\n(.*\n)+ {2}passes: 1[34] dispatches, 0 copies\n/);
    const plan = JSON.parse((await train("planned", "--plan", "--json")).stdout);
    const why = { kind: expect.stringMatching(/^(step|tile-persistent|own-row)$/), why: expect.stringMatching(/\w/) };
    expect(plan).toMatchObject({ name: "train", buffers: expect.any(Array), passes: expect.any(Array), ...why });
    expect(stdout.endsWith(`\nplan ${plan.kind}: ${plan.why}\n`)).toBe(true);
    const { iterations, flopsPerIteration, flopsPerSecond, seconds, restsOn } = plan.estimate;
    expect(iterations).toBe(20);
    expect(seconds).toBeCloseTo((iterations * flopsPerIteration) / flopsPerSecond, 12);
    expect(flopsPerIteration).toBeGreaterThan(1e5);
    expect(stdout).toContain(`\nestimate: about 1 s for 20 iterations of`);
    expect(stdout).toContain(`(${restsOn})`);
    expect(existsSync(inside("planned"))).toBe(false);
  });
});

describe("interrupted and resumed", () => {
  const ITERATIONS = 120;
  const LONGER = ["--preset", "tiny", "--set", `train.iterations=${ITERATIONS}`];
  let product: BuiltCommandLine | undefined;

  beforeAll(async () => {
    await succeed("train", ...LONGER, "--out", inside("whole"));
  });
  afterAll(() => product?.remove());

  /** The same bytes in every file that holds numbers. */
  function expectSameRun(run: string, whole = "whole"): void {
    expect(readFileSync(inside(run, "train.jsonl"), "utf8")).toBe(readFileSync(inside(whole, "train.jsonl"), "utf8"));
    const [last, lastOfWhole] = [run, whole].map((r) => lastCheckpoint(inside(r)));
    expect(basename(last as string)).toBe(basename(lastOfWhole as string));
    expect(readFileSync(last as string)).toEqual(readFileSync(lastOfWhole as string));
    const [a, b] = [run, whole].map((r) => json(inside(r, "manifest.json")));
    expect(a?.testError).toEqual(b?.testError);
    expect(a?.outcome).toEqual(b?.outcome);
  }

  /** Ctrl-C as soon as stderr says `word`; in this process, whose handlers it reaches at once. */
  async function stopAt(word: string, ...argv: string[]): Promise<Outcome> {
    let sent = false;
    const stderr = new (class extends Capture {
      override _write(chunk: Buffer | string, encoding: string, done: () => void): void {
        super._write(chunk, encoding, done);
        if (sent || !this.text.includes(word)) return;
        sent = true;
        process.emit("SIGINT");
      }
    })();
    const stdout = new Capture();
    const code = await main(argv, { stdout, stderr });
    return { code, stdout: stdout.text, stderr: stderr.text };
  }

  test("Ctrl-C in the middle, as a process of its own: saves, exits with 130, and goes on to the same bytes", async () => {
    product = buildProduct();
    // Two seconds of training: it is still at it when the signal comes.
    const long = ["--preset", "tiny", "--set", "train.iterations=1000"];
    const stopped = await runChild(product.script, ["train", ...long, "--out", inside("stopped")], {
      environment: freshEnvironment(),
      signals: [{ after: /\ntraining\n/, send: "SIGINT" }],
    });
    expect(stopped.code, stopped.stderr).toBe(130);
    expect(stopped.stdout).toMatch(/stopped: interrupted, \d+ iterations\n$/);
    expect(withoutNativeWarnings(stopped.stderr)).toContain("SIGINT: finishing the current chunk and saving");
    expect(existsSync(inside("stopped", "run.lock"))).toBe(false);
    const { iteration } = json(inside("stopped", "manifest.json")).outcome as { iteration: number };
    expect(readFileSync(inside("stopped", "train.jsonl"), "utf8").split("\n")).toHaveLength(iteration + 1);
    await succeed("train", "--resume", "--out", inside("stopped"));
    await succeed("train", ...long, "--out", inside("whole-1000"));
    expectSameRun("stopped", "whole-1000");
  });

  test("before the first iteration: a checkpoint of the untrained networks, and the same bytes in the end", async () => {
    const stopped = await stopAt("\ntraining\n", "train", ...LONGER, "--out", inside("early"), "--json");
    expect(stopped.code).toBe(130);
    expect(JSON.parse(stopped.stdout)).toMatchObject({
      outcome: { kind: "interrupted", remedy: "go on with --resume" },
    });
    expect(json(inside("early", "manifest.json")).outcome).toMatchObject({ kind: "interrupted" });
    const { stderr } = await succeed("train", "--resume", "--out", inside("early"));
    expect(stderr).toMatch(/going on from iteration \d+\n/);
    expectSameRun("early");
  });

  /** A clock that runs so fast that checkpoints fall due all the time. */
  function hurry(): void {
    const now = performance.now.bind(performance);
    let calls = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + 4000 * calls++);
  }
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test("in the middle, between checkpoints on the way: the same bytes", async () => {
    hurry();
    const stopped = await stopAt("loss 0.", "train", ...LONGER, "--out", inside("middle"));
    vi.restoreAllMocks();
    expect(stopped.code).toBe(130);
    const { iteration } = json(inside("middle", "manifest.json")).outcome as { iteration: number };
    expect(iteration).toBeGreaterThan(0);
    expect(iteration).toBeLessThan(ITERATIONS);
    expect(readdirSync(inside("middle", "checkpoints")).sort().at(-1)).toBe(
      `iteration-${String(iteration).padStart(6, "0")}.npz`,
    );
    await succeed("train", "--resume", "--out", inside("middle"));
    expectSameRun("middle");
  });

  test("checkpoints on the way change nothing, and two are kept", async () => {
    hurry();
    await succeed("train", ...LONGER, "--out", inside("hurried"));
    vi.restoreAllMocks();
    expectSameRun("hurried");
    expect(readdirSync(inside("hurried", "checkpoints"))).toHaveLength(2);
  });

  test("losses written after the checkpoint are written again, not twice", async () => {
    cpSync(inside("middle"), inside("killed"), { recursive: true });
    const [older] = readdirSync(inside("killed", "checkpoints")).sort();
    for (const name of readdirSync(inside("killed", "checkpoints"))) {
      if (name !== older) unlinkSync(inside("killed", "checkpoints", name));
    }
    await succeed("train", "--resume", "--out", inside("killed"));
    expectSameRun("killed");
  });

  test("with another configuration: refused, naming the keys (4), and nothing is touched", async () => {
    const before = contentOf(inside("early"));
    for (const [set, key] of [
      ["rnn.leak=0.25", "rnn.leak"],
      ["train.iterations=200", "train.iterations"],
      ["seeds=[5,6]", "seeds"],
    ] as const) {
      const refused = await reverie(["train", "--resume", "--out", inside("early"), "--set", set, "--quiet"]);
      expect(refused).toMatchObject({ code: 4, stdout: "" });
      expect(refused.stderr).toMatch(ONE_LINE);
      expect(refused.stderr).toContain(`belongs to another configuration (${key} differ)`);
    }
    expect(contentOf(inside("early"))).toEqual(before);
  });

  test("a finished run: nothing is left to do, and nothing changes", async () => {
    const { stdout } = await succeed("train", "--resume", "--out", inside("early"));
    expect(stdout).toMatch(/completed, 120 iterations/);
    expectSameRun("early");
  });

  test("start, while it trains: says how to go on", async () => {
    const stopped = await stopAt("\ntraining\n", "start", "--preset", "tiny", "--out", inside("start-1"), "--json");
    expect(stopped.code).toBe(130);
    expect(JSON.parse(stopped.stdout)).toMatchObject({ run: inside("start-1"), outcome: { kind: "interrupted" } });
    expect(stopped.stderr).toContain(`npx reverie train --out ${inside("start-1")} --resume`);
    await succeed("train", "--resume", "--out", inside("start-1"));
    await succeed("replay", inside("start-1"));
    expect(readNpz(inside("start-1", "replay", "replay.npz")).get("positions_both")).toEqual(
      readNpz(inside("started", "replay", "replay.npz")).get("positions_both"),
    );
  });

  test("start, while it replays: no half of a result, and how to go on", async () => {
    const stopped = await stopAt("\nreplaying\n", "start", "--preset", "tiny", "--out", inside("start-2"), "--json");
    expect(stopped.code).toBe(130);
    expect(JSON.parse(stopped.stdout)).toMatchObject({ outcome: { kind: "interrupted" } });
    expect(stopped.stderr).toContain(`npx reverie replay ${inside("start-2")}`);
    expect(readdirSync(inside("start-2", "replay"))).toEqual([]);
    const again = await stopAt("\nreplaying\n", "replay", inside("start-2"), "--json");
    expect(again.code).toBe(130);
    expect(JSON.parse(again.stdout)).toMatchObject({
      outcome: { kind: "interrupted", remedy: `go on with: npx reverie replay ${inside("start-2")}` },
    });
    expect(readdirSync(inside("start-2", "replay"))).toEqual([]);
  });
});

describe("a network that diverges", () => {
  const WILD = ["--preset", "tiny", "--set", 'networks=[{},{"learningRate":100}]'];

  test("stops alone: exit 6 with the remedy, and the other network is the one that it would have been", async () => {
    const outcome = await reverie(["train", ...WILD, "--out", inside("wild")]);
    expect(outcome.code).toBe(6);
    expect(outcome.stdout).toMatch(/wild: nonFinite, 20 iterations/);
    expect(outcome.stderr).toMatch(/network 1 \(seed 1\) stopped at iteration \d+: not finite at /);
    expect(outcome.stderr).toMatch(/lower train\.learningRate, rnn\.gain or rnn\.initialGain, or raise rnn\.leak\n/);
    const manifest = json(inside("wild", "manifest.json"));
    expect(manifest.outcome).toMatchObject({
      kind: "nonFinite",
      networks: [{ kind: "completed" }, { kind: "nonFinite", iteration: expect.any(Number) }],
    });
    const [wild, sound] = [inside("wild"), inside("started")].map((run) => readNpz(lastCheckpoint(run)));
    const half = N * N;
    expect(floats(wild as Npz, "W_rec").subarray(0, half)).toEqual(floats(sound as Npz, "W_rec").subarray(0, half));
  });

  test("does not end the training of the others at the next checkpoint", async () => {
    const now = performance.now.bind(performance);
    let calls = 0;
    vi.spyOn(performance, "now").mockImplementation(() => now() + 4000 * calls++);
    const outcome = await reverie(["train", ...WILD, "--out", inside("wild-hurried")]);
    vi.restoreAllMocks();
    expect(outcome.code).toBe(6);
    const [a, b] = [inside("wild-hurried"), inside("wild")].map((run) => readFileSync(lastCheckpoint(run)));
    expect(a).toEqual(b);
  });

  test("start goes on to the report, and exits with 6", async () => {
    const outcome = await reverie(["start", ...WILD, "--out", inside("wild-start"), "--json"]);
    expect(outcome.code, outcome.stderr).toBe(6);
    expect(JSON.parse(outcome.stdout)).toMatchObject({ outcome: { kind: "nonFinite" } });
    expect(readFileSync(inside("wild-start", "report", "index.html"), "utf8")).toContain("nonFinite");
    const [wild, sound] = ["wild-start", "started"].map((run) =>
      floats(readNpz(inside(run, "replay", "replay.npz")), "positions_plain"),
    );
    const half = (sound as Float32Array).length / S;
    expect(wild?.subarray(0, half)).toEqual(sound?.subarray(0, half));
  });
});

describe("replay", () => {
  const replay = (out: string, ...flags: string[]) =>
    succeed("replay", inside("started"), "--out", inside(out), ...flags).then((outcome) => ({
      outcome,
      npz: readNpz(inside(out)),
    }));
  const wanted = () => readNpz(inside("started", "replay", "replay.npz"));

  test("from the checkpoint: the arrays that start wrote, bit for bit", async () => {
    const { outcome, npz } = await replay("same.npz");
    const want = wanted();
    expect([...npz.keys()]).toEqual([...want.keys()]);
    for (const [name, array] of want) if (name !== "manifest") expect(npz.get(name), name).toEqual(array);
    for (const name of CONDITIONS) {
      expect(npz.get(`positions_${name}`)?.shape).toEqual([S, REPLAY_STEPS, REPEATS, 2]);
      expect(npz.get(`last_r_${name}`)?.shape).toEqual([S, REPEATS, N]);
      expect(outcome.stdout).toContain(name);
    }
    expect(npz.get("awake_positions")?.shape).toEqual([S, T + 1, REPEATS, 2]);
    expect(npz.get("awake_readout")?.shape).toEqual([S, T, REPEATS, 2]);
    const manifest = JSON.parse(Buffer.from(npz.get("manifest")?.data as Uint8Array).toString("utf8"));
    expect(manifest).toMatchObject({ adapter: { name: expect.any(String) }, config: { name: "tiny" }, plan: {} });
  });

  test("into the run of `train`, which has no replays yet", async () => {
    await succeed("replay", inside("trained"), "--quiet");
    expect(floats(readNpz(inside("trained", "replay", "replay.npz")), "positions_plain")).toEqual(
      floats(wanted(), "positions_plain"),
    );
  });

  test("flags of a condition: the same numbers as that condition of the configuration", async () => {
    const { npz } = await replay("both.npz", "--friction", "0.6", "--adapt-strength", "0.05", "--adapt-tau", "200");
    expect([...npz.keys()].filter((name) => name.startsWith("positions_"))).toEqual(["positions_custom"]);
    expect(npz.get("positions_custom")?.data).toEqual(wanted().get("positions_both")?.data);
  });

  test("--save-every keeps every n-th step, --save-states the states behind it", async () => {
    const { npz } = await replay("saved.npz", "--save-every", "5", "--save-states");
    const kept = Math.floor(REPLAY_STEPS / 5);
    const trained = readNpz(lastCheckpoint(inside("started")));
    const [W, bias] = [floats(trained, "W_out"), floats(trained, "b_out")];
    for (const name of CONDITIONS) {
      const all = floats(wanted(), `positions_${name}`);
      const some = floats(npz, `positions_${name}`);
      const r = floats(npz, `r_${name}`);
      expect(npz.get(`r_${name}`)?.shape).toEqual([S, kept, REPEATS, N]);
      expect(npz.get(`positions_${name}`)?.shape).toEqual([S, kept, REPEATS, 2]);
      for (let s = 0; s < S; s++) {
        for (let k = 0; k < kept; k++) {
          for (let b = 0; b < REPEATS; b++) {
            const [row, full] = [(s * kept + k) * REPEATS + b, (s * REPLAY_STEPS + 5 * k + 4) * REPEATS + b];
            for (let o = 0; o < 2; o++) {
              expect(some[row * 2 + o]).toBe(all[full * 2 + o]);
              let y = bias[s * 2 + o] as number;
              for (let i = 0; i < N; i++) y += (W[(s * 2 + o) * N + i] as number) * (r[row * N + i] as number);
              // Nine float32 operations on numbers of order 1.
              expect(Math.abs(y - (some[row * 2 + o] as number))).toBeLessThan(1e-6);
            }
          }
        }
      }
    }
  });

  test("--start awakeEnd: a step without any drift stays where the awake trajectory ended", async () => {
    // Noise that float32 cannot add to a number of order 1: the kernel is then the one of the other replays.
    const still = ["--leak", "0", "--gain", "0", "--noise-std", "1e-30", "--friction", "0.6", "--steps", "1"];
    const { npz } = await replay("still.npz", "--start", "awakeEnd", ...still);
    const awake = floats(npz, "awake_readout");
    const rows = REPEATS * 2;
    for (let s = 0; s < S; s++) {
      const end = awake.subarray((s * T + T - 1) * rows, (s * T + T) * rows);
      expect(floats(npz, "positions_custom").subarray(s * rows, (s + 1) * rows)).toEqual(end);
    }
    // From encoded positions it is elsewhere.
    const { npz: encoded } = await replay("still-2.npz", ...still);
    expect(floats(encoded, "positions_custom")).not.toEqual(floats(npz, "positions_custom"));
  });

  test("--plan: what would run, for either start, and nothing is written", async () => {
    const before = contentOf(inside("started"));
    const encoded = JSON.parse((await succeed("replay", inside("started"), "--plan", "--json")).stdout);
    const text = (await succeed("replay", inside("started"), "--plan", "--start", "awakeEnd")).stdout;
    expect(encoded.passes.map(({ label }: { label: string }) => label)).toContain("starts");
    expect(text).toMatch(/^plan replay \(\S+\), [\d.]+ KiB\n/);
    expect(text).not.toMatch(/ starts {2,}task/);
    expect(contentOf(inside("started"))).toEqual(before);
  });

  test("a configuration that was changed after the training is refused, naming the key (4)", async () => {
    cpSync(inside("started"), inside("edited"), { recursive: true });
    const edited = { ...TINY, rnn: { ...TINY.rnn, leak: 0.25 } };
    writeFileSync(inside("edited", "config.json"), JSON.stringify(edited));
    const refused = await reverie(["replay", inside("edited")]);
    expect(refused).toMatchObject({ code: 4, stdout: "" });
    expect(refused.stderr).toMatch(ONE_LINE);
    expect(refused.stderr).toContain("was trained with another configuration (rnn.leak differ)");
  });
});

describe("paths", () => {
  async function paths(name: string, ...flags: string[]): Promise<Npz> {
    await succeed("paths", "--out", inside(name), ...flags);
    return readNpz(inside(name));
  }

  test("the test stream is what a replay is compared with; training sees others; a batch may be cut", async () => {
    const test = await paths("test.npz", "--preset", "tiny", "--stream", "test", "--batch", String(REPEATS));
    expect(test.get("positions")?.shape).toEqual([S, T + 1, REPEATS, 2]);
    expect(test.get("input")?.shape).toEqual([S, T, REPEATS, 2]);
    expect(test.get("positions")?.data).toEqual(
      readNpz(inside("started", "replay", "replay.npz")).get("awake_positions")?.data,
    );
    const train = await paths("train.npz", "--preset", "tiny", "--batch", String(REPEATS));
    expect(train.get("positions")?.data).not.toEqual(test.get("positions")?.data);
    const more = await paths("more.npz", "--preset", "tiny", "--stream", "test", "--batch", String(REPEATS + 3));
    const [a, b] = [floats(test, "positions"), floats(more, "positions")];
    for (let t = 0; t < S * (T + 1); t++) {
      const own = b.subarray(t * (REPEATS + 3) * 2, (t * (REPEATS + 3) + REPEATS) * 2);
      expect(own).toEqual(a.subarray(t * REPEATS * 2, (t + 1) * REPEATS * 2));
    }
  });

  test.each([
    ["tmaze", 2.5 / 45],
    ["triangle", (3 * Math.sqrt(3)) / 40],
    ["ou", 0.15 * Math.sqrt(Math.PI / 2)],
  ])("%s: the input is the displacement in mean steps where it is visible, and 0 elsewhere", async (preset, scale) => {
    const { task } = loadConfig({ preset }).config;
    for (const stream of ["train", "test"]) {
      const npz = await paths(`${preset}.npz`, "--preset", preset, "--stream", stream, "--batch", "3");
      const [count, slots] = (npz.get("positions")?.shape ?? []) as [number, number];
      const [s, u] = [floats(npz, "positions"), floats(npz, "input")];
      expect(slots).toBe(task.steps + 1);
      for (let n = 0; n < count; n++) {
        for (let b = 0; b < 3; b++) {
          const at = (t: number, x: number) => s[((n * slots + t) * 3 + b) * 2 + x] as number;
          const input = (t: number, x: number) => u[((n * task.steps + t) * 3 + b) * 2 + x] as number;
          const visible = Array.from({ length: task.steps }, (_, t) => t).filter((t) => input(t, 0) || input(t, 1));
          // One step in k, from an offset below k on.
          expect(visible[0]).toBeLessThan(task.maskEvery);
          expect(visible).toEqual(visible.map((_, i) => (visible[0] as number) + i * task.maskEvery));
          expect(visible.length).toBeGreaterThanOrEqual(Math.floor(task.steps / task.maskEvery));
          for (const t of visible) {
            for (const x of [0, 1]) {
              // Differences of float32 positions of order 1, divided by a step of order 0.1.
              expect(Math.abs(input(t, x) - (at(t + 1, x) - at(t, x)) / scale)).toBeLessThan(1e-5);
            }
          }
        }
      }
    }
  });
});

describe("report", () => {
  test("is made again from what the run holds, byte for byte", async () => {
    cpSync(inside("started"), inside("rebuilt"), { recursive: true });
    rmSync(inside("rebuilt", "report"), { recursive: true });
    for (const name of ["metrics.csv", "metrics-summary.csv"]) unlinkSync(inside("rebuilt", name));
    const { stdout } = await succeed("report", inside("rebuilt"));
    expect(stdout).toBe(`${inside("rebuilt", "report", "index.html")}\n`);
    expect(contentOf(inside("rebuilt"))).toEqual(contentOf(inside("started")));
  });

  test("elsewhere, and of a run without replays", async () => {
    await succeed("report", inside("whole"), "--out", inside("page"), "--json");
    const page = readFileSync(inside("page", "index.html"), "utf8");
    expect(page).toContain("<svg");
    expect(existsSync(inside("whole", "report"))).toBe(false);
  });
});

describe("doctor", () => {
  test("names adapter, driver, limits, plan and versions", async () => {
    const { stdout } = await succeed("doctor");
    expect(stdout).toMatch(/^adapter: \S+/);
    for (const word of [
      "largest buffer",
      "largest binding",
      "shared memory",
      "subgroups",
      "known answer: right",
      "webgpu",
    ])
      expect(stdout).toContain(word);
  });
});

describe("--json", () => {
  test.each([
    ["doctor", "doctor"],
    ["start", "start --preset tiny --set train.iterations=1 --set replay.steps=2 --out @/j-start"],
    ["train", "train --preset tiny --set train.iterations=1 --out @/j-train"],
    ["replay", "replay @/started --out @/j.npz"],
    ["paths", "paths --preset tiny --out @/j-paths.npz"],
    ["report", "report @/started --out @/j-report"],
    ["inspect", "inspect @/started"],
    ["init", "init @/j-config.json --preset tiny"],
    ["schema", "schema"],
  ])("%s: stdout is one document; with --quiet, stderr is empty", async (_, line) => {
    const argv = line.split(" ").map((word) => word.replace("@", folder));
    const { stdout, stderr } = await succeed(...argv, "--json", "--quiet");
    expect(typeof JSON.parse(stdout)).toBe("object");
    expect(stderr).toBe("");
  });
});

describe("many verbs in one process", () => {
  test("each opens a GPU of its own and gives it back", async () => {
    const megabytes = () => process.memoryUsage().rss / 2 ** 20;
    for (let i = 0; i < 5; i++) await succeed("doctor", "--quiet");
    const before = megabytes();
    for (let i = 0; i < 20; i++) await succeed("doctor", "--quiet");
    // An opening leaves about 1 MB of Dawn's behind; a device that is not given back, some ten times that.
    expect(megabytes() - before).toBeLessThan(100);
  });
});
