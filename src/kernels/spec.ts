/** What planning needs to know: the model, the adapter, and how a rollout is to be run. Plain data, no GPU. */

import { OutOfDeviceMemory, UsageError } from "../errors.ts";
import type { AdapterFacts, Limits } from "../gpu/adapter.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { ACTIVATIONS, type Activation } from "../model/dynamics.ts";
import {
  FEW_INPUTS,
  inputWidth,
  type NetworkShape,
  type ParameterLayout,
  parameterLayout,
  roundUp,
} from "../model/parameters.ts";
import type { StoredAs } from "../model/stored.ts";

export interface ModelSpec {
  readonly shape: NetworkShape;
  readonly layout: ParameterLayout;
  readonly activation: Activation;
  /** Slope of leaky ReLU. */
  readonly slope: number;
  readonly rootSeed: number;
  /** Philox rounds: 7 or 10. */
  readonly noiseRounds: number;
}

export function modelSpec(m: Omit<ModelSpec, "layout">): ModelSpec {
  return { ...m, layout: parameterLayout(m.shape) };
}

export interface AdapterSpec {
  readonly maxBinding: number;
  readonly maxBuffer: number;
  /** A cautious guess, from which the length of a dispatch and of a submit is bounded. */
  readonly flopsPerSecond: number;
  /** Bytes of workgroup memory; what every adapter has where none is given. */
  readonly workgroupStorage?: number;
  /** Whether the own-row plan can run: subgroups of at least 8 lanes. */
  readonly lanes: boolean;
  readonly software: boolean;
}

/**
 * What these kernels do at the least, FLOP/s: on a CPU, and on a small integrated GPU or one core of a large one. Nobody
 * asks which it is: a window that the small one needs 0.25 s for takes a large one half a millisecond, a hundred times
 * what a further dispatch costs.
 */
const CPU_RATE = 4e9;
export const GPU_RATE = 5e10;

export function adapterSpec(gpu: { readonly adapter: AdapterFacts; readonly limits: Limits }): AdapterSpec {
  return {
    maxBinding: gpu.limits.maxStorageBufferBindingSize,
    maxBuffer: gpu.limits.maxBufferSize,
    flopsPerSecond: gpu.adapter.software ? CPU_RATE : GPU_RATE,
    workgroupStorage: gpu.limits.maxComputeWorkgroupStorageSize,
    lanes: (gpu.adapter.subgroup?.min ?? 0) >= 8,
    software: gpu.adapter.software,
  };
}

/** Buffers of less than this are not what a device has no room for. */
const LEAST_BUFFER = 128 << 20;

/**
 * What `create` makes for the adapter: with smaller buffers, and so in more chunks of rows or networks, while the device
 * has no room. Chunks change no bit. @throws OutOfDeviceMemory where small buffers do not fit either
 */
export async function withRoom<T>(adapter: AdapterSpec, create: (adapter: AdapterSpec) => Promise<T>): Promise<T> {
  try {
    return await create(adapter);
  } catch (error) {
    const less = { ...adapter, maxBuffer: Math.floor(adapter.maxBuffer / 4) };
    if (!(error instanceof OutOfDeviceMemory) || less.maxBuffer < LEAST_BUFFER) throw error;
    return withRoom(less, create);
  }
}

export interface LaunchSize {
  readonly units: number;
  /** Rows of all networks, padding included. */
  readonly rows: number;
  /** S, where it is known: close plans are timed with as many. */
  readonly networks?: number;
}

export interface ChosenPlan {
  readonly kind: PlanKind;
  /** For people, in half a sentence. */
  readonly why: string;
}

/** Workgroups that keep a large GPU busy. */
export const MANY_WORKGROUPS = 100;

/**
 * The plan for an adapter and a launch unless one is asked for: lanes on CPUs; on GPUs one dispatch over many steps
 * where few rows a workgroup still make workgroups enough, or where N is so small that launches would dominate, and
 * otherwise one dispatch a step. The borders come from the design's model, not yet from a measurement.
 */
