/**
 * Figure 9: whatever configuration a user writes, every plan that it leads to fits the adapter, or it is refused in one
 * line; and those that are run on the GPU do what the float64 reference does, without a GPU error.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { presets } from "../../src/config/presets/index.ts";
import type { ExperimentConfig } from "../../src/config/schema.ts";
import { UsageError } from "../../src/errors.ts";
import { readShaderFile } from "../../src/gpu/open-node.ts";
import { PLAN_KINDS, type Plan, type PlanKind } from "../../src/gpu/plan.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import type { AdapterSpec } from "../../src/kernels/spec.ts";
import { STREAM } from "../../src/model/streams.ts";
import { initialTrainingState, trainStepReference } from "../../src/reference/train-step.ts";
import { replayPlanOf } from "../../src/replay/replay.ts";
import { replaySpecOf, trainSpecOf } from "../../src/run/experiment.ts";
import { planAwake } from "../../src/train/plan.ts";
import { testPlan } from "../../src/train/test-batch.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { KEYS, near, valueFor } from "../unit/random-configs.ts";
import { record, SEED, scale } from "./record.ts";

gpuHygiene();

/** What the software adapter allows; a real GPU allows more. */
const ADAPTER: AdapterSpec = {
  maxBinding: 2 ** 27,
  maxBuffer: 2 ** 32 - 4,
  flopsPerSecond: 4e9,
  workgroupStorage: 32768,
  lanes: true,
  software: true,
};
const LAYOUTS = recordLayouts(readShaderFile);

/** What WebGPU would refuse of a plan, if it came to that; "" where it is sound. */
function problemOf(plan: Plan): string {
  const sizes = new Map(plan.buffers.map((b) => [b.name, Math.max(16, b.bytes)]));
  for (const b of plan.buffers)
    if (!(b.bytes >= 0 && b.bytes <= ADAPTER.maxBuffer)) return `${b.name}: ${b.bytes} bytes`;
  for (const p of plan.passes) {
    for (const v of p.kind === "copy" ? [p.from, p.to] : Object.values(p.bind)) {
      const size = sizes.get(v.buffer);
      const [offset, bytes] = [v.offset ?? 0, v.bytes ?? (size ?? 0) - (v.offset ?? 0)];
      if (size === undefined || !(bytes > 0) || !(offset + bytes <= size))
        return `${p.label}: ${v.buffer}: ${bytes} at ${offset} of ${size}`;
      if (p.kind === "dispatch" && (bytes > ADAPTER.maxBinding || offset % 256 !== 0))
        return `${p.label}: ${v.buffer}: ${bytes} at ${offset}`;
    }
    if (p.kind === "dispatch" && !p.groups.every((g) => g >= 1 && g <= 65535))
      return `${p.label}: ${p.groups.join("×")}`;
  }
  return "";
}

/** Every plan that a configuration leads to. */
function plansOf(config: ExperimentConfig, kind: PlanKind): Plan[] {
  const spec = trainSpecOf(config, kind);
  const options = {
    name: "train",
    batch: config.train.batch,
    gradients: true,
    keepReadout: false,
    stream: STREAM.trainPaths,
  };
  const states = config.replay.start === "awakeEnd" ? new Float32Array() : null;
  return [
    planAwake(spec, ADAPTER, LAYOUTS, options).plan,
    testPlan(spec, ADAPTER, LAYOUTS, config.test.trajectories).plan,
    replayPlanOf(replaySpecOf(config, kind, states), ADAPTER, LAYOUTS).plan,
  ];
}

const CONFIGS = scale(150, 2000);
const tally = { planned: 0, refused: 0, executed: 0, worst: 0 };

