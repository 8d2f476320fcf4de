/** Which parts of which buffers of a window the host takes, packed one behind the other; and their rows. Pure. */
import type { CodeSpec } from "../code/population.ts";
import { chunkRows, type TimeWindow } from "../kernels/recurrence.ts";
import { slots } from "../kernels/spec.ts";
import { inputWidth, roundUp } from "../model/parameters.ts";
import { AWAKE_ONLY, CELLS_ONLY, HAS_END, type RolloutArray } from "./arrays.ts";
import type { DumpChunk } from "./plan.ts";
import type { RolloutJob, Section } from "./rollout.ts";
import { keptIn, type Selection } from "./selection.ts";

/** Where an array lies on the device, in floats. */
interface Source {
  readonly buffer: string;
  /** Slot of time t0 of a window. */
  readonly slot: number;
  /** From one slot to the next, and within a slot where the array begins. */
  readonly stride: number;
  readonly skip: number;
  /** Of a row, with what it is padded by and without. */
  readonly padded: number;
  readonly width: number;
}

function sources(job: RolloutJob, rows: number, w: TimeWindow): Record<RolloutArray, Source> {
  const { rollout: r } = job;
  const s = slots(r, rows);
  const { units: N, outputs: O, encoderInputs: E } = r.model.shape;
  const ofUnits = { slot: 0, stride: s.state, skip: 0, padded: roundUp(N, 4), width: N };
  const ofPath = { slot: w.t0, stride: 2 * rows, skip: 0, padded: 2, width: job.hasPositions ? 2 : 0 };
  const positions = { ...ofPath, buffer: "positions" };
  const made = job.plan.made.map(({ array, width, slot }): [string, Source] => [
    array,
    { buffer: array, slot: 0, stride: slot(rows), skip: 0, padded: width, width },
  ]);
  const inputs = { stride: s.input, skip: 0, padded: inputWidth(r.inputs), width: r.inputs };
  return {
    e0: { buffer: "e0", slot: 0, stride: rows * E, skip: 0, padded: E, width: E },
    r: { buffer: "states", ...ofUnits },
    v: { buffer: "extra", ...ofUnits, stride: s.extra },
    c: { buffer: "extra", ...ofUnits, stride: s.extra, skip: s.state },
    noise: { buffer: "noise", ...ofUnits },
    a: { buffer: "a", ...ofUnits },
    y: { buffer: "y", slot: 0, stride: s.output, skip: 0, padded: roundUp(O, 4), width: O },
    decoded: { buffer: "decoded", slot: 0, stride: 4 * rows, skip: 0, padded: 4, width: 2 },
    target: { ...positions, slot: w.t0 + 1 },
    mask: { ...positions, width: 0 },
    u: { buffer: "input", slot: r.inputWindows ? 0 : w.t0, ...inputs },
    visible: { buffer: "visible", slot: w.t0, stride: rows, skip: 0, padded: 1, width: 1 },
    positions,
    ...Object.fromEntries(made),
  };
}

/** An array's kept slots of a window: device copies in floats, packed from `at` on. */
export interface Region {
  readonly array: RolloutArray;
  readonly buffer: string;
  readonly copies: readonly { readonly from: number; readonly to: number; readonly floats: number }[];
  readonly at: number;
  readonly slots: number;
  /** Index of the first on the array's own axis of time; null for an array without one. */
  readonly first: number | null;
  readonly rows: number;
  readonly padded: number;
  readonly width: number;
}

/** Whether a section has an array, and somebody wants it. */
const wanted = (array: RolloutArray, { name, awake }: Section, code: CodeSpec | null, s: Selection): boolean =>
  (awake || !AWAKE_ONLY.includes(array)) &&
  (code !== null || !CELLS_ONLY.includes(array)) &&
  s.wants(`${name}_${array}`);

