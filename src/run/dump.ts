/** `reverie dump`: any tensor of a run, for NumPy and PyTorch. Streams: memory is that of one window of steps. */
import { dirname } from "node:path";
import { replayConditions } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { ARRAY_KINDS, AWAKE_ONLY, HAS_END, ROLLOUT_ARRAYS, type RolloutArray, WEIGHT_AXES } from "../dump/arrays.ts";
import { awakeJob, replayJob } from "../dump/jobs.ts";
import { keptTimes, type RolloutHooks, runRollout, type Selection } from "../dump/rollout.ts";
import { EXIT, type ExitCode, UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { formatBytes, type PlanKind } from "../gpu/plan.ts";
import { type LoadedCheckpoint, loadCheckpoint } from "../io/checkpoint.ts";
import { requireFreeSpace } from "../io/disk.ts";
import { elementCount, formatShape } from "../io/npy.ts";
import { writeSafetensors } from "../io/safetensors.ts";
import { type ArrayBlock, blockBytes, type DeclaredArray, ShardWriter } from "../io/shards.ts";
import { ADAM } from "../kernels/gradients.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import { cellParams } from "../model/dynamics.ts";
import type { NetworkShape, NetworkTensors, TensorName } from "../model/parameters.ts";
import type { TrainSpec } from "../train/spec.ts";
import { Trainer, type TrainState } from "../train/trainer.ts";
import { modelOf, noteTask, replaySpecOf, trainSize, trainSpecOf } from "./experiment.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { compiling, openForVerb, planKindFor } from "./open.ts";
import { prepareOutput } from "./output.ts";
import type { DumpOptions, Io } from "./types.ts";
import { checkpointArrays, trainState } from "./weights.ts";

/** `W_*` → a test of names; several, separated by commas, are alternatives. */
export function nameTest(patterns: string): (name: string) => boolean {
  const one = (pattern: string) =>
    pattern
      .trim()
      .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*");
  const test = new RegExp(`^(?:${patterns.split(",").map(one).join("|")})$`);
  return (name) => test.test(name);
}

/** What of the run is dumped: resolved and checked options. */
interface Wanted {
  readonly config: ExperimentConfig;
  readonly conditions: readonly string[];
  readonly selection: Selection;
  readonly iterations: number;
}

const list = (items: readonly (string | number)[]) => items.join(", ");

/** @throws UsageError naming what there is */
function resolve(options: DumpOptions): Wanted {
  const { config } = options.config;
  const networks = options.networks ?? config.seeds.map((_, i) => i);
  const strange = networks.find((n) => !(Number.isInteger(n) && n >= 0 && n < config.seeds.length));
  if (strange !== undefined) {
    throw new UsageError(`--networks ${strange}: this run has networks 0 to ${config.seeds.length - 1}`);
  }
  const all = Object.keys(config.replay.conditions);
  const conditions = options.conditions ?? all;
  const unknown = conditions.find((name) => !all.includes(name));
  if (unknown !== undefined) throw new UsageError(`--conditions ${unknown}: this run has ${list(all)}`);
  const [row0, row1] = options.rows ?? [0, Number.POSITIVE_INFINITY];
  const { from = 0, to = Number.POSITIVE_INFINITY, every = 1 } = options;
  if (row1 <= row0) throw new UsageError(`--rows ${row0}:${row1}: the first must come before the end`);
  if (to < from) throw new UsageError(`--to ${to} comes before --from ${from}`);
  const wants = nameTest(options.include ?? "*");
  return {
    config,
    conditions: all.filter((name) => conditions.includes(name)),
    selection: { networks: [...networks].sort((a, b) => a - b), rows: [row0, row1], from, to, every, wants },
    iterations: options.iterations,
  };
}

const awakeName = (iterations: number, i: number): string => (iterations === 1 ? "awake" : `awake${i}`);

const weightShape = (shape: NetworkShape, name: TensorName, networks: number): number[] => {
  const { units: N, inputs: I, outputs: O, encoderInputs: E } = shape;
  const sizes = { unit: N, from: N, input: I, output: O, encoder: E, network: networks };
  return WEIGHT_AXES[name].map((axis) => sizes[axis]);
};

function rolloutShape(name: RolloutArray, shape: NetworkShape, s: Selection, steps: number, rows: number): number[] {
  const size = {
    network: s.networks.length,
    time: keptTimes(s, steps, HAS_END.includes(name)),
    row: Math.max(0, Math.min(rows, s.rows[1]) - s.rows[0]),
    unit: shape.units,
    input: shape.inputs,
    output: shape.outputs,
    encoder: shape.encoderInputs,
    xy: 2,
  };
  return ROLLOUT_ARRAYS[name].axes.map((axis) => size[axis as keyof typeof size]);
}

/** Every array of the dump with its shape, before anything is computed. */
function declare(w: Wanted, shape: NetworkShape): Record<string, DeclaredArray> {
  const out: Record<string, DeclaredArray> = {};
  const { selection: s, config, iterations } = w;
  const add = (name: string, axes: readonly string[], of: readonly number[]) => {
    if (s.wants(name) && elementCount(of) > 0) out[name] = { axes, shape: of };
  };
  for (const prefix of ["", "m_", "v_", "grad_", "end_"]) {
    for (const name of Object.keys(WEIGHT_AXES) as TensorName[]) {
      add(`${prefix}${name}`, WEIGHT_AXES[name], weightShape(shape, name, s.networks.length));
    }
  }
  for (const name of ["loss", "grad_norm"]) add(name, ["iteration", "network"], [iterations, s.networks.length]);
  const rollout = (prefix: string, awake: boolean, steps: number, rows: number) => {
    for (const name of Object.keys(ROLLOUT_ARRAYS) as RolloutArray[]) {
      if (!awake && AWAKE_ONLY.includes(name)) continue;
      add(`${prefix}_${name}`, ROLLOUT_ARRAYS[name].axes, rolloutShape(name, shape, s, steps, rows));
    }
  };
  for (let i = 0; i < iterations; i++) rollout(awakeName(iterations, i), true, config.task.steps, config.train.batch);
  for (const name of w.conditions) rollout(`replay_${name}`, false, config.replay.steps, config.replay.repeats);
  return out;
}

/** What the numbers mean: everything that NumPy needs to compute them again. */
function describe(w: Wanted, spec: TrainSpec, iteration: number): Record<string, unknown> {
  const { config, selection: s, iterations } = w;
  const cell = (step: TrainSpec["networks"][number]["step"]) => cellParams(step);
  const own = s.networks.map((n) => spec.networks[n] as TrainSpec["networks"][number]);
  const replays = replayConditions(config);
  const rate = (n: (typeof own)[number], i: number) => {
    const progress = spec.iterations > 1 ? i / (spec.iterations - 1) : 0;
    return n.learningRate + (n.finalLearningRate - n.learningRate) * progress;
  };
  return {
    versions: versions(),
    config,
    iteration,
    iterations,
    networks: s.networks,
    rows: [s.rows[0], Number.isFinite(s.rows[1]) ? s.rows[1] : null],
    time: { from: s.from, every: s.every },
    activation: config.rnn.activation,
    leakySlope: config.rnn.leakySlope,
    cell: {
      awake: own.map((n) => cell(n.step)),
      replay: Object.fromEntries(
        w.conditions.map((name) => [
          name,
          s.networks.map((n) => cell((replays[n] ?? []).find((c) => c.name === name)?.step as never)),
        ]),
      ),
    },
    training: {
      learningRate: Array.from({ length: iterations }, (_, i) => own.map((n) => rate(n, iteration + i))),
      clipNorm: spec.clipNorm,
      l2Activity: spec.l2Activity,
      ...ADAM,
    },
  };
}

type Put = (array: string, data: readonly Float32Array[]) => void;

/** Hands whole tensors over, one entry a network. */
function putter(w: Wanted, declared: Readonly<Record<string, DeclaredArray>>, emit: (b: ArrayBlock) => void): Put {
  return (array, perNetwork) => {
    const whole = declared[array];
    if (!whole) return;
    w.selection.networks.forEach((network, i) => {
      const shape = [1, ...whole.shape.slice(1)];
      const origin = [i, ...shape.slice(1).map(() => 0)];
      emit({ array, origin, shape, data: perNetwork[network] as Float32Array });
    });
  };
}

const putTensors = (put: Put, prefix: string, networks: readonly NetworkTensors[]) => {
  for (const name of Object.keys(WEIGHT_AXES) as TensorName[]) {
    put(
      `${prefix}${name}`,
      networks.map((n) => n[name]),
    );
  }
};

/** Weights, gradients and awake batches of the iterations, and what the weights are after them. */
async function dumpTraining(
  gpu: Gpu,
  trainer: Trainer,
  w: Wanted,
  declared: Readonly<Record<string, DeclaredArray>>,
  emit: (b: ArrayBlock) => void,
  hooks: RolloutHooks,
): Promise<void> {
  const { spec } = trainer;
  const put = putter(w, declared, emit);
  const records = recordLayouts(gpu.options.readShader);
  const has = (test: (name: string) => boolean) => Object.keys(declared).some(test);
  const train = has((name) => /^(end_|grad_|loss$)/.test(name));
  const start = await trainer.state();
  const arrays = checkpointArrays(spec.model, start);
  putTensors(put, "", arrays.weights);
  putTensors(put, "m_", arrays.m);
  putTensors(put, "v_", arrays.v);
  for (let i = 0; i < w.iterations; i++) {
    const name = awakeName(w.iterations, i);
    if (train) {
      const { loss, gradNorm } = await trainer.probe(await trainer.state(), hooks.onCompile);
      const once = (array: string, values: readonly number[]) => {
        if (!declared[array]) return;
        const data = Float32Array.from(w.selection.networks, (n) => values[n] as number);
        emit({ array, origin: [i, 0], shape: [1, data.length], data });
      };
      once("loss", loss);
      once("grad_norm", gradNorm);
      if (i === 0 && has((array) => array.startsWith("grad_W") || array.startsWith("grad_b"))) {
        putTensors(put, "grad_", checkpointArrays(spec.model, await gradients(gpu, trainer, start)).weights);
      }
    }
    if (has((array) => array.startsWith(`${name}_`))) {
      const job = awakeJob(spec, { name, iteration: trainer.iteration, adapter: adapterSpec(gpu), records });
      await runRollout(gpu, job, trainer.buffers, w.selection, emit, hooks);
    }
    if (train) await trainer.run({ until: trainer.iteration + 1, signal: hooks.signal as AbortSignal });
  }
  if (has((array) => array.startsWith("end_"))) {
    putTensors(put, "end_", checkpointArrays(spec.model, await trainer.state()).weights);
  }
}

/** The gradient that a probe left on the device, in the place of the weights. */
async function gradients(gpu: Gpu, trainer: Trainer, like: TrainState): Promise<TrainState> {
  const weights = await gpu.readF32(trainer.buffers.get("grads") as never, 0, like.weights.byteLength);
  return { ...like, weights };
}

function checkpointOf(options: DumpOptions, io: Io): LoadedCheckpoint | null {
  return options.fresh ? null : loadCheckpoint(options.checkpoint ?? options.run, io.note);
}

/** Only weights: no GPU. */
function writeWeights(path: string, checkpoint: LoadedCheckpoint, w: Wanted, declared: Record<string, DeclaredArray>) {
  const tensors: Record<string, { data: Float32Array; shape: readonly number[] }> = {};
  const put = putter(w, declared, ({ array, origin, data }) => {
    const { shape } = declared[array] as DeclaredArray;
    tensors[array] ??= { data: new Float32Array(elementCount(shape)), shape };
    tensors[array].data.set(data, (origin[0] as number) * data.length);
  });
  putTensors(put, "", checkpoint.arrays.weights);
  putTensors(put, "m_", checkpoint.arrays.m);
  putTensors(put, "v_", checkpoint.arrays.v);
  writeSafetensors(path, tensors, {
    format: "pt",
    iteration: String(checkpoint.meta.iteration),
    config: JSON.stringify(w.config),
  });
}

const STATIC = /^((m|v)_)?(W_(rec|in|out|enc)|b(_out|_enc)?)$/;

function describeArrays(declared: Readonly<Record<string, DeclaredArray>>): string {
  return Object.entries(declared)
    .map(([name, { axes, shape }]) => `  ${name} ${formatShape(shape)}: ${axes.join(", ")}`)
    .join("\n");
}

export async function runDump(options: DumpOptions, io: Io): Promise<ExitCode> {
  const w = resolve(options);
  const { config } = w;
  noteTask(config, io);
  const model = modelOf(config);
  const checkpoint = checkpointOf(options, io);
  const safetensors = options.format === "safetensors";
  const wanted = declare(w, model.shape);
  const declared = safetensors
    ? Object.fromEntries(Object.entries(wanted).filter(([name]) => STATIC.test(name)))
    : wanted;
  if (Object.keys(declared).length === 0) {
    throw new UsageError(
      `--include ${options.include}: no such array; there are ${list(ARRAY_KINDS.map((k) => k.name))}`,
    );
  }
  prepareOutput(options.out);
  const bytes = Object.values(declared).reduce((sum, a) => sum + blockBytes(a.shape, options.dtype), 0);
  requireFreeSpace(dirname(options.out), bytes);
  const done = (files: readonly string[]): ExitCode => {
    io.out(
      io.json
        ? JSON.stringify({ files, bytes, arrays: declared })
        : `${files.length > 2 ? `${files.length} files, ${files.at(-1)}` : list(files)}: ${formatBytes(bytes)}\n${describeArrays(declared)}`,
    );
    return EXIT.ok;
  };
  if (safetensors) {
    if (!checkpoint) throw new UsageError("--format safetensors writes trained weights: leave out --fresh");
    writeWeights(options.out, checkpoint, w, declared);
    return done([options.out]);
  }
  const gpu = await openForVerb(options, io);
  try {
    const kind = planKindFor(gpu, options, trainSize(config));
    return done(await dumpOn(gpu, kind, w, declared, checkpoint, options, io));
  } finally {
    await gpu.close();
  }
}

async function dumpOn(
  gpu: Gpu,
  kind: PlanKind,
  w: Wanted,
  declared: Readonly<Record<string, DeclaredArray>>,
  checkpoint: LoadedCheckpoint | null,
  options: DumpOptions,
  io: Io,
): Promise<readonly string[]> {
  const { config } = w;
  const spec = trainSpecOf(config, kind);
  const iteration = checkpoint?.meta.iteration ?? 0;
  const manifest = { ...describe(w, spec, iteration), ...gpuFacts(gpu) };
  const writer = new ShardWriter(options.out, declared, manifest, { dtype: options.dtype });
  const trainer = await Trainer.create(gpu, spec);
  try {
    const state = checkpoint && trainState(spec.model, checkpoint.arrays, iteration, checkpoint.meta.status);
    if (state) trainer.load(state);
    const emit = (block: ArrayBlock) => writer.put(block);
    const hooks: RolloutHooks = {
      signal: io.signal,
      onCompile: compiling(io),
      onWindow: (n, of) => {
        if (n === 1) io.progress.start("dumping", of, "windows");
        io.progress.update(n);
      },
    };
    const began = performance.now();
    // Before the training steps, which change the weights.
    if (Object.keys(declared).some((name) => name.startsWith("replay_"))) {
      const replay = replaySpecOf(config, kind, null);
      if (config.replay.start === "awakeEnd") {
        throw new UsageError("replays from awake end states cannot be dumped; add --set replay.start=encoded");
      }
      const o = { adapter: adapterSpec(gpu), records: recordLayouts(gpu.options.readShader) };
      const job = replayJob(replay, Object.keys(config.replay.conditions), o);
      // A condition that is left out is not even declared.
      const wants = (name: string) => Object.hasOwn(declared, name);
      await runRollout(gpu, job, trainer.buffers, { ...w.selection, wants }, emit, hooks);
    }
    await dumpTraining(gpu, trainer, w, declared, emit, hooks);
    writer.close();
    io.progress.done(`dumped in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return writer.files;
  } catch (error) {
    writer.abort();
    throw error;
  } finally {
    trainer.destroy();
  }
}
