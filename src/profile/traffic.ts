/**
 * Bytes that a pass has to move at least: what it reads, once, and what it writes, once. Repeated reads of the same
 * byte (weights, mostly) are the caches' business, and show as a rate above the copy bandwidth.
 */
import type { BufferSpec, BufferView, Pass } from "../gpu/plan.ts";

export interface BoundAccess {
  readonly name: string;
  /** As the WGSL declares it. */
  readonly kind: "read-only-storage" | "storage" | "uniform";
}

/** Bindings that a kernel declares read_write, because WGSL has nothing narrower, but only writes. */
const ONLY_WRITTEN: Readonly<Record<string, readonly string[]>> = {
  "rnn/encode_initial": ["states"],
  "rnn/initialise": ["weights", "recurrent_t"],
  "rnn/affine_lanes": ["y"],
  "rnn/affine_tile": ["y"],
  "rnn/readout_adjoint_lanes": ["du"],
  "rnn/readout_adjoint_tile": ["du"],
  "rnn/weight_grads_lanes": ["partials"],
  "rnn/weight_grads_tile": ["partials"],
  "rnn/loss_mse": ["loss_rows"],
  "rnn/loss_code": ["loss_rows"],
  "rnn/rollout_own_row": ["phi_store"],
  "rnn/rollout_persistent": ["phi_store"],
  "rnn/step_forward": ["phi_store"],
  "optim/reduce_grads": ["grads", "square_sums"],
  "profile/copy": ["copied"],
  "profile/fma_peak": ["sums"],
  "profile/empty": ["flag"],
};

export function viewBytes(view: BufferView, buffers: readonly BufferSpec[]): number {
  if (view.bytes !== undefined) return view.bytes;
  return (buffers.find((b) => b.name === view.buffer)?.bytes ?? 0) - (view.offset ?? 0);
}

export function passBytes(pass: Pass, buffers: readonly BufferSpec[], bindings: readonly BoundAccess[]): number {
  if (pass.kind === "copy") return 2 * pass.bytes;
  let sum = 0;
  for (const b of bindings) {
    const view = pass.bind[b.name];
    // Stand-ins are bound because a layout asks for them; no variant that gets one touches it.
    if (b.kind === "uniform" || !view || view.buffer.startsWith("unused")) continue;
    const once = b.kind === "read-only-storage" || ONLY_WRITTEN[pass.kernel]?.includes(b.name);
    sum += (once ? 1 : 2) * viewBytes(view, buffers);
  }
  return sum;
}
