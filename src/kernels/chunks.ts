/** Splits a batch so that every buffer fits the adapter: groups of networks first, then blocks of rows. Pure. */
import { UsageError } from "../errors.ts";
import { formatBytes } from "../gpu/plan.ts";
import { roundUp } from "../model/parameters.ts";
import type { Slicing } from "../model/slicing.ts";
import type { Group } from "./gradients.ts";
import type { Chunk } from "./recurrence.ts";
import { type AdapterSpec, type RolloutSpec, slots } from "./spec.ts";

export interface ChunkedGroup extends Group {
  readonly chunks: readonly Chunk[];
}

/** How many networks and row blocks a chunk holds. */
export interface Sizes {
  readonly networks: number;
  readonly blocks: number;
}

/** Largest binding and largest buffer that a chunk of this size needs. */
function needs(r: RolloutSpec, sl: Slicing, batchRows: number, size: Sizes): { binding: number; buffer: number } {
  const rows = size.networks * Math.min(size.blocks * sl.rowBlock, batchRows);
  const s = slots(r, rows);
  const window = sl.timeBlock + 1;
  const perSlot = 4 * Math.max(s.stored, s.input, s.phi, s.output, r.extraHistory ? s.extra : 0);
  const kept = 4 * Math.max(s.stored, r.inputWindows ? 0 : s.input, s.phi, r.extraHistory ? s.extra : 0);
  const weights = 4 * size.networks * r.model.layout.stride;
  const partials = r.adjoint ? weights * sl.rowBlocks * sl.timeBlocks : 0;
  const carry = r.adjoint ? 3 * 4 * s.state : 0;
  const trials = (4 * (r.trialFloats ?? 0) * rows) / size.networks;
  return {
    binding: Math.max(window * perSlot, weights, partials, carry, trials),
    buffer: Math.max((r.steps + 1) * kept, window * perSlot, partials),
  };
}

/** Group borders must fall on 256 bytes in `recurrent_t`. */
function groupStep(units: number): number {
  const n = roundUp(units, 4);
  return (n * n * 4) % 256 === 0 ? 1 : 4;
}

export function chunkBatch(
  r: RolloutSpec,
  networks: number,
  batchRows: number,
  sl: Slicing,
  adapter: AdapterSpec,
  most: Sizes = { networks, blocks: sl.rowBlocks },
): ChunkedGroup[] {
  const fits = (size: Sizes) => {
    const n = needs(r, sl, batchRows, size);
    return n.binding <= adapter.maxBinding && n.buffer <= adapter.maxBuffer;
  };
  const step = groupStep(r.model.shape.units);
  const size = {
    networks: most.networks >= networks ? networks : Math.max(1, Math.floor(most.networks / step)) * step,
    blocks: Math.min(most.blocks, sl.rowBlocks),
  };
  while (!fits(size)) {
    if (size.networks > step) size.networks = Math.max(step, roundUp(Math.floor(size.networks / 2), step));
    else if (size.blocks > 1) size.blocks = Math.ceil(size.blocks / 2);
    else {
      const n = needs(r, sl, batchRows, size);
      throw new UsageError(
        `${batchRows} rows × ${r.model.shape.units} units × ${r.steps} steps need a binding of ${formatBytes(n.binding)} and a buffer of ${formatBytes(n.buffer)}; this adapter allows ${formatBytes(adapter.maxBinding)} and ${formatBytes(adapter.maxBuffer)}: use a smaller batch, fewer units or fewer steps`,
      );
    }
  }
  const groups: ChunkedGroup[] = [];
  for (let network0 = 0; network0 < networks; network0 += size.networks) {
    const own = Math.min(size.networks, networks - network0);
    const chunks: Chunk[] = [];
    for (let row0 = 0; row0 < batchRows; row0 += size.blocks * sl.rowBlock) {
      chunks.push({
        network0,
        networks: own,
        row0,
        rowsPerNetwork: Math.min(size.blocks * sl.rowBlock, batchRows - row0),
        table: `rows ${network0}+${own}, ${row0}`,
      });
    }
    groups.push({ network0, networks: own, chunks });
  }
  return groups;
}