function copiesOf(x: Source, floats: number, steps: readonly number[], at: number): Region["copies"] {
  const from = (step: number) => (x.slot + step) * x.stride + x.skip;
  const consecutive = steps.every((step, i) => step === (steps[0] as number) + i);
  if (consecutive && floats === x.stride)
    return [{ from: from(steps[0] as number), to: at, floats: floats * steps.length }];
  return steps.map((step, i) => ({ from: from(step), to: at + i * floats, floats }));
}

/** What is taken of a window, and how many floats that is. */
export function regionsOf(job: RolloutJob, s: Selection, c: DumpChunk, w: TimeWindow) {
  const { code } = job;
  const rows = chunkRows(c.chunk);
  const regions: Region[] = [];
  let at = 0;
  for (const [array, x] of Object.entries(sources(job, rows, w)) as [RolloutArray, Source][]) {
    if (x.width === 0 || !job.sections.some((section) => wanted(array, section, code, s))) continue;
    const timed = array !== "e0";
    if (!timed && w.t0 > 0) continue;
    const { steps, first } = timed ? keptIn(s, w, HAS_END.includes(array)) : { steps: [0], first: null };
    if (steps.length === 0) continue;
    const floats = rows * x.padded;
    const copies = copiesOf(x, floats, steps, at);
    const { buffer, padded, width } = x;
    regions.push({ array, buffer, copies, at, slots: steps.length, first, rows, padded, width });
    at += steps.length * floats;
  }
  return { regions, floats: at };
}

/** Part of an array: `data` fills `shape` and begins at `origin`; it is only good until the next one comes. */
export interface Block {
  readonly array: string;
  readonly origin: readonly number[];
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The rows of a chunk that are a section's: [from, to) within the network. */
function rowsOf(section: Section, { chunk }: DumpChunk): [number, number] {
  const from = Math.max(section.row0, chunk.row0);
  const to = Math.min(section.row0 + section.rows, chunk.row0 + chunk.rowsPerNetwork);
  return [from, Math.max(from, to)];
}

/** Cuts what was taken of a window into blocks, without copying where a block is all of a region. */
export class Cutter {
  #scratch = new Float32Array(0);

  *blocks(
    job: RolloutJob,
    s: Selection,
    c: DumpChunk,
    regions: readonly Region[],
    taken: Float32Array,
  ): Generator<Block> {
    for (const x of regions) {
      for (const section of job.sections) {
        const [from, to] = rowsOf(section, c);
        if (to === from || !wanted(x.array, section, job.code, s)) continue;
        for (const [i, network] of s.networks.entries()) {
          const within = network - c.chunk.network0;
          if (within < 0 || within >= c.chunk.networks) continue;
          const row0 = within * c.chunk.rowsPerNetwork + from - c.chunk.row0;
          const timed = x.first !== null;
          const inner = x.array === "visible" ? [] : [x.width];
          yield {
            array: `${section.name}_${x.array}`,
            origin: [i, ...(timed ? [x.first as number] : []), from - section.row0, ...inner.map(() => 0)],
            shape: [1, ...(timed ? [x.slots] : []), to - from, ...inner],
            data: this.#cut(taken, x, row0, to - from),
          };
        }
      }
    }
  }

  #cut(taken: Float32Array, x: Region, row0: number, rows: number): Float32Array {
    const floats = x.slots * rows * x.width;
    if (x.padded === x.width && rows === x.rows) return taken.subarray(x.at, x.at + floats);
    if (this.#scratch.length < floats) this.#scratch = new Float32Array(floats);
    const out = this.#scratch.subarray(0, floats);
    let to = 0;
    for (let slot = 0; slot < x.slots; slot++) {
      const at = x.at + (slot * x.rows + row0) * x.padded;
      if (x.padded === x.width) {
        out.set(taken.subarray(at, at + rows * x.width), to);
        to += rows * x.width;
        continue;
      }
      for (let b = at; b < at + rows * x.padded; b += x.padded) {
        for (let k = 0; k < x.width; k++) out[to++] = taken[b + k] as number;
      }
    }
    return out;
  }
}
