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

export async function runPaths(options: PathsOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  prepareOutput(options.out);
  const floats = config.seeds.length * options.batch * (4 * config.task.steps + 2);
  requireMemory("the trajectories", 4 * floats, "use a smaller --batch, fewer steps or fewer networks");
  requireFreeSpace(dirname(options.out), 4 * floats);
  noteTask(config, io);
  const gpu = await openForVerb(options, io);
  try {
    const spec = trainSpecOf(config, "step");
    const { positions, input } = await generatePaths(gpu, {
      model: spec.model,
      networks: spec.networks,
      task: spec.task,
      maskRandom: spec.maskRandom,
      steps: spec.steps,
      batch: options.batch,
      stream: options.stream,
      iteration: 0,
    });
    const [S, T, B, I] = [spec.networks.length, spec.steps, options.batch, pathShape(spec.task).inputs];
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
    writeNpz(options.out, {
      positions: { data: positions, shape: [S, T + 1, B, 2] },
      input: { data: input, shape: [S, T, B, I] },
      manifest: { data: new TextEncoder().encode(JSON.stringify(manifest)) },
    });
    const shapes = { positions: [S, T + 1, B, 2], input: [S, T, B, I] };
    const describe = (name: "positions" | "input"): string => `${name} (${shapes[name].join(", ")}) ${units[name]}`;
    io.out(
      io.json
        ? JSON.stringify({ out: options.out, shapes, statistics })
        : `${describeStatistics(statistics, units.positions === "m" ? " m" : "")}\n${options.out}: ${describe("positions")}, ${describe("input")}; axes: network, time, row, ${I === 1 ? "cos sin or turn" : "x y"}`,
    );
    return EXIT.ok;
  } finally {
    await gpu.close();
  }
}
