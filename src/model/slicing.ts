/**
 * Slices of a weight gradient: blocks of rows × blocks of steps whose sums are added in ascending order. Their borders
 * depend on the network's rows, T and P alone, so chunking a batch never changes a bit (decision 7).
 */
import { roundUp } from "./parameters.ts";

/** Every network's rows are padded to a multiple of this, under every plan. */
export const ROW_TILE = 32;

export interface Slicing {
  /** Rows of a block, a multiple of 32. */
  readonly rowBlock: number;
  readonly rowBlocks: number;
  /** Steps of a block. */
  readonly timeBlock: number;
  readonly timeBlocks: number;
}

const MAX_ROW_BLOCKS = 4;
const MAX_TIME_BLOCKS = 8;
/** A block of more rows could not be bound on every adapter. */
const LARGEST_ROW_BLOCK = 2048;
/** Partials of one network stay below this, so that they fit a binding of 128 MiB … */
const MAX_PARTIAL_FLOATS = 30e6;
/** … and, of networks so large that few slices reach this, a small part of what a batch of states takes. */
const SOME_PARTIAL_FLOATS = 7.5e6;
const PARTIALS_PER_ROW_STEP = 75;

/** @param rows padded rows of one network; @param stride floats of its parameter vector */
export function slicing(rows: number, steps: number, stride: number): Slicing {
  const most = Math.min(MAX_PARTIAL_FLOATS, Math.max(SOME_PARTIAL_FLOATS, PARTIALS_PER_ROW_STEP * rows * steps));
  const slices = Math.max(1, Math.floor(most / stride));
  // Where slices are few, blocks of time come first: a window holds one at least, and scratch is made for a window.
  const fewest = Math.ceil(rows / LARGEST_ROW_BLOCK);
  const wanted = Math.min(MAX_ROW_BLOCKS, slices, Math.max(fewest, Math.floor(slices / MAX_TIME_BLOCKS)));
  const rowBlock = roundUp(Math.ceil(rows / wanted), ROW_TILE);
  const rowBlocks = Math.ceil(rows / rowBlock);
  const room = Math.max(1, Math.floor(slices / rowBlocks));
  const timeBlock = Math.ceil(steps / Math.min(MAX_TIME_BLOCKS, steps, room));
  return { rowBlock, rowBlocks, timeBlock, timeBlocks: Math.ceil(steps / timeBlock) };
}
