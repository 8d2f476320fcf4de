/**
 * How clouds of activities of place cells lie beside the awake one, measured on the GPU: projections on fixed directions,
 * covariance, and the nearest valid code of any position. Witness: `src/reference/activity-distances.ts`.
 */
import type { Gpu } from "../gpu/context.ts";
import type { Pass, Plan, PlanKind } from "../gpu/plan.ts";
import { Program } from "../gpu/program.ts";
import { affinePass } from "../kernels/affine.ts";
import { UNUSED_BUFFERS } from "../kernels/recurrence.ts";
import { mean, quantileSorted, sortInPlace, spreadIndices } from "../metrics/statistics.ts";
import { type SlicedQuantiles, slicedWasserstein } from "../metrics/wasserstein.ts";
import { roundUp } from "../model/parameters.ts";
import { paddedRows } from "../model/rows.ts";
import type { Extent } from "../task/extent.ts";
import { CODE_DIRECTIONS, codeDirections } from "./directions.ts";
import { gridPositions } from "./grid.ts";
import { normsPasses, ratesPass } from "./passes.ts";
import { cellsOf, type Population } from "./population.ts";

/** Distances in activity space of one cloud; NaN where nothing of it is finite. */
export interface ActivityMetrics {
  /** Sliced Wasserstein distance to the awake cloud, mean over the directions; rates. */
  readonly sliced: number;
  /** Participation ratio (tr C)² / tr C² of the cloud's covariance. */
  readonly participation: number;
  /** Mean distance from the nearest valid code, root mean square over cells; rates. */
  readonly nearest: number;
}

/** Activities of a cloud that are looked at: (n, cells). */
type Cloud = Float32Array;

/** Activities that stand for a cloud, and those of them whose nearest code is sought among thousands. */
const MOST_SAMPLES = 4096;
const NEAREST_SAMPLES = 1024;
const QUANTILES = 512;
/** Multiply-adds of one dispatch: within a quarter of a second on a slow adapter. */
const NEAREST_WORK = 2e8;

/** The finite ones of at most MOST_SAMPLES activities (count, cells), spread over all of them. */
export function sampleCloud(activity: Float32Array, cells: number): Cloud {
  const rows = spreadIndices(activity.length / cells, MOST_SAMPLES);
  const own = (row: number): Float32Array => activity.subarray(row * cells, (row + 1) * cells);
  const sound = [...rows].filter((row) => own(row).every(Number.isFinite));
  const out = new Float32Array(sound.length * cells);
  sound.forEach((row, i) => {
    out.set(own(row), i * cells);
  });
  return out;
}

function padded(rows: ArrayLike<number>, width: number, paddedWidth: number, count: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(count * paddedWidth);
  for (let i = 0; i < rows.length; i++) out[Math.floor(i / width) * paddedWidth + (i % width)] = rows[i] as number;
  return out;
}

async function run(gpu: Gpu, plan: Pick<Plan, "name" | "kind" | "buffers" | "passes">, result: string) {
  const program = await Program.create(gpu, { ...plan, notes: [], buffers: [...plan.buffers, ...UNUSED_BUFFERS] });
  try {
    await program.run({ label: plan.name });
    return await gpu.readF32(program.buffer(result));
  } finally {
    program.destroy();
  }
}

/** W x of every row of x, on the GPU: (rows, outputs padded to quads). */
async function product(
  gpu: Gpu,
  kind: PlanKind,
  x: { readonly rows: Float32Array<ArrayBuffer>; readonly width: number },
  w: { readonly rows: Float32Array<ArrayBuffer>; readonly outputs: number },
): Promise<Float32Array> {
  const rows = x.rows.length / x.width;
  const outputs = roundUp(w.outputs, 4);
  const weights = new Float32Array(w.rows.length + outputs);
  weights.set(w.rows);
  return run(
    gpu,
    {
      name: "activity",
      kind,
      buffers: [
        { name: "x", bytes: x.rows.byteLength, axes: "[rows][x]", contents: () => x.rows },
        { name: "w", bytes: weights.byteLength, axes: "[y][x], [y]", contents: () => weights },
        { name: "y", bytes: 4 * rows * outputs, axes: "[rows][y]" },
      ],
      passes: [
        affinePass({
          label: "project",
          kind,
          rows,
          rowsPerNetwork: rows,
          steps: 1,
          weights: { buffer: "w" },
          stride: weights.length,
          at: { w: 0, b: w.rows.length },
          x: { view: { buffer: "x" }, quads: x.width / 4 },
          y: { view: { buffer: "y" }, quads: outputs / 4 },
          products: x.width * w.outputs,
        }),
      ],
    },
    "y",
  );
}

/** Quantiles of a cloud along each direction. */
async function quantiles(gpu: Gpu, kind: PlanKind, cloud: Cloud, cells: number): Promise<SlicedQuantiles> {
  const width = roundUp(cells, 4);
  const n = cloud.length / cells;
  const x = { rows: padded(cloud, cells, width, paddedRows(n)), width };
  const directions = padded(codeDirections(cells), cells, width, CODE_DIRECTIONS);
  const y = await product(gpu, kind, x, { rows: directions, outputs: CODE_DIRECTIONS });
  return Array.from({ length: CODE_DIRECTIONS }, (_, j) => {
    const own = Float64Array.from({ length: n }, (_, i) => y[i * CODE_DIRECTIONS + j] as number);
    sortInPlace(own);
    return Float64Array.from({ length: QUANTILES }, (_, i) => quantileSorted(own, (i + 0.5) / QUANTILES));
  });
}

