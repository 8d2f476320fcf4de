/** The float64 reference: one plain twin per kernel, for tests and `doctor --gradcheck`, never the product. */
export * from "./activation.ts";
export * from "./adjoint.ts";
export * from "./clip-and-adam.ts";
export * from "./dynamics.ts";
export * from "./encode-initial.ts";
export * from "./initialise.ts";
export * from "./loss-mse.ts";
export * from "./masked-inputs.ts";
export * from "./ou-path.ts";
export * from "./polyline-paths.ts";
export * from "./readout.ts";
export * from "./rng.ts";
export * from "./rollout.ts";
export * from "./tensors.ts";
export * from "./train-step.ts";
export * from "./weight-grads.ts";
