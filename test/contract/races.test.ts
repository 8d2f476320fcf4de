/**
 * Kernels with workgroup memory and no subgroup operations, run in lockstep by wgsl_reflect's race detector at a tiny
 * shape: no two invocations meet at a word between two barriers, and without any one barrier they do. Those of metrics/
 * are left out: the detector's interpreter does not get through them.
 */
import { describe, expect, test } from "vitest";
import { detectRaces } from "wgsl_reflect/wgsl_reflect.module.js";
import { packStruct } from "../../src/gpu/pack.ts";
import type { Tune } from "../../src/gpu/shader-source.ts";
import { assembled } from "../kernels.ts";

const WINDOW = {
  rows: 32,
  rows_per_network: 32,
  network0: 0,
  t0: 1,
  steps: 2,
  total_steps: 4,
  units: 8,
  unit_quads: 2,
  inputs: 1,
  outputs: 2,
  output_quads: 1,
  encoder_inputs: 1,
  weight_stride: 256,
  at_rec: 0,
  at_in: 64,
  at_b: 72,
  at_out: 80,
  at_b_out: 112,
  at_enc: 116,
  at_b_enc: 124,
  input_stride: 64,
  phi_stride: 64,
  extra_stride: 0,
  root_seed: 1,
  stream: 4,
  clocked: 1,
  slope: 0.1,
};

const UNIFORMS: Record<string, Record<string, number>> = {
  window: WINDOW,
  activity: { scale: 0.5, gradient: 1 },
  affine: { rows: 32, rows_per_network: 32, weight_stride: 256, at_w: 80, at_b: 112, x_quads: 2, y_quads: 1 },
  loss: {
    target_width: 2,
    weight_width: 0,
    weight_stride: 0,
    target_stride: 64,
    output_scale: 0.1,
    activity_scale: 0.1,
    batch_rows: 32,
    row0: 0,
  },
  clock: { iteration: 1, slot: 0, progress: 0, correction1: 1, correction2: 1 },
  reduce: { weight_stride: 1024, row_blocks: 1, time_blocks: 1, at_enc: 512, blocks: 1 },
  gather: { networks: 1, network0: 0, steps: 4, rows_per_network: 32, blocks: 1, block_stride: 64, clip_norm: 1 },
  grad: {
    rows: 32,
    rows_per_network: 32,
    row_block: 32,
    row_block0: 0,
    time_block: 1,
    time_block0: 0,
    time_blocks: 1,
    slices: 1,
    steps: 1,
    left_quads: 2,
    left_one: 0,
    right_quads: 2,
    tail_width: 1,
    tail_stride: 64,
    tail_one: 1,
    column_quad0: 0,
    column_quads: 3,
    weight_stride: 256,
    at_main: 0,
    main_i: 8,
    main_j: 1,
    scale: 1,
    at_tail: 64,
    at_one: 72,
  },
};

const FLOATS = 8192;

function races(name: string, code: string, tune: Tune): { races: number; errors: readonly string[] } {
  const { bindings, entry } = assembled(name, tune).interface;
  const groups: Record<string, Record<string, unknown>> = {};
  for (const b of bindings) {
    groups[b.group] ??= {};
    const group = groups[b.group] as Record<string, unknown>;
    if (b.kind === "uniform" && b.struct) {
      const bytes = new Uint8Array(b.minBytes);
      packStruct(b.struct, UNIFORMS[b.name] ?? {}, new DataView(bytes.buffer));
      group[b.binding] = { uniform: bytes };
    } else group[b.binding] = new Float32Array(FLOATS).fill(0.25);
  }
  const found = detectRaces(code, entry, [1, 1, 1], groups);
  return { races: found.races.length, errors: found.errors };
}

/** Philox wants exact u32 products, which the interpreter lacks; races do not depend on the noise. */
const QUIET = { NOISE: 0 };

const CASES: readonly [string, Tune][] = [
  ["optim/reduce_grads", {}],
  ["optim/network_stats", {}],
  ["rnn/affine_tile", {}],
  ["rnn/readout_adjoint_tile", {}],
  ["rnn/loss_mse", { LANES: 16 }],
  ["rnn/weight_grads_tile", {}],
  ["rnn/step_forward", { ...QUIET, PHI_STORE: 1 }],
  ["rnn/step_backward", { PHI_STORE: 1 }],
  ["rnn/rollout_persistent", { ...QUIET, PHI_STORE: 1, ROOM: 32, THREADS: 32 }],
  ["rnn/adjoint_persistent", { PHI_STORE: 1, ROOM: 32, THREADS: 32 }],
];

describe.each(CASES)("%s", (name, tune) => {
  const { code } = assembled(name, tune).source;

  test("has no data race", () => {
    expect(races(name, code, tune)).toEqual({ races: 0, errors: [] });
  });

  test("has a race without its barriers: the detector sees them", () => {
    const without = code.replaceAll(/^\s*(workgroupBarrier|storageBarrier)\(\);$/gm, "");
    expect(without).not.toBe(code);
    expect(races(name, without, tune).races).toBeGreaterThan(0);
  });
});
