/**
 * Somebody else's tensors, written by NumPy, through `reverie evaluate`: states, readout, loss and gradients are those
 * of the model in scripts/python/check_evaluate.py, and come from the kernels that train and replay.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PLAN_KINDS, type PlanKind } from "../../src/gpu/plan.ts";
import { type ArrayToWrite, type Npz, readNpz, writeNpz } from "../../src/io/npz.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import { buildProduct, freshEnvironment, type Outcome, ROOT, reverie } from "./command-line.ts";

const FIXTURES = join(ROOT, "test", "fixtures");
const CASES = JSON.parse(readFileSync(join(FIXTURES, "evaluate-cases.json"), "utf8")) as {
  readonly name: string;
  readonly flags: readonly string[];
}[];
const GRADIENTS = TENSOR_NAMES.map((name) => `grad_${name}`);

/**
 * float32 rounds by 6e-8 an operation; on a software adapter every array of these cases and of ones a thousand times as
 * large came within 9e-7 of float64. No unit of a fixture lies near enough to its kink to fall on its other side.
 */
const TOLERANCE = 2e-6;

let folder: string;
/** Plans that this adapter can run, its own choice first. */
let kinds: readonly string[];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reverie-evaluate-"));
  const { stdout } = await reverie(["doctor", "--json"]);
  const { planKind, subgroup } = JSON.parse(stdout) as { planKind: PlanKind; subgroup: { min: number } | null };
  const able = PLAN_KINDS.filter((kind) => kind !== "own-row" || (subgroup?.min ?? 0) >= 8);
  kinds = [planKind, ...able.filter((kind) => kind !== planKind)];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const inside = (name: string): string => join(folder, name);
const fixture = (name: string): string => join(FIXTURES, `evaluate-${name}.npz`);
const flagsOf = (name: string): readonly string[] => CASES.find((c) => c.name === name)?.flags ?? [];

async function evaluate(path: string, out: string, ...flags: string[]): Promise<Npz & { outcome: Outcome }> {
  const outcome = await reverie(["evaluate", "--case", path, "--out", inside(out), ...flags]);
  expect(outcome.code, outcome.stderr).toBe(0);
  return Object.assign(readNpz(inside(out)), { outcome });
}

const numbers = (npz: Npz, name: string): number[] => Array.from(npz.get(name)?.data as ArrayLike<number>, Number);
const norm = (values: readonly number[]): number => Math.hypot(...values);
const largest = (values: readonly number[]): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);

function expectClose(found: Npz, want: Npz): void {
  const scale = Math.max(1, largest(numbers(want, "r")));
  for (const [name, { shape }] of want) {
    expect(found.get(name)?.shape, name).toEqual(shape);
    expect(found.get(name)?.dtype, name).toBe("float32");
    const value = numbers(want, name);
    const difference = numbers(found, name).map((x, i) => x - (value[i] as number));
    if (name.startsWith("grad_")) expect(norm(difference) / norm(value), name).toBeLessThan(TOLERANCE);
    else expect(largest(difference) / scale, name).toBeLessThan(TOLERANCE);
  }
}

function expectSameBits(a: Npz, b: Npz): void {
  for (const name of ["r", "v", "c", "y", "loss", ...GRADIENTS]) {
    expect(a.get(name)?.data, name).toEqual(b.get(name)?.data);
  }
}

/** An array of a file, to be written again. */
const again = (npz: Npz): Record<string, ArrayToWrite> =>
  Object.fromEntries([...npz].map(([name, { data, shape }]) => [name, { data, shape }]));

describe("NumPy's cases", () => {
  test.each(CASES.map(({ name }) => name))("%s: every array within rounding of float64", async (name) => {
    const want = readNpz(join(FIXTURES, `evaluate-${name}-expected.npz`));
    const found = await evaluate(fixture(name), `${name}.npz`, ...flagsOf(name));
    expectClose(found, want);
    expect([...found.keys()].sort()).toEqual([...want.keys(), "manifest"].sort());
  });

  test.each(["relu", "smallest"])("%s: the same bits under every plan", async (name) => {
    const first = await evaluate(fixture(name), `${name}-0.npz`, ...flagsOf(name), "--plan-kind", kinds[0] as string);
    for (const kind of kinds.slice(1)) {
      expectSameBits(first, await evaluate(fixture(name), `${name}-1.npz`, ...flagsOf(name), "--plan-kind", kind));
    }
  });

  test("the fixtures differ in more than rounding: another setting does not pass", async () => {
    const want = readNpz(join(FIXTURES, "evaluate-relu-expected.npz"));
    const found = await evaluate(fixture("relu"), "other.npz", ...flagsOf("relu"), "--friction", "0.601");
    expect(() => expectClose(found, want)).toThrow();
  });
});

