/**
 * Every plan computes the model: random networks against float64 within the tolerances of the design, and bit for bit
 * against each other, however a batch is split, windowed, ordered or accompanied.
 */
import { describe, expect, test } from "vitest";
import { type EvaluateInput, type EvaluateOutput, evaluateModel } from "../../src/evaluate/evaluate.ts";
import { PLAN_KINDS, type PlanKind } from "../../src/gpu/plan.ts";
import { type AdapterSpec, adapterSpec } from "../../src/kernels/spec.ts";
import { FEW_INPUTS, TENSOR_NAMES } from "../../src/model/parameters.ts";
import {
  GRADCHECK_OPTIONS,
  type GradcheckCase,
  gradcheckCase,
  gradcheckOrder,
  gradcheckUnits,
} from "../../src/reference/gradcheck-cases.ts";
import {
  type GradcheckOptions,
  type GradcheckResult,
  type GradcheckShares,
  gradcheck,
} from "../../src/run/gradcheck.ts";
import { expectSameBits } from "../bits.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { record, SOAK } from "../reliability/record.ts";
import { secondGpu } from "../second-gpu.ts";
import { MODIFIED, PLAIN, someNetwork } from "./model.ts";
import { type NetworkResult, type NetworksRun, runNetworks } from "./networks.ts";

gpuHygiene();

type Outputs = Readonly<Partial<Record<PlanKind, EvaluateOutput>>>;

function expectSameOutput(what: string, got: EvaluateOutput, expected: EvaluateOutput): void {
  for (const name of ["r", "v", "c", "y"] as const) expectSameBits(`${what}: ${name}`, got[name], expected[name]);
  if (!expected.grads) return;
  expectSameBits(`${what}: loss`, Float32Array.of(got.loss ?? 0), Float32Array.of(expected.loss ?? 0));
  for (const name of TENSOR_NAMES) {
    expectSameBits(`${what}: d${name}`, got.grads?.[name] ?? new Float32Array(), expected.grads[name]);
  }
}

/**
 * Every case under the stepwise plan, and under all others in a soak. These are compiled anew for each size of N and for
 * many inputs; what a nonlinearity changes in them is the same code at every size, so that two sizes have to do for all
 * but one. Cases of the persistent plan stop at its smaller.
 */
const SOME_UNITS = [13, 16, 33];
const kindsOf = ({ reference: { shape, activation } }: GradcheckCase): PlanKind[] => {
  const every = SOAK || activation === "relu";
  const some = shape.inputs <= FEW_INPUTS && SOME_UNITS.includes(shape.units);
  return PLAN_KINDS.filter(
    (kind) => kind === "step" || every || (some && (kind !== "tile-persistent" || shape.units <= 16)),
  );
};

/** An adapter that compiles on one core does so for two devices at a time, if their kernels differ. */
async function inHalves(cases: number, options: Omit<GradcheckOptions, "cases">): Promise<GradcheckResult> {
  const second = await secondGpu();
  try {
    const small = (index: number) => gradcheckUnits(index) <= 32;
    const [ours, others] = await Promise.all([
      gradcheck(await testGpu(), { ...options, cases: gradcheckOrder(cases).filter(small) }),
      gradcheck(second, { ...options, cases: gradcheckOrder(cases).filter((index) => !small(index)) }),
    ]);
    await second.checkGuards();
    const worst = Object.fromEntries(
      Object.entries(ours.worst).map(([what, share]) => [
        what,
        Math.max(share, others.worst[what as keyof GradcheckShares]),
      ]),
    ) as unknown as GradcheckShares;
    return {
      cases: ours.cases + others.cases,
      worst,
      maskDifferences: {
        count: ours.maskDifferences.count + others.maskDifferences.count,
        of: ours.maskDifferences.of + others.maskDifferences.of,
      },
      failures: [...ours.failures, ...others.failures],
      suspects: [],
    };
  } finally {
    await second.close();
  }
}

/** Runs cases, prints the shares of the tolerances they used, and fails with the sentences of what is wrong. */
async function check(cases: number, seed: number, steps: number | null): Promise<GradcheckCase[]> {
  const seen: GradcheckCase[] = [];
  const result = await inHalves(cases, {
    seed,
    kinds: kindsOf,
    ...(steps === null ? {} : { steps }),
    onCase: (example: GradcheckCase, outputs: Outputs) => {
      seen.push(example);
      const first = outputs.step ?? expect.fail("the stepwise plan is the one all others are held to");
      for (const kind of PLAN_KINDS) {
        const other = outputs[kind];
        if (other) expectSameOutput(`${example.label}, ${kind} against step`, other, first);
      }
    },
  });
  expect(result.cases).toBe(cases);
  const shares = Object.entries(result.worst).map(([what, share]) => `${what} ${(100 * share).toFixed(1)} %`);
  const { count, of } = result.maskDifferences;
  process.stderr.write(
    `${cases} cases${steps === null ? "" : ` at T = ${steps}`}, of the tolerance at most: ${shares.join(", ")}; ` +
      `${count} of ${of} units on the other side of their kink\n`,
  );
  record(
    `gradients-${steps ?? 100}`,
    {
      order: 2,
      figure: `Gradients and states against float64, T ${steps === null ? "≤ 100" : `= ${steps}`}, every plan`,
      required: `≥ ${steps === null ? 200 : 10} cases within tolerance`,
      result: `${cases} cases, ${result.failures.length} failures; ${shares.join(", ")} of the tolerance at most`,
      command: "REVERIE_SOAK=1 npm test -- test/kernel/plans.test.ts",
    },
    (await testGpu()).adapter,
  );
  expect(result.failures.map((f) => f.message)).toEqual([]);
  return seen;
}

