/** `reverie import`: networks of another program become a run with a checkpoint, which trains on, replays and sweeps. */
import { networkShape } from "../config/resolve.ts";
import { EXIT, type ExitCode, UsageError } from "../errors.ts";
import { configHash, saveCheckpoint } from "../io/checkpoint.ts";
import { importNetworks, parseMap, readWeights } from "../io/import-weights.ts";
import { readJson } from "../io/json.ts";
import { openRunDirectory } from "../io/run-dir.ts";
import type { NetworkTensors } from "../model/parameters.ts";
import { noteTask } from "./experiment.ts";
import { versions } from "./manifest.ts";
import type { ImportOptions, Io } from "./types.ts";

const zeros = (t: NetworkTensors): NetworkTensors =>
  Object.fromEntries(Object.entries(t).map(([name, x]) => [name, new Float32Array(x.length)])) as NetworkTensors;

export async function runImport(options: ImportOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  noteTask(config, io);
  const shape = networkShape(config);
  const map = options.map === undefined ? undefined : parseMap(readJson(options.map), options.map);
  const networks = options.files.flatMap((path) => importNetworks(readWeights(path), shape, map, io.note));
  if (networks.length !== config.seeds.length) {
    const seeds = JSON.stringify(networks.map((_, i) => i));
    throw new UsageError(
      `${options.files.join(", ")}: ${networks.length} networks, but the configuration has ${config.seeds.length} seeds; add --set seeds=${seeds}`,
    );
  }
  const dir = openRunDirectory(options.out, { force: options.force });
  try {
    dir.writeManifest({
      versions: versions(),
      configHash: configHash(config),
      seed: config.seed,
      seeds: config.seeds,
      importedFrom: options.files,
      started: new Date().toISOString(),
      outcome: { kind: "imported" },
    });
    dir.writeConfig(config);
    dir.trainLog(0).close();
    const path = saveCheckpoint(dir.path, {
      arrays: { weights: networks, m: networks.map(zeros), v: networks.map(zeros) },
      meta: {
        iteration: 0,
        shape,
        configHash: configHash(config),
        config,
        rootSeed: config.seed,
        networkSeeds: config.seeds,
        status: networks.map(() => "sound"),
        adapter: "imported",
        driver: "",
        lossHistoryLength: 0,
      },
    });
    io.out(
      io.json
        ? JSON.stringify({ run: dir.path, checkpoint: path, networks: networks.length })
        : `${path}: ${networks.length} networks of ${shape.units} units`,
    );
    return EXIT.ok;
  } finally {
    dir.close();
  }
}
