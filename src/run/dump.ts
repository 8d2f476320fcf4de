/** `reverie dump`: any tensor of a run, for NumPy and PyTorch. Streams: memory is that of one window of steps. */
import { dirname } from "node:path";
import type { ExperimentConfig } from "../config/schema.ts";
import { ARRAY_KINDS } from "../dump/arrays.ts";
import { replayJob } from "../dump/jobs.ts";
import { type DumpTimes, type RolloutHooks, runRollout } from "../dump/rollout.ts";
import { EXIT, type ExitCode, UsageError } from "../errors.ts";
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import { formatBytes, type PlanKind } from "../gpu/plan.ts";
import { type LoadedCheckpoint, loadCheckpoint } from "../io/checkpoint.ts";
import { requireFreeSpace } from "../io/disk.ts";
import { elementCount, formatShape } from "../io/npy.ts";
import { writeSafetensors } from "../io/safetensors.ts";
import { blockBytes, type DeclaredArray, ONE_FILE_BYTES, ShardWriter } from "../io/shards.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec } from "../kernels/spec.ts";
import { testBatch } from "../train/test-batch.ts";
import { Trainer } from "../train/trainer.ts";
import { dumpTraining, type Emit, needsTrainer, putState, tensorPutter } from "./dump-training.ts";
import { type Declared, declare, describe, resolve, type Wanted } from "./dump-wanted.ts";
import { noteTask, replaySpecOf, trainSize, trainSpecOf } from "./experiment.ts";
import { gpuFacts } from "./manifest.ts";
import { compiling, openForVerb, planKindFor } from "./open.ts";
import { prepareOutput } from "./output.ts";
import type { DumpOptions, Io } from "./types.ts";
import { trainState, uploadWeights } from "./weights.ts";

/** Where the time went; `finish` is the last file on its way to the disk. */
interface DumpSeconds extends Readonly<DumpTimes> {
  readonly finish: number;
  readonly total: number;
}

interface Dumped {
  readonly files: readonly string[];
  readonly seconds?: DumpSeconds;
}

/** All that a dump is made from, but the GPU. */
interface Source extends Wanted {
  readonly declared: Declared;
  readonly checkpoint: LoadedCheckpoint | null;
  readonly options: DumpOptions;
}

function writeWeights(path: string, checkpoint: LoadedCheckpoint, s: Source): Dumped {
  const tensors: Record<string, { data: Float32Array; shape: readonly number[] }> = {};
  const put = tensorPutter(s, s.declared, ({ array, origin, data }) => {
    const { shape } = s.declared[array] as DeclaredArray;
    tensors[array] ??= { data: new Float32Array(elementCount(shape)), shape };
    tensors[array].data.set(data, (origin[0] as number) * data.length);
  });
  putState(put, checkpoint.arrays);
  writeSafetensors(path, tensors, {
    format: "pt",
    iteration: String(checkpoint.meta.iteration),
    config: JSON.stringify(s.config),
  });
  return { files: [path] };
}

const STATIC = /^((m|v)_)?(W_(rec|in|out|enc)|b(_out|_enc)?)$/;

function describeArrays(declared: Declared): string {
  return Object.entries(declared)
    .map(([name, { axes, shape }]) => `  ${name} ${formatShape(shape)}: ${axes.join(", ")}`)
    .join("\n");
}

async function dumpFrom(s: Source, io: Io): Promise<Dumped> {
  const { checkpoint, options } = s;
  if (checkpoint && options.format === "safetensors") return writeWeights(options.out, checkpoint, s);
  if (checkpoint && Object.keys(s.declared).every((name) => STATIC.test(name))) return dumpStored(s, checkpoint);
  return await dumpOnGpu(s, io);
}

export async function runDump(options: DumpOptions, io: Io): Promise<ExitCode> {
  const w = resolve(options);
  noteTask(w.config, io);
  const checkpoint = options.fresh ? null : loadCheckpoint(options.checkpoint ?? options.run, io.note);
  const safetensors = options.format === "safetensors";
  if (safetensors && !checkpoint)
    throw new UsageError("--format safetensors writes trained weights: leave out --fresh");
  const wanted = Object.entries(declare(w, trainSpecOf(w.config, "step")));
  const declared = Object.fromEntries(safetensors ? wanted.filter(([name]) => STATIC.test(name)) : wanted);
  if (Object.keys(declared).length === 0) {
    const all = ARRAY_KINDS.map((k) => k.name).join(", ");
    throw new UsageError(`--include ${options.include}: no such array; there are ${all}`);
  }
  prepareOutput(options.out);
  const bytes = Object.values(declared).reduce((sum, a) => sum + blockBytes(a.shape, options.dtype), 0);
  requireFreeSpace(dirname(options.out), bytes);
  const source = { ...w, declared, checkpoint, options };
  const dumped = await dumpFrom(source, io);
  const { files } = dumped;
  io.out(
    io.json
      ? JSON.stringify({ ...dumped, bytes, arrays: declared })
      : `${files.length > 2 ? `${files.length} files, ${files.at(-1)}` : files.join(", ")}: ${formatBytes(bytes)}\n${describeArrays(declared)}`,
  );
  return EXIT.ok;
}

