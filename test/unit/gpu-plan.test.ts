/** Plans are plain data: sizes, windows, slices and counts are checked without a GPU. */
import { describe, expect, test } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { readShaderFile } from "../../src/gpu/open-node.ts";
import {
  type DispatchPass,
  describePlan,
  dispatchCounts,
  PLAN_KINDS,
  type Plan,
  type PlanKind,
  planBytes,
  spread,
} from "../../src/gpu/plan.ts";
import { type BatchOptions, planBatch } from "../../src/kernels/batch.ts";
import { recordLayouts } from "../../src/kernels/records.ts";
import { timeWindows } from "../../src/kernels/recurrence.ts";
import { type AdapterSpec, choosePlanKind, modelSpec, persistentTile } from "../../src/kernels/spec.ts";
import { slicing } from "../../src/model/slicing.ts";
import { planReplay } from "../../src/replay/plan.ts";
import { trainSpecOf } from "../../src/run/experiment.ts";
import { pathKernel } from "../../src/task/path-uniforms.ts";
import { tmazeTask } from "../../src/task/paths.ts";
import { planAwake } from "../../src/train/plan.ts";

const MIB = 1 << 20;
const gpu: AdapterSpec = {
  maxBinding: 128 * MIB,
  maxBuffer: 4096 * MIB - 1,
  flopsPerSecond: 1e13,
  workgroupStorage: 32768,
  lanes: true,
  software: false,
};
const records = recordLayouts(readShaderFile);

interface Shape {
  readonly S?: number;
  readonly B: number;
  readonly T: number;
  readonly N: number;
  readonly I?: number;
  readonly O?: number;
}

function batch({ S = 1, B, T, N, I = 2, O = 2 }: Shape, kind: BatchOptions["rollout"]["kind"], adapter = gpu) {
  return planBatch({
    name: "test",
    rollout: {
      model: modelSpec({
        shape: { units: N, inputs: I, outputs: O, encoderInputs: 2 },
        activation: "relu",
        slope: 0.01,
        rootSeed: 1,
        noiseRounds: 7,
      }),
      kind,
      steps: T,
      noise: "drawn",
      stream: 4,
      clocked: true,
      extra: false,
      extraHistory: false,
      adjoint: true,
      inputs: I,
    },
    networks: S,
    batch: B,
    task: I === 2 && O === 2 ? { path: pathKernel(tmazeTask()), inputScale: 1, stream: 1 } : null,
    loss: true,
    l2Activity: 0,
    clipNorm: 1,
    update: true,
    keepReadout: false,
    historySlots: 64,
    adapter,
    records,
  });
}

const dispatches = (plan: Plan) => Object.values(dispatchCounts(plan.passes)).reduce((a, b) => a + b, 0);

/** No view may leave its buffer, exceed a binding, or begin off 256 bytes. */
function soundViews(plan: Plan, adapter: AdapterSpec): void {
  const sizes = new Map(plan.buffers.map((b) => [b.name, Math.max(16, b.bytes)]));
  for (const p of plan.passes) {
    const views = p.kind === "copy" ? [p.from, p.to] : Object.values(p.bind);
    for (const v of views) {
      const size = sizes.get(v.buffer) as number;
      expect(size, v.buffer).toBeGreaterThan(0);
      const bytes = v.bytes ?? size - (v.offset ?? 0);
      expect((v.offset ?? 0) + bytes, `${p.label}: ${v.buffer}`).toBeLessThanOrEqual(size);
      if (p.kind === "dispatch") {
        expect(bytes).toBeLessThanOrEqual(adapter.maxBinding);
        expect((v.offset ?? 0) % 256, `${p.label}: ${v.buffer}`).toBe(0);
      }
    }
    if (p.kind === "dispatch") for (const g of p.groups) expect(g).toBeLessThanOrEqual(65535);
  }
  for (const b of plan.buffers) expect(b.bytes).toBeLessThanOrEqual(adapter.maxBuffer);
}

