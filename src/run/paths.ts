/** `reverie paths`: dumps generated awake trajectories. */

import { dirname } from "node:path";
import { EXIT, type ExitCode } from "../errors.ts";
import { requireFreeSpace } from "../io/disk.ts";
import { writeNpz } from "../io/npz.ts";
import { generatePaths } from "../task/generate.ts";
import { type PathTask, pathShape } from "../task/paths.ts";
import { describeStatistics, pathStatistics } from "../task/statistics.ts";
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

export async function runPaths(options: PathsOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  prepareOutput(options.out);
  const code = config.task.cells === null ? 0 : config.task.cells.count * (config.task.input === "codeDelta" ? 2 : 1);
  const floats = config.seeds.length * options.batch * ((4 + code) * (config.task.steps + 1));
  requireMemory("the trajectories", 4 * floats, "use a smaller --batch, fewer steps or fewer networks");
  requireFreeSpace(dirname(options.out), 4 * floats);
  noteTask(config, io);
  const gpu = await openForVerb(options, io);
  try {
    const spec = trainSpecOf(config, "step");
    const { positions, input, rates, codeInput } = await generatePaths(gpu, {
      model: spec.model,
      networks: spec.networks,
      task: spec.task,
      code: spec.code ?? null,
      maskRandom: spec.maskRandom,
      steps: spec.steps,
      batch: options.batch,
      stream: options.stream,
      iteration: 0,
    });
    const [S, T, B, I] = [spec.networks.length, spec.steps, options.batch, pathShape(spec.task).inputs];
    const O = spec.model.shape.outputs;
    const units = unitsOf(spec.task);
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
