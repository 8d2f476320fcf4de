/** What each command line asks of the work behind it, and what it answers itself. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newRunDirectory } from "../../src/cli/flags.ts";
import type { LoadedConfig } from "../../src/config/load.ts";
import { loadConfig } from "../../src/config/load.ts";
import { EXIT } from "../../src/errors.ts";
import { writeJson } from "../../src/io/json.ts";
import { writeNpz } from "../../src/io/npz.ts";
import { type Call, ONE_LINE, recordingRuns, reverie } from "./command-line.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-verbs-"));
  writeJson(join(folder, "config.json"), loadConfig({ preset: "tiny" }).config);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The single call that a command line leads to. */
async function callOf(...argv: string[]): Promise<Call & { config: LoadedConfig["config"] }> {
  const calls: Call[] = [];
  const outcome = await reverie(argv, recordingRuns(calls));
  expect(outcome).toEqual({ code: 0, stdout: "", stderr: "" });
  expect(calls).toHaveLength(1);
  const call = calls[0] as Call;
  return { ...call, config: (call.options.config as LoadedConfig | undefined)?.config as LoadedConfig["config"] };
}

describe("start and train", () => {
  test("start without flags is the T-maze in a new directory", async () => {
    const { verb, options, config } = await callOf("start");
    expect(verb).toBe("start");
    expect(config).toEqual(loadConfig({ preset: "tmaze" }).config);
    expect(options).toMatchObject({ requireGpu: false, force: false });
    expect(options.out).toMatch(/^runs\/tmaze-\d{8}-\d{6}$/);
    expect(Object.keys(options)).not.toContain("adapter");
  });

  test("run directories are named by the local clock", () => {
    expect(newRunDirectory("tmaze", new Date(2026, 0, 3, 4, 5, 6))).toBe(join("runs", "tmaze-20260103-040506"));
  });

  test("preset, values, seed, adapter and plan reach train; global flags may stand on either side", async () => {
    const { verb, options, config } = await callOf(
      "--require-gpu",
      "train",
      ...["--preset", "tiny", "--set", "rnn.units=9", "--set", "rnn.leak=.25", "--seed", "17"],
      ...["--adapter", "llvm", "--plan-kind", "own-row", "--plan", "--out", "x", "--force"],
    );
    expect(verb).toBe("train");
    expect(config).toMatchObject({ name: "tiny", seed: 17, rnn: { units: 9, leak: 0.25 } });
    const { config: _, ...rest } = options;
    expect(rest).toEqual({
      requireGpu: true,
      adapter: "llvm",
      planKind: "own-row",
      out: "x",
      force: true,
      resume: false,
      plan: true,
    });
    expect((options.config as LoadedConfig).provenance).toMatchObject({ seed: "--seed", "rnn.units": "--set" });
  });

  test("a file of one's own does not start from a preset", async () => {
    const file = join(folder, "own.json");
    writeFileSync(file, '{"name": "own", "rnn": {"units": 5}}');
    const { config } = await callOf("train", "--config", file);
    expect(config).toEqual(loadConfig({ file }).config);
  });

  test("--resume takes the configuration of the run, and changes to it", async () => {
    const { options, config } = await callOf("train", "--resume", "--out", folder, "--set", "train.iterations=40");
    expect(options).toMatchObject({ resume: true, force: false, out: folder });
    expect(config).toEqual(loadConfig({ preset: "tiny", set: ["train.iterations=40"] }).config);
  });

  test("REVERIE_ADAPTER names the adapter", async () => {
    process.env.REVERIE_ADAPTER = "somebody";
    try {
      expect((await callOf("doctor")).options).toEqual({ adapter: "somebody", requireGpu: false, gradcheck: false });
    } finally {
      delete process.env.REVERIE_ADAPTER;
    }
  });
});

describe("replay", () => {
  test("without flags: the run's own conditions, into the run", async () => {
    const { options, config } = await callOf("replay", folder);
    expect(config).toEqual(loadConfig({ preset: "tiny" }).config);
    expect(options).toMatchObject({ run: folder, out: join(folder, "replay", "replay.npz"), plan: false });
  });

  test("flags of a condition make it the only one", async () => {
    const { config } = await callOf(
      ...["replay", folder, "--friction", "0.6", "--adapt-strength", "0.05", "--adapt-tau", "200"],
      ...["--noise-scale", "1", "--leak", "0.4", "--gain", "2", "--noise-std", "0", "--no-noise-friction"],
    );
    expect(config.replay.conditions).toEqual({
      custom: {
        friction: 0.6,
        adaptStrength: 0.05,
        adaptTau: 200,
        noiseScale: 1,
        leak: 0.4,
        gain: 2,
        noiseStd: 0,
        noiseFriction: false,
      },
    });
  });

  test("flags of the replay keep the conditions", async () => {
    const { config } = await callOf(
      ...["replay", folder, "--steps", "7", "--repeats", "3", "--start", "awakeEnd", "--save-every", "7"],
      ...["--save-states", "--seed", "4", "--set", 'replay.conditions.fast={"friction":0.4}'],
    );
    const tiny = loadConfig({ preset: "tiny" }).config;
    expect(config.seed).toBe(4);
    expect(config.replay).toEqual({
      ...tiny.replay,
      steps: 7,
      repeats: 3,
      start: "awakeEnd",
      saveEvery: 7,
      saveStates: true,
      conditions: { ...tiny.replay.conditions, fast: { friction: 0.4 } },
    });
  });
});

