/** `reverie evaluate`: the model, and its gradients, on somebody else's tensors. */

import { DataError, EXIT, type ExitCode } from "../errors.ts";
import { type EvaluateInput, type EvaluateOutput, evaluateModel } from "../evaluate/evaluate.ts";
import { writeJson } from "../io/json.ts";
import { type ArrayToWrite, expectArray, type Npz, readNpz, writeNpz } from "../io/npz.ts";
import { type NetworkTensors, TENSOR_NAMES } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { openForVerb, planKindFor } from "./open.ts";
import { prepareOutput } from "./output.ts";
import type { EvaluateOptions, Io } from "./types.ts";

/** Letters of a shape: the same size wherever they occur. */
const SHAPES = {
  W_rec: ["N", "N"],
  W_in: ["N", "I"],
  b: ["N"],
  W_out: ["O", "N"],
  b_out: ["O"],
  W_enc: ["N", "E"],
  b_enc: ["N"],
  e0: ["B", "E"],
  u: ["T", "B", "I"],
  mask: ["T", "B"],
  noise: ["T", "B", "N"],
  target: ["T", "B", "O"],
} as const;

type Sizes = Record<"N" | "I" | "O" | "E" | "T" | "B", number>;

type Name = keyof typeof SHAPES;

const OPTIONAL: readonly Name[] = ["mask", "noise", "target"];

/** @throws DataError naming file, array, expected and found */
function readCase(
  path: string,
  note: (line: string) => void,
): { arrays: Record<Name, Float32Array | undefined>; sizes: Sizes } {
  const npz: Npz = readNpz(path);
  const sizes: Record<string, number> = {};
  const arrays = {} as Record<Name, Float32Array | undefined>;
  const rounded: string[] = [];
  for (const [name, shape] of Object.entries(SHAPES) as [Name, readonly string[]][]) {
    if (OPTIONAL.includes(name) && !npz.has(name)) continue;
    arrays[name] = expectArray(npz, name, { dtype: "float32", shape, sizes }, () => rounded.push(name));
    if (arrays[name].length === 0) {
      throw new DataError(`${path}: ${name}: holds nothing; every size of a case must be at least 1`);
    }
  }
  if (rounded.length > 0) note(`${path}: float64 rounded to float32: ${rounded.join(", ")}`);
  const others = [...npz.keys()].filter((name) => !Object.hasOwn(SHAPES, name));
  // A case whose target is called `targets` would otherwise lose its loss without a word.
  if (others.length > 0) note(`${path}: not read: ${others.join(", ")}; a case has ${Object.keys(SHAPES).join(", ")}`);
  return { arrays, sizes: sizes as Sizes };
}

function arraysOf(out: EvaluateOutput, s: Sizes): Record<string, ArrayToWrite> {
  const states = [s.T + 1, s.B, s.N];
  const arrays: Record<string, ArrayToWrite> = {
    r: { data: out.r, shape: states },
    v: { data: out.v, shape: states },
    c: { data: out.c, shape: states },
    y: { data: out.y, shape: [s.T, s.B, s.O] },
  };
  if (out.loss !== null && out.grads) {
    arrays.loss = { data: Float32Array.of(out.loss), shape: [] };
    for (const name of TENSOR_NAMES) {
      const shape = SHAPES[name].map((letter) => s[letter]);
      arrays[`grad_${name}`] = { data: out.grads[name], shape };
    }
  }
  return arrays;
}

export async function runEvaluate(options: EvaluateOptions, io: Io): Promise<ExitCode> {
  const { arrays, sizes } = readCase(options.case, io.note);
  const { settings } = options;
  prepareOutput(options.out);
  const gpu = await openForVerb(options, io);
  try {
    const kind = planKindFor(gpu, options, { units: sizes.N, rows: paddedRows(sizes.B) });
    const input: EvaluateInput = {
      shape: { units: sizes.N, inputs: sizes.I, outputs: sizes.O, encoderInputs: sizes.E },
      weights: Object.fromEntries(TENSOR_NAMES.map((name) => [name, arrays[name]])) as NetworkTensors,
      activation: settings.activation,
      leakySlope: settings.leakySlope,
      step: { ...settings, noiseStd: 1, noiseScale: 1, noiseFriction: false },
      steps: sizes.T,
      batch: sizes.B,
      e0: arrays.e0 as Float32Array,
      u: arrays.u as Float32Array,
      mask: arrays.mask,
      noise: arrays.noise,
      target: arrays.target,
      l2Activity: settings.l2Activity,
      kind,
    };
    const out = await evaluateModel(gpu, input);
    const manifest = {
      versions: versions(),
      ...gpuFacts(gpu),
      case: options.case,
      settings,
      sizes,
      plan: { kind, chunks: out.chunks },
      // The kernels of training and replay, and how often each ran.
      dispatches: out.dispatches,
      ...(out.loss === null ? {} : { loss: out.loss }),
    };
    writeNpz(options.out, {
      ...arraysOf(out, sizes),
      manifest: { data: new TextEncoder().encode(JSON.stringify(manifest)) },
    });
    writeJson(`${options.out.replace(/\.npz$/, "")}.manifest.json`, manifest);
    io.out(
      io.json
        ? JSON.stringify({ out: options.out, ...manifest })
        : `${options.out}: T=${sizes.T} B=${sizes.B} N=${sizes.N} I=${sizes.I} O=${sizes.O} E=${sizes.E}${out.loss === null ? "" : `, loss ${out.loss}`}`,
    );
    return EXIT.ok;
  } finally {
    await gpu.close();
  }
}
