/**
 * Checkpoints: everything that training needs to go on with the same bits, in one .npz. Weights are named as in the
 * model, the first and second moments of Adam with `m_` and `v_` before it; all are (network, rows, columns), unpadded,
 * biases with one column. `meta` is JSON as bytes, `sha256` the digest of everything else.
 *
 * A zip's CRC-32 finds an accident in one array; the digest also finds a missing array or one of another checkpoint.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { basename, join } from "node:path";
import { DataError } from "../errors.ts";
import { type NetworkShape, type NetworkTensors, parameterLayout, TENSOR_NAMES } from "../model/parameters.ts";
import { asReadError, disk, makeDirectory } from "./disk.ts";
import { canonicalJson, parseJson } from "./json.ts";
import { bytesOf, dtypeOf, type NpyArray } from "./npy.ts";
import { type ArrayToWrite, expectArray, type Npz, readNpz, writeNpz } from "./npz.ts";

export { configHash, differingKeys } from "./config-hash.ts";

const FORMAT_VERSION = 1;
const KEPT = 2;
const FOLDER = "checkpoints";

/** One entry per network in each list. */
export interface CheckpointArrays {
  readonly weights: readonly NetworkTensors[];
  /** Adam's first moments. */
  readonly m: readonly NetworkTensors[];
  /** Adam's second moments. */
  readonly v: readonly NetworkTensors[];
}

export interface CheckpointMeta {
  /** Iterations done, the number in the file's name. */
  readonly iteration: number;
  readonly shape: NetworkShape;
  readonly configHash: string;
  /** The configuration behind the hash, so that a reader can say which keys differ. */
  readonly config?: unknown;
  readonly rootSeed: number;
  /** One per network, like `status`. */
  readonly networkSeeds: readonly number[];
  readonly status: readonly string[];
  /** Bit-identity on resume is promised only for the same adapter and driver. */
  readonly adapter: string;
  readonly driver: string;
  /** Lines of train.jsonl that belong to this checkpoint. */
  readonly lossHistoryLength: number;
  /** SHA-256 in hex of their bytes. */
  readonly lossHistoryHash?: string;
  /** What the next iteration computes on this adapter, so that another can be compared with it. */
  readonly nextStep?: StoredStep;
}

/** One entry per network; null where it was not finite. */
export interface StoredStep {
  readonly loss: readonly (number | null)[];
  readonly gradNorm: readonly (number | null)[];
}

export interface Checkpoint {
  readonly arrays: CheckpointArrays;
  readonly meta: CheckpointMeta;
}

export interface LoadedCheckpoint extends Checkpoint {
  readonly path: string;
}

const MOMENTS = [
  ["weights", ""],
  ["m", "m_"],
  ["v", "v_"],
] as const;

/**
 * Writes `checkpoints/iteration-001400.npz` in the run directory and then deletes all but the two newest; those of a
 * later iteration go too, for they are damaged or of a future that was abandoned.
 * @returns the file's path
 * @throws DiskError; the earlier checkpoints are then untouched
 */
export function saveCheckpoint(runDirectory: string, { arrays, meta }: Checkpoint): string {
  const folder = join(runDirectory, FOLDER);
  makeDirectory(folder);
  const path = join(folder, `iteration-${String(meta.iteration).padStart(6, "0")}.npz`);
  const members = stack(arrays, meta, path);
  members.meta = { data: Buffer.from(canonicalJson({ ...meta, formatVersion: FORMAT_VERSION })) };
  members.sha256 = { data: digest(members) };
  writeNpz(path, members);
  const kept = listCheckpoints(folder).filter(({ iteration }) => iteration <= meta.iteration);
  const keptPaths = new Set(kept.slice(0, KEPT).map((found) => found.path));
  for (const found of listCheckpoints(folder)) {
    if (keptPaths.has(found.path)) continue;
    try {
      disk.unlink(found.path);
    } catch {
      // A file too many does no harm, and the next checkpoint tries again.
    }
  }
  return path;
}

