/** What a dump is to hold: options resolved, every array with its shape, and what the numbers mean. No GPU. */
import { replayConditions } from "../config/resolve.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { AWAKE_ONLY, CELLS_ONLY, HAS_END, ROLLOUT_ARRAYS, type RolloutArray, WEIGHT_AXES } from "../dump/arrays.ts";
import { keptRows, keptTimes, type Selection } from "../dump/selection.ts";
import { UsageError } from "../errors.ts";
import { elementCount } from "../io/npy.ts";
import type { DeclaredArray } from "../io/shards.ts";
import { ADAM } from "../kernels/gradients.ts";
import { cellParams } from "../model/dynamics.ts";
import type { NetworkShape, TensorName } from "../model/parameters.ts";
import { TrialOrder, tensorWidth } from "../task/tensors.ts";
import type { TrainSpec } from "../train/spec.ts";
import { versions } from "./manifest.ts";
import type { DumpOptions } from "./types.ts";

export type Declared = Readonly<Record<string, DeclaredArray>>;

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
export interface Wanted {
  readonly config: ExperimentConfig;
  readonly conditions: readonly string[];
  readonly selection: Selection;
  readonly iterations: number;
}

const list = (items: readonly (string | number)[]) => items.join(", ");

/** @throws UsageError naming what there is */
export function resolve(options: DumpOptions): Wanted {
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

export const awakeName = (iterations: number, i: number): string => (iterations === 1 ? "awake" : `awake${i}`);

const weightShape = (shape: NetworkShape, name: TensorName, networks: number): number[] => {
  const { units: N, inputs: I, outputs: O, encoderInputs: E } = shape;
  const sizes = { unit: N, from: N, input: I, output: O, encoder: E, network: networks };
  return WEIGHT_AXES[name].map((axis) => sizes[axis]);
};

function rolloutShape(
  name: RolloutArray,
  shape: NetworkShape,
  s: Selection,
  steps: number,
  rows: number,
  own: { readonly xy: number; readonly mask: number },
): number[] {
  const size = {
    network: s.networks.length,
    time: keptTimes(s, steps, HAS_END.includes(name)),
    row: keptRows(s, rows),
    unit: shape.units,
    input: shape.inputs,
    output: name === "mask" ? own.mask : shape.outputs,
    encoder: shape.encoderInputs,
    xy: own.xy,
  };
  return ROLLOUT_ARRAYS[name].axes.map((axis) => size[axis as keyof typeof size]);
}

/** Every array of the dump with its shape, before anything is computed. */
export function declare(w: Wanted, { task, model: { shape } }: TrainSpec): Record<string, DeclaredArray> {
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
  // Given trials have no positions.
  const own = task.kind === "tensors" ? { xy: 0, mask: tensorWidth(task, "mask") } : { xy: 2, mask: 0 };
  for (const name of ["loss", "grad_norm"]) add(name, ["iteration", "network"], [iterations, s.networks.length]);
  const rollout = (prefix: string, awake: boolean, steps: number, rows: number) => {
    for (const name of Object.keys(ROLLOUT_ARRAYS) as RolloutArray[]) {
      if (!awake && AWAKE_ONLY.includes(name)) continue;
      if (config.task.cells === null && CELLS_ONLY.includes(name)) continue;
      add(`${prefix}_${name}`, ROLLOUT_ARRAYS[name].axes, rolloutShape(name, shape, s, steps, rows, own));
    }
  };
  for (let i = 0; i < iterations; i++) rollout(awakeName(iterations, i), true, config.task.steps, config.train.batch);
  for (const name of w.conditions) rollout(`replay_${name}`, false, config.replay.steps, config.replay.repeats);
  return out;
}

/** Of given tensors, which trials of the file the rows of each dumped iteration take, and those of the replays. */
function trialsOfDump({ iterations, config, selection: s }: Wanted, spec: TrainSpec, iteration: number) {
  const { task, model, batch } = spec;
  if (task.kind !== "tensors") return {};
  const order = new TrialOrder(task, model.rootSeed);
  const own = (trials: Uint32Array): number[] => [...trials.subarray(s.rows[0], s.rows[1])];
  return {
    trials: Array.from({ length: iterations }, (_, i) => own(order.training(iteration + i, batch))),
    replayTrials: own(order.test(config.replay.repeats)),
  };
}

/** What the numbers mean: everything that NumPy needs to compute them again. */
export function describe(w: Wanted, spec: TrainSpec, iteration: number): Record<string, unknown> {
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
    ...trialsOfDump(w, spec, iteration),
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
