/** A sweep that goes on where another adapter began it: says so, and how far the two are from one another. */
import type { DeviceBuffer, Gpu } from "../gpu/context.ts";
import { measureAwake } from "../sweep/awake.ts";
import type { SweepDefinition } from "../sweep/definition.ts";
import { readSweepManifest } from "../sweep/directory.ts";
import { AWAKE, type ResultRecord, resultKey } from "../sweep/results.ts";
import type { MachineOptions } from "../sweep/spec.ts";
import { compiling } from "./open.ts";
import type { Io } from "./types.ts";

/** Says what is not as it was; true where the adapter or its driver is another. */
export function noteOtherAdapter(path: string, now: Record<string, string>, gpu: Gpu, io: Io): boolean {
  const { adapter, versions: then } = readSweepManifest(path) as unknown as {
    adapter?: { name?: string; driver?: string };
    versions?: Record<string, string>;
  };
  const moved = adapter?.name !== gpu.adapter.name || adapter?.driver !== gpu.adapter.driver;
  if (moved) {
    io.note(`the sweep began on ${adapter?.name} (${adapter?.driver}): another adapter or driver gives other bits`);
  }
  if (then?.reverie !== now.reverie) io.note(`the sweep began with reverie ${then?.reverie}, this is ${now.reverie}`);
  return moved;
}

/** The networks awake, measured again: how far this adapter is from the one that the sweep began on. */
export async function compareAwake(
  gpu: Gpu,
  d: SweepDefinition,
  machine: MachineOptions,
  trained: ReadonlyMap<string, DeviceBuffer>,
  known: ReadonlyMap<string, ResultRecord>,
  io: Io,
): Promise<void> {
  const stored = d.networks.flatMap((_, network) => known.get(resultKey({ network, condition: AWAKE })) ?? []);
  if (stored.length < d.networks.length) return;
  const measured = await measureAwake(gpu, d, machine, trained, { signal: io.signal, onCompile: compiling(io) });
  if (measured === null) return;
  const { name, far } = furthest(stored, measured.records);
  io.note(
    far === 0
      ? "the networks awake, measured again here, are the same to the bit"
      : `the networks awake, measured again here, deviate by at most ${far.toExponential(1)} (relative, ${name})`,
  );
}

/** The value that differs most between two measurements of the same networks. */
function furthest(stored: readonly ResultRecord[], got: readonly ResultRecord[]): { name: string; far: number } {
  let worst = { name: "", far: 0 };
  for (const [s, record] of stored.entries()) {
    for (const [name, value] of Object.entries(record.values)) {
      const other = got[s]?.values[name] ?? Number.NaN;
      if (Object.is(value, other) || value === other) continue;
      const difference = Math.abs(value - other) / Math.abs(value);
      const far = Number.isFinite(difference) ? difference : Number.POSITIVE_INFINITY;
      if (far > worst.far) worst = { name, far };
    }
  }
  return worst;
}
