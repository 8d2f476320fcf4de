/**
 * Whatever a user can get wrong before the GPU is wanted: nothing on stdout, one line on stderr that says what, where
 * and how to mend it, and the exit code of src/cli/README.md.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { EXIT, GpuUnavailable, LockedError } from "../../src/errors.ts";
import { writeJson } from "../../src/io/json.ts";
import { writeNpz } from "../../src/io/npz.ts";
import { type Call, ONE_LINE, recordingRuns, reverie } from "./command-line.ts";

let folder: string;
const inside = (...parts: string[]): string => join(folder, ...parts);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-bad-"));
  mkdirSync(inside("run"));
  writeJson(inside("run", "config.json"), loadConfig({ preset: "tiny" }).config);
  mkdirSync(inside("empty"));
  mkdirSync(inside("spoilt"));
  writeFileSync(inside("spoilt", "config.json"), '{"rnn": {"hiden": 64}}');
  writeFileSync(inside("typo.json"), '{"rnn": {"hiden": 64}}');
  writeFileSync(inside("broken.json"), '{\n  "rnn": {"units": 64},\n}');
  writeFileSync(inside("list.json"), "[]");
  writeNpz(inside("whole.npz"), { W: { data: new Float32Array(64) } });
  const whole = readFileSync(inside("whole.npz"));
  writeFileSync(inside("short.npz"), whole.subarray(0, whole.length - 10));
  const flipped = Buffer.from(whole);
  const middle = flipped.length >> 1;
  flipped.writeUInt8(flipped.readUInt8(middle) ^ 4, middle);
  writeFileSync(inside("flipped.npz"), flipped);
  writeFileSync(inside("text.npz"), "not a zip");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `@` stands for the test's folder. */