/** (tr C)² / tr C²; the covariance is the product of the centred cloud, cells as rows, with itself. */
async function participation(gpu: Gpu, kind: PlanKind, cloud: Cloud, cells: number): Promise<number> {
  const n = cloud.length / cells;
  const width = roundUp(n, 4);
  const rows = new Float32Array(paddedRows(cells) * width);
  for (let i = 0; i < cells; i++) {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += cloud[k * cells + i] as number;
    for (let k = 0; k < n; k++) rows[i * width + k] = (cloud[k * cells + i] as number) - sum / n;
  }
  const c = await product(gpu, kind, { rows, width }, { rows, outputs: cells });
  const outputs = roundUp(cells, 4);
  let [trace, square] = [0, 0];
  for (let i = 0; i < cells; i++) {
    trace += c[i * outputs + i] as number;
    for (let j = 0; j < cells; j++) square += (c[i * outputs + j] as number) ** 2;
  }
  return (trace * trace) / square;
}

/** Distance of each activity from the nearest code of a grid of positions, root mean square over cells. */
export async function nearestCode(
  gpu: Gpu,
  cloud: Cloud,
  population: Population,
  positions: Float32Array<ArrayBuffer>,
): Promise<Float64Array> {
  const cells = cellsOf(population);
  const width = roundUp(cells, 4);
  const [n, G] = [cloud.length / cells, positions.length / 2];
  const tile = Math.max(32, Math.floor(NEAREST_WORK / (n * width) / 32) * 32);
  const passes: Pass[] = [
    ...normsPasses(population, G, { buffer: "grid" }, { buffer: "norms" }),
    ratesPass(population, G, width, {
      positions: { buffer: "grid" },
      norms: { buffer: "norms" },
      rates: { buffer: "codes" },
    }),
  ];
  for (let from = 0; from < G; from += tile) {
    const codes = Math.min(tile, G - from);
    passes.push({
      kind: "dispatch",
      label: "nearest code",
      kernel: "code/nearest",
      bind: {
        activity: { buffer: "activity" },
        // A tile begins at a multiple of 32 codes of at least 4 floats: on 256 bytes.
        codes: { buffer: "codes", offset: 4 * from * width, bytes: 4 * codes * width },
        nearest: { buffer: "nearest" },
      },
      uniforms: { nearest_pass: { count: n, codes, quads: width / 4 } },
      groups: [Math.ceil(n / 64), Math.ceil(codes / 32), 1],
      flops: 2 * n * codes * cells,
    });
  }
  const activity = padded(cloud, cells, width, n);
  const square = await run(
    gpu,
    {
      name: "nearest code",
      kind: "step",
      buffers: [
        { name: "grid", bytes: positions.byteLength, axes: "[G][2]", contents: () => positions },
        { name: "norms", bytes: positions.byteLength, axes: "[G][2]" },
        { name: "codes", bytes: 4 * G * width, axes: "[G][O]" },
        { name: "activity", bytes: activity.byteLength, axes: "[n][O]", contents: () => activity },
        { name: "nearest", bytes: 4 * n, axes: "[n]", contents: () => new Uint32Array(n).fill(0xffffffff) },
      ],
      passes,
    },
    "nearest",
  );
  return Float64Array.from(square.subarray(0, n), (s) => Math.sqrt(s / cells));
}

/** What clouds of a network are compared with: quantiles of its awake cloud; null where nothing of that is finite. */
export type ActivityReference = SlicedQuantiles | null;

/** @param awake (count, cells) */
export async function activityReference(
  gpu: Gpu,
  kind: PlanKind,
  cells: number,
  awake: Float32Array,
): Promise<ActivityReference> {
  const cloud = sampleCloud(awake, cells);
  return cloud.length === 0 ? null : await quantiles(gpu, kind, cloud, cells);
}

/** The cells, and where their positions lie. */
export interface MeasuredCode {
  readonly population: Population;
  readonly extent: Extent;
}

/**
 * Measures one cloud, (count, cells).
 * @param code null of readouts that are no code of anything
 */
export async function measureCloud(
  gpu: Gpu,
  kind: PlanKind,
  cells: number,
  code: MeasuredCode | null,
  all: Float32Array,
  reference: ActivityReference,
): Promise<ActivityMetrics> {
  const cloud = sampleCloud(all, cells);
  if (cloud.length === 0) return { sliced: Number.NaN, participation: Number.NaN, nearest: Number.NaN };
  const some = cloud.subarray(0, NEAREST_SAMPLES * cells);
  const nearest = code && (await nearestCode(gpu, some, code.population, gridPositions(code.extent)));
  return {
    sliced: reference ? slicedWasserstein(await quantiles(gpu, kind, cloud, cells), reference) : Number.NaN,
    participation: await participation(gpu, kind, cloud, cells),
    nearest: nearest ? mean(nearest) : Number.NaN,
  };
}

/**
 * Measures clouds of one network against its awake cloud, the first. `clouds`: (count, cells) each.
 * @param code null of readouts that are no code of anything
 */
export async function measureActivity(
  gpu: Gpu,
  kind: PlanKind,
  cells: number,
  code: MeasuredCode | null,
  clouds: readonly Float32Array[],
): Promise<ActivityMetrics[]> {
  const reference = await activityReference(gpu, kind, cells, clouds[0] ?? new Float32Array(0));
  const out: ActivityMetrics[] = [];
  for (const cloud of clouds) out.push(await measureCloud(gpu, kind, cells, code, cloud, reference));
  return out;
}
