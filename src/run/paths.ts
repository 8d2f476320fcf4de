/** `reverie paths`: dumps generated awake trajectories. */

import { dirname } from "node:path";
import { networkShape } from "../config/resolve.ts";
import { EXIT, type ExitCode } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { requireFreeSpace } from "../io/disk.ts";
import { writeNpz } from "../io/npz.ts";
import { generatePaths } from "../task/generate.ts";
import { type PathTask, pathShape } from "../task/paths.ts";
import { describeStatistics, pathStatistics } from "../task/statistics.ts";
import type { TensorsTask } from "../task/tensors.ts";
import { givenTrials } from "../train/given-trials.ts";
import type { TrainSpec } from "../train/spec.ts";
import { noteTask, trainSpecOf } from "./experiment.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { requireMemory } from "./needs.ts";
import { openForVerb } from "./open.ts";
import { prepareOutput } from "./output.ts";
import type { Io, PathsOptions } from "./types.ts";

const unitsOf = (task: PathTask) =>
  task.kind === "headDirection"
    ? { positions: "on the unit circle", input: "mean turns" }
    : { positions: "m", input: "mean step lengths" };

/** What the cells add to the last line. */
const ofCells = (shapes: { readonly rates?: readonly number[]; readonly code_input?: readonly number[] }): string =>
  `${shapes.rates ? `, rates (${shapes.rates.join(", ")})` : ""}${shapes.code_input ? `, code_input (${shapes.code_input.join(", ")}): what the network sees` : ""}`;

/** Of given tensors: which trials they are, and their inputs as every network sees them; the rest stands in the file. */
async function writeTrials(
  gpu: Gpu,
  spec: TrainSpec,
  task: TensorsTask,
  { config: { config }, batch, stream, out }: PathsOptions,
  io: Io,
): Promise<ExitCode> {
  const { trials, u } = await givenTrials(gpu, spec, task, batch, stream);
  const shapes = { trials: [batch], u: [spec.networks.length, task.steps, batch, task.inputs] };
  const manifest = { versions: versions(), ...gpuFacts(gpu), config, stream };
  writeNpz(out, {
    trials: { data: Int32Array.from(trials), shape: shapes.trials },
    u: { data: u, shape: shapes.u },
    manifest: { data: new TextEncoder().encode(JSON.stringify(manifest)) },
  });
  const shown = (name: keyof typeof shapes): string => `${name} (${shapes[name].join(", ")})`;
  io.out(
    io.json
      ? JSON.stringify({ out, shapes })
      : `${out}: ${shown("trials")}, places in ${config.task.kind === "tensors" ? config.task.path : "the file"}; ${shown("u")}, 0 where masked; axes: network, time, row, input`,
  );
  return EXIT.ok;
}

export async function runPaths(options: PathsOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  prepareOutput(options.out);
  const { cells, input: kind } = config.task;
  const code = cells === null ? 0 : cells.count * (kind === "codeDelta" ? 2 : 1);
  const width = config.task.kind === "tensors" ? networkShape(config).inputs : 4 + code;
  const floats = config.seeds.length * options.batch * (width * (config.task.steps + 1));
  requireMemory("the trajectories", 4 * floats, "use a smaller --batch, fewer steps or fewer networks");
  requireFreeSpace(dirname(options.out), 4 * floats);
  noteTask(config, io);
  const gpu = await openForVerb(options, io);
  try {
    const spec = trainSpecOf(config, "step");
    const { task } = spec;
    if (task.kind === "tensors") return await writeTrials(gpu, spec, task, options, io);
    const { positions, input, rates, codeInput } = await generatePaths(gpu, {
      model: spec.model,
      networks: spec.networks,
      task,
      code: spec.code ?? null,
      maskRandom: spec.maskRandom,
      steps: spec.steps,
      batch: options.batch,
      stream: options.stream,
      iteration: 0,
    });
    const [S, T, B, I] = [spec.networks.length, spec.steps, options.batch, pathShape(task).inputs];
    const O = spec.model.shape.outputs;
    const units = unitsOf(task);
    const statistics = pathStatistics(positions, input, { networks: S, steps: T, batch: B, inputs: I });
    const manifest = {
      versions: versions(),
      ...gpuFacts(gpu),
      config,
      stream: options.stream,
      units,
      statistics,
    };
    const shapes = {
      positions: [S, T + 1, B, 2],
      input: [S, T, B, I],
      ...(rates ? { rates: [S, T + 1, B, O] } : {}),
      ...(codeInput ? { code_input: [S, T, B, O] } : {}),
    };
    writeNpz(options.out, {
      positions: { data: positions, shape: shapes.positions },
      input: { data: input, shape: shapes.input },
      ...(rates && shapes.rates ? { rates: { data: rates, shape: shapes.rates } } : {}),
      ...(codeInput && shapes.code_input ? { code_input: { data: codeInput, shape: shapes.code_input } } : {}),
      manifest: { data: new TextEncoder().encode(JSON.stringify(manifest)) },
    });
    const describe = (name: "positions" | "input"): string => `${name} (${shapes[name].join(", ")}) ${units[name]}`;
    io.out(
      io.json
        ? JSON.stringify({ out: options.out, shapes, statistics })
        : `${describeStatistics(statistics, units.positions === "m" ? " m" : "")}\n${options.out}: ${describe("positions")}, ${describe("input")}${ofCells(shapes)}; axes: network, time, row, ${I === 1 ? "cos sin or turn" : "x y"}`,
    );
    return EXIT.ok;
  } finally {
    await gpu.close();
  }
}