async function refused(line: string | readonly string[], code: number, pattern: RegExp): Promise<void> {
  const words = typeof line === "string" ? line.split(" ") : line;
  const calls: Call[] = [];
  const outcome = await reverie(
    words.map((word) => word.replace("@", folder)),
    recordingRuns(calls),
  );
  expect(outcome.stdout).toBe("");
  expect(outcome.stderr).toMatch(ONE_LINE);
  expect(outcome.stderr).toMatch(pattern);
  expect(outcome.stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect(outcome.code).toBe(code);
  expect(calls).toEqual([]);
}

describe("verbs and flags (2)", () => {
  test.each<[string, RegExp]>([
    ["trian", /unknown command 'trian' \(Did you mean train\?\)/],
    ["train --presett tmaze", /unknown option '--presett' \(Did you mean --preset\?\)/],
    ["train --hidden 64", /unknown option '--hidden' \(see --help\)/],
    ["train tmaze", /too many arguments for 'train'/],
    ["train --set", /option '--set <key=value>' argument missing/],
    ["train --plan-kind fast", /argument 'fast' is invalid\. Allowed choices are step, tile-persistent, own-row/],
    ["replay", /missing required argument 'run'/],
    ["paths", /required option '--out <file>' not specified/],
    ["paths --out x --stream night", /Allowed choices are train, test/],
    ["evaluate --out x", /required option '--case <file>' not specified/],
    ["train --resume", /--resume needs --out DIR/],
    ["train --resume --force --out @/run", /--resume and --force exclude each other/],
  ])("%s", (line, pattern) => refused(line, EXIT.usage, pattern));
});

describe("keys and values (2)", () => {
  test.each<[string, RegExp]>([
    ["train --set rnn.hiden=64", /unknown key "rnn\.hiden" \(did you mean "units"\?\), from --set/],
    ["train --config @/typo.json", /unknown key "rnn\.hiden" \(did you mean "units"\?\), from .*typo\.json/],
    ["train --set rnn.units=-1", /rnn\.units is -1: must be an integer from 1 to 16384/],
    ["train --set rnn.units=0", /rnn\.units is 0: must be an integer/],
    ["train --set rnn.units=63.5", /rnn\.units is 63\.5: must be an integer/],
    ["train --set rnn.units=NaN", /rnn\.units is "NaN": must be an integer/],
    ['train --set rnn.units="64"', /rnn\.units is "64": must be an integer/],
    ["train --set rnn.units=1e999", /rnn\.units is Infinity: must be an integer/],
    ["train --set task.steps=0", /task\.steps is 0: must be an integer from 1 to 65536/],
    ["train --set train.batch=-5", /train\.batch is -5: must be an integer/],
    ["train --set train.friction=0", /train\.friction is 0: must be a number above 0 and at most 1/],
    ["train --set train.adaptTau=0", /train\.adaptTau is 0: must be a number from 1/],
    ["train --set rnn.leak=-0.5", /rnn\.leak is -0\.5: must be a number from 0/],
    ["train --set train.iterations=16777216", /must be an integer from 1 to 16777214/],
    ["train --set seeds=[1,1]", /seeds is \[1,1\]: must not repeat a seed \(1\)/],
    ["train --set networks=[{}]", /networks is \[\{\}\]: must be empty or have one record per seed, 3/],
    ["train --set rnn.units", /--set "rnn\.units": must be key=value/],
    ["train --seed -1", /seed is -1: must be an integer from 0 to 4294967295, from --seed/],
    ["train --seed x", /seed is "x": must be an integer/],
    ["train --preset tmze", /unknown preset "tmze" \(did you mean "tmaze"\?\)/],
    ["start --set rnn.units=0", /rnn\.units is 0/],
    ["init @/new.json --set rnn.units=0", /rnn\.units is 0/],
    ["paths --out x --batch 0", /train\.batch is 0: must be an integer from 1 to 1048576, from --batch/],
    [
      "evaluate --case c --out o --friction 2",
      /friction is 2: must be a number above 0 and at most 1, from --friction/,
    ],
    ["evaluate --case c --out o --activation sigmoid", /activation is "sigmoid": must be one of "relu"/],
    ["replay @/run --friction 0", /custom\.friction is 0: must be a number above 0 and at most 1, from --friction/],
    ["replay @/run --adapt-tau no", /custom\.adaptTau is "no": must be a number from 1/],
    ["replay @/run --steps 1.5", /replay\.steps is 1\.5: must be an integer from 1 to 10000000, from --steps/],
    ["replay @/run --save-every 1000", /replay\.saveEvery is 1000: must be at most replay\.steps, 24/],
    ["replay @/run --start home", /replay\.start is "home": must be one of "encoded", "awakeEnd", from --start/],
    ["replay @/run --set rnn.leak=1", /only keys of replay can change once a network is trained/],
  ])("%s", (line, pattern) => refused(line, EXIT.usage, pattern));
});

describe("configuration files (2)", () => {
  test.each<[string, RegExp]>([
    ["train --config @/none.json", /none\.json" does not exist; `reverie init` writes one/],
    ["train --config @", /is a directory/],
    ["train --config @/typo.json/x", /lies below something that is not a directory/],
    ["train --config @/broken.json", /broken\.json" is not JSON at line 3, column 1/],
    ["train --config @/list.json", /must hold a JSON object, not \[\]/],
    ["init @/typo.json", /typo\.json: exists already; choose another name or add --force/],
  ])("%s", (line, pattern) => refused(line, EXIT.usage, pattern));
});

describe("runs and data (4)", () => {
  test.each<[string, RegExp]>([
    ["replay @/none", /none: no run here \(config\.json is missing\); check the path/],
    ["replay @/empty", /empty: no run here/],
    ["replay @/spoilt", /spoilt: its config\.json cannot be used: unknown key "rnn\.hiden"/],
    ["train --resume --out @/empty", /empty: no run here/],
    ["inspect @/none.npz", /none\.npz: no such file; check the path/],
    ["inspect @/empty", /manifest\.json: no such file/],
    ["inspect @/short.npz", /short\.npz: damaged/],
    ["inspect @/flipped.npz", /flipped\.npz: .*damaged/],
    ["inspect @/text.npz", /text\.npz: damaged or not a \.npz file/],
  ])("%s", (line, pattern) => refused(line, EXIT.badData, pattern));
});

describe("places that cannot be written (8)", () => {
  // The tests may run as root, to whom no permission is denied: only what no one can do.
  test.each<[string, RegExp]>([
    ["init @/typo.json/below.json", /below\.json: a file stands where a folder is needed/],
    ["init @/none/below.json", /below\.json: the folder does not exist; create it/],
  ])("%s", (line, pattern) => refused(line, EXIT.disk, pattern));
});

describe("errors of the work behind a verb", () => {
  const failing = (error: unknown) =>
    recordingRuns([], async () => {
      throw error;
    });

  test.each<[unknown, number, RegExp]>([
    [new GpuUnavailable("no Vulkan driver: run: npm run setup"), EXIT.noAdapter, /^reverie: no Vulkan driver/],
    [new LockedError("runs/x: in use by process 7"), EXIT.locked, /in use by process 7/],
    [new TypeError("x is not a function"), EXIT.bug, /internal error: x is not a function; please report it/],
    [new Error("two\nlines\u001b[2J\r\n"), EXIT.bug, /internal error: two lines \[2J; please/],
    [new Error(""), EXIT.bug, /internal error: no message/],
    ["a string", EXIT.bug, /internal error: a string/],
    [undefined, EXIT.bug, /internal error: undefined/],
    [Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }), EXIT.disk, /ENOSPC/],
  ])("%s", async (error, code, pattern) => {
    const outcome = await reverie(["doctor"], failing(error));
    expect(outcome.stdout).toBe("");
    expect(outcome.stderr).toMatch(ONE_LINE);
    expect(outcome.stderr).toMatch(pattern);
    expect(outcome.code).toBe(code);
  });

  test("--debug adds the stack and its causes", async () => {
    const error = new LockedError("outer", { cause: new Error("inner") });
    const { stderr, code } = await reverie(["doctor", "--debug"], failing(error));
    expect(code).toBe(EXIT.locked);
    expect(stderr).toMatch(/^reverie: outer\nLockedError: outer\n {4}at /);
    expect(stderr).toContain("caused by: Error: inner");
  });
});