/**
 * The newest sound checkpoint of a run directory, or the one in a file. Where the newest is damaged the older one is
 * taken, and `notice` is told which and why.
 * @throws DataError listing what was found where no checkpoint is sound
 */
export function loadCheckpoint(
  runDirectoryOrFile: string,
  notice: (message: string) => void = () => {},
): LoadedCheckpoint {
  const found = isDirectory(runDirectoryOrFile)
    ? listCheckpoints(join(runDirectoryOrFile, FOLDER)).map(({ path }) => path)
    : [runDirectoryOrFile];
  const reasons: string[] = [];
  for (const path of found) {
    try {
      const checkpoint = readCheckpoint(path);
      if (reasons.length > 0) notice(`${reasons.join("; ")}; going on from ${basename(path)}`);
      return checkpoint;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      if (found.length === 1) throw error;
      reasons.push(error.message);
    }
  }
  const what = found.length === 0 ? "none found" : `found ${found.map((path) => basename(path)).join(", ")}`;
  const details = reasons.length === 0 ? "train first, or check the path" : reasons.join("; ");
  throw new DataError(`${runDirectoryOrFile}: no sound checkpoint (${what}): ${details}`);
}

/** Checkpoints of a folder, newest first. */
function listCheckpoints(folder: string): { readonly iteration: number; readonly path: string }[] {
  let names: string[] = [];
  try {
    names = fs.readdirSync(folder);
  } catch {
    // No folder, no checkpoints.
  }
  return names
    .flatMap((name) => {
      const digits = /^iteration-(\d{6,15})\.npz$/.exec(name)?.[1];
      return digits === undefined ? [] : [{ iteration: Number(digits), path: join(folder, name) }];
    })
    .sort((a, b) => b.iteration - a.iteration);
}

function isDirectory(path: string): boolean {
  try {
    return fs.statSync(path).isDirectory();
  } catch (error) {
    throw asReadError(error, path);
  }
}

function readCheckpoint(path: string): LoadedCheckpoint {
  const npz = readNpz(path);
  verifyDigest(npz);
  const meta = readMeta(npz);
  return { path, meta, arrays: unstack(npz, meta) };
}

function verifyDigest(npz: Npz): void {
  const stated = npz.get("sha256")?.data;
  const members: Record<string, NpyArray> = Object.fromEntries(npz);
  delete members.sha256;
  if (!(stated instanceof Uint8Array) || !Buffer.from(digest(members)).equals(stated)) {
    throw new DataError(`${npz.path}: damaged or not a checkpoint (its SHA-256 does not match)`);
  }
}

/** Over name, type, shape and bytes of every member, in order of names. */
function digest(members: Readonly<Record<string, ArrayToWrite>>): Uint8Array {
  const hash = createHash("sha256");
  for (const name of Object.keys(members).sort()) {
    const { data, shape = [data.length] } = members[name] as ArrayToWrite;
    hash.update(`${JSON.stringify([name, dtypeOf(data), shape])}\n`).update(bytesOf(data));
  }
  return new Uint8Array(hash.digest());
}

function readMeta(npz: Npz): CheckpointMeta {
  const bytes = npz.get("meta")?.data;
  if (!(bytes instanceof Uint8Array)) throw new DataError(`${npz.path}: meta: missing; is it a checkpoint?`);
  const parsed = parseJson(Buffer.from(bytes).toString("utf8"), `${npz.path}: meta`);
  if (typeof parsed !== "object" || parsed === null) throw new DataError(`${npz.path}: meta: is it a checkpoint?`);
  const { formatVersion, ...meta } = parsed as CheckpointMeta & { formatVersion: unknown };
  if (formatVersion !== FORMAT_VERSION) {
    throw new DataError(
      `${npz.path}: checkpoint format ${JSON.stringify(formatVersion)}, this version reads ${FORMAT_VERSION}; use the version that wrote it`,
    );
  }
  const bad = malformedMember(meta);
  if (bad !== null) {
    throw new DataError(`${npz.path}: meta.${bad} is missing or of another kind; take a checkpoint that reverie wrote`);
  }
  return meta;
}

