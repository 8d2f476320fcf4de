/**
 * Metrics of decoded paths on the GPU, window by window, while a sweep's rollouts run: buffers, passes, and how to read
 * the records that come back. Kernels: `shaders/metrics/`; witness: `src/reference/path-metrics.ts`. Pure.
 *
 * Per row only a record of sums and counts leaves the device; the last divisions and logarithms are done here in
 * float64. A row that diverges (not finite, or beyond ten maze sizes) keeps its times of arrival, which aggregates
 * take for never, and loses the rest.
 */
import { ShaderError } from "../errors.ts";
import type { FieldValues } from "../gpu/pack.ts";
import type { BufferSpec, DispatchPass, Pass } from "../gpu/plan.ts";
import { reflectKernel, type StructLayout } from "../gpu/reflect.ts";
import { assembleShader, type ShaderReader } from "../gpu/shader-source.ts";
import type { TimeWindow } from "../kernels/recurrence.ts";
import { type Geometry, hasLaps } from "../metrics/geometry.ts";
import { roundUp } from "../model/parameters.ts";
import { ROW_TILE } from "../model/slicing.ts";
import { packPlaces, slicedOrder, trackPieces, type Upload } from "./path-places.ts";

export interface PathMetricsSpec {
  readonly geometry: Geometry;
  /** T of the rollouts. */
  readonly steps: number;
  /** O ≥ 2; the first two readouts are x and y, metres. */
  readonly outputs: number;
  /** Where a window's positions lie; `y` without. */
  readonly readout?: string;
  /** Whether `awake_occupancy` is given, for `sw_binned` and `kl_binned`. */
  readonly awakeOccupancy: boolean;
}

/** Rows of a launch: network by network, whole conditions, repeats within; each network's rows padded to 32. */
export interface MetricsChunk {
  /** First network of the launch: its place in `awake_occupancy`. */
  readonly network0: number;
  readonly networks: number;
  /** Padding included. */
  readonly rowsPerNetwork: number;
  readonly conditions: number;
  readonly repeats: number;
}

/** Records that come back, as the shaders declare them. */
export interface MetricsLayouts {
  readonly stats: StructLayout;
  readonly summary: StructLayout;
}

/** Positions kept of every row, for the lags that reach into the window before. */
const TAIL = 16;
/** A row has diverged beyond this many maze sizes from the centre. */
const DIVERGED_SCALES = 10;

function elementLayout(kernel: string, binding: string, read: ShaderReader): StructLayout {
  const source = assembleShader(`${kernel}.wgsl`, read);
  const struct = reflectKernel(source.file, source.code).bindings.find((b) => b.name === binding)?.struct;
  if (!struct) throw new ShaderError(`shaders/${source.file}: ${binding} is not an array of structs`);
  return struct;
}

export function metricsLayouts(read: ShaderReader): MetricsLayouts {
  return {
    stats: elementLayout("metrics/path_stats", "stats", read),
    summary: elementLayout("metrics/pool_occupancy", "summaries", read),
  };
}

export const metricsRows = (c: MetricsChunk): number => c.networks * c.rowsPerNetwork;

/** Row of `path_stats`. */
export const metricsRow = (c: MetricsChunk, network: number, condition: number, repeat: number): number =>
  network * c.rowsPerNetwork + condition * c.repeats + repeat;

/** Record of `summaries` and of `occupancy`. */
export const metricsSummary = (c: MetricsChunk, network: number, condition: number): number =>
  network * c.conditions + condition;

const cellsOf = (g: Geometry): number => g.box.cells ** 2;

/** Words of a row in `path_visits`: steps per cell, steps per region, bits of the bins of each piece of track. */
const visitWords = (g: Geometry): number => cellsOf(g) + g.regions.length + trackPieces(g).length;

/** Device bytes of a row: what a launch's size is chosen by. The largest binding is `path_visits`. */
export function metricsRowBytes(spec: PathMetricsSpec, layouts: MetricsLayouts): { all: number; largest: number } {
  const visits = 4 * visitWords(spec.geometry);
  return { all: visits + layouts.stats.bytes + 8 * TAIL, largest: Math.max(visits, layouts.stats.bytes) };
}

/** Buffers that the passes of a chunk name. `awake_occupancy` is for all networks of the sweep: [S][cells] u32. */
export function metricsBuffers(
  spec: PathMetricsSpec,
  chunk: MetricsChunk,
  layouts: MetricsLayouts,
  networks: number,
): BufferSpec[] {
  const rows = metricsRows(chunk);
  const clouds = chunk.networks * chunk.conditions;
  const cells = cellsOf(spec.geometry);
  return [
    { name: "path_stats", bytes: rows * layouts.stats.bytes, axes: "[R] path records" },
    { name: "path_tail", bytes: TAIL * rows * 8, axes: "[16][R][2], the last positions" },
    { name: "path_visits", bytes: 4 * rows * visitWords(spec.geometry), axes: "[R][cells, regions, track bits]" },
    { name: "occupancy", bytes: 4 * clouds * cells, axes: "[S·C][cells], steps" },
    { name: "summaries", bytes: clouds * layouts.summary.bytes, axes: "[S·C] cloud records" },
    ...geometryUploads(spec).map((u) => ({ name: u.buffer, bytes: u.data.byteLength, axes: u.axes })),
    ...(spec.awakeOccupancy
      ? [{ name: "awake_occupancy", bytes: 4 * networks * cells, axes: "[S][cells], steps" }]
      : []),
  ];
}

