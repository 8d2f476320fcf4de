/** Families of trained networks: κ × k × seeds of one task, all in one run. Pure, but for reading a finished run. */
import { join } from "node:path";
import { parseConfig } from "../config/load.ts";
import { presets } from "../config/presets/index.ts";
import type { ExperimentConfig } from "../config/schema.ts";
import { DataError } from "../errors.ts";
import { loadCheckpoint } from "../io/checkpoint.ts";
import { differingKeys } from "../io/config-hash.ts";
import { readJson } from "../io/json.ts";
import { readJsonl } from "../io/jsonl.ts";
import { readManifest } from "../io/run-dir.ts";
import type { Family, FamilyMember } from "./experiment.ts";
import type { FamilyName, FamilyProtocol, Protocol } from "./protocol.ts";

function protocolOf(protocol: Protocol, name: FamilyName): FamilyProtocol {
  return protocol.families[name];
}

/** Members in the order of the run's network axis: κ slowest, seeds fastest. */
export function familyMembers(protocol: Protocol, name: FamilyName): FamilyMember[] {
  const own = protocolOf(protocol, name);
  const { first, count } = own.seeds ?? protocol.seeds;
  const cells = (own.leaks ?? protocol.leaks).flatMap((leak) =>
    (own.maskEvery ?? protocol.maskEvery).map((maskEvery) => ({ leak, maskEvery })),
  );
  return cells
    .flatMap((cell) => Array.from({ length: count }, (_, i) => ({ ...cell, seed: first + i })))
    .map((member, index) => ({ index, ...member }));
}

/** What trains a family. */
export function familyConfig(protocol: Protocol, name: FamilyName): ExperimentConfig {
  const own = protocolOf(protocol, name);
  const preset = presets().find((p) => p.name === own.preset)?.config as ExperimentConfig;
  const members = familyMembers(protocol, name);
  return parseConfig({
    ...preset,
    name: `paper-${name}`,
    seed: protocol.seed,
    seeds: members.map((m) => m.seed),
    networks: members.map(({ leak, maskEvery }) => ({ leak, maskEvery })),
    rnn: { ...preset.rnn, ...own.rnn },
    task: { ...preset.task, ...own.task },
    train: { ...preset.train, batch: protocol.batch, iterations: own.iterations },
  });
}

/** A family whose training is complete. @throws DataError */
export function readFamily(protocol: Protocol, name: FamilyName, run: string): Family {
  const { testError } = readManifest(run) as { testError?: number[] };
  const members = familyMembers(protocol, name);
  if (testError?.length !== members.length) {
    throw new DataError(`${run}: training is not complete; go on with reverie paper --resume`);
  }
  const config = familyConfig(protocol, name);
  const own = parseConfig(readJson(join(run, "config.json")));
  const keys = differingKeys(own, config);
  if (keys.length > 0) {
    throw new DataError(`${run}: trained under another protocol (${keys.join(", ")} differ); choose another --out`);
  }
  const { meta, arrays } = loadCheckpoint(run, () => undefined);
  const lines = readJsonl(join(run, "train.jsonl")) as { loss: (number | null)[] }[];
  return {
    name,
    run,
    config,
    members,
    weights: arrays.weights,
    diverged: meta.status.map((s) => s !== "sound"),
    testError,
    // JSON has no NaN: what is not finite is null there.
    losses: lines.map((l) => l.loss.map((x) => x ?? Number.NaN)),
  };
}
