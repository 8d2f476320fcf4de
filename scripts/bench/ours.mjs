/** reverie, through its library. */
import { Clock, Program } from "../../dist/gpu/program.js";
import { adapterSpec, choosePlanKind, GivenBatch, modelSpec, openGpu, replayPlanOf } from "../../dist/index.js";
import { readNpz, writeNpz } from "../../dist/io/npz.js";
import { recordLayouts } from "../../dist/kernels/records.js";
import { packParameters, TENSOR_NAMES, transposeRecurrent } from "../../dist/model/parameters.js";
import { packRows, paddedRows } from "../../dist/model/rows.js";
import { tmazeTask } from "../../dist/task/paths.js";
import { serve } from "./serve.mjs";

const stepOf = (model, noiseStd) => ({
  leak: model.leak,
  gain: model.gain,
  noiseStd,
  noiseScale: 1,
  noiseFriction: false,
  friction: 1,
  adaptStrength: 0,
  adaptTau: 100,
});

function modelOf({ N, I, O, E }, activation) {
  const shape = { units: N, inputs: I, outputs: O, encoderInputs: E };
  return modelSpec({ shape, activation, slope: 0.01, rootSeed: 1, noiseRounds: 7 });
}

/** Tensors of the s-th network. */
function networkOf(problem, s, S) {
  return Object.fromEntries(
    TENSOR_NAMES.map((name) => {
      const { data } = problem.get(name);
      const size = data.length / S;
      return [name, data.slice(s * size, (s + 1) * size)];
    }),
  );
}

async function training(gpu, shape, model, problem, activation) {
  const { S, B, T, N } = shape;
  const kind = choosePlanKind(adapterSpec(gpu), { units: N, rows: S * paddedRows(B) });
  const all = (noiseStd) => Array.from({ length: S }, () => stepOf(model, noiseStd));
  const weights = Array.from({ length: S }, (_, s) => networkOf(problem, s, S));
  const data = Object.fromEntries(["e0", "u", "target"].map((name) => [name, problem.get(name).data]));
  const spec = {
    model: modelOf(shape, activation),
    networks: all(model.noiseStd).map((step, seed) => ({ seed, step })),
    ...{ steps: T, batch: B, learningRate: model.learningRate, clipNorm: model.clipNorm, kind },
  };
  const timed = await GivenBatch.create(gpu, spec, weights, data);
  async function check(out) {
    const noisy = await timed.probe();
    timed.setSteps(all(0));
    const { loss, grads } = await timed.probe();
    const { loss: lossAfter } = await timed.run(3);
    timed.setSteps(all(model.noiseStd));
    const tensors = TENSOR_NAMES.map((name) => {
      const stacked = new Float32Array(problem.get(name).data.length);
      grads.forEach((g, s) => {
        stacked.set(g[name], (s * stacked.length) / S);
      });
      return [name, { data: stacked, shape: problem.get(name).shape }];
    });
    writeNpz(out, Object.fromEntries(tensors));
    return { loss, lossAfter, noisyLoss: noisy.loss };
  }
  return { plan: kind, check, run: (count) => timed.run(count) };
}

async function replay(gpu, shape, model, problem) {
  const { B, T, N, O } = shape;
  const kind = choosePlanKind(adapterSpec(gpu), { units: N, rows: paddedRows(B) });
  const layouts = recordLayouts(gpu.options.readShader);
  const spec = {
    model: modelOf(shape, "relu"),
    seeds: [0],
    conditions: [[stepOf(model, model.noiseStd)]],
    ...{ repeats: B, steps: T, saveEvery: 1, saveStates: false, pairedNoise: true, kind },
    ...{ task: tmazeTask(), startStates: problem.get("r0").data },
  };
  const plan = replayPlanOf(spec, adapterSpec(gpu), layouts);
  if (plan.chunks.length !== 1) throw new Error(`the replay takes ${plan.chunks.length} chunks on this adapter`);
  const program = await Program.create(gpu, plan.plan);
  const flat = packParameters(spec.model.layout, networkOf(problem, 0, 1));
  gpu.write(program.buffer("weights"), flat);
  gpu.write(program.buffer("recurrent_t"), transposeRecurrent(spec.model.shape, spec.model.layout, flat));
  const [{ chunk }] = plan.chunks;
  const setNoise = (noiseStd) => {
    const row = (_, trajectory) => ({
      step: stepOf(model, noiseStd),
      ...{ networkSeed: 0, trajectory, epoch: 0, maskEvery: 1, maskRandom: false },
    });
    gpu.write(
      program.buffer(chunk.table),
      packRows(layouts.row, [Array.from({ length: B }, row)], chunk.rowsPerNetwork),
    );
  };
  const clock = new Clock(gpu, 1);
  clock.set(0, program.clockKernel, { iteration: 0, slot: 0, progress: 0, correction1: 1, correction2: 1 });
  const run = async (count) => {
    for (let i = 0; i < count; i++) {
      gpu.write(program.buffer("states"), problem.get("r0").data);
      await program.run({ label: "replay", clock });
    }
  };
  async function check(out) {
    setNoise(0);
    await run(1);
    const device = await gpu.readF32(program.buffer("y_all"), 0, 4 * T * chunk.rowsPerNetwork * O);
    const y = new Float32Array(T * B * O);
    for (let t = 0; t < T; t++) y.set(device.subarray(t * chunk.rowsPerNetwork * O).subarray(0, B * O), t * B * O);
    writeNpz(out, { y: { data: y, shape: [T, B, O] } });
    setNoise(model.noiseStd);
    await run(1);
    const noisy = await gpu.readF32(program.buffer("y_all"), 0, 4 * T * chunk.rowsPerNetwork * O);
    return { noisySquare: meanSquareDifference(noisy, device) };
  }
  return { plan: kind, check, run };
}

/** How far the noise moves the readouts. */
function meanSquareDifference(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum / a.length;
}

await serve(async ({ shape, model, problem: path, activation = "relu", adapter }) => {
  const gpu = await openGpu(adapter ? { adapter } : {});
  const problem = readNpz(path);
  const open = shape.kind === "train" ? training : replay;
  const { plan, check, run } = await open(gpu, shape, model, problem, activation);
  return { about: { adapter: gpu.adapter, plan, description: gpu.describe() }, check, run };
});
