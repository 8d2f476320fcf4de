import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadConfig, parseValue } from "../../src/config/load.ts";
import { presets } from "../../src/config/presets/index.ts";
import { UsageError } from "../../src/errors.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-config-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(text: string): string {
  const path = join(folder, "run.json");
  writeFileSync(path, text);
  return path;
}

function refusal(sources: Parameters<typeof loadConfig>[0]): string {
  try {
    loadConfig(sources);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).not.toMatch(/[\n\r]/);
    return message;
  }
  throw new Error(`accepted: ${JSON.stringify(sources)}`);
}

describe("layers", () => {
  test("file wins over preset, --set over file, and each value knows where it came from", () => {
    const path = file('{"$schema": "./x.json", "rnn": {"leak": 0.1, "units": 32}}');
    const { config, provenance } = loadConfig({ preset: "triangle", file: path, set: ["rnn.units=16", "seed=9"] });
    expect(config.rnn).toMatchObject({ leak: 0.1, units: 16, gain: 1 });
    expect(config.task.kind).toBe("triangle");
    expect(provenance["rnn.leak"]).toBe(path);
    expect(provenance["rnn.units"]).toBe("--set");
    expect(provenance["rnn.gain"]).toBe("preset triangle");
    expect(provenance.seed).toBe("--set");
    expect(loadConfig({ file: path }).provenance["train.batch"]).toBe("default");
  });

  test("the last --set of a key wins", () => {
    expect(loadConfig({ set: ["rnn.units=8", "rnn.units=9"] }).config.rnn.units).toBe(9);
  });

  test("a flag of its own names itself", () => {
    const overrides = [{ path: "replay.steps", value: 0, origin: "--steps" }];
    expect(refusal({ overrides })).toBe("replay.steps is 0: must be an integer from 1 to 10000000, from --steps");
  });

  test("a new kind of task drops what only the old one had, in any order of --set", () => {
    const set = ["task.directions=oneWay", "task.kind=triangle"];
    const { config, provenance } = loadConfig({ preset: "tmaze", set: [...set, "task.steps=30"] });
    expect(config.task).toMatchObject({ kind: "triangle", directions: "oneWay", steps: 30, speedStd: 0.15 });
    expect(provenance["task.speedStd"]).toBe("default");
    expect(provenance["task.maskEvery"]).toBe("preset tmaze");
    expect(provenance["task.directions"]).toBe("--set");
  });

  test("conditions of a file replace the preset's; --set adds one or changes one", () => {
    const path = file('{"replay": {"conditions": {"only": {"friction": 0.3}}}}');
    expect(loadConfig({ preset: "tmaze", file: path }).config.replay.conditions).toEqual({ only: { friction: 0.3 } });
    const { conditions } = loadConfig({
      preset: "tmaze",
      set: [
        'replay.conditions.fast={"friction":0.4}',
        "replay.conditions.both.adaptTau=50",
        'replay.conditions.adaptation={"adaptStrength":1}',
      ],
    }).config.replay;
    expect(conditions).toEqual({
      plain: {},
      adaptation: { adaptStrength: 1 },
      momentum: { friction: 0.6 },
      both: { friction: 0.6, adaptStrength: 0.05, adaptTau: 50 },
      fast: { friction: 0.4 },
    });
  });

  test("lists are replaced, not merged", () => {
    expect(loadConfig({ preset: "tmaze", set: ["seeds=[7]"] }).config.seeds).toEqual([7]);
  });
});

describe("values of flags", () => {
  test.each([
    ["3", 3],
    [".5", 0.5],
    ["5.", 5],
    ["+2", 2],
    ["1e-3", 1e-3],
    ["true", true],
    ["null", null],
    ["[1,2]", [1, 2]],
    ['"3"', "3"],
    ["relu", "relu"],
    ["NaN", "NaN"],
    ["0x10", "0x10"],
    ["", ""],
  ])("%j", (text, value) => expect(parseValue(text)).toEqual(value));
});

