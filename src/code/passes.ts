/** Passes of the place code: norms, rates, changes of rates, and the way back to a position. Pure. */
import { type BufferSpec, type BufferView, type DispatchPass, spread } from "../gpu/plan.ts";
import { UNUSED_READ } from "../kernels/recurrence.ts";
import { roundUp } from "../model/parameters.ts";
import {
  type CodeSpec,
  cellsOf,
  codeTune,
  codeUniform,
  DECODERS,
  type Decoder,
  isNormalised,
  type Population,
} from "./population.ts";

/** Floats that decoding gives a row: x, y and two zeros, as a readout of two would lie. */
const DECODED_FLOATS = 4;

/** Where a window's positions are, whether read out as they are or decoded. */
export interface Shown {
  readonly buffer: "y" | "decoded";
  /** Numbers of a row that count: 2, or all readouts of a network that has more to say. */
  readonly width: number;
  /** Floats of a row. */
  readonly floats: number;
}

export function shownOf(code: CodeSpec | null | undefined, outputs: number): Shown {
  if (code) return { buffer: "decoded", width: 2, floats: DECODED_FLOATS };
  return { buffer: "y", width: outputs, floats: roundUp(outputs, 4) };
}

/** Buffers of the window's positions that are not the readout's own. */
export function shownBuffers(code: CodeSpec | null | undefined, steps: number, rows: number): BufferSpec[] {
  if (!code) return [];
  return [{ name: "decoded", bytes: 4 * steps * rows * DECODED_FLOATS, axes: "[window][R][x, y, 0, 0]" }];
}

/** From the readouts of a window to positions; nothing to do where they are positions already. */
export function showPasses(code: CodeSpec | null | undefined, count: number, decoded: BufferView): DispatchPass[] {
  if (!code) return [];
  const bytes = 4 * count * roundUp(cellsOf(code.population), 4);
  return [decodePass(code.population, code.decoder, count, { buffer: "y", bytes }, decoded)];
}

/** e_0 = rates at s_0 (slot 0 of `positions`). */
export function encoderInputPasses(
  p: Population,
  rows: number,
  positions: BufferView,
  names: { readonly norms: string; readonly e0: string },
): DispatchPass[] {
  const norms = { buffer: names.norms };
  return [
    ...normsPasses(p, rows, positions, norms),
    ratesPass(p, rows, cellsOf(p), { positions, norms, rates: { buffer: names.e0 } }),
  ];
}

/** Of `count` positions, what a softmax divides by; nothing for the other tunings. */
export function normsPasses(p: Population, count: number, positions: BufferView, norms: BufferView): DispatchPass[] {
  if (!isNormalised(p)) return [];
  return [
    {
      kind: "dispatch",
      label: "code norms",
      kernel: "code/norms",
      tune: codeTune(p),
      bind: { positions, norms },
      uniforms: { norms_pass: { count }, code: codeUniform(p) },
      groups: spread(Math.ceil(count / 64)),
      flops: 40 * count * cellsOf(p),
    },
  ];
}

/** The view of `norms` that a kernel reads, or a stand-in. */
export const normsView = (p: Population, view: BufferView): BufferView => (isNormalised(p) ? view : UNUSED_READ);

/** Rates at `count` positions, `width` floats a row. */
export function ratesPass(
  p: Population,
  count: number,
  width: number,
  bind: { readonly positions: BufferView; readonly norms: BufferView; readonly rates: BufferView },
): DispatchPass {
  const [y, z] = spread(Math.ceil(count / 8));
  return {
    kind: "dispatch",
    label: "code rates",
    kernel: "code/rates",
    tune: codeTune(p),
    bind: { ...bind, norms: normsView(p, bind.norms) },
    uniforms: { rates_pass: { count, width }, code: codeUniform(p) },
    groups: [Math.ceil(width / 32), y, z],
    flops: 30 * count * cellsOf(p),
  };
}

/** u_t of a window in code space, into the scratch `input`; `positions` and `norms` are bound from slot t0 on. */
export function deltaPass(
  p: Population,
  o: { readonly rows: number; readonly rootSeed: number; readonly inputScale: number },
  w: { readonly t0: number; readonly steps: number },
  bind: Readonly<Record<"rows" | "positions" | "norms" | "input", BufferView>>,
): DispatchPass {
  return {
    kind: "dispatch",
    label: "code change",
    kernel: "code/delta",
    tune: codeTune(p),
    bind: { ...bind, norms: normsView(p, bind.norms) },
    uniforms: {
      delta_pass: { rows: o.rows, t0: w.t0, root_seed: o.rootSeed, input_scale: o.inputScale },
      code: codeUniform(p),
    },
    groups: [Math.ceil(cellsOf(p) / 32), o.rows / 8, w.steps],
    flops: 80 * w.steps * o.rows * cellsOf(p),
  };
}

/** Positions that `count` rows of the readout `y` stand for, into `decoded`. */
export function decodePass(
  p: Population,
  decoder: Decoder,
  count: number,
  y: BufferView,
  decoded: BufferView,
): DispatchPass {
  return {
    kind: "dispatch",
    label: "decode",
    kernel: "code/decode",
    tune: { DECODE: DECODERS.indexOf(decoder.method), TOP: Math.min(decoder.k, cellsOf(p)) },
    bind: { y, decoded },
    uniforms: { decode_pass: { count }, code: codeUniform(p) },
    groups: spread(Math.ceil(count / 64)),
    flops: 10 * count * roundUp(cellsOf(p), 4),
  };
}
