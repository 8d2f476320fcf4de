/** What a profile counts and concludes, without a GPU: FLOP and bytes by hand, dispatches, spreads, changes. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { PLAN_KINDS } from "../../src/gpu/plan.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import type { AdapterSpec } from "../../src/kernels/spec.ts";
import { compareProfiles } from "../../src/profile/compare.ts";
import type { ProfileDocument } from "../../src/profile/document.ts";
import { planJob } from "../../src/profile/jobs.ts";
import { plannedRow } from "../../src/profile/plan-table.ts";
import { scalingShapes } from "../../src/profile/scaling.ts";
import { segmentsOf } from "../../src/profile/segments.ts";
import { PROFILE_SHAPES, type ProfileShape } from "../../src/profile/shapes.ts";
import { quantile, relativeError, spread } from "../../src/profile/statistics.ts";
import { statedGpu } from "../../src/run/profile.ts";
import { assembled } from "../kernels.ts";

const read = (path: string) => readFileSync(new URL(`../../shaders/${path}`, import.meta.url), "utf8");
const records = recordLayouts(read);
const GPU = statedGpu(67, 4800, 80);
const anchor = PROFILE_SHAPES.anchor as ProfileShape;

const known = new Map<string, ReturnType<typeof assembled>["interface"]["bindings"]>();
const bindings = (kernel: string) => {
  const found = known.get(kernel) ?? assembled(kernel).interface.bindings;
  known.set(kernel, found);
  return found;
};

function segments(shape: ProfileShape, kind: (typeof PLAN_KINDS)[number], adapter: AdapterSpec = GPU.adapter) {
  const { plan } = planJob(shape, kind, adapter, records);
  return segmentsOf(plan, (i) => {
    const p = plan.passes[i];
    return p?.kind === "dispatch" ? bindings(p.kernel) : [];
  });
}

describe("the anchor's work, counted by hand (S = 1, B = 256, T = 100, N = 128, I = 4, O = 32)", () => {
  const [B, T, N, I, O] = [256, 100, 128, 4, 32];
  const all = segments(anchor, "own-row");
  const of = (label: string) => all.filter((s) => s.label === label);
  const row = records.row.bytes * B;
  // W_rec, W_in, b, W_out, b_out, W_enc, b_enc, padded to a multiple of 64 floats.
  const weights = 4 * Math.ceil((N * N + N * I + N + O * N + O + 2 * N + N) / 64) * 64;
  const states = (slots: number) => 4 * slots * B * N;

  test("floating-point operations", () => {
    const flops = (label: string) => of(label).reduce((sum, s) => sum + s.flops, 0);
    expect(flops("forward")).toBe(2 * B * T * N * (N + I));
    expect(flops("adjoint")).toBe(2 * B * T * N * N);
    expect(flops("readout")).toBe(2 * B * T * N * O);
    expect(flops("readout adjoint")).toBe(2 * B * T * N * O);
    expect(flops("readout gradient")).toBe(2 * B * T * (N + 1) * O);
    expect(flops("recurrent gradient") + flops("recurrent gradient, inputs")).toBe(2 * B * T * N * (N + I + 1));
  });

  test("bytes of the forward pass: rows, weights, W_recᵀ, inputs, states in and out, φ′ bits", () => {
    expect(of("forward")[0]?.bytes).toBe(
      row + weights + 4 * N * N + 4 * B * T * I + 2 * states(T + 1) + (B * T * N) / 8,
    );
  });

  test("bytes of the readout: weights, states, and y written only", () => {
    expect(of("readout")[0]?.bytes).toBe(weights + states(T) + 4 * T * B * O);
  });

  test("bytes of the adjoint: rows, weights, ga in and out, what is carried in and out, φ′ bits", () => {
    expect(of("adjoint")[0]?.bytes).toBe(row + weights + 2 * states(T) + 2 * states(1) + (B * T * N) / 8);
  });

  test("both plans in few dispatches do the same work as one dispatch a step", () => {
    const total = (kind: (typeof PLAN_KINDS)[number]) => segments(anchor, kind).reduce((sum, s) => sum + s.flops, 0);
    expect(total("tile-persistent")).toBe(total("own-row"));
    // The stepwise adjoint has one launch more, for the product of the first step.
    expect(total("step") - total("own-row")).toBe(2 * B * N * N);
  });
});

describe("a training iteration of T = 100", () => {
  test.each(PLAN_KINDS)("%s: at most twelve dispatches beside the windows of the recurrence", (kind) => {
    const row = plannedRow(anchor, kind, GPU, records, bindings);
    expect(row.others).toBeLessThanOrEqual(12);
    if (kind === "step") expect(row.dispatches).toBeLessThanOrEqual(2 * anchor.steps + 12);
    else expect(row.dispatches).toBe(row.others + row.windows.forward + row.windows.adjoint);
  });

  test("64 networks take no more dispatches than one", () => {
    const of = (networks: number) =>
      plannedRow({ ...anchor, networks, batch: 48, steps: 50, units: 64 }, "tile-persistent", GPU, records, bindings);
    expect(of(64).dispatches).toBe(of(1).dispatches);
    // 64 rows a network; the more rows there are, the more of them share a workgroup.
    expect(of(1).workgroups).toBe(64 / 4);
    expect(of(64).workgroups).toBe((64 * 64) / 8);
  });

  test("B = 8192 with N = 1024 is planned in windows that fit a binding", () => {
    const small = { ...GPU, adapter: { ...GPU.adapter, maxBinding: 256 << 20 } };
    const row = plannedRow({ ...anchor, batch: 8192, units: 1024 }, "tile-persistent", small, records, bindings);
    expect(row.refusal).toBeNull();
    expect(row.windows.forward).toBeGreaterThan(1);
    const { plan } = planJob({ ...anchor, batch: 8192, units: 1024 }, "tile-persistent", small.adapter, records);
    const views = plan.passes.flatMap((p) => (p.kind === "dispatch" ? Object.values(p.bind) : []));
    expect(Math.max(...views.map((v) => v.bytes ?? 0))).toBeLessThanOrEqual(256 << 20);
  });

  test("the roofline is no faster than either ceiling", () => {
    const row = plannedRow(anchor, "tile-persistent", GPU, records, bindings);
    expect(row.roofline).toBeGreaterThanOrEqual(row.flops / GPU.flopsPerSecond);
    expect(row.roofline).toBeGreaterThanOrEqual(row.bytes / GPU.bytesPerSecond);
  });
});

describe("spreads", () => {
  test("are NumPy's quantiles", () => {
    // np.quantile([3, 1, 4, 1, 5, 9], [.25, .5, .75]) = [1.5, 3.5, 4.75]
    const values = [3, 1, 4, 1, 5, 9];
    expect([0.25, 0.5, 0.75].map((q) => quantile(values, q))).toEqual([1.5, 3.5, 4.75]);
  });

  test("of one timing say nothing of the noise", () => {
    expect(relativeError(spread([2]))).toBe(0);
    expect(relativeError(spread([1, 2, 3, 4]))).toBeGreaterThan(0.1);
  });
});

function document(seconds: readonly number[], more: Partial<ProfileDocument> = {}): ProfileDocument {
  const s = spread(seconds);
  const profile = { shape: anchor, whole: { wall: s, cpu: null }, passes: [{ label: "forward", gpu: s, cpu: null }] };
  return {
    format: "reverie-profile-1",
    adapter: "a",
    driver: "d",
    software: false,
    versions: {},
    date: "",
    profile,
    ...more,
  } as unknown as ProfileDocument;
}

describe("comparing two profiles", () => {
  const quiet = [1, 1.001, 0.999, 1.002, 0.998];
  const noisy = [1, 1.5, 0.7, 1.4, 0.6];

  test("a change beyond the noise is named", () => {
    const slower = compareProfiles(document(quiet), document(quiet.map((x) => 1.2 * x)));
    expect(slower.map((c) => [c.what, c.verdict])).toEqual([
      ["whole", "slower"],
      ["forward", "slower"],
    ]);
    expect(slower[0]?.change).toBeCloseTo(0.2, 6);
    expect(compareProfiles(document(quiet), document(quiet.map((x) => x / 1.2)))[0]?.verdict).toBe("faster");
  });

  test("the same change within it is not", () => {
    expect(compareProfiles(document(noisy), document(noisy.map((x) => 1.2 * x)))[0]?.verdict).toBe("same");
    expect(compareProfiles(document(quiet), document(quiet.map((x) => 1.02 * x)))[0]?.verdict).toBe("same");
  });

  test("of different shapes or adapters is refused", () => {
    const other = document(quiet);
    const shape = { ...other.profile, shape: { ...anchor, batch: 1 } };
    expect(() => compareProfiles(document(quiet), { ...other, profile: shape })).toThrow("differ in shape");
    expect(() => compareProfiles(document(quiet), document(quiet, { driver: "e" }))).toThrow("differ in driver");
  });
});

test("scaling goes along one axis at a time, and never below one", () => {
  const shapes = scalingShapes({ ...anchor, batch: 2 });
  for (const { axis, value, shape } of shapes) expect(shape).toEqual({ ...anchor, batch: 2, [axis]: value });
  expect(shapes.filter((s) => s.axis === "batch").map((s) => s.value)).toEqual([1, 2, 4, 8]);
});