describe("a training iteration", () => {
  test.each(["own-row", "tile-persistent"] as const)(
    "%s is at most 14 dispatches where nothing is windowed",
    (kind) => {
      expect(dispatches(batch({ S: 3, B: 48, T: 60, N: 64 }, kind).plan)).toBeLessThanOrEqual(14);
    },
  );

  test("step is at most 2T + 14 dispatches", () => {
    expect(dispatches(batch({ S: 3, B: 48, T: 60, N: 64 }, "step").plan)).toBeLessThanOrEqual(2 * 60 + 14);
  });

  test.each([
    { B: 48, T: 60, N: 64, S: 64 },
    { B: 1, T: 1, N: 1 },
    { B: 33, T: 7, N: 5, S: 7 },
    { B: 2048, T: 50, N: 256, I: 4, O: 32 },
    { B: 8192, T: 100, N: 512, I: 4, O: 512 },
    { B: 8192, T: 100, N: 1024 },
    { B: 1024, T: 100, N: 512, O: 512 },
    { B: 64, T: 1000, N: 128, S: 8 },
  ])("%j has sound views under every plan", (shape) => {
    for (const kind of ["step", "tile-persistent", "own-row"] as const) soundViews(batch(shape, kind).plan, gpu);
  });

  test("under tight limits is split into groups, chunks and windows, all sound", () => {
    const tight = { ...gpu, maxBinding: 1 * MIB, maxBuffer: 8 * MIB, flopsPerSecond: 4e8 };
    const { plan, groups, chunkPasses } = batch({ S: 8, B: 1024, T: 40, N: 64 }, "own-row", tight);
    soundViews(plan, tight);
    expect(groups.length).toBeGreaterThan(1);
    expect(chunkPasses.length).toBeGreaterThan(groups.length);
    expect(dispatchCounts(plan.passes)["rnn/rollout_own_row"]).toBeGreaterThan(chunkPasses.length);
  });

  test("that cannot fit is refused with the numbers, before anything is allocated", () => {
    expect(() => batch({ B: 64, T: 100, N: 4096 }, "step", { ...gpu, maxBinding: 16 * MIB })).toThrow(
      /4096 units.*need a binding of .*; this adapter allows 16 MiB/,
    );
  });

  test("keeps device bytes near those of states and adjoint", () => {
    const { plan } = batch({ B: 1024, T: 100, N: 512 }, "step");
    expect(planBytes(plan)).toBeLessThan(1.15 * 8 * 1024 * 101 * 512 + 64 * MIB);
  });

  test("prints", () => {
    const { plan } = batch({ S: 3, B: 48, T: 60, N: 64 }, "step");
    const text = describePlan(plan);
    expect(text).toMatch(/rnn\/step_forward .*\(× 60\)/);
    expect(text).toMatch(/states .*\[T\+1\]\[R\]\[N\]/);
  });

  test("dispatches last no longer than a quarter of a second at the adapter's cautious rate", () => {
    const slow = { ...gpu, flopsPerSecond: 4e9, software: true };
    const { plan } = batch({ B: 2048, T: 50, N: 256 }, "own-row", slow);
    for (const p of plan.passes as DispatchPass[]) {
      // A gradient's window is never shorter than one block of steps.
      if (!p.label.includes("gradient")) expect((p.flops ?? 0) / slow.flopsPerSecond).toBeLessThanOrEqual(0.25);
    }
  });
});

describe("slices", () => {
  test.each([32, 64, 96, 160, 224, 256, 8192])("of %i rows tile the batch, whatever T", (rows) => {
    for (const T of [1, 2, 7, 8, 9, 60, 100, 1000]) {
      const s = slicing(rows, T, 4544);
      expect(s.rowBlock % 32).toBe(0);
      expect(s.rowBlocks * s.rowBlock).toBeGreaterThanOrEqual(rows);
      expect((s.rowBlocks - 1) * s.rowBlock).toBeLessThan(rows);
      expect(s.timeBlocks * s.timeBlock).toBeGreaterThanOrEqual(T);
      expect((s.timeBlocks - 1) * s.timeBlock).toBeLessThan(T);
    }
  });

  test("windows begin on borders and cover every step once", () => {
    const w = timeWindows(100, 30, 13);
    expect(w.map((x) => x.t0)).toEqual([0, 26, 52, 78]);
    expect(w.reduce((sum, x) => sum + x.steps, 0)).toBe(100);
  });
});

describe("launches", () => {
  test.each([
    [65535, [65535, 1]],
    [65536, [32768, 2]],
    [65537, [32769, 2]],
  ])("of %i workgroups stay within the limit", (groups, [x, y]) => {
    expect(spread(groups)).toEqual([x, y, 1]);
    expect((x as number) * (y as number)).toBeGreaterThanOrEqual(groups);
  });

  test("the plan follows the adapter and the size", () => {
    const cpu = { ...gpu, software: true };
    expect(choosePlanKind(cpu, { units: 64, rows: 192 })).toBe("own-row");
    expect(choosePlanKind({ ...cpu, lanes: false }, { units: 64, rows: 192 })).toBe("step");
    expect(choosePlanKind(gpu, { units: 64, rows: 192 })).toBe("tile-persistent");
    expect(choosePlanKind(gpu, { units: 512, rows: 256 })).toBe("step");
    expect(choosePlanKind(gpu, { units: 512, rows: 8192 })).toBe("tile-persistent");
    expect(choosePlanKind(gpu, { units: 4096, rows: 65536 })).toBe("step");
  });

  test.each([1, 64, 128, 256, 512, 1024])("tile-persistent finds room for %i units", (units) => {
    const tile = persistentTile(units, 32768);
    if (!tile) throw new Error("no tile");
    expect(tile.ROWS * tile.ROOM * 4 + (tile.ROWS * tile.ROOM) / 8).toBeLessThanOrEqual(32768);
    expect(32 % tile.ROWS).toBe(0);
    expect(tile.THREADS % (tile.ROWS / 4)).toBe(0);
  });

  test("tile-persistent spreads few rows over more workgroups and threads, and fills shared memory for none", () => {
    expect(persistentTile(128, 49152, 256)).toEqual({ ROWS: 4, ROOM: 128, THREADS: 64, TWO_ROWS: 1 });
    expect(persistentTile(128, 49152, 1024)).toEqual({ ROWS: 8, ROOM: 128, THREADS: 128, TWO_ROWS: 1 });
    expect(persistentTile(128, 49152, 8192)).toEqual({ ROWS: 8, ROOM: 128, THREADS: 64, TWO_ROWS: 0 });
    expect(persistentTile(512, 49152, 8192)).toEqual({ ROWS: 16, ROOM: 512, THREADS: 256, TWO_ROWS: 0 });
    expect(persistentTile(1024, 65536)?.ROWS).toBe(8);
    // What fits only there may have all of it.
    expect(persistentTile(3072, 65536)?.ROWS).toBe(4);
    expect(persistentTile(3072, 32768)).toBeNull();
    for (const units of [1, 5, 33, 100, 260, 700, 1500]) {
      for (const rows of [32, 320, 3200, 32000]) {
        const tile = persistentTile(units, 49152, rows) ?? expect.fail();
        const parts = tile.ROWS / (tile.TWO_ROWS === 1 ? 2 : 4);
        expect(tile.THREADS % parts).toBe(0);
        expect(tile.THREADS).toBeLessThanOrEqual(256);
      }
    }
  });
});

