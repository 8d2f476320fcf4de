/** φ and φ′ as functions of the pre-activation; witness of `shaders/lib/activation.wgsl`. */
import type { Activation } from "../model/dynamics.ts";

export type ScalarFunction = (a: number) => number;

/** φ; `leakySlope` is the slope of `leakyRelu` below 0 and of no consequence for the others. */
export function activationReference(kind: Activation, leakySlope: number): ScalarFunction {
  switch (kind) {
    case "relu":
      return (a) => Math.max(a, 0);
    case "leakyRelu":
      return (a) => (a > 0 ? a : leakySlope * a);
    case "tanh":
      return Math.tanh;
    case "identity":
      return (a) => a;
  }
}

/** φ′; at a kink it is the negative side's: φ′(0) = 0 for `relu`, `leakySlope` for `leakyRelu`. */
export function activationDerivativeReference(kind: Activation, leakySlope: number): ScalarFunction {
  switch (kind) {
    case "relu":
      return (a) => (a > 0 ? 1 : 0);
    case "leakyRelu":
      return (a) => (a > 0 ? 1 : leakySlope);
    case "tanh":
      return (a) => 1 - Math.tanh(a) ** 2;
    case "identity":
      return () => 1;
  }
}