const iterationOf = ({ checkpoint }: Source): number => checkpoint?.meta.iteration ?? 0;

function shardWriter(s: Source, manifest: Readonly<Record<string, unknown>>): ShardWriter {
  const { out, dtype, shardBytes } = s.options;
  const shards = shardBytes === undefined ? {} : { shardBytes, oneFileBytes: Math.min(shardBytes, ONE_FILE_BYTES) };
  return new ShardWriter(out, s.declared, manifest, { dtype, ...shards });
}

/** What a checkpoint holds needs no GPU. */
function dumpStored(s: Source, { arrays }: LoadedCheckpoint): Dumped {
  const writer = shardWriter(s, describe(s, trainSpecOf(s.config, "step"), iterationOf(s)));
  putState(
    tensorPutter(s, s.declared, (block) => writer.put(block)),
    arrays,
  );
  writer.close();
  return { files: writer.files };
}

async function dumpOnGpu(source: Source, io: Io): Promise<Dumped> {
  const gpu = await openForVerb(source.options, io);
  try {
    return await dumpOn(gpu, planKindFor(gpu, source.options, trainSize(source.config)), source, io);
  } finally {
    await gpu.close();
  }
}

/** (S, repeats, N) to start replays from: where the awake test trajectories end, or null for encoded starts. */
async function startStates(
  gpu: Gpu,
  kind: PlanKind,
  config: ExperimentConfig,
  trained: ReadonlyMap<string, DeviceBuffer>,
  hooks: RolloutHooks,
): Promise<Float32Array | null> {
  if (config.replay.start !== "awakeEnd") return null;
  const { onCompile, signal } = hooks;
  const options = { keep: true, ...(onCompile ? { onCompile } : {}), ...(signal ? { signal } : {}) };
  const records = recordLayouts(gpu.options.readShader);
  return (await testBatch(gpu, trainSpecOf(config, kind), trained, records, config.replay.repeats, options)).last;
}

async function dumpReplays(
  gpu: Gpu,
  kind: PlanKind,
  { config, selection: given, declared }: Source,
  trained: ReadonlyMap<string, DeviceBuffer>,
  emit: Emit,
  hooks: RolloutHooks,
): Promise<void> {
  if (!Object.keys(declared).some((name) => name.startsWith("replay_"))) return;
  const spec = replaySpecOf(config, kind, await startStates(gpu, kind, config, trained, hooks));
  // A condition that is left out is not even declared.
  const selection = { ...given, wants: (name: string) => Object.hasOwn(declared, name) };
  const context = { selection, adapter: adapterSpec(gpu), records: recordLayouts(gpu.options.readShader) };
  const job = replayJob(spec, Object.keys(config.replay.conditions), context);
  await runRollout(gpu, job, trained, selection, emit, hooks);
}

async function dumpOn(gpu: Gpu, kind: PlanKind, s: Source, io: Io): Promise<Dumped> {
  const { config, checkpoint, declared } = s;
  const spec = trainSpecOf(config, kind);
  const iteration = iterationOf(s);
  const writer = shardWriter(s, { ...describe(s, spec, iteration), ...gpuFacts(gpu) });
  const emit: Emit = (block) => writer.put(block);
  const times: DumpTimes = { compute: 0, readback: 0, write: 0 };
  const hooks: RolloutHooks = {
    times,
    signal: io.signal,
    onCompile: compiling(io),
    onWindow: (n, of) => {
      if (n === 1) io.progress.start("dumping", of, "windows");
      io.progress.update(n);
    },
  };
  const began = performance.now();
  let trainer: Trainer | null = null;
  try {
    if (checkpoint && !needsTrainer(declared)) {
      putState(tensorPutter(s, declared, emit), checkpoint.arrays);
      await dumpReplays(gpu, kind, s, uploadWeights(gpu, spec.model, checkpoint.arrays.weights), emit, hooks);
    } else {
      trainer = await Trainer.create(gpu, spec);
      const state = checkpoint && trainState(spec.model, checkpoint.arrays, iteration, checkpoint.meta.status);
      if (state) trainer.load(state);
      // Before the training steps, which change the weights.
      await dumpReplays(gpu, kind, s, trainer.buffers, emit, hooks);
      await dumpTraining(gpu, trainer, s, declared, emit, hooks);
    }
    const written = performance.now();
    writer.close();
    const [finish, total] = [written, began].map((since) => (performance.now() - since) / 1000) as [number, number];
    const split = Object.entries({ ...times, finish }).map(([what, seconds]) => `${what} ${seconds.toFixed(1)}`);
    io.progress.done(`dumped in ${total.toFixed(1)} s (${split.join(", ")})`);
    return { files: writer.files, seconds: { ...times, finish, total } };
  } catch (error) {
    writer.abort();
    throw error;
  } finally {
    trainer?.destroy();
  }
}
