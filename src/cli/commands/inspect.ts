import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { EXIT } from "../../errors.ts";
import type { Verb } from "../flags.ts";

/** The .npz files of a run directory, in order. */
function npzFiles(run: string): string[] {
  return ["checkpoints", "replay"]
    .map((folder) => join(run, folder))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .sort()
        .map((name) => join(folder, name)),
    )
    .filter((path) => path.endsWith(".npz"));
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** `reverie inspect`. */
export const inspect: Verb = (program, { perform }) => {
  program
    .command("inspect")
    .description("list the arrays of a file or a run (also one under way): names, types, shapes, ranges")
    .argument("<path>", ".npz, .safetensors, .index.json of a dump in several files, or run directory")
    .addHelpText("after", "\nExample:\n  reverie inspect runs/tmaze/checkpoints/iteration-001400.npz")
    .action(async (path: string) => {
      await perform(async (io) => {
        const { formatSummary, summariseFile, summariseNpz } = await import("../array-summary.ts");
        if (!isDirectory(path)) {
          const summary = summariseFile(path);
          io.out(io.json ? JSON.stringify(summary) : formatSummary(summary));
          return EXIT.ok;
        }
        const { readManifest } = await import("../../io/run-dir.ts");
        const { formatState, runState } = await import("../live-run.ts");
        const manifest = readManifest(path);
        const state = runState(path, manifest);
        const files = npzFiles(path).map(summariseNpz);
        const text = [
          `${path}: a run of reverie, ${files.length} files of arrays`,
          formatState(state),
          ...files.map(formatSummary),
        ];
        io.out(io.json ? JSON.stringify({ path, manifest, state, files }) : text.join("\n"));
        return EXIT.ok;
      });
    });
};