/** Contents of the constant tables; written once per program. */
export function geometryUploads(spec: PathMetricsSpec): Upload[] {
  return spec.awakeOccupancy ? slicedOrder(spec.geometry.box) : [];
}

function pathUniform(spec: PathMetricsSpec, chunk: MetricsChunk, w: TimeWindow): FieldValues {
  const g = spec.geometry;
  return {
    rows: metricsRows(chunk),
    rows_per_network: chunk.rowsPerNetwork,
    real_rows: chunk.conditions * chunk.repeats,
    t0: w.t0,
    steps: w.steps,
    output_pairs: roundUp(spec.outputs, 4) / 2,
    visit_words: visitWords(g),
    pieces: trackPieces(g).length,
    goals: g.goals.length,
    junctions: g.junction === null ? 0 : 1,
    regions: g.regions.length,
    cells: g.box.cells,
    closed: hasLaps(g) ? 1 : 0,
    leave_square: g.leave === null ? 0 : g.leave ** 2,
    centre: [...g.centre],
    corner: [g.box.x, g.box.y],
    side: g.box.side,
    limit: DIVERGED_SCALES * g.scale,
    bin_square: g.binRadius ** 2,
  };
}

function rowPass(label: string, kernel: string, spec: PathMetricsSpec, chunk: MetricsChunk, w: TimeWindow) {
  return {
    kind: "dispatch",
    label,
    kernel,
    uniforms: { path_pass: pathUniform(spec, chunk, w) },
    groups: [metricsRows(chunk) / ROW_TILE, 1, 1],
  } as const;
}

/** Before the first window. */
export function metricsReset(spec: PathMetricsSpec, chunk: MetricsChunk): Pass[] {
  return [
    {
      ...rowPass("reset metrics", "metrics/path_reset", spec, chunk, { t0: 0, steps: 0 }),
      bind: { stats: { buffer: "path_stats" }, visits: { buffer: "path_visits" } },
    },
  ];
}

/**
 * After the readout of a window into `y` [steps][R][O padded to 4]: slot s is step t0 + s + 1. Windows must follow each
 * other without gaps; where they are cut changes no bit.
 */
export function metricsWindow(spec: PathMetricsSpec, chunk: MetricsChunk, window: TimeWindow): Pass[] {
  const g = spec.geometry;
  const rows = metricsRows(chunk);
  return [
    {
      ...rowPass("path metrics", "metrics/path_stats", spec, chunk, window),
      uniforms: { path_pass: pathUniform(spec, chunk, window), places: { quads: packPlaces(g) } },
      bind: {
        y: { buffer: spec.readout ?? "y", bytes: 4 * window.steps * rows * roundUp(spec.outputs, 4) },
        stats: { buffer: "path_stats" },
        tail: { buffer: "path_tail" },
        visits: { buffer: "path_visits" },
      },
      flops: rows * window.steps * (80 + 30 * g.segments.length + 6 * (g.goals.length + g.regions.length)),
    },
  ];
}

/** After the last window: entropies of the rows, then the pooled clouds per (network, condition). */
export function metricsFinish(spec: PathMetricsSpec, chunk: MetricsChunk): Pass[] {
  const clouds = chunk.networks * chunk.conditions;
  const { box } = spec.geometry;
  const cloud = {
    network0: chunk.network0,
    conditions: chunk.conditions,
    repeats: chunk.repeats,
    rows_per_network: chunk.rowsPerNetwork,
    visit_words: visitWords(spec.geometry),
    clouds,
    cell_size: box.side / box.cells,
  };
  const pass = (label: string, kernel: string, bind: DispatchPass["bind"]): Pass => ({
    kind: "dispatch",
    label,
    kernel,
    tune: { SIDE: box.cells },
    bind: { ...bind, occupancy: { buffer: "occupancy" }, summaries: { buffer: "summaries" } },
    uniforms: { cloud_pass: cloud },
    groups: spreadClouds(clouds),
  });
  const passes: Pass[] = [
    {
      ...rowPass("finish rows", "metrics/path_finish", spec, chunk, { t0: 0, steps: 0 }),
      bind: { stats: { buffer: "path_stats" }, visits: { buffer: "path_visits" } },
    },
    pass("pool occupancy", "metrics/pool_occupancy", {
      stats: { buffer: "path_stats" },
      visits: { buffer: "path_visits" },
    }),
  ];
  if (spec.awakeOccupancy) {
    const awake_occupancy = { buffer: "awake_occupancy" };
    passes.push(
      pass("sliced distance", "metrics/sliced_wasserstein", {
        awake_occupancy,
        cell_order: { buffer: "cell_order" },
        cell_gaps: { buffer: "cell_gaps" },
      }),
      pass("divergence", "metrics/binned_kl", { awake_occupancy }),
    );
  }
  return passes;
}

/** One workgroup per cloud, none above the limit per dimension. */
function spreadClouds(clouds: number): [number, number, number] {
  const y = Math.ceil(clouds / 65535);
  return [Math.ceil(clouds / y), y, 1];
}