describe("the others", () => {
  test("paths: as many as configured for the stream, or as asked for", async () => {
    const { options } = await callOf("paths", "--preset", "tiny", "--out", "p.npz");
    expect(options).toMatchObject({ batch: 8, stream: "train", out: "p.npz" });
    const more = await callOf("paths", "--preset", "tiny", "--out", "p.npz", "--stream", "test", "--batch", "5");
    expect(more.options).toMatchObject({ batch: 5, stream: "test" });
  });

  test("evaluate: every setting has a default", async () => {
    const { options } = await callOf("evaluate", "--case", "c.npz", "--out", "o.npz");
    const settings = {
      leak: 0.5,
      gain: 1,
      friction: 1,
      adaptStrength: 0,
      adaptTau: 100,
      activation: "relu",
      leakySlope: 0.01,
      l2Activity: 0,
    };
    expect(options).toEqual({ requireGpu: false, case: "c.npz", out: "o.npz", settings });
    const own = await callOf(
      ...["evaluate", "--case", "c", "--out", "o", "--leak", "0", "--gain", "2", "--friction", ".5"],
      ...["--adapt-strength", "1", "--adapt-tau", "1", "--activation", "tanh", "--leaky-slope", "0.2"],
      ...["--l2-activity", "3", "--plan-kind", "step"],
    );
    expect(own.options).toMatchObject({
      planKind: "step",
      settings: {
        leak: 0,
        gain: 2,
        friction: 0.5,
        adaptStrength: 1,
        adaptTau: 1,
        activation: "tanh",
        leakySlope: 0.2,
        l2Activity: 3,
      },
    });
  });

  test("doctor and report", async () => {
    expect((await callOf("doctor", "--gradcheck")).options).toEqual({ requireGpu: false, gradcheck: true });
    expect((await callOf("report", "r")).options).toEqual({ run: "r", out: join("r", "report") });
    expect((await callOf("report", "r", "--out", "o")).options).toEqual({ run: "r", out: "o" });
  });
});

describe("what the work says", () => {
  test("its exit code is the program's", async () => {
    expect(
      (
        await reverie(
          ["doctor"],
          recordingRuns([], async () => 6),
        )
      ).code,
    ).toBe(6);
  });

  test("results go to stdout, notes and progress to stderr; --quiet drops the latter", async () => {
    const work = recordingRuns([], async (io) => {
      io.note("a note");
      io.progress.start("working");
      io.progress.done("worked");
      io.out(io.json ? '{"a":1}' : "a = 1");
      return 0;
    });
    expect(await reverie(["doctor"], work)).toEqual({
      code: 0,
      stdout: "a = 1\n",
      stderr: "a note\nworking\nworked\n",
    });
    expect(await reverie(["doctor", "--json", "--quiet"], work)).toEqual({ code: 0, stdout: '{"a":1}\n', stderr: "" });
  });
});

describe("paper", () => {
  test("in full, in runs/paper; quick, in a directory of its own", async () => {
    const full = { requireGpu: false, quick: false, resume: false, force: false, only: null, plan: false };
    expect((await callOf("paper")).options).toEqual({ ...full, out: join("runs", "paper") });
    const { verb, options } = await callOf("paper", "--quick", "--resume", "--only", "leakage, balance", "--plan");
    expect(verb).toBe("paper");
    const quick = { quick: true, resume: true, only: ["leakage", "balance"], plan: true };
    expect(options).toEqual({ ...full, ...quick, out: join("runs", "paper-quick") });
  });

  test.each([
    [["--only", "leakage,,balance"], "--only leakage,,balance: names of experiments"],
    [["--seed", "3"], "--seed: the protocol fixes"],
  ])("%j is refused in one line", async (flags, message) => {
    const { code, stderr } = await reverie(["paper", ...flags], recordingRuns([]));
    expect(code).toBe(EXIT.usage);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toContain(message);
  });

  test("an unknown experiment, nothing to resume, and somebody else's folder are told before any work", async () => {
    const of = async (...argv: string[]) => (await reverie(["paper", ...argv])).stderr;
    expect(await of("--only", "nothing")).toMatch(
      /^reverie: --only nothing: no such experiment; there are [a-z, ]+\n$/,
    );
    expect(await of("--resume", "--out", join(folder, "none"))).toMatch(/no reproduction to resume[^\n]*\n$/);
    mkdirSync(join(folder, "mine", "results"), { recursive: true });
    expect(await of("--force", "--out", join(folder, "mine"))).toMatch(/--force deletes only reproductions[^\n]*\n$/);
  });
});

