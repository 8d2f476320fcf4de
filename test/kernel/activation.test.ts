/** shaders/lib/activation.wgsl: the nonlinearities, what the adjoint keeps of them, and NaN that must stay visible. */
import { describe, expect, test } from "vitest";
import { ACTIVATIONS, type Activation } from "../../src/model/dynamics.ts";
import { activationDerivativeReference, activationReference } from "../../src/reference/activation.ts";
import { gpuHygiene } from "../gpu.ts";
import { runKernel, ulps, within, worst } from "./run-kernel.ts";

gpuHygiene();

const SLOPE = Math.fround(0.01);

async function evaluate(kind: Activation, a: Float32Array<ArrayBuffer>) {
  const out = await runKernel({
    kernel: "../test/kernel/wgsl/activation",
    tune: { ACTIVATION: ACTIVATIONS.indexOf(kind) },
    uniforms: { activation_pass: { slope: SLOPE, count: a.length / 4 } },
    bind: {
      a,
      phi_of_a: a.byteLength,
      bits: a.byteLength / 4,
      from_bits: a.byteLength,
      from_value: a.byteLength,
    },
    groups: [Math.ceil(a.length / 256), 1, 1],
  });
  const bits = out.u32("bits");
  return {
    phi: out.f32("phi_of_a"),
    bits,
    bit: (i: number): number => ((bits[i >> 2] as number) >> (i & 3)) & 1,
    fromBits: out.f32("from_bits"),
    fromValue: out.f32("from_value"),
  };
}

// Products with the slope stay normal numbers: adapters may take denormals for 0.
const EDGES = [
  0,
  -0,
  2 ** -110,
  -(2 ** -110),
  1,
  -1,
  3e38,
  -3e38,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  5,
  -5,
];
const SAMPLES = Float32Array.from([...EDGES, ...Array.from({ length: 4084 }, (_, i) => (i - 2042) / 300)]);
const usesBits = (kind: Activation): boolean => kind === "relu" || kind === "leakyRelu";

describe.each(ACTIVATIONS)("%s", (kind) => {
  test("φ", async () => {
    const { phi } = await evaluate(kind, SAMPLES);
    const exact = activationReference(kind, SLOPE);
    const w = worst(SAMPLES.length, (i) => ulps(phi[i] as number, exact(SAMPLES[i] as number)));
    // tanh has maths.wgsl's bound; leaky ReLU is one rounding of a product, half a ULP; the others copy.
    within(`${kind}, ULP`, w.error, { relu: 0, leakyRelu: 0.5, tanh: 3, identity: 0 }[kind]);
  });

  test("φ′", async () => {
    const { bit, bits, fromBits, fromValue } = await evaluate(kind, SAMPLES);
    const exact = activationDerivativeReference(kind, SLOPE);
    const got = usesBits(kind) ? fromBits : fromValue;
    const w = worst(SAMPLES.length, (i) => Math.abs((got[i] as number) - exact(SAMPLES[i] as number)));
    // 1 − φ² carries tanh's 3 ULP (2⁻²⁴ each) twice, and two roundings.
    within(`${kind}′`, w.error, kind === "tanh" ? 8 * 2 ** -24 : 0);
    if (!usesBits(kind)) return;
    expect(worst(SAMPLES.length, (i) => Number(bit(i) !== Number((SAMPLES[i] as number) > 0)))).toEqual({
      error: 0,
      at: 0,
    });
    expect(Math.max(...bits), "four bits and no more").toBe(15);
  });

  test("NaN of either sign stays NaN", async () => {
    const nans = Uint32Array.of(0x7fc00000, 0xffc00000, 0x7f800001, 0xff812345);
    const { phi } = await evaluate(kind, new Float32Array(nans.buffer));
    expect([...phi]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
  });
});
