/**
 * Backpropagation through time over a whole rollout (model.md section 5); witness of `shaders/rnn/step_backward.wgsl`,
 * `adjoint_own_row.wgsl` and `readout_adjoint_*.wgsl`.
 */
import type { CellParams } from "../model/dynamics.ts";
import { activationDerivativeReference } from "./activation.ts";
import { addTransposedProduct, requireLength } from "./dense.ts";
import { stepCellAdjointReference } from "./dynamics.ts";
import { lossMseReference } from "./loss-mse.ts";
import type { Rollout, RolloutInput } from "./rollout.ts";
import type { ReferenceTensors } from "./tensors.ts";
import { weightGradsReference } from "./weight-grads.ts";

export interface AdjointOptions {
  /** λ_2 ≥ 0, weight of the mean squared activity. */
  readonly l2Activity: number;
  /** (T, B, O), factors on the squared errors; 1 where there are none. */
  readonly weights?: Float64Array;
  /**
   * (T, B, N), φ′ to use in place of φ′(a): a unit within float32 rounding of its kink may lie on the other side on
   * the GPU, whose own mask then makes the two gradients comparable.
   */
  readonly phiPrime?: Float64Array;
}

export interface Adjoint {
  readonly loss: number;
  /** (T, B, N), dL/da. */
  readonly ga: Float64Array;
  readonly grads: ReferenceTensors;
  /** (B, N), dL/dr_0. */
  readonly gr0: Float64Array;
}

/** Gradients of the loss of `rollout`, which must be `rolloutReference(input)`; `target` is (T, B, O). */
export function adjointReference(
  input: RolloutInput,
  rollout: Rollout,
  target: Float64Array,
  options: AdjointOptions,
): Adjoint {
  const { shape, weights, params, T, B } = input;
  const { units: N, outputs: O } = shape;
  const { phiPrime } = options;
  if (phiPrime) requireLength("phiPrime", phiPrime, T * B * N);
  const derivative = activationDerivativeReference(input.activation, input.leakySlope);
  const { r, a, y } = rollout;
  const { l2Activity, weights: own } = options;
  const weighted = own ? { weights: own } : {};
  const { loss, d, activityFactor } = lossMseReference({ y, target, r, T, B, N, O, l2Activity, ...weighted });

  const ga = new Float64Array(T * B * N);
  const gr = new Float64Array(B * N);
  const gv = new Float64Array(B * N);
  const gc = new Float64Array(B * N);

  for (let t = T; t >= 0; t--) {
    for (let b = 0; b < B; b++) {
      const row = t * B + b;
      if (t < T) {
        for (let i = 0; i < N; i++) {
          const at = b * N + i;
          const slot = row * N + i;
          const after = { r: gr[at] as number, v: gv[at] as number, c: gc[at] as number };
          const slope = phiPrime ? (phiPrime[slot] as number) : derivative(a[slot] as number);
          const step = stepCellAdjointReference(params[b] as CellParams, after, slope);
          ga[slot] = step.ga;
          gr[at] = step.before.r;
          gv[at] = step.before.v;
          gc[at] = step.before.c;
        }
        addTransposedProduct(gr, b * N, weights.W_rec, N, N, ga, row * N);
      }
      if (t >= 1) {
        addTransposedProduct(gr, b * N, weights.W_out, O, N, d, (row - B) * O);
        for (let i = 0; i < N; i++) {
          gr[b * N + i] = (gr[b * N + i] as number) + activityFactor * (r[row * N + i] as number);
        }
      }
    }
  }

  const e0 = input.r0 ? null : input.e0;
  return { loss, ga, grads: weightGradsReference({ shape, T, B, ga, d, gr0: gr, r, u: input.u, e0 }), gr0: gr };
}
