/**
 * The steps of an audited row once more, in float64: every step starts from the states that the GPU itself gave, so that
 * what is compared is the step and not how a chaotic rollout parts from its twin. Noise is drawn again, exactly.
 */

import type { CellParams } from "../model/dynamics.ts";
import { STREAM } from "../model/streams.ts";
import { activationReference } from "../reference/activation.ts";
import { addProduct } from "../reference/dense.ts";
import { preActivationReference, stepCellReference } from "../reference/dynamics.ts";
import { DEFAULT_ROUNDS } from "../reference/rng.ts";
import { philoxNoise } from "../reference/rollout.ts";
import type { ReferenceTensors } from "../reference/tensors.ts";
import type { AuditedStretch } from "../sweep/audit.ts";
import type { SweepDefinition } from "../sweep/definition.ts";

/** As between every kernel and its twin: of max(1, max |r|). */
const STATE = 1e-5;
/** Beyond this, products of float32 may overflow where float64's do not: what follows is nobody's fault. */
const HUGE = 1e30;

export interface Worst {
  /** Of its tolerance. */
  readonly share: number;
  readonly step: number;
}

export interface AuditedNetwork {
  readonly weights: ReferenceTensors;
  readonly seed: number;
}

/** Largest error of a state after a step, as a share of what is allowed. @param epoch of the row's noise */
export function auditSteps(
  d: SweepDefinition,
  network: AuditedNetwork,
  params: CellParams,
  row: { readonly repeat: number; readonly epoch: number },
  stretch: AuditedStretch,
): Worst & { readonly steps: number } {
  const N = d.shape.units;
  const T = stretch.r.length / N - 1;
  const phi = activationReference(d.activation, d.leakySlope);
  const noise = philoxNoise({
    T,
    B: 1,
    N,
    stream: STREAM.replayNoise,
    epoch: row.epoch,
    key: [d.rootSeed, network.seed],
    trajectory0: row.repeat,
    params: [params],
    rounds: d.noiseRounds ?? DEFAULT_ROUNDS,
    step0: stretch.t0,
  });
  const r = Float64Array.from(stretch.r);
  const c = Float64Array.from(stretch.c0);
  const drive = new Float64Array(N);
  let worst: Worst = { share: 0, step: stretch.t0 };
  let steps = 0;
  for (let t = 0; t < T; t++) {
    const now = r.subarray(t * N, (t + 1) * N);
    const next = r.subarray((t + 1) * N, (t + 2) * N);
    const size = Math.max(largest(now), largest(next));
    if (!(largest(now) < HUGE)) break;
    steps++;
    drive.set(network.weights.b);
    addProduct(drive, 0, network.weights.W_rec, N, N, now, 0);
    let error = 0;
    for (let i = 0; i < N; i++) {
      // What v moved r by is v, to the last place of r.
      const v = t === 0 ? (stretch.v0[i] as number) : (now[i] as number) - (r[(t - 1) * N + i] as number);
      const before = { r: now[i] as number, v, c: c[i] as number };
      const a = preActivationReference(drive[i] as number, before);
      const after = stepCellReference(params, before, phi(a), noise[t * N + i] as number);
      c[i] = after.c;
      const off = Math.abs((next[i] as number) - after.r);
      if (!(off <= error)) error = Number.isNaN(off) ? Number.POSITIVE_INFINITY : off;
    }
    const share = error / (STATE * Math.max(1, Math.min(size, HUGE)));
    if (!(share <= worst.share)) worst = { share, step: stretch.t0 + t };
  }
  return { ...worst, steps };
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const v of values) if (!(Math.abs(v) <= most)) most = Number.isNaN(v) ? Number.POSITIVE_INFINITY : Math.abs(v);
  return most;
}

/** Largest error of the positions read out of those states, as a share of what is allowed. */
export function auditReadout(
  d: SweepDefinition,
  weights: ReferenceTensors,
  stretch: AuditedStretch,
  path: Float32Array,
): Worst {
  const { units: N, outputs: O } = d.shape;
  const T = stretch.r.length / N - 1;
  let rowSum = 1;
  for (let o = 0; o < O; o++) {
    let sum = 0;
    for (let i = 0; i < N; i++) sum += Math.abs(weights.W_out[o * N + i] as number);
    rowSum = Math.max(rowSum, sum);
  }
  const y = new Float64Array(O);
  let worst: Worst = { share: 0, step: stretch.t0 };
  for (let t = 0; t < T; t++) {
    const r = Float64Array.from(stretch.r.subarray((t + 1) * N, (t + 2) * N));
    const size = largest(r);
    if (!(size < HUGE)) break;
    y.set(weights.b_out);
    addProduct(y, 0, weights.W_out, O, N, r, 0);
    for (let o = 0; o < Math.min(O, 2); o++) {
      const off = Math.abs((path[2 * (stretch.t0 + t) + o] as number) - (y[o] as number));
      const share = off / (STATE * Math.max(1, size) * rowSum);
      if (!(share <= worst.share))
        worst = { share: Number.isNaN(share) ? Number.POSITIVE_INFINITY : share, step: stretch.t0 + t };
    }
  }
  return worst;
}
