/** y = W x + b of every row and step, as a pass; all matrices are padded to quads, rows to 32. Pure. */
import type { BufferView, DispatchPass, PlanKind } from "../gpu/plan.ts";
import { ROW_TILE } from "../model/slicing.ts";

export interface Affine {
  readonly label: string;
  readonly kind: PlanKind;
  readonly rows: number;
  readonly rowsPerNetwork: number;
  readonly steps: number;
  readonly weights: BufferView;
  /** Floats from one network's vector to the next, and where W [y][x] and b [y] lie in it. */
  readonly stride: number;
  readonly at: { readonly w: number; readonly b: number };
  /** `f16`: stored as float16 (`shaders/lib/stored/`). */
  readonly x: { readonly view: BufferView; readonly quads: number; readonly f16?: boolean };
  readonly y: { readonly view: BufferView; readonly quads: number; readonly f16?: boolean };
  /** Multiply-adds of a row that count. */
  readonly products: number;
}

/** What a tile of so many quads costs on a CPU, relative to the widest: rows are loaded once a tile. */
const TILE_COST: readonly (readonly [quads: number, cost: number])[] = [
  [8, 1],
  [4, 0.54],
  [1, 0.32],
];

/** Quads of columns a lane kernel works on at once. */
export function tileQuads(quads: number): number {
  const costs = TILE_COST.map(([tile, cost]) => [tile, Math.ceil(quads / tile) * cost] as const);
  return costs.reduce((best, next) => (next[1] < best[1] ? next : best))[0];
}

export function affinePass(p: Affine): DispatchPass {
  const own = p.kind === "own-row";
  const tile = own ? tileQuads(p.y.quads) : 8;
  return {
    kind: "dispatch",
    label: p.label,
    kernel: own ? "rnn/affine_lanes" : "rnn/affine_tile",
    tune: {
      ...(p.x.f16 ? { X_F16: 1 } : {}),
      ...(p.y.f16 ? { Y_F16: 1 } : {}),
      ...(own ? { TILE_QUADS: tile } : {}),
    },
    bind: { weights: p.weights, x: p.x.view, y: p.y.view },
    uniforms: {
      affine: {
        rows: p.rows,
        rows_per_network: p.rowsPerNetwork,
        weight_stride: p.stride,
        at_w: p.at.w,
        at_b: p.at.b,
        x_quads: p.x.quads,
        y_quads: p.y.quads,
      },
    },
    groups: [Math.ceil(p.y.quads / tile), p.rows / ROW_TILE, p.steps],
    flops: 2 * p.steps * p.rows * p.products,
  };
}
