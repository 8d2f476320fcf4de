import { describe, expect, test } from "vitest";
import { ACTIVATIONS, type CellParams, cellParams } from "../../src/model/dynamics.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import { STREAM } from "../../src/model/streams.ts";
import {
  activationDerivativeReference,
  adjointReference,
  drawWords,
  lossMseReference,
  noise,
  type RolloutInput,
  referenceTensors,
  rolloutReference,
  uniform,
} from "../../src/reference/index.ts";

/** Deterministic draws for building cases. */
function drawer(seed: number) {
  let step = 0;
  const word = () => drawWords(step++, 0, 0, STREAM.testPaths, 0, [seed, 0])[0];
  return {
    integer: (low: number, high: number) => low + (word() % (high - low + 1)),
    between: (low: number, high: number) => low + (high - low) * uniform(word()),
    normals: (length: number, std: number) =>
      Float64Array.from({ length }, () => std * noise(step++, 0, 0, STREAM.replayStarts, 0, [seed, 0])),
  };
}

interface Case {
  readonly input: RolloutInput;
  readonly target: Float64Array;
  readonly l2Activity: number;
  readonly given: boolean;
}

function makeCase(seed: number): Case {
  const draw = drawer(seed);
  const [N, I, O, E] = [draw.integer(1, 7), draw.integer(1, 3), draw.integer(1, 3), draw.integer(1, 3)];
  const [T, B] = [draw.integer(1, 7), draw.integer(1, 3)];
  const shape = { units: N, inputs: I, outputs: O, encoderInputs: E };
  // Every combination of nonlinearity, adaptation, momentum and activity penalty comes round once in 32 seeds.
  const bit = (n: number) => Math.floor(seed / 4 / 2 ** n) % 2 === 1;
  const [adaptation, momentum, l2Activity] = [bit(0), bit(1), bit(2) ? draw.between(0.1, 1) : 0];
  const given = seed % 5 === 0;
  const params: CellParams[] = Array.from({ length: B }, () =>
    cellParams({
      leak: draw.between(0, 1),
      gain: draw.between(0.2, 1.2),
      noiseStd: 0,
      noiseScale: 1,
      friction: momentum ? draw.between(0.3, 1) : 1,
      noiseFriction: true,
      adaptStrength: adaptation ? draw.between(0.1, 1) : 0,
      adaptTau: draw.between(1, 10),
    }),
  );
  const maskEvery = draw.integer(1, 3);
  const u = draw.normals(T * B * I, 1).map((x, at) => (Math.floor(at / (B * I)) % maskEvery === 0 ? x : 0));
  return {
    input: {
      shape,
      weights: referenceTensors(shape, (_, length) => draw.normals(length, 0.6)),
      activation: ACTIVATIONS[seed % 4] as (typeof ACTIVATIONS)[number],
      leakySlope: 0.2,
      params,
      e0: draw.normals(B * E, 1),
      ...(given ? { r0: draw.normals(B * N, 1) } : {}),
      u: seed % 7 === 0 ? null : u,
      noise: draw.normals(T * B * N, 0.3),
      T,
      B,
    },
    target: draw.normals(T * B * O, 1),
    l2Activity,
    given,
  };
}

const STEP = 1e-5;
const hasKink = (input: RolloutInput) => input.activation === "relu" || input.activation === "leakyRelu";

function lossAndSigns({ input, target, l2Activity }: Case) {
  const { r, a, y } = rolloutReference(input);
  const { T, B, shape } = input;
  const { loss } = lossMseReference({ y, target, r, T, B, N: shape.units, O: shape.outputs, l2Activity });
  return { loss, positive: a.map((x) => (x > 0 ? 1 : 0)) };
}

/** Central differences of the loss in every element of `array`, or null where a unit crosses its kink within the step. */
function centralDifferences(problem: Case, array: Float64Array): Float64Array | null {
  const out = new Float64Array(array.length);
  for (let i = 0; i < array.length; i++) {
    const x = array[i] as number;
    array[i] = x + STEP;
    const above = lossAndSigns(problem);
    array[i] = x - STEP;
    const below = lossAndSigns(problem);
    array[i] = x;
    if (hasKink(problem.input) && above.positive.some((p, at) => p !== below.positive[at])) return null;
    out[i] = (above.loss - below.loss) / (2 * STEP);
  }
  return out;
}