describe("random networks against float64, all plans with the same bits", () => {
  test("204 cases, T up to 100", { timeout: 600_000 }, async () => {
    const seen = await check(204, 1, null);
    // A sweep that no longer meets what it is meant to meet must not pass for one that does.
    for (const option of GRADCHECK_OPTIONS) {
      const having = seen.filter((c) => c.options.includes(option)).length;
      expect(having, option).toBeGreaterThan(20);
      expect(seen.length - having, `without ${option}`).toBeGreaterThan(10);
    }
    const met = (of: (c: GradcheckCase) => number) => [...new Set(seen.map(of))].sort((a, b) => a - b);
    expect(met((c) => c.reference.shape.units)).toEqual([1, 3, 4, 5, 8, 13, 16, 31, 32, 33, 48, 64, 65]);
    expect(met((c) => c.reference.B)).toEqual([1, 2, 3, 5, 31, 32, 33, 70]);
    expect(met((c) => c.reference.shape.inputs)).toEqual([1, 2, 3, 4, 7, 17, 40]);
    expect(met((c) => c.reference.shape.outputs)).toEqual([1, 2, 3, 4, 5, 16, 17, 20, 33, 40]);
    expect(met((c) => c.reference.shape.encoderInputs)).toEqual([1, 2, 3, 4, 5, 9, 40]);
    expect(Math.max(...met((c) => c.reference.T))).toBe(100);
  });

  test("12 cases at T = 400", { timeout: 300_000 }, async () => {
    const seen = await check(12, 1, 400);
    expect(seen.every((c) => c.reference.T === 400)).toBe(true);
  });
});

/** B = 70 makes three blocks of 32 rows, T = 60 eight blocks of steps. */
const SHAPE = { units: 13, inputs: 3, outputs: 5, encoderInputs: 2 };
const [T, B] = [60, 70];

/** A case whose rows all differ in their parameters, too. */
function someInput(kind: PlanKind): EvaluateInput {
  const own = someNetwork(SHAPE, { T, B, seed: 77 });
  return {
    shape: SHAPE,
    weights: own.weights,
    activation: "relu",
    leakySlope: 0.01,
    step: Array.from({ length: B }, (_, b) => ({ ...(b % 3 ? MODIFIED : PLAIN), leak: 0.3 + 0.005 * b })),
    steps: T,
    batch: B,
    e0: own.e0,
    u: own.u,
    noise: own.noise,
    target: own.target,
    l2Activity: 0.1,
    kind,
  };
}

/** The rows `order` of a tensor (count, B, width). */
function rowsOf(x: Float32Array, count: number, width: number, order: readonly number[], batch = B): Float32Array {
  const out = new Float32Array(count * order.length * width);
  for (let t = 0; t < count; t++) {
    order.forEach((from, to) => {
      const at = (t * batch + from) * width;
      out.set(x.subarray(at, at + width), (t * order.length + to) * width);
    });
  }
  return out;
}

function withRows(input: EvaluateInput, order: readonly number[]): EvaluateInput {
  const { units: N, inputs: I, outputs: O, encoderInputs: E } = input.shape;
  return {
    ...input,
    batch: order.length,
    step: order.map((b) => (input.step as readonly (typeof PLAIN)[])[b] ?? PLAIN),
    e0: rowsOf(input.e0, 1, E, order),
    u: rowsOf(input.u, T, I, order),
    noise: rowsOf(input.noise ?? new Float32Array(), T, N, order),
    target: rowsOf(input.target ?? new Float32Array(), T, O, order),
  };
}

