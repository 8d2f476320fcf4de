/**
 * One step of one unit and its adjoint (model.md sections 2 and 5); witness of `shaders/lib/dynamics.wgsl`.
 * Another rule for the cell changes this file and that one, and nothing else.
 */
import type { CellParams } from "../model/dynamics.ts";

/** State variables of a unit, or the gradient of the loss with respect to each. */
export interface CellState {
  readonly r: number;
  readonly v: number;
  readonly c: number;
}

/** a_t of a unit: what arrives at it, less its old adaptation. */
export function preActivationReference(drive: number, before: CellState): number {
  return drive - before.c;
}

/** The state after a step; `noise` is ςξ, added to the velocity as it is. */
export function stepCellReference(p: CellParams, before: CellState, phi: number, noise: number): CellState {
  const f = -p.leak * before.r + p.gain * phi;
  const v = p.keep * before.v + (noise + f);
  return { r: before.r + v, v, c: p.adapt_keep * before.c + p.adapt_gain * before.r };
}

/**
 * From the gradient after a step to `ga` = dL/da and to the gradient before it, as far as it stays within the unit:
 * the part that W_recᵀ ga carries over from other units is for the caller to add to `before.r`.
 */
export function stepCellAdjointReference(
  p: CellParams,
  after: CellState,
  phiPrime: number,
): { ga: number; before: CellState } {
  const g = after.v + after.r;
  const ga = p.gain * phiPrime * g;
  return {
    ga,
    before: {
      r: after.r - p.leak * g + p.adapt_gain * after.c,
      v: p.keep * g,
      c: p.adapt_keep * after.c - ga,
    },
  };
}