test(`${CONFIGS} random configurations: plans that fit, or a refusal in one line`, () => {
  // Sizes at their borders among values at random: those that parse must also be planned.
  const size = fc.constantFrom(1, 2, 31, 32, 33, 63, 65, 257, 1000, 4096, 16384, 65536, 2 ** 20, 10_000_000);
  const entry = fc.tuple(fc.constantFrom(...KEYS), fc.oneof({ weight: 2, arbitrary: near }, size));
  const drawn = fc.record({
    preset: fc.constantFrom(...presets().map((p) => p.name)),
    entries: fc.array(entry, { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom(...PLAN_KINDS),
  });
  fc.assert(
    fc.property(drawn, ({ preset, entries, kind }) => {
      try {
        const overrides = entries.map(([path, value]) => ({ path, value: valueFor(path, value), origin: "fuzz" }));
        const plans = plansOf(loadConfig({ preset, overrides }).config, kind);
        tally.planned++;
        for (const plan of plans) expect(problemOf(plan), plan.name).toBe("");
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        expect(error.message).toMatch(/^[^\p{Cc}\u2028\u2029]{1,600}$/u);
        tally.refused++;
      }
    }),
    { numRuns: CONFIGS, seed: SEED },
  );
  expect(tally.planned).toBeGreaterThan(CONFIGS / 10);
}, 1_200_000);

const EXECUTED = scale(2, 200);
/** A loss and a norm in float32, relative (test/train/reference.test.ts gives the reasons); ReLU may take another side. */
const TOLERANCE = 2e-5;
/** Float32 has no square of a norm from 1.8e19 on. */
const OVERFLOWS = 1e18;

test(`${EXECUTED} random configurations, run: what the float64 reference computes`, async () => {
  const gpu = await testGpu();
  // Not below float32: what it takes for 0 decides on which side of a kink a unit is.
  const unit = fc.integer({ min: 1, max: 1000 }).map((x) => x / 1000);
  const drawn = fc.record({
    "task.kind": fc.constantFrom("tmaze", "triangle", "ou"),
    "task.steps": fc.integer({ min: 1, max: 20 }),
    "task.maskEvery": fc.integer({ min: 1, max: 6 }),
    "task.maskOffset": fc.constantFrom("random", "fixed"),
    "rnn.units": fc.integer({ min: 1, max: 40 }),
    "rnn.activation": fc.constantFrom("relu", "leakyRelu", "tanh", "identity"),
    "rnn.leak": unit,
    "rnn.gain": unit,
    "rnn.noiseStd": unit.map((x) => 0.1 * x),
    "rnn.initialGain": unit,
    "train.batch": fc.integer({ min: 1, max: 40 }),
    "train.clipNorm": unit.map((x) => 1e-3 + x),
    "train.l2Activity": fc.constantFrom(0, 0.1),
    "train.friction": fc.constantFrom(1, 0.7, 0.4),
    "train.adaptStrength": fc.constantFrom(0, 0.2),
    "train.adaptTau": unit.map((x) => 2 + 20 * x),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    seeds: fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { minLength: 1, maxLength: 3 }),
  });
  for (const values of fc.sample(drawn, { numRuns: EXECUTED, seed: SEED })) {
    const overrides = Object.entries(values).map(([path, value]) => ({ path, value, origin: "fuzz" }));
    const { config } = loadConfig({ preset: "tiny", overrides });
    const spec = trainSpecOf(config, "own-row");
    const trainer = await Trainer.create(gpu, spec);
    const got = await trainer.probe(await trainer.state());
    trainer.destroy();
    for (const [s, own] of spec.networks.entries()) {
      const request = {
        shape: spec.model.shape,
        activation: spec.model.activation,
        leakySlope: spec.model.slope,
        step: own.step,
        initialGain: own.initialGain,
        key: [spec.model.rootSeed, own.seed] as const,
        task: spec.task,
        steps: spec.steps,
        batch: spec.batch,
        maskEvery: own.maskEvery,
        maskOffset: config.task.maskOffset,
        iterations: spec.iterations,
        learningRate: own.learningRate,
        finalLearningRate: own.finalLearningRate,
        clipNorm: spec.clipNorm,
        l2Activity: spec.l2Activity,
        rounds: spec.model.noiseRounds,
      };
      const wanted = trainStepReference(request as never, initialTrainingState(request as never), 0);
      for (const [a, b] of [
        [got.loss[s], wanted.loss],
        [got.gradNorm[s], wanted.gradNorm],
      ] as [number, number][]) {
        const far = Math.abs(a / b - 1);
        // Such a network has diverged, and says so.
        if (b > OVERFLOWS && !Number.isFinite(a)) continue;
        tally.worst = Math.max(tally.worst, far);
        expect(far, JSON.stringify(values)).toBeLessThan(TOLERANCE);
      }
    }
    tally.executed++;
  }
  record(
    "fuzz",
    {
      order: 9,
      figure: "Random configurations",
      required: "≥ 2000: 0 uncaught exceptions, 0 GPU errors; ≥ 200 executed against the reference",
      result: `${CONFIGS}: ${tally.planned} planned within the adapter's limits, ${tally.refused} refused in one line, 0 exceptions; ${tally.executed} executed, loss and gradient norm within ${tally.worst.toExponential(1)} of float64`,
      command: "npm run test:soak -- fuzz",
    },
    gpu.adapter,
  );
}, 1_200_000);