const norm = (x: Float64Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
const distance = (x: Float64Array, y: Float64Array) => norm(x.map((value, i) => value - (y[i] as number)));

describe("backpropagation through time", () => {
  test("agrees with central differences in 160 random cases", () => {
    let checked = 0;
    let skipped = 0;
    for (let seed = 0; checked < 160; seed++) {
      const problem = makeCase(seed);
      const { input } = problem;
      const { grads, gr0, loss } = adjointReference(input, rolloutReference(input), problem.target, problem);
      expect(loss).toBe(lossAndSigns(problem).loss);
      const pairs: [string, Float64Array, Float64Array | null][] = TENSOR_NAMES.map((name) => [
        name,
        grads[name],
        centralDifferences(problem, input.weights[name]),
      ]);
      if (input.r0) pairs.push(["r0", gr0, centralDifferences(problem, input.r0)]);
      if (pairs.some(([, , numeric]) => numeric === null)) {
        skipped++;
        continue;
      }
      const whole = Math.hypot(...pairs.map(([, gradient]) => norm(gradient)));
      for (const [name, gradient, numeric] of pairs) {
        // Relative to the tensor's own gradient; one that is next to nothing beside the others is held to them instead.
        const scale = Math.max(norm(gradient), 1e-3 * whole);
        const error = scale === 0 ? 0 : distance(gradient, numeric as Float64Array) / scale;
        // Central differences are good to about h² = 1e-10 by truncation and 1e-16/h = 1e-11 by rounding, against a
        // thousandth of the gradient: 1e-7.
        expect(error, `${name}, seed ${seed}, ${input.activation}`).toBeLessThan(1e-7);
      }
      checked++;
    }
    expect(skipped, "cases with a kink within the step").toBeLessThanOrEqual(8);
  });

  test("a kink within the step is noticed, so that such a case does not count", () => {
    const problem = makeCase(0);
    expect(problem.input.activation).toBe("relu");
    // With b = −(what else arrives) the first unit's first pre-activation is 0, and any step in b crosses the kink.
    const b = problem.input.weights.b;
    b[0] = (b[0] as number) - (rolloutReference(problem.input).a[0] as number);
    expect(Math.abs(rolloutReference(problem.input).a[0] as number)).toBeLessThan(STEP / 10);
    expect(centralDifferences(problem, b)).toBeNull();
  });

  test("the encoder has no gradient where the run started elsewhere, and then dL/dr_0 is still there", () => {
    const problem = makeCase(10);
    expect(problem.given).toBe(true);
    const { input, target } = problem;
    const { grads, gr0 } = adjointReference(input, rolloutReference(input), target, problem);
    expect(norm(grads.W_enc) + norm(grads.b_enc)).toBe(0);
    expect(norm(gr0)).toBeGreaterThan(0);
  });

  test("computed by hand: two steps of one linear unit", () => {
    // r' = r + a, a = w r: r = 1, 1.5, 2.25 for w = .5; y = r, targets 0: L = (1.5² + 2.25²)/2.
    const shape = { units: 1, inputs: 1, outputs: 1, encoderInputs: 1 };
    const weights = referenceTensors(shape);
    weights.W_rec[0] = 0.5;
    weights.W_out[0] = 1;
    const input: RolloutInput = {
      shape,
      weights,
      activation: "identity",
      leakySlope: 0,
      params: [{ leak: 0, gain: 1, keep: 0, noise: 0, adapt_keep: 0, adapt_gain: 0 }],
      e0: Float64Array.of(0),
      r0: Float64Array.of(1),
      u: null,
      noise: null,
      T: 2,
      B: 1,
    };
    const { loss, ga, grads, gr0 } = adjointReference(input, rolloutReference(input), new Float64Array(2), {
      l2Activity: 0,
    });
    // d = (1.5, 2.25); ga_1 = 2.25, ga_0 = 1.5 + 1.5·2.25 = 4.875; dW_rec = 4.875·1 + 2.25·1.5.
    expect(loss).toBe((1.5 ** 2 + 2.25 ** 2) / 2);
    expect([...ga]).toEqual([4.875, 2.25]);
    expect(grads.W_rec[0]).toBe(4.875 + 2.25 * 1.5);
    expect(grads.b[0]).toBe(4.875 + 2.25);
    expect(grads.W_out[0]).toBe(1.5 ** 2 + 2.25 ** 2);
    expect(grads.b_out[0]).toBe(3.75);
    expect(gr0[0]).toBe(1.5 * 4.875);
  });
});

describe("a mask of φ′ given from outside", () => {
  const problem = makeCase(24);
  const { input, target } = problem;
  const rollout = rolloutReference(input);
  const own = rollout.a.map(activationDerivativeReference(input.activation, input.leakySlope));

  test("the rollout's own mask changes nothing", () => {
    expect(input.activation).toBe("relu");
    expect(adjointReference(input, rollout, target, { ...problem, phiPrime: own })).toEqual(
      adjointReference(input, rollout, target, problem),
    );
  });

  test("another one is used in its place", () => {
    const ones = own.map(() => 1);
    const linear = { ...input, activation: "identity" } as const;
    expect(adjointReference(input, rollout, target, { ...problem, phiPrime: ones })).toEqual(
      adjointReference(linear, rollout, target, problem),
    );
    expect(norm(own)).toBeLessThan(norm(ones));
  });

  test("one of another length is refused", () => {
    const phiPrime = new Float64Array(own.length + 1);
    expect(() => adjointReference(input, rollout, target, { ...problem, phiPrime })).toThrow(/phiPrime/);
  });
});