export function choosePlan(adapter: AdapterSpec, size: LaunchSize): ChosenPlan {
  if (adapter.software && adapter.lanes) return { kind: "own-row", why: "a CPU with vector lanes" };
  if (adapter.software) return { kind: "step", why: "a CPU without subgroups of 8 lanes" };
  const tile = persistentTile(size.units, adapter.workgroupStorage);
  if (!tile) return { kind: "step", why: `the state of 4 rows of ${size.units} units is more than workgroup memory` };
  if (size.units <= 128) {
    return { kind: "tile-persistent", why: `with ${size.units} units, launches of single steps would dominate` };
  }
  const workgroups = Math.ceil(size.rows / tile.ROWS);
  const tiles = `${size.rows} rows are ${workgroups} workgroups of ${tile.ROWS}`;
  return workgroups >= MANY_WORKGROUPS
    ? { kind: "tile-persistent", why: `${tiles}, enough to fill a GPU` }
    : { kind: "step", why: `${tiles}, fewer than the ${MANY_WORKGROUPS} that fill a GPU` };
}

export const choosePlanKind = (adapter: AdapterSpec, size: LaunchSize): PlanKind => choosePlan(adapter, size).kind;

export interface RolloutSpec {
  readonly model: ModelSpec;
  readonly kind: PlanKind;
  /** Bytes of workgroup memory that `tile-persistent` may use; what every adapter has where none is given. */
  readonly workgroupStorage?: number;
  /** T */
  readonly steps: number;
  readonly noise: "none" | "drawn" | "given";
  /** Stream of the step noise. */
  readonly stream: number;
  /** Whether the noise's epoch is the clock's iteration (training, test) or the row's (replay). */
  readonly clocked: boolean;
  /** Whether any row has momentum or adaptation. */
  readonly extra: boolean;
  /** Whether v and c of every step are kept (for `evaluate` and dumps). */
  readonly extraHistory: boolean;
  /** Whether φ′ is kept for an adjoint. */
  readonly adjoint: boolean;
  /** Inputs read per step; 0 in replay. */
  readonly inputs: number;
  /** Whether the inputs are made window by window, and never stand in memory together. */
  readonly inputWindows?: boolean;
  /** Numbers of a given trial's largest tensor on the device, where trials are streamed to it. */
  readonly trialFloats?: number;
  /** How activations lie in memory between passes; float32 unless said otherwise. */
  readonly stored?: StoredAs;
  /** By how much ga is larger than the loss's gradient (`gradientScaleOf`); the planner of batches sets it. */
  readonly gradientScale?: number;
}

/**
 * A power of two near what makes W_outᵀd of order one, where ga is stored as float16: d is 2 (y − s) / (T B O). Powers of
 * two change no digit, and the weight gradients are divided by it again.
 */
export function gradientScaleOf(r: RolloutSpec, count: number): number {
  return r.stored === "f16" && r.adjoint ? 2 ** Math.round(Math.log2(count)) : 1;
}

/** STORED_F16 of `lib/stored/`, for every kernel that touches r_t or ga_t; nothing under float32. */
export function storedTune(r: RolloutSpec): Record<string, number> {
  return r.stored === "f16" ? { STORED_F16: 1 } : {};
}

/** Constants of the tile-persistent kernels, as `lib/product_persistent.wgsl` declares them. */
export interface PersistentTile {
  readonly ROWS: number;
  readonly ROOM: number;
  readonly THREADS: number;
  /** 1: a thread has two of the rows, and not four. */
  readonly TWO_ROWS: 0 | 1;
}

/** More rows a workgroup mean fewer reads of the weights, fewer rows more workgroups. */
const PERSISTENT_ROWS = [16, 8, 4];
/** What WebGPU promises on every adapter, bytes. */
const LEAST_WORKGROUP_STORAGE = 16384;
/** Of a larger tile too few workgroups share a core to hide each other's waits: 16 rows of 512 units, their φ′ bits included. */
const TILE_BYTES = 33792;
const MOST_THREADS = 256;

/** A number and a bit a unit. */
const tileBytes = (rows: number, room: number): number => rows * room * 4 + (rows * room) / 8;

/**
 * The tile of a launch of so many rows, or of one that fills the GPU where none are given; null where the state of four
 * rows does not fit. Few rows are spread over more and smaller workgroups, and over more threads. No bit depends on it.
 */
