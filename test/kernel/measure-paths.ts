/** Runs the metrics kernels on given paths, in any windows, and makes paths whose counts rounding cannot change. */
import type { BufferSpec, Pass } from "../../src/gpu/plan.ts";
import { Program } from "../../src/gpu/program.ts";
import type { TimeWindow } from "../../src/kernels/recurrence.ts";
import type { Disc, Geometry, Point } from "../../src/metrics/geometry.ts";
import { paddedRows } from "../../src/model/rows.ts";
import {
  geometryUploads,
  type MetricsChunk,
  metricsBuffers,
  metricsFinish,
  metricsLayouts,
  metricsReset,
  metricsRow,
  metricsRows,
  metricsSummary,
  metricsWindow,
  type PathMetricsSpec,
} from "../../src/sweep/path-metrics.ts";
import {
  type RowMetricValues,
  rowMetrics,
  type SummaryMetricValues,
  summaryMetrics,
} from "../../src/sweep/path-records.ts";
import { testGpu } from "../gpu.ts";

export type Path = readonly Point[];

/** [network][condition][repeat] */
export type Paths = readonly (readonly (readonly Path[])[])[];

export interface Measured {
  readonly chunk: MetricsChunk;
  row(network: number, condition: number, repeat: number): RowMetricValues;
  summary(network: number, condition: number): SummaryMetricValues;
  occupancy(network: number, condition: number): number[];
  /** Bytes of a row's record, for comparisons to the bit. */
  rowBytes(network: number, condition: number, repeat: number): string;
  /** The same for a cloud: its record and its steps per cell. */
  cloudBytes(network: number, condition: number): string;
}

/** Padded readouts hold this, so that reading one of them shows. */
const TRAP = 1e6;

/** Windows of the given lengths, the last one to the end. */
export function windowsOf(steps: number, lengths: readonly number[]): TimeWindow[] {
  const out: TimeWindow[] = [];
  for (let t0 = 0, i = 0; t0 < steps; i++) {
    const length = Math.min(lengths[i % lengths.length] as number, steps - t0);
    out.push({ t0, steps: length });
    t0 += length;
  }
  return out;
}

export async function measurePaths(
  paths: Paths,
  geometry: Geometry,
  options: {
    windows?: readonly number[];
    awake?: readonly (readonly number[])[];
    outputs?: number;
    network0?: number;
  } = {},
): Promise<Measured> {
  const gpu = await testGpu();
  const [conditions, repeats] = [paths[0]?.length ?? 0, paths[0]?.[0]?.length ?? 0];
  const T = paths[0]?.[0]?.[0]?.length ?? 0;
  const outputs = options.outputs ?? 2;
  const width = Math.ceil(outputs / 4) * 4;
  const spec: PathMetricsSpec = { geometry, steps: T, outputs, awakeOccupancy: options.awake !== undefined };
  const chunk: MetricsChunk = {
    network0: options.network0 ?? 0,
    networks: paths.length,
    rowsPerNetwork: paddedRows(conditions * repeats),
    conditions,
    repeats,
  };
  const layouts = metricsLayouts(gpu.options.readShader);
  const rows = metricsRows(chunk);
  const y = new Float32Array(T * rows * width).fill(TRAP);
  paths.forEach((network, s) => {
    network.forEach((condition, c) => {
      condition.forEach((path, r) => {
        path.forEach((p, t) => {
          y.set(p, (t * rows + metricsRow(chunk, s, c, r)) * width);
        });
      });
    });
  });
  const windows = windowsOf(T, options.windows ?? [T]);
  const slot = rows * width * 4;
  const passes: Pass[] = [...metricsReset(spec, chunk)];
  for (const w of windows) {
    const from = { buffer: "y_all", offset: w.t0 * slot, bytes: w.steps * slot };
    passes.push({ kind: "copy", label: "y", from, to: { buffer: "y" }, bytes: w.steps * slot });
    passes.push(...metricsWindow(spec, chunk, w));
  }
  passes.push(...metricsFinish(spec, chunk));
  const buffers: BufferSpec[] = [
    ...metricsBuffers(spec, chunk, layouts, options.awake?.length ?? paths.length),
    { name: "y", bytes: slot * Math.max(...windows.map((w) => w.steps)), axes: "" },
    { name: "y_all", bytes: slot * T, axes: "" },
  ];
  const program = await Program.create(gpu, { name: "paths", kind: "step", notes: [], buffers, passes });
  try {
    gpu.write(program.buffer("y_all"), y);
    for (const u of geometryUploads(spec)) gpu.write(program.buffer(u.buffer), u.data);
    if (options.awake) gpu.write(program.buffer("awake_occupancy"), Uint32Array.from(options.awake.flat()));
    await program.run({ label: "paths" });
    const [stats, summaries, occupancy] = await Promise.all(
      ["path_stats", "summaries", "occupancy"].map((name) => gpu.read(program.buffer(name))),
    );
    const cells = geometry.box.cells ** 2;
    const hex = (bytes: ArrayBuffer, at: number, count: number): string =>
      Buffer.from(bytes, at * count, count).toString("hex");
    const own = [stats, summaries, occupancy] as [ArrayBuffer, ArrayBuffer, ArrayBuffer];
    return {
      chunk,
      row: (s, c, r) => rowMetrics(layouts.stats, own[0], metricsRow(chunk, s, c, r), spec),
      summary: (s, c) => summaryMetrics(layouts.summary, own[1], metricsSummary(chunk, s, c), spec),
      occupancy: (s, c) => [...new Uint32Array(own[2], 4 * cells * metricsSummary(chunk, s, c), cells)],
      rowBytes: (s, c, r) => hex(own[0], metricsRow(chunk, s, c, r), layouts.stats.bytes),
      cloudBytes: (s, c) =>
        hex(own[1], metricsSummary(chunk, s, c), layouts.summary.bytes) +
        hex(own[2], metricsSummary(chunk, s, c), 4 * cells),
    };
  } finally {
    program.destroy();
  }
}

