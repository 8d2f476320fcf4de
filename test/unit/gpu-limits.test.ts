/** What is asked of adapters that nobody here has, and what a plan does where their memory ends. */
import { describe, expect, test } from "vitest";
import { OutOfDeviceMemory, UsageError } from "../../src/errors.ts";
import { negotiate } from "../../src/gpu/adapter.ts";
import type { Pass } from "../../src/gpu/plan.ts";
import { submitsOf } from "../../src/gpu/program.ts";
import { longestWindow } from "../../src/kernels/recurrence.ts";
import { type AdapterSpec, adapterSpec, withRoom } from "../../src/kernels/spec.ts";

const GIB = 2 ** 30;

/** An adapter that gives what it is asked for, and takes no limit above its own or beyond what a number holds exactly. */
function adapterWith(limits: Record<string, number>): GPUAdapter {
  return {
    features: new Set(["timestamp-query"]),
    limits,
    requestDevice: async ({ requiredLimits }: { requiredLimits: Record<string, number> }) => {
      for (const [name, value] of Object.entries(requiredLimits)) {
        if (!Number.isSafeInteger(value)) throw new TypeError(`${name}: ${value}`);
        if (value > (limits[name] as number)) throw new Error(`Required limit ${name} is greater than supported`);
      }
      return { limits: { ...requiredLimits, maxComputeWorkgroupsPerDimension: 65535 } };
    },
  } as unknown as GPUAdapter;
}

const NVIDIA = {
  maxStorageBufferBindingSize: 2 ** 32 - 1,
  maxBufferSize: 2 ** 64,
  maxComputeWorkgroupStorageSize: 49152,
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupSizeX: 1024,
};

describe("limits", () => {
  test("of bindings stay below 2 GiB and those of buffers below 4 GiB, however large an adapter's own are", async () => {
    const { limits } = await negotiate(adapterWith(NVIDIA), "test");
    expect(limits.maxStorageBufferBindingSize).toBe(2 * GIB - 4);
    expect(limits.maxBufferSize).toBeLessThan(4 * GIB);
    expect(limits.maxBufferSize).toBeGreaterThan(3.9 * GIB);
    expect(limits.maxComputeWorkgroupStorageSize).toBe(49152);
  });

  test("that are smaller are the adapter's", async () => {
    const small = { ...NVIDIA, maxStorageBufferBindingSize: 128 << 20, maxBufferSize: 256 << 20 };
    const { limits } = await negotiate(adapterWith(small), "test");
    expect(limits).toMatchObject({ maxStorageBufferBindingSize: 128 << 20, maxBufferSize: 256 << 20 });
  });
});

const adapter: AdapterSpec = {
  maxBinding: GIB,
  maxBuffer: 4 * GIB,
  flopsPerSecond: 1e12,
  lanes: false,
  software: false,
};

describe("a device without room", () => {
  test("gets smaller buffers until they fit", async () => {
    const asked: number[] = [];
    const made = await withRoom(adapter, async (a) => {
      asked.push(a.maxBuffer / GIB);
      if (a.maxBuffer > GIB / 2) throw new OutOfDeviceMemory("no room");
      return a.maxBinding;
    });
    expect(asked).toEqual([4, 1, 0.25]);
    expect(made).toBe(GIB);
  });

  test("that has none for small buffers either is an error, and so is everything else at once", async () => {
    const asked: number[] = [];
    const refuse = (error: Error) =>
      withRoom(adapter, async (a) => {
        asked.push(a.maxBuffer / GIB);
        throw error;
      });
    await expect(refuse(new OutOfDeviceMemory("no room"))).rejects.toThrow("no room");
    expect(asked).toEqual([4, 1, 0.25]);
    await expect(refuse(new UsageError("another"))).rejects.toThrow("another");
    expect(asked).toHaveLength(4);
  });
});

describe("time", () => {
  const work = (flops: number): Pass => ({
    kind: "dispatch",
    label: "work",
    kernel: "k",
    bind: {},
    uniforms: {},
    groups: [1, 1, 1],
    flops,
  });

  test("of a submit is bounded: a system resets a GPU that takes seconds", () => {
    const passes = [work(40), work(50), work(20), work(500), work(1), work(1)];
    expect(submitsOf(passes, 100)).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 3 },
      { from: 3, to: 4 },
      { from: 4, to: 6 },
    ]);
    expect(submitsOf(passes, 1e9)).toEqual([{ from: 0, to: 6 }]);
    expect(submitsOf(Array(4500).fill(work(1)), 1e9).map((s) => s.to)).toEqual([2000, 4000, 4500]);
  });

  test("of a dispatch is a quarter of a second for an integrated GPU that does 50 GFLOP/s, whatever the GPU here does", () => {
    const gpu = { adapter: { software: false, subgroup: null }, limits: { maxStorageBufferBindingSize: GIB } };
    const own = adapterSpec(gpu as unknown as Parameters<typeof adapterSpec>[0]);
    const flopsPerStep = 2 * 8192 * 256 * 256;
    const steps = longestWindow(own, { slotBytes: 1, flopsPerStep });
    expect((steps * flopsPerStep) / 5e10).toBeLessThanOrEqual(0.25);
    expect(steps).toBeGreaterThan(10);
  });

  test("is no reason for more steps than workgroups in a dimension", () => {
    expect(longestWindow(adapter, { slotBytes: 16, flopsPerStep: 1 })).toBe(65535);
  });
});
