/** Whether a peer computes what we compute: without that it has no time. */
/**
 * Two float32 sums of up to 2·10⁵ products in different orders, and units that a rounding puts on the other side of the
 * kink of ReLU, each of which changes the gradient by its own share of B·T·N.
 */
const TOLERANCE = { loss: 1e-5, gradient: 1e-3, lossAfter: 1e-4, output: 1e-4, noise: 0.3 };

const relative = (got, exact) => Math.abs(got - exact) / Math.abs(exact);
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

function normwise(got, exact) {
  let error = 0;
  let size = 0;
  for (let i = 0; i < exact.length; i++) {
    error += (got[i] - exact[i]) ** 2;
    size += exact[i] ** 2;
  }
  return got.length === exact.length ? Math.sqrt(error / size) : Number.POSITIVE_INFINITY;
}

/** Worst of all networks. */
const worst = (got, exact) => Math.max(...exact.map((x, s) => relative(got[s], x)));

/**
 * @param variant "model", or another, which has no noise to compare
 * @param peer, ours {answer, tensors}: what a process said, and the .npz that it wrote
 * @returns {errors, failed}: what was compared, and the first that is beyond its tolerance or null
 */
export function compare(shape, variant, peer, ours) {
  const errors = {};
  const [got, exact] = [peer.tensors, ours.tensors];
  if (shape.kind === "train") {
    errors.loss = [worst(peer.answer.loss, ours.answer.loss), TOLERANCE.loss];
    for (const name of exact.keys()) {
      errors[`gradient of ${name}`] = [normwise(got.get(name)?.data ?? [], exact.get(name).data), TOLERANCE.gradient];
    }
    errors["loss after three steps"] = [worst(peer.answer.lossAfter, ours.answer.lossAfter), TOLERANCE.lossAfter];
    const share = ({ answer }) => mean(answer.noisyLoss) - mean(answer.loss);
    if (variant === "model")
      errors["what noise adds to the loss"] = [relative(share(peer), share(ours)), TOLERANCE.noise];
  } else {
    errors.readouts = [normwise(got.get("y")?.data ?? [], exact.get("y").data), TOLERANCE.output];
    const [a, b] = [peer.answer.noisySquare, ours.answer.noisySquare];
    errors["how far noise moves the readouts"] = [relative(a, b), TOLERANCE.noise];
  }
  // Not a number is a failure as well.
  const failed = Object.entries(errors).find(([, [error, limit]]) => !(error <= limit));
  return {
    errors: Object.fromEntries(Object.entries(errors).map(([name, [error]]) => [name, error])),
    failed: failed ? `${failed[0]} differs by ${failed[1][0].toExponential(1)}; allowed ${failed[1][1]}` : null,
  };
}