describe.each(PLAN_KINDS)("same bits, %s", (kind) => {
  const input = someInput(kind);
  const whole = (async () => evaluateModel(await testGpu(), input))();
  const tight = async (own: Partial<AdapterSpec>) => {
    const gpu = await testGpu();
    return evaluateModel(gpu, { ...input, adapter: { ...adapterSpec(gpu), ...own } });
  };
  const forward = (out: EvaluateOutput): number =>
    ["step_forward", "rollout_persistent", "rollout_own_row"].reduce(
      (n, k) => n + (out.dispatches[`rnn/${k}`] ?? 0),
      0,
    );

  test("run twice", async () => {
    expectSameOutput("again", await evaluateModel(await testGpu(), input), await whole);
  });

  test("batch split into two and three chunks of rows", async () => {
    for (const [maxBinding, chunks] of [
      [80_000, 2],
      [64_000, 3],
    ] as const) {
      const out = await tight({ maxBinding });
      expect(out.chunks).toBe(chunks);
      expectSameOutput(`${chunks} chunks`, out, await whole);
    }
  });

  test("steps cut into windows, at a length that no block of steps shares", async () => {
    expect(forward(await whole)).toBe(kind === "step" ? T : 1);
    // Seven steps' worth of products in the quarter of a second that a dispatch may last.
    const perStep = 2 * 96 * SHAPE.units * (SHAPE.units + SHAPE.inputs);
    const out = await tight({ flopsPerSecond: (7.5 * perStep) / 0.25 });
    expect(forward(out)).toBe(kind === "step" ? T : 9);
    expect(out.dispatches[`rnn/${kind === "own-row" ? "affine_lanes" : "affine_tile"}`]).toBeGreaterThan(3);
    expectSameOutput("windows", out, await whole);
  });

  test("chunks and windows at once", async () => {
    const perStep = 2 * 32 * SHAPE.units * (SHAPE.units + SHAPE.inputs);
    const out = await tight({ maxBinding: 64_000, flopsPerSecond: (1.5 * perStep) / 0.25 });
    expect(out.chunks).toBe(3);
    expect(forward(out)).toBe(3 * T);
    expectSameOutput("chunks and windows", out, await whole);
  });

  test("rows in another order, and fewer of them: what belongs to a row is unchanged", async () => {
    const gpu = await testGpu();
    const all = await whole;
    const shuffled = Array.from({ length: B }, (_, b) => (b * 29 + 11) % B);
    for (const order of [shuffled, [40, 2, 69], [5]]) {
      const out = await evaluateModel(gpu, withRows(input, order));
      const { units: N, outputs: O } = SHAPE;
      for (const name of ["r", "v", "c"] as const) {
        expectSameBits(`${name} of ${order.length} rows`, out[name], rowsOf(all[name], T + 1, N, order));
      }
      expectSameBits(`y of ${order.length} rows`, out.y, rowsOf(all.y, T, O, order));
    }
  });
});

function expectSameNetwork(what: string, got: NetworkResult | undefined, expected: NetworkResult | undefined): void {
  if (!got || !expected) throw new Error(`${what} is missing`);
  for (const name of ["r", "y"] as const) expectSameBits(`${what}: ${name}`, got[name], expected[name]);
  expectSameBits(
    `${what}: loss, norm`,
    Float32Array.of(got.loss, got.norm),
    Float32Array.of(expected.loss, expected.norm),
  );
  for (const name of TENSOR_NAMES) expectSameBits(`${what}: d${name}`, got.grads[name], expected.grads[name]);
}

describe.each(PLAN_KINDS)("networks side by side, %s", (kind) => {
  // 9 steps × 32 rows are no multiple of 64, so that the losses of a second group do not begin where the first's end.
  const [steps, rows, count] = [9, 20, 6];

  // Where N × N floats of W_recᵀ are no multiple of 256 bytes, a group of networks may begin at every fourth only.
  test.each([
    [13, 50_000, [3, 3]],
    [12, 40_000, [4, 2]],
  ])("N = %i: bits do not depend on neighbours, nor on the split into groups", async (units, maxBinding, groups) => {
    const shape = { ...SHAPE, units };
    const networks = Array.from({ length: count }, (_, s) =>
      someNetwork(shape, { T: steps, B: rows, seed: 90 + s, step: MODIFIED }),
    );
    const run: NetworksRun = {
      shape,
      activation: "relu",
      kind,
      steps,
      networks,
      noise: "given",
      extra: true,
      l2Activity: 0.1,
    };
    const together = await runNetworks(run);
    expect(together.batch.groups).toHaveLength(1);
    for (const s of [0, 3, 5]) {
      const alone = await runNetworks({ ...run, networks: networks.slice(s, s + 1) });
      expectSameNetwork(`network ${s} alone`, alone.networks[0], together.networks[s]);
    }
    const split = await runNetworks({ ...run, adapter: { maxBinding } });
    expect(split.batch.groups.map((g) => g.networks)).toEqual(groups);
    split.networks.forEach((own, s) => {
      expectSameNetwork(`network ${s} in groups`, own, together.networks[s]);
    });
  });
});

test("cases are a function of seed and index", () => {
  const [a, b] = [gradcheckCase(5, 17), gradcheckCase(5, 17)];
  expect(a).toEqual(b);
  expect(gradcheckCase(6, 17).input.weights.W_rec).not.toEqual(a.input.weights.W_rec);
});
