/** `reverie merge`: the parts of a sweep, put together. */
import { join } from "node:path";
import { EXIT, type ExitCode } from "../errors.ts";
import { SweepDirectory } from "../sweep/directory.ts";
import { copyShards, mergedRecords, readParts } from "../sweep/merge.ts";
import { versions } from "./manifest.ts";
import type { Io } from "./types.ts";

export interface MergeOptions {
  /** Directories of all parts, in any order. */
  readonly parts: readonly string[];
  /** Directory to write. */
  readonly out: string;
  /** Delete the sweep that is there. */
  readonly force: boolean;
}

export async function runMerge(options: MergeOptions, io: Io): Promise<ExitCode> {
  const found = readParts(options.parts);
  const records = mergedRecords(found);
  const { definition, parts, oneAdapter } = found;
  if (!oneAdapter) io.note("the parts ran on different adapters: their bits are not those of one run");
  const dir = SweepDirectory.open(options.out, { force: options.force });
  try {
    dir.begin(definition, {
      versions: versions(),
      adapter: parts[0]?.adapter,
      ...(oneAdapter ? {} : { adapters: parts.map((p) => p.adapter) }),
      sources: parts[0]?.sources ?? [],
      shard: { index: 0, of: 1 },
      merged: parts.map((p) => p.path),
      outcome: { kind: "running" },
    });
    copyShards(found, dir);
    dir.finish(definition, records, true);
    dir.updateManifest({ outcome: { kind: "completed" } });
  } finally {
    dir.close();
  }
  io.out(
    io.json
      ? JSON.stringify({ sweep: options.out, parts: parts.length, lines: records.length })
      : `${options.out}: ${parts.length} parts, ${join(options.out, "metrics.csv")}`,
  );
  return EXIT.ok;
}