const isCount = (x: unknown): boolean => Number.isSafeInteger(x) && (x as number) >= 0;
const isListOf = (x: unknown, good: (item: unknown) => boolean): boolean => Array.isArray(x) && x.every(good);
const isText = (x: unknown): boolean => typeof x === "string";
const isMeasured = (x: unknown): boolean => x === null || Number.isFinite(x);

/** A digest says that nothing changed since somebody wrote it, not who did: the first member that we cannot have written. */
function malformedMember(m: CheckpointMeta): string | null {
  const shape = m.shape as Partial<NetworkShape> | null | undefined;
  const sizes = [shape?.units, shape?.inputs, shape?.outputs, shape?.encoderInputs];
  const step = m.nextStep as Partial<StoredStep> | null | undefined;
  const checks: readonly (readonly [keyof CheckpointMeta, boolean])[] = [
    ["iteration", isCount(m.iteration)],
    ["shape", sizes.every((n) => isCount(n) && (n as number) > 0)],
    ["configHash", isText(m.configHash)],
    ["rootSeed", isCount(m.rootSeed)],
    ["networkSeeds", isListOf(m.networkSeeds, isCount) && m.networkSeeds.length > 0],
    ["status", isListOf(m.status, isText) && m.status.length === m.networkSeeds?.length],
    ["adapter", isText(m.adapter)],
    ["driver", isText(m.driver)],
    ["lossHistoryLength", isCount(m.lossHistoryLength)],
    ["lossHistoryHash", m.lossHistoryHash === undefined || isText(m.lossHistoryHash)],
    ["nextStep", step === undefined || (isListOf(step?.loss, isMeasured) && isListOf(step?.gradNorm, isMeasured))],
  ];
  return checks.find(([, good]) => !good)?.[0] ?? null;
}

function stack(arrays: CheckpointArrays, meta: CheckpointMeta, path: string): Record<string, ArrayToWrite> {
  const { slices } = parameterLayout(meta.shape);
  const members: Record<string, ArrayToWrite> = {};
  for (const [key, prefix] of MOMENTS) {
    const networks = arrays[key];
    if (networks.length !== meta.networkSeeds.length || networks.length !== meta.status.length) {
      throw new Error(
        `${path}: ${networks.length} networks, ${meta.networkSeeds.length} seeds, ${meta.status.length} states`,
      );
    }
    for (const name of TENSOR_NAMES) {
      const [rows, columns] = slices[name].shape;
      const data = new Float32Array(networks.length * rows * columns);
      for (const [i, tensors] of networks.entries()) {
        const tensor = tensors[name];
        if (tensor.length !== rows * columns)
          throw new Error(`${path}: ${prefix}${name} has ${tensor.length} elements`);
        data.set(tensor, i * rows * columns);
      }
      members[prefix + name] = { data, shape: [networks.length, rows, columns] };
    }
  }
  return members;
}

function unstack(npz: Npz, meta: CheckpointMeta): CheckpointArrays {
  const { slices } = parameterLayout(meta.shape);
  const networks = meta.networkSeeds.length;
  const arrays = { weights: [] as NetworkTensors[], m: [] as NetworkTensors[], v: [] as NetworkTensors[] };
  for (const [key, prefix] of MOMENTS) {
    for (let i = 0; i < networks; i++) arrays[key].push({} as NetworkTensors);
    for (const name of TENSOR_NAMES) {
      const [rows, columns] = slices[name].shape;
      // A network that diverged is kept as it is, beside those that did not.
      const expected = { dtype: "float32", shape: [networks, rows, columns], finite: false } as const;
      const stacked = expectArray(npz, prefix + name, expected);
      for (const [i, tensors] of arrays[key].entries()) {
        tensors[name] = stacked.subarray(i * rows * columns, (i + 1) * rows * columns);
      }
    }
  }
  return arrays;
}
