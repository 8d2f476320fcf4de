/**
 * A population of place cells, as data: centres and tuning. `shaders/lib/place_code.wgsl` is the only place on the GPU
 * that knows the rates; this file packs what it reads. Pure.
 */
import type { FieldValues } from "../gpu/pack.ts";
import type { Tune } from "../gpu/shader-source.ts";
import { roundUp } from "../model/parameters.ts";

/** In the order of the constants in `lib/place_code.wgsl`. */
export const TUNINGS = ["gaussian", "gaussianThreshold", "differenceOfGaussians", "softmax"] as const;
export type Tuning = (typeof TUNINGS)[number];

/** In the order of the constants in `code/decode.wgsl`. */
export const DECODERS = ["topK", "weightedMean"] as const;

export interface Decoder {
  readonly method: (typeof DECODERS)[number];
  /** k of `topK`. */
  readonly k: number;
}

export interface Population {
  /** x, y of each cell, metres. */
  readonly centres: readonly (readonly [number, number])[];
  /** w, metres. */
  readonly width: number;
  readonly tuning: Tuning;
}

/** What `PlaceCode.centre` has room for. */
export const MOST_CELLS = 2048;

/** What a network on a path sees and says, where it is more than the position. */
export interface CodeSpec {
  readonly population: Population;
  readonly decoder: Decoder;
  /** Whether the input is the change of the code rather than of the position. */
  readonly deltaInput: boolean;
}

export const cellsOf = (p: Population): number => p.centres.length;

/** The uniform `code`. */
export function codeUniform(p: Population): FieldValues {
  const cells = cellsOf(p);
  const centre = Array.from({ length: 2 * roundUp(cells, 4) }, (_, i) => {
    const cell = 4 * Math.floor(i / 8) + (i % 4);
    return p.centres[cell]?.[i % 8 < 4 ? 0 : 1] ?? 0;
  });
  return { cells, cell_quads: Math.ceil(cells / 4), exponent: -1 / (2 * p.width ** 2), centre };
}

export const codeTune = (p: Population): Tune => ({ TUNING: TUNINGS.indexOf(p.tuning) });

/** Whether the rates of a position need a sum over all cells first. */
export const isNormalised = (p: Population): boolean => p.tuning === "softmax";
