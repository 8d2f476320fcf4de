/** Row records, the one mechanism behind seeds, hyper-parameters, conditions and sweeps. */
import { type FieldValues, packArray } from "../gpu/pack.ts";
import type { StructLayout } from "../gpu/reflect.ts";
import { cellParams, type StepParameters } from "./dynamics.ts";
import { ROW_TILE } from "./slicing.ts";

export interface RowRecord {
  readonly step: StepParameters;
  readonly networkSeed: number;
  /** Index within (network, condition): third counter word of the noise. */
  readonly trajectory: number;
  /** Replay: index of the condition in the whole sweep, or 0 when conditions share their noise. */
  readonly epoch: number;
  readonly maskEvery: number;
  readonly maskRandom: boolean;
}

export const paddedRows = (rows: number): number => Math.ceil(rows / ROW_TILE) * ROW_TILE;

function fields(row: RowRecord): FieldValues {
  const cell = Object.entries(cellParams(row.step)).map(([k, v]) => [`cell.${k}`, v] as const);
  return {
    ...Object.fromEntries(cell),
    network_seed: row.networkSeed,
    trajectory: row.trajectory,
    epoch: row.epoch,
    valid: 1,
    mask_every: row.maskEvery,
    mask_random: row.maskRandom ? 1 : 0,
  };
}

/**
 * Packs the rows of a chunk: `perNetwork[s]` are the rows of its s-th network; each is padded with all-zero records,
 * under which a row stays exactly 0.
 */
export function packRows(
  layout: StructLayout,
  perNetwork: readonly (readonly RowRecord[])[],
  rowsPerNetwork: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layout.bytes * rowsPerNetwork * perNetwork.length);
  perNetwork.forEach((own, s) => {
    bytes.set(packArray(layout, own.map(fields)), s * rowsPerNetwork * layout.bytes);
  });
  return bytes;
}
