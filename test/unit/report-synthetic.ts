import { geometryOf } from "../../src/metrics/geometry.ts";
import { measureRun } from "../../src/metrics/measure.ts";
import { type RateGrid, type RateMaps, RateSums } from "../../src/metrics/rate-maps.ts";
import type { Tensor } from "../../src/metrics/trajectories.ts";
import { describeCondition, type ReportInput } from "../../src/report/input.ts";
import { tmazeTask } from "../../src/task/paths.ts";

/** Replays that look like those of a trained network, made without one: runs through the T-maze with noise. */

function generator(seed: number): { uniform(): number; normal(): number } {
  let state = seed >>> 0;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return {
    uniform,
    normal: () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

interface Walk {
  /** Metres per step along the maze. */
  readonly speed: number;
  /** Chance per step to leave an end for the other arm. */
  readonly escape: number;
  /** Spread of the path about the maze, metres. */
  readonly jitter: number;
}

/** (network, time, row, 2) */
function walks(networks: number, steps: number, rows: number, walk: Walk, seed: number): Tensor {
  const data = new Float32Array(networks * steps * rows * 2);
  for (let n = 0; n < networks; n++) {
    const speedOfNetwork = walk.speed * (1 + 0.06 * Math.sin(3 * n + seed));
    for (let r = 0; r < rows; r++) {
      const { uniform, normal } = generator(seed * 7919 + n * 104729 + r * 1299709 + 1);
      for (let i = 0; i < 8; i++) uniform();
      const speed = speedOfNetwork * (1 + 0.15 * normal());
      let [side, q, target, jx, jy] = [uniform() < 0.5 ? -1 : 1, 0, 2.5, 0, 0];
      for (let t = 0; t < steps; t++) {
        q += Math.sign(target - q) * Math.min(Math.abs(target - q), Math.max(0, speed * (1 + normal())));
        if (target === 2.5 && q === 2.5 && uniform() < walk.escape) target = 1.5;
        if (target === 1.5 && q === 1.5) [side, target] = [-side, 2.5];
        jx = 0.88 * jx + 0.47 * walk.jitter * normal();
        jy = 0.88 * jy + 0.47 * walk.jitter * normal();
        const at = ((n * steps + t) * rows + r) * 2;
        data[at] = (q <= 1.5 ? 0 : side * (q - 1.5)) + jx + 0.02 * normal();
        data[at + 1] = (q <= 1.5 ? -1 + q : 0.5) + jy + 0.02 * normal();
      }
    }
  }
  return { data, shape: [networks, steps, rows, 2] };
}

/** Units with a field each, somewhere along the maze. */
function placeFields(network: number, grid: RateGrid, paths: Tensor): RateMaps {
  const units = 12;
  const sums = new RateSums(grid, units);
  const [, T = 0, R = 0] = paths.shape;
  const r = new Float64Array(units);
  for (let i = network * T * R; i < (network + 1) * T * R; i++) {
    const [x, y] = [paths.data[2 * i] as number, paths.data[2 * i + 1] as number];
    for (let u = 0; u < units; u++) {
      const [fx, fy] = u < 6 ? [0, -1 + 0.25 * u] : [-1 + 0.4 * (u - 6), 0.5];
      r[u] = (1 + u) * Math.exp(-((x - fx) ** 2 + (y - fy) ** 2) / 0.08) - 0.05;
    }
    sums.add(x, y, r);
  }
  return sums.maps();
}

export interface SyntheticSize {
  readonly networks: number;
  readonly steps: number;
  readonly rows: number;
}

export const SMALL: SyntheticSize = { networks: 2, steps: 80, rows: 6 };
export const REALISTIC: SyntheticSize = { networks: 3, steps: 500, rows: 96 };

const CONDITIONS: readonly (readonly [string, string, Record<string, number>, Walk])[] = [
  ["plain", "Plain", {}, { speed: 0.03, escape: 0, jitter: 0.06 }],
  ["adaptation", "Adaptation", { adaptStrength: 0.05, adaptTau: 200 }, { speed: 0.014, escape: 0.004, jitter: 0.08 }],
  ["momentum", "Momentum", { friction: 0.6 }, { speed: 0.048, escape: 0, jitter: 0.06 }],
  [
    "both",
    "Momentum + adaptation",
    { friction: 0.6, adaptStrength: 0.05, adaptTau: 200 },
    { speed: 0.036, escape: 0.012, jitter: 0.09 },
  ],
];

export function syntheticReport({ networks, steps, rows }: SyntheticSize): ReportInput {
  const geometry = geometryOf(tmazeTask());
  const { x, y, side } = geometry.box;
  const grid = { x, y, width: side, height: side, columns: 25, lines: 25 };
  const seeds = Array.from({ length: networks }, (_, i) => i);
  const conditions = CONDITIONS.map(([name, label, overrides, walk], i) => ({
    name,
    label,
    detail: describeCondition(overrides),
    positions: walks(networks, steps, rows, walk, i + 1),
  }));
  const awakeWalk = { speed: 0.0556, escape: 0, jitter: 0.03 };
  const awake = {
    positions: walks(networks, 61, Math.max(rows, 4), awakeWalk, 11),
    readout: walks(networks, 60, Math.max(rows, 4), { ...awakeWalk, jitter: 0.07 }, 11),
  };
  const iterations = Array.from({ length: 140 }, (_, i) => (i + 1) * 10);
  const { normal } = generator(5);
  return {
    title: "T-maze",
    manifest: {
      format: "reverie-run",
      adapter: { name: "llvmpipe (LLVM 15.0.6, 256 bits)", vendor: "mesa", software: true },
      versions: { reverie: "0.1.0" },
    },
    config: {
      seeds,
      rnn: { units: 64, activation: "relu", leak: 0.5, gain: 1, noiseStd: 0.05 },
      task: { kind: "tmaze", steps: 60, maskEvery: 5 },
      train: { iterations: 1400, batch: 48 },
      replay: { steps, repeats: rows, start: "encoded" },
    },
    loss: {
      iterations,
      perNetwork: seeds.map((s) =>
        iterations.map(
          (i) => (0.28 * Math.exp(-i / 55) + 0.0052 + 0.03 / (1 + i / 40)) * Math.exp(0.09 * normal() + 0.02 * s),
        ),
      ),
    },
    testError: seeds.map((s) => 0.0053 + 0.0002 * Math.sin(s)),
    awake,
    rates: { grid, networks: seeds.map((s) => placeFields(s, grid, awake.positions)) },
    conditions,
    records: measureRun({ seeds, geometry, awake: awake.readout, conditions }),
    geometry,
    notices: [],
  };
}