describe("what a case may hold", () => {
  const EXAMPLE = "--leak 0.2 --gain 0.2 --friction 0.6 --adapt-strength 0.7 --adapt-tau 8 --activation relu".split(
    " ",
  );

  test("the example's flags", async () => {
    const found = await evaluate(fixture("relu"), "example.npz", ...EXAMPLE);
    expectClose(found, readNpz(join(FIXTURES, "evaluate-relu-expected.npz")));
    expect(found.outcome.stdout).toMatch(/example\.npz: T=11 B=5 N=13 I=3 O=5 E=4, loss [\d.]+\n$/);
  });

  test("float64 is rounded, and said to be; the result is that of float32", async () => {
    const wide = readNpz(fixture("tanh"));
    expect(wide.get("W_rec")?.dtype).toBe("float64");
    const narrow = Object.fromEntries(
      [...wide].map(([name, { data, shape }]) => [name, { data: Float32Array.from(data as Float64Array), shape }]),
    );
    writeNpz(inside("narrow.npz"), narrow);
    const a = await evaluate(fixture("tanh"), "a.npz", ...flagsOf("tanh"));
    const b = await evaluate(inside("narrow.npz"), "b.npz", ...flagsOf("tanh"));
    expectSameBits(a, b);
    expect(a.outcome.stderr).toMatch(/evaluate-tanh\.npz: float64 rounded to float32: W_rec, W_in, .*, target\n/);
    expect(b.outcome.stderr).not.toContain("float64");
  });

  test("no mask is a mask of ones, no noise is noise of zero", async () => {
    const bare = readNpz(fixture("leaky"));
    const { T, B, N } = { T: 11, B: 5, N: 13 };
    expect(bare.get("u")?.shape.slice(0, 2)).toEqual([T, B]);
    writeNpz(inside("filled.npz"), {
      ...again(bare),
      mask: { data: new Float32Array(T * B).fill(1), shape: [T, B] },
      noise: { data: new Float32Array(T * B * N), shape: [T, B, N] },
    });
    const a = await evaluate(fixture("leaky"), "a.npz", ...flagsOf("leaky"));
    const b = await evaluate(inside("filled.npz"), "b.npz", ...flagsOf("leaky"));
    expectSameBits(a, b);
  });

  test("an array of another name is not read, and said not to be", async () => {
    const { target, ...rest } = again(readNpz(fixture("relu")));
    writeNpz(inside("typo.npz"), { ...rest, targets: target as ArrayToWrite });
    const found = await evaluate(inside("typo.npz"), "typo-out.npz", ...flagsOf("relu"));
    expect(found.has("loss")).toBe(false);
    expect(found.outcome.stderr).toMatch(/typo\.npz: not read: targets; a case has W_rec, .*, target\n/);
  });
});

describe("where the numbers come from", () => {
  test("the kernels are those of training and replay, and the manifest counts them", async () => {
    const plan = ["--plan-kind", kinds[0] as string];
    const found = await evaluate(fixture("relu"), "manifest.npz", ...flagsOf("relu"), ...plan);
    const trained = await reverie(["train", "--preset", "tiny", "--plan", "--json", ...plan]);
    const { passes } = JSON.parse(trained.stdout) as { passes: { kind: string; kernel: string }[] };
    const training = new Set(passes.filter(({ kind }) => kind === "dispatch").map(({ kernel }) => kernel));
    const manifest = JSON.parse(Buffer.from(found.get("manifest")?.data as Uint8Array).toString("utf8"));
    const dispatches = manifest.dispatches as Record<string, number>;
    const own = [...training].filter((kernel) => !kernel.startsWith("task/") && kernel !== "optim/adam");
    expect(Object.keys(dispatches).sort()).toEqual(own.sort());
    for (const count of Object.values(dispatches)) expect(count).toBeGreaterThan(0);
    expect(manifest).toMatchObject({
      versions: { reverie: expect.any(String), webgpu: expect.any(String), node: process.versions.node },
      adapter: { name: expect.any(String), software: expect.any(Boolean) },
      sizes: { N: 13, I: 3, O: 5, E: 4, T: 11, B: 5 },
      settings: { leak: 0.2, gain: 0.2, friction: 0.6, adaptStrength: 0.7, adaptTau: 8, activation: "relu" },
      plan: { kind: kinds[0] },
      loss: numbers(found, "loss")[0],
    });
    expect(JSON.parse(readFileSync(inside("manifest.manifest.json"), "utf8"))).toEqual(manifest);
  });

  test("--json: one document with the same facts", async () => {
    const { outcome } = await evaluate(fixture("relu"), "json.npz", ...flagsOf("relu"), "--json", "--quiet");
    expect(outcome.stderr).toBe("");
    expect(JSON.parse(outcome.stdout)).toMatchObject({ out: inside("json.npz"), loss: expect.any(Number) });
  });
});

describe("check_evaluate.py", () => {
  const hasNumpy = spawnSync("python3", ["-c", "import numpy"]).status === 0;

  test.skipIf(!hasNumpy)("makes a case, runs the command on it, and agrees", () => {
    const built = buildProduct();
    try {
      const { status, stdout, stderr } = spawnSync(
        "python3",
        [
          join(ROOT, "scripts", "python", "check_evaluate.py"),
          ...["--units", "9", "--batch", "4", "--steps", "10", "--no-torch"],
          ...["--reverie", `${process.execPath} ${built.script} --quiet`],
        ],
        { env: freshEnvironment(), encoding: "utf8" },
      );
      expect(status, stdout + stderr).toBe(0);
      expect(stdout.match(/error/g)).toHaveLength(12);
      expect(stdout).not.toContain("WRONG");
    } finally {
      built.remove();
    }
    expect(existsSync(built.folder)).toBe(false);
  });
});
