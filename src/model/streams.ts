/**
 * Philox-4x32 streams. Counter words: (step, unit >> 2, trajectory, stream << 24 | epoch);
 * key: (root seed, network seed). `epoch` is the training iteration, or in replay the index of the condition
 * in the whole sweep (0 when conditions share their noise). Mirrors `shaders/lib/rng.wgsl`.
 */
export const STREAM = {
  initialisation: 0,
  trainPaths: 1,
  testPaths: 2,
  masks: 3,
  awakeNoise: 4,
  replayNoise: 5,
  replayStarts: 6,
  /** Centres of place cells: drawn on the host, the same for all networks. */
  cells: 7,
  /** Order of given trials: likewise. */
  trials: 8,
} as const;

export type StreamName = keyof typeof STREAM;

/** The epoch word of test trajectories; training iterations and conditions stay below it. */
export const TEST_EPOCH = 0xffffff;