export function persistentTile(
  units: number,
  workgroupStorage = LEAST_WORKGROUP_STORAGE,
  rows = Number.POSITIVE_INFINITY,
): PersistentTile | null {
  const ROOM = roundUp(units, 32);
  const least = PERSISTENT_ROWS.at(-1) as number;
  if (tileBytes(least, ROOM) > workgroupStorage) return null;
  // Small networks have rows enough to fill a GPU only when few share a workgroup.
  const most = units <= 128 ? 8 : 16;
  const fitting = PERSISTENT_ROWS.filter(
    (n) => n <= most && tileBytes(n, ROOM) <= Math.min(TILE_BYTES, workgroupStorage),
  );
  const ROWS = fitting.find((n) => rows / n >= MANY_WORKGROUPS) ?? fitting.at(-1) ?? least;
  const threads = (rowsOfThread: number) => (ROWS / rowsOfThread) * Math.ceil(units / 4);
  const TWO_ROWS = rows / ROWS < 2 * MANY_WORKGROUPS && threads(2) <= MOST_THREADS ? 1 : 0;
  return { ROWS, ROOM, THREADS: Math.min(MOST_THREADS, roundUp(threads(TWO_ROWS ? 2 : 4), 32)), TWO_ROWS };
}

export function requirePersistentTile(r: RolloutSpec, rows: number): PersistentTile {
  const { units } = r.model.shape;
  const tile = persistentTile(units, r.workgroupStorage, rows);
  if (tile) return tile;
  const storage = r.workgroupStorage ?? LEAST_WORKGROUP_STORAGE;
  const most = Math.floor(storage / 16.5 / 32) * 32;
  throw new UsageError(
    `plan tile-persistent: ${units} units need ${Math.ceil(roundUp(units, 32) * 16.5)} bytes of workgroup memory, this adapter has ${storage}: at most ${most} units, or --plan-kind step`,
  );
}

/** State variables of the cell beside r (CELL_EXTRA of the cell file; a contract test compares). */
export const CELL_EXTRA = 2;

/** Floats and words of one time slot of each buffer, for `rows` rows. */
export function slots(r: RolloutSpec, rows: number) {
  const n = roundUp(r.model.shape.units, 4);
  const phi = phiStore(r);
  const words = phi === 0 ? 0 : phi === 1 ? Math.ceil(n / 32) : n;
  return {
    state: rows * n,
    /** Words of the stored r_t or ga_t. */
    stored: (rows * n) / (r.stored === "f16" ? 2 : 1),
    extra: rows * n * CELL_EXTRA,
    // Slots that a view may start at are 256 bytes apart.
    input: roundUp(rows * inputWidth(r.inputs), 64),
    phi: roundUp(rows * words, 64),
    output: rows * roundUp(r.model.shape.outputs, 4),
  };
}

/** Whether the inputs are a product of their own, before the recurrence. */
export const hasManyInputs = (r: RolloutSpec): boolean => r.inputs > FEW_INPUTS;

/** PHI_STORE of `lib/phi_store.wgsl`. */
function phiStore(r: RolloutSpec): number {
  if (!r.adjoint || r.model.activation === "identity") return 0;
  return r.model.activation === "tanh" ? 2 : 1;
}

/** Constants of the cell's variants, for every kernel that imports it. */
export function cellTune(r: RolloutSpec): Record<string, number> {
  return { ACTIVATION: ACTIVATIONS.indexOf(r.model.activation), EXTRA_ON: r.extra ? 1 : 0 };
}

export function phiTune(r: RolloutSpec): Record<string, number> {
  return { PHI_STORE: phiStore(r) };
}

export function noiseTune(r: RolloutSpec): Record<string, number> {
  return { NOISE: { none: 0, drawn: 1, given: 2 }[r.noise], PHILOX_ROUNDS: r.model.noiseRounds };
}

/** A rollout told what the adapter has of workgroup memory. */
export function withStorage(r: RolloutSpec, adapter: AdapterSpec): RolloutSpec {
  return adapter.workgroupStorage === undefined ? r : { ...r, workgroupStorage: adapter.workgroupStorage };
}