describe("a replay", () => {
  const options = (rows: number, steps: number, saveEvery: number, adapter = gpu) =>
    planReplay({
      model: modelSpec({
        shape: { units: 64, inputs: 2, outputs: 2, encoderInputs: 2 },
        activation: "relu",
        slope: 0.01,
        rootSeed: 1,
        noiseRounds: 7,
      }),
      kind: "own-row",
      networks: 3,
      rows,
      steps,
      saveEvery,
      saveStates: false,
      noise: true,
      extra: true,
      start: { path: pathKernel(tmazeTask()), inputScale: 1 },
      adapter,
      records,
    });

  test("runs in chunks and windows whose views are sound", () => {
    for (const adapter of [gpu, { ...gpu, maxBinding: 4 * MIB, maxBuffer: 8 * MIB, flopsPerSecond: 4e9 }]) {
      const { plan } = options(2000, 500, 1, adapter);
      soundViews(plan, adapter);
    }
    expect(options(2000, 500, 1, { ...gpu, maxBuffer: 8 * MIB }).chunks.length).toBeGreaterThan(1);
  });

  test("that would keep nothing is refused", () => {
    expect(() => options(96, 10, 11)).toThrow("keeps nothing of 10 steps");
  });
});

describe("512 place cells, 512 units, 1024 rows, 100 steps", () => {
  const [B, T, N] = [1024, 100, 512];
  /** The largest plan that the issue of place cells allows: states and adjoint, a seventh more, and scratch. */
  const most = 1.15 * 8 * B * (T + 1) * N + 64 * MIB;
  const { config } = loadConfig({
    preset: "place-large",
    set: [`task.steps=${T}`, `train.batch=${B}`],
  });
  const of = (input: "displacement" | "codeDelta", kind: PlanKind, adapter: AdapterSpec) =>
    planAwake(trainSpecOf({ ...config, task: { ...config.task, input } }, kind), adapter, records, {
      name: "train",
      batch: B,
      gradients: true,
      keepReadout: false,
      stream: 1,
    });

  describe.each(["displacement", "codeDelta"] as const)("%s", (input) => {
    test.each(PLAN_KINDS)("%s keeps to its bytes, and nothing of all cells is ever whole", (kind) => {
      const { plan } = of(input, kind, gpu);
      process.stderr.write(`${input}, ${kind}: ${planBytes(plan)} of ${Math.floor(most)} bytes\n`);
      expect(planBytes(plan)).toBeLessThanOrEqual(most);
      // Targets, readouts, their gradient and the input would each be as large as all states.
      const large = plan.buffers.filter((b) => b.bytes > 40 * MIB).map((b) => b.name);
      expect(large.sort()).toEqual(["du", "states"]);
    });

    test.each(PLAN_KINDS)("%s under a quarter of the usual binding", (kind) => {
      const quarter = { ...gpu, maxBinding: 32 * MIB };
      const { plan, chunkPasses } = of(input, kind, quarter);
      soundViews(plan, quarter);
      expect(chunkPasses.length).toBe(1);
      expect(planBytes(plan)).toBeLessThanOrEqual(most);
    });
  });

  test("a batch of 8192 fits too, in pieces", () => {
    const large = { ...config, train: { ...config.train, batch: 8192 } };
    const { plan } = planAwake(trainSpecOf(large, "step"), gpu, records, {
      name: "train",
      batch: 8192,
      gradients: true,
      keepReadout: false,
      stream: 1,
    });
    soundViews(plan, gpu);
  });
});
