/** `reverie import`: networks of another program become a run with a checkpoint, which trains on, replays and sweeps. */
import { networkSettings, networkShape, pathTask } from "../config/resolve.ts";
import { EXIT, type ExitCode, UsageError } from "../errors.ts";
import { configHash, saveCheckpoint } from "../io/checkpoint.ts";
import { centreNoise, importNetworks, parseMap, readWeights } from "../io/import-weights.ts";
import { readJson } from "../io/json.ts";
import { openRunDirectory } from "../io/run-dir.ts";
import type { NetworkTensors } from "../model/parameters.ts";
import { inputScale } from "../task/paths.ts";
import { noteTask } from "./experiment.ts";
import { versions } from "./manifest.ts";
import type { ImportOptions, Io } from "./types.ts";

const zeros = (t: NetworkTensors): NetworkTensors =>
  Object.fromEntries(Object.entries(t).map(([name, x]) => [name, new Float32Array(x.length)])) as NetworkTensors;

/** The networks with the mean of their uniform noise in their biases, where they had such noise. */
function centred(networks: readonly NetworkTensors[], options: ImportOptions, io: Io): readonly NetworkTensors[] {
  const { uniformNoise: sigma, config } = options;
  if (sigma === undefined) return networks;
  const shape = networkShape(config.config);
  const std = sigma / Math.sqrt(12);
  const steps = networkSettings(config.config).map(({ step }) => step);
  const still = steps.findIndex(({ leak }) => leak === 0);
  if (still >= 0)
    throw new UsageError(`--uniform-noise ${sigma}: network ${still} has no leak, so that it has no mean`);
  if (steps.some(({ noiseStd }) => Math.abs(noiseStd - std) > 0.01 * std)) {
    io.note(
      `uniform noise of ${sigma} has a standard deviation of ${std.toPrecision(4)}: is rnn.noiseStd meant to differ?`,
    );
  }
  return networks.map((network, i) => centreNoise(network, shape, steps[i]?.leak as number, sigma));
}

export async function runImport(options: ImportOptions, io: Io): Promise<ExitCode> {
  const { config } = options.config;
  noteTask(config, io);
  const shape = networkShape(config);
  const map = options.map === undefined ? undefined : parseMap(readJson(options.map), options.map);
  const o = { map, step: inputScale(pathTask(config)), notice: io.note };
  const networks = options.files.flatMap((path) => importNetworks(readWeights(path), shape, o));
  if (networks.length !== config.seeds.length) {
    const seeds = JSON.stringify(networks.map((_, i) => i));
    throw new UsageError(
      `${options.files.join(", ")}: ${networks.length} networks, but the configuration has ${config.seeds.length} seeds; add --set seeds=${seeds}`,
    );
  }
  const weights = centred(networks, options, io);
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
      arrays: { weights, m: networks.map(zeros), v: networks.map(zeros) },
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