describe("one line for each mistake", () => {
  test.each<[string[], string]>([
    [["rnn.hiden=3"], 'unknown key "rnn.hiden" (did you mean "units"?), from --set'],
    [["rnn.noise_std=3"], 'unknown key "rnn.noise_std" (did you mean "noiseStd"?), from --set'],
    [["train.lr=3"], 'unknown key "train.lr" (did you mean "learningRate"?), from --set'],
    [["rn.units=3"], 'unknown key "rn" (did you mean "rnn"?), from --set'],
    [["replay.conditions.a.lamda=1"], 'unknown key "replay.conditions.a.lamda" (did you mean "friction"?), from --set'],
    [["networks=[{},{},{leek:1}]"], "networks is "],
    [['networks=[{},{},{"leek":1}]'], 'unknown key "networks.2.leek" (did you mean "leak"?), from --set'],
    [
      ["task.directions=oneWay"],
      'unknown key "task.directions" (only for task.kind "triangle" or "headDirection"), from --set',
    ],
    [["rnn.friction=1"], '(did you mean "train.friction" or "replay.conditions.<name>.friction"?)'],
    [["qqq=1"], "(known here: name, seed, seeds, networks, rnn, task, train, test, replay)"],
    [["rnn.units=-3"], "rnn.units is -3: must be an integer from 1 to 16384, from --set"],
    [["rnn.units=0"], "rnn.units is 0: must be an integer from 1 to 16384"],
    [["rnn.units=63.5"], "rnn.units is 63.5: must be an integer from 1 to 16384"],
    [["rnn.units=1e300"], "rnn.units is 1e+300: must be an integer from 1 to 16384"],
    [['rnn.units="64"'], 'rnn.units is "64": must be an integer'],
    [["rnn.units=NaN"], 'rnn.units is "NaN": must be an integer'],
    [["rnn.leak=1e999"], "rnn.leak is Infinity: must be a number from 0 to 1000000"],
    [["rnn.leak=-0.1"], "rnn.leak is -0.1: must be a number from 0 to 1000000"],
    [["rnn.leak=null"], "rnn.leak is null: must be a number"],
    [["rnn.units={}"], "rnn.units is {}: must be an integer"],
    [["rnn.units.x=1"], 'rnn.units is {"x":1}: must be an integer'],
    [["rnn=1"], "rnn is 1: must be an object"],
    [["train.friction=0"], "train.friction is 0: must be a number above 0 and at most 1"],
    [["train.friction=1.01"], "train.friction is 1.01: must be a number above 0 and at most 1"],
    [["train.adaptTau=0.5"], "train.adaptTau is 0.5: must be a number from 1 to 1000000000"],
    [["train.iterations=16777215"], "train.iterations is 16777215: must be an integer from 1 to 16777214"],
    [["train.noiseRounds=8"], "train.noiseRounds is 8: must be one of 7, 10"],
    [["rnn.activation=sigmoid"], 'must be one of "relu", "leakyRelu", "tanh", "identity"'],
    [["task.steps=0"], "task.steps is 0: must be an integer from 1 to 65536"],
    [["task.kind=maze"], 'task.kind is "maze": must be one of "tmaze", "triangle", "ou", "polyline"'],
    [["task.kind=polyline"], "task.routes is missing: it must be a list of 1 to 4 routes (and 1 more mistake)"],
    [["seed=4294967296"], "seed is 4294967296: must be an integer from 0 to 4294967295"],
    [["seeds=[]"], "seeds is []: must be a list of 1 to 4096 different seeds"],
    [["seeds=[1,2,1]"], "seeds is [1,2,1]: must not repeat a seed (1) but for networks that differ in `networks`"],
    [["seeds=[1,-2]"], "seeds.1 is -2: must be an integer from 0 to 4294967295"],
    [["seeds.0=1"], "seeds is a list: give it whole"],
    [["networks=[{}]"], "networks is [{}]: must be empty or have one record per seed, 3"],
    [["rnn.gain=0"], "rnn.gain is 0: must be larger, or initialGain must be set"],
    [["replay.saveEvery=501"], "replay.saveEvery is 501: must be at most replay.steps, 500"],
    [["replay.conditions={}"], "replay.conditions is {}: must name at least one condition"],
    [['replay.conditions={"a b":{}}'], '"replay.conditions.a b": must be named by a letter'],
    [['replay.conditions={"__proto__":{}}'], 'unknown key "replay.conditions.__proto__"'],
    [["__proto__.units=1"], 'unknown key "__proto__"'],
    [["constructor=1"], 'unknown key "constructor"'],
    [["name=../up"], 'name is "../up": must be 1 to 64 letters'],
    [["rnn.units"], '--set "rnn.units": must be key=value, as in --set rnn.leak=0.2'],
    [["=1"], '--set "=1": must be key=value'],
    [["a..b=1"], '--set "a..b=1": must be key=value'],
    [[`${"a.".repeat(50000)}a=1`], "no key is that deep"],
  ])("--set %j", (set, message) => expect(refusal({ preset: "tmaze", set })).toContain(message));

  test("an unknown preset is told the nearest, or all", () => {
    expect(refusal({ preset: "tmze" })).toBe('unknown preset "tmze" (did you mean "tmaze"?)');
    expect(refusal({ preset: "rat" })).toContain(
      `known: ${presets()
        .map((p) => p.name)
        .join(", ")}`,
    );
  });

  test("files that cannot be read or are not JSON objects", () => {
    expect(refusal({ file: join(folder, "none.json") })).toContain("does not exist");
    expect(refusal({ file: folder })).toContain("is a directory");
    expect(refusal({ file: join(file("{}"), "below.json") })).toContain("not a directory");
    expect(refusal({ file: file("[1]") })).toContain("must hold a JSON object, not [1]");
    expect(refusal({ file: file("") })).toContain("is not JSON");
    expect(refusal({ file: file('{\n  "rnn": {"units": 3,}\n}') })).toMatch(/is not JSON at line 2, column 2[0-9]/);
    expect(refusal({ file: file('{"rnn": {"hiden": 3}}') })).toMatch(/^unknown key "rnn.hiden" .*from .*run\.json$/);
    expect(refusal({ file: file('{"rnn": {"\\n": 3}}') })).toContain('"rnn.\\n"');
  });

  test("a file nested a hundred thousand deep is refused like any other", () => {
    const deep = `${'{"rnn":'.repeat(100_000)}1${"}".repeat(100_000)}`;
    expect(refusal({ file: file(deep) })).toContain("unknown key");
  });

  test("a byte order mark is not an error", () => {
    expect(loadConfig({ file: file('\uFEFF{"seed": 4}') }).config.seed).toBe(4);
  });
});