describe("help and versions", () => {
  test("no arguments show the help", async () => {
    const { code, stdout, stderr } = await reverie([]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const verb of [
      "start",
      "doctor",
      "init",
      "train",
      "replay",
      "paths",
      "evaluate",
      "report",
      "inspect",
      "schema",
    ]) {
      expect(stdout).toContain(`\n  ${verb} `);
    }
  });

  test.each([
    "start",
    "doctor",
    "init",
    "train",
    "replay",
    "paths",
    "evaluate",
    "report",
    "inspect",
    "schema",
    "paper",
  ])("%s --help has an example and the global flags", async (verb) => {
    const { code, stdout, stderr } = await reverie([verb, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`Examples?:\n  reverie ${verb}`));
    expect(stdout).toContain("--require-gpu");
  });

  test("--version names reverie, webgpu and Node", async () => {
    const { code, stdout } = await reverie(["--version"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^reverie \d+\.\d+\.\d+ \(webgpu \d+\.\d+\.\d+, Node \d+\.\d+\.\d+\)\n$/);
  });
});

describe("init, schema and inspect", () => {
  test("what init writes is a configuration, and names the schema beside it", async () => {
    const file = join(folder, "made.json");
    const { code, stdout, stderr } = await reverie(["init", file, "--preset", "triangle", "--seed", "3", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toEqual({ config: file, schema: join(folder, "reverie.schema.json") });
    expect(loadConfig({ file }).config).toEqual(loadConfig({ preset: "triangle", set: ["seed=3"] }).config);
    const { stdout: schema } = await reverie(["schema"]);
    expect(JSON.parse(readFileSync(join(folder, "reverie.schema.json"), "utf8"))).toEqual(JSON.parse(schema));
    expect((await reverie(["init", file, "--force"])).code).toBe(0);
  });

  test("inspect lists names, types, shapes and ranges", async () => {
    const file = join(folder, "arrays.npz");
    writeNpz(file, {
      r: { data: Float32Array.of(-1.5, 2, Number.NaN, Infinity), shape: [2, 2] },
      none: { data: new Float32Array(0), shape: [0] },
      meta: { data: Buffer.from('{"iteration":3,"config":{"a":1}}') },
    });
    const text = await reverie(["inspect", file]);
    expect(text.code).toBe(0);
    expect(text.stdout).toContain(file);
    expect(text.stdout).toMatch(/ {2}r +float32 +\(2, ?2\) +-1\.5 … 2 +2 not finite\n/);
    expect(text.stdout).toMatch(/ {2}none +float32 +\(0,?\) +– … –\n/);
    expect(text.stdout).toContain('meta: {"iteration":3}');
    const { stdout } = await reverie(["inspect", file, "--json"]);
    expect(JSON.parse(stdout)).toEqual({
      path: file,
      arrays: [
        { name: "r", dtype: "float32", shape: [2, 2], min: -1.5, max: 2, nonFinite: 2 },
        { name: "none", dtype: "float32", shape: [0], min: null, max: null, nonFinite: 0 },
        expect.objectContaining({ name: "meta", dtype: "uint8" }),
      ],
      meta: { iteration: 3, config: { a: 1 } },
    });
  });

  test("inspect shows every file of a run", async () => {
    const { openRunDirectory } = await import("../../src/io/run-dir.ts");
    const path = join(folder, "run");
    const run = openRunDirectory(path);
    run.writeManifest({ outcome: "completed" });
    const replay = run.file("replay", "replay.npz");
    writeNpz(replay, { positions_plain: { data: new Float32Array(4) } });
    run.close();
    const { code, stdout } = await reverie(["inspect", path, "--json"]);
    expect(code).toBe(0);
    const { manifest, files } = JSON.parse(stdout);
    expect(manifest).toMatchObject({ outcome: "completed" });
    expect(files.map((f: { path: string }) => f.path)).toEqual([replay]);
    expect(existsSync(replay)).toBe(true);
  });
});
