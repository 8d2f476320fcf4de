/** Claim 3: temporal compression, against experience and against replay without momentum. */
import { compressionFigures } from "../compression/figures.ts";
import { compressionClaims } from "../compression/judge.ts";
import { type CompressionTask, measureCompression } from "../compression/measure.ts";
import type { Experiment } from "../experiment.ts";

export const compression: Experiment<readonly CompressionTask[]> = {
  name: "compression",
  title: "compression: how much faster than experience replays run",
  needs: ({ compression: { tasks } }) => ({ families: tasks }),
  async measure(lab) {
    const tasks: CompressionTask[] = [];
    for (const task of lab.protocol.compression.tasks) tasks.push(await measureCompression(lab, task));
    return tasks;
  },
  judge: compressionClaims,
  figures: compressionFigures,
};