/** Uniform numbers in [0, 1) that are the same everywhere. */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Largest coordinate that matters: what the rounding of a position is in proportion to. */
export const extent = (g: Geometry): number => Math.max(...g.centre.map(Math.abs)) + 1.5 * g.scale;

/**
 * Share of the extent within which float32 may take a position for the wrong side of a border: a coordinate has steps
 * of 1.2e−7 of it, and a distance a handful of roundings.
 */
const CLOSE = 2e-6;

/** Whether rounding may decide about what the position is inside of, or nearest to. */
export function isBorderline(p: Point, g: Geometry): boolean {
  const close = CLOSE * extent(g);
  const to = (d: { x: number; y: number }): number => Math.hypot(p[0] - d.x, p[1] - d.y);
  const near = (a: number, b: number): boolean => Math.abs(a - b) < close;
  const discs: Disc[] = [...g.goals, ...g.regions, ...(g.junction === null ? [] : [g.junction])];
  const holding = g.regions.map(to).filter((d, k) => d < (g.regions[k] as Disc).radius + close);
  const cell = g.box.side / g.box.cells;
  const onGrid = (v: number, v0: number): boolean => near(v, v0 + cell * Math.round((v - v0) / cell));
  return (
    discs.some((d) => near(to(d), d.radius)) ||
    g.bins.some(([x, y]) => near(to({ x, y }), g.binRadius)) ||
    holding.some((d, i) => holding.some((e, j) => i < j && near(d, e))) ||
    onGrid(p[0], g.box.x) ||
    onGrid(p[1], g.box.y)
  );
}

/** The next float32 position to the right and up that is not borderline. */
export function settle(p: Point, g: Geometry): Point {
  let [x, y] = [Math.fround(p[0]), Math.fround(p[1])];
  while (isBorderline([x, y], g)) {
    x = Math.fround(x + 3.5 * CLOSE * extent(g));
    y = Math.fround(y + 2.5 * CLOSE * extent(g));
  }
  return [x, y];
}

/** Runs from place to place of the maze at uneven speed, with readout noise; over the coverage box where it is free. */
export function wander(seed: number, steps: number, g: Geometry): Path {
  const next = numbers(seed);
  const places: Point[] =
    g.regions.length > 0
      ? g.regions.map((d) => [d.x, d.y])
      : [
          [0.9, 0.2],
          [-0.8, -1.2],
          [0.1, 1.2],
        ];
  const pick = (): Point => places[Math.floor(next() * places.length)] as Point;
  let [at, aim] = [pick(), pick()];
  const speed = 0.02 + 0.15 * next();
  const noise = 0.15 * next();
  return Array.from({ length: steps }, () => {
    if (Math.hypot(at[0] - aim[0], at[1] - aim[1]) < 0.1) aim = pick();
    const step: Point = [aim[0] - at[0], aim[1] - at[1]];
    const length = Math.hypot(...step) || 1;
    at = [at[0] + (speed * step[0]) / length, at[1] + (speed * step[1]) / length];
    return settle([at[0] + noise * (next() - 0.5), at[1] + noise * (next() - 0.5)], g);
  });
}
