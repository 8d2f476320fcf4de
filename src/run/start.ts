/** `reverie start`, the main job: train, replay every condition, measure, report. */

import { join } from "node:path";
import { EXIT, type ExitCode } from "../errors.ts";
import { openRunDirectory } from "../io/run-dir.ts";
import { metricRows } from "../metrics/csv.ts";
import { summaryTable } from "../report/terminal.ts";
import { checkTask, noteTask, trainSize } from "./experiment.ts";
import { requireReplayFits, requireReplaySpace, requireTrainingSpace } from "./needs.ts";
import { openForVerb, timedPlanKind } from "./open.ts";
import { replayInto } from "./replay.ts";
import { reportOf } from "./report.ts";
import { exitCodeOf, trainInto } from "./train.ts";
import type { Io, StartOptions } from "./types.ts";

/** What the README promises for the default experiment on two cores. */
const BUDGET_SECONDS = 180;
/** Replay, test and report of the default experiment beside its training. */
const AFTER_TRAINING_SECONDS = 20;

export async function runStart(options: StartOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  noteTask(config, io);
  await checkTask(config, io);
  const dir = openRunDirectory(options.out, { force: options.force });
  try {
    requireTrainingSpace(dir.path, config);
    requireReplaySpace(dir.path, config);
    const gpu = await openForVerb(options, io);
    try {
      const kind = await timedPlanKind(gpu, options, trainSize(config), io);
      requireReplayFits(gpu, config, kind);
      const { trainer, outcome, testError } = await trainInto(dir, config, gpu, kind, io, {
        resume: false,
        onForecast: (seconds) => {
          if (seconds + AFTER_TRAINING_SECONDS > BUDGET_SECONDS) {
            io.note(
              `at this rate training takes about ${Math.ceil(seconds / 60)} minutes, more than the ${BUDGET_SECONDS / 60} planned for; nothing is cut (fewer: --set train.iterations=…)`,
            );
          }
        },
      });
      try {
        if (outcome.kind === "interrupted") {
          io.note(`go on with: npx reverie train --out ${dir.path} --resume`);
          if (io.json) io.out(JSON.stringify({ run: dir.path, outcome }));
          return exitCodeOf(outcome);
        }
        const replayed = await replayInto(dir.file("replay", "replay.npz"), config, gpu, kind, trainer.buffers, io);
        dir.updateManifest({ replay: { outcome: replayed.kind, seconds: replayed.seconds } });
        if (replayed.kind === "interrupted") {
          io.note(`go on with: npx reverie replay ${dir.path} && npx reverie report ${dir.path}`);
          if (io.json)
            io.out(JSON.stringify({ run: dir.path, testError, outcome: { ...outcome, kind: "interrupted" } }));
          return EXIT.interrupted;
        }
        io.progress.start("measuring and drawing");
        const { written, records } = await reportOf(dir.path, join(dir.path, "report"), io.note);
        io.progress.done();
        io.out(
          io.json
            ? JSON.stringify({
                run: dir.path,
                report: written.html,
                testError,
                outcome,
                metrics: metricRows(records),
              })
            : `${summaryTable(records)}\nreport: ${written.html}`,
        );
        return exitCodeOf(outcome);
      } finally {
        trainer.destroy();
      }
    } finally {
      await gpu.close();
    }
  } finally {
    dir.close();
  }
}
