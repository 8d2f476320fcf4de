/** Puts the parts of a sweep that ran with `--shard i/n` together: the same bytes as the sweep in one piece. */
import fs from "node:fs";
import { join } from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { asDiskError, makeDirectory } from "../io/disk.ts";
import { canonicalJson } from "../io/json.ts";
import type { SweepDefinition } from "./definition.ts";
import {
  readDefinition,
  readResults,
  readSweepManifest,
  SHARDS,
  type SweepDirectory,
  sameDefinition,
  shardFile,
} from "./directory.ts";
import { AWAKE, type ResultRecord, resultKey, resultLine } from "./results.ts";
import { partOf } from "./sweep.ts";

export interface SweepPart {
  readonly path: string;
  readonly index: number;
  readonly of: number;
  readonly adapter: unknown;
  readonly sources: readonly string[];
  readonly records: ReadonlyMap<string, ResultRecord>;
}

export interface SweepParts {
  readonly definition: SweepDefinition;
  readonly parts: readonly SweepPart[];
  /** Whether all come from the same adapter: only then are the bits those of one run. */
  readonly oneAdapter: boolean;
}

function readPart(path: string): SweepPart {
  const manifest = readSweepManifest(path);
  const { records } = readResults(path);
  return {
    path,
    ...manifest.shard,
    adapter: manifest.adapter,
    sources: manifest.sources,
    records: new Map(records.map((r) => [resultKey(r), r])),
  };
}

/** Every line of a part, or the first that is missing. */
function firstGap(d: SweepDefinition, part: SweepPart): string | null {
  const { from, to } = partOf(d, part.index, part.of);
  for (const network of d.networks.keys()) {
    if (!part.records.has(resultKey({ network, condition: AWAKE }))) return `network ${network} awake`;
    for (let condition = from; condition < to; condition++) {
      if (!part.records.has(resultKey({ network, condition }))) return `network ${network}, condition ${condition}`;
    }
  }
  const block = d.conditionsPerShard;
  for (let c = from; block > 0 && c < to; c += block) {
    const name = shardFile(c / block);
    if (!fs.existsSync(join(part.path, SHARDS, name))) return `${SHARDS}/${name}`;
  }
  return null;
}

/** @throws UsageError for the wrong set of parts, DataError for one that is incomplete or another sweep's */
export function readParts(paths: readonly string[]): SweepParts {
  const [first] = paths;
  if (first === undefined) throw new UsageError("name the directories of all parts");
  const definition = readDefinition(first);
  const parts = paths.map((path) => {
    if (!sameDefinition(readDefinition(path), definition)) {
      throw new DataError(`${path} and ${first} are parts of different sweeps; compare their sweep.json`);
    }
    return readPart(path);
  });
  const { of } = parts[0] as SweepPart;
  for (const p of parts) {
    if (p.of !== of)
      throw new UsageError(`${p.path} is one of ${p.of} parts, ${first} one of ${of}; they do not fit together`);
    const twin = parts.find((q) => q !== p && q.index === p.index);
    if (twin)
      throw new UsageError(`${p.path} and ${twin.path} are both part ${p.index + 1}/${of}; name each part once`);
  }
  const missing = Array.from({ length: of }, (_, i) => i).filter((i) => !parts.some((p) => p.index === i));
  if (missing.length > 0)
    throw new UsageError(`part ${missing.map((i) => `${i + 1}/${of}`).join(", ")} is missing; name all ${of}`);
  for (const p of parts) {
    const gap = firstGap(definition, p);
    if (gap !== null)
      throw new DataError(`${p.path}: ${gap} is missing; finish it with reverie sweep --resume --out ${p.path}`);
  }
  const oneAdapter = new Set(parts.map((p) => canonicalJson(p.adapter ?? null))).size === 1;
  return { definition, parts: parts.sort((a, b) => a.index - b.index), oneAdapter };
}

/** All lines of all parts; the awake ones, which every part has, once. @throws DataError where parts disagree */
export function mergedRecords({ definition: d, parts, oneAdapter }: SweepParts): ResultRecord[] {
  const [first] = parts as readonly [SweepPart, ...SweepPart[]];
  return parts.flatMap((part) => {
    const own: ResultRecord[] = [];
    const { from, to } = partOf(d, part.index, part.of);
    for (const network of d.networks.keys()) {
      const key = resultKey({ network, condition: AWAKE });
      const [mine, theirs] = [part.records.get(key) as ResultRecord, first.records.get(key) as ResultRecord];
      if (part === first) own.push(mine);
      else if (oneAdapter && resultLine(mine) !== resultLine(theirs)) {
        throw new DataError(
          `${part.path} and ${first.path}: network ${network} awake differs on one adapter; run one again`,
        );
      }
      for (let condition = from; condition < to; condition++) {
        own.push(part.records.get(resultKey({ network, condition })) as ResultRecord);
      }
    }
    return own;
  });
}

/** Copies the files of positions. @throws DiskError */
export function copyShards({ definition: d, parts }: SweepParts, out: SweepDirectory): void {
  if (d.conditionsPerShard === 0) return;
  const folder = join(out.path, SHARDS);
  makeDirectory(folder);
  for (const part of parts) {
    const { from, to } = partOf(d, part.index, part.of);
    for (let c = from; c < to; c += d.conditionsPerShard) {
      const name = shardFile(c / d.conditionsPerShard);
      try {
        fs.copyFileSync(join(part.path, SHARDS, name), join(folder, name));
      } catch (error) {
        throw asDiskError(error, join(folder, name));
      }
    }
  }
}
