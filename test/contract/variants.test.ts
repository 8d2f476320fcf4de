/** Every variant that the planners choose from compiles, and binds what the plain kernel binds. */
import { expect, test } from "vitest";
import type { Tune } from "../../src/gpu/shader-source.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

/** What the planners set, each value once. */
const CELL: readonly Tune[] = [
  ...[0, 1, 2, 3].map((ACTIVATION) => ({ ACTIVATION })),
  ...[0, 1].map((EXTRA_ON) => ({ EXTRA_ON })),
  ...[0, 1, 2].map((PHI_STORE) => ({ PHI_STORE })),
];
const FORWARD: readonly Tune[] = [
  ...CELL,
  ...[0, 1, 2].map((NOISE) => ({ NOISE })),
  ...[7, 10].map((PHILOX_ROUNDS) => ({ PHILOX_ROUNDS })),
];
const TILES: readonly Tune[] = [1, 4].map((TILE_QUADS) => ({ TILE_QUADS }));
/** At both ends of the network sizes. */
const PERSISTENT: readonly Tune[] = [
  { ROWS: 4, ROOM: 928, THREADS: 256 },
  { ROWS: 8, ROOM: 32, THREADS: 32 },
  { ROWS: 16, ROOM: 224, THREADS: 256 },
];

test.each<[string, readonly Tune[]]>([
  ["rnn/rollout_own_row", [...FORWARD, ...TILES]],
  ["rnn/rollout_persistent", [...FORWARD, ...PERSISTENT]],
  ["rnn/step_forward", FORWARD],
  ["rnn/adjoint_own_row", [...CELL, ...TILES]],
  ["rnn/adjoint_persistent", [...CELL, ...PERSISTENT]],
  ["rnn/step_backward", CELL],
  ["rnn/readout_lanes", TILES],
  ["rnn/readout_adjoint_lanes", TILES],
  ["rnn/weight_grads_lanes", TILES],
])("%s", async (name, tunes) => {
  const gpu = await testGpu();
  const plain = await gpu.kernel(name);
  for (const tune of tunes) {
    const kernel = await gpu.kernel(name, tune);
    expect(kernel.interface.bindings, JSON.stringify(tune)).toEqual(plain.interface.bindings);
  }
});
