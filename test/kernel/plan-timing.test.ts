/** Close plans are timed once and remembered; a damaged or foreign memory is made anew. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { AdapterSpec } from "../../src/kernels/spec.ts";
import { closePlans, fastestPlan, timedShape } from "../../src/run/plan-timing.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

const folder = mkdtempSync(join(tmpdir(), "reverie-plans-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GPU: AdapterSpec = {
  maxBinding: 2 ** 30,
  maxBuffer: 2 ** 32,
  flopsPerSecond: 5e11,
  workgroupStorage: 49152,
  lanes: true,
  software: false,
};
const KINDS = ["step", "tile-persistent"] as const;
const SIZE = { units: 9, rows: 64, networks: 2 };

describe("plans worth timing", () => {
  test("are two around the border on a GPU", () => {
    expect(closePlans(GPU, { units: 512, rows: 1024 })).toHaveLength(2);
    expect(closePlans(GPU, { units: 512, rows: 4096 })[0]).toBe("tile-persistent");
  });

  test("are timed at a size that fits beside the work itself", () => {
    for (const size of [
      { units: 512, rows: 25_600, networks: 1 },
      { units: 4096, rows: 65_536, networks: 64 },
      { units: 128, rows: 32 },
    ]) {
      const s = timedShape(size);
      expect(8 * s.networks * s.batch * (s.steps + 1) * s.units).toBeLessThanOrEqual(2 * (256 << 20));
      expect(s.steps).toBeGreaterThanOrEqual(2);
    }
  });

  test("are one far from it, for small networks, where only one fits, and on CPUs", () => {
    expect(closePlans(GPU, { units: 512, rows: 1 << 17 })).toEqual(["tile-persistent"]);
    expect(closePlans(GPU, { units: 512, rows: 32 })).toEqual(["step"]);
    expect(closePlans(GPU, { units: 64, rows: 1024 })).toEqual(["tile-persistent"]);
    expect(closePlans(GPU, { units: 4096, rows: 1024 })).toEqual(["step"]);
    expect(closePlans({ ...GPU, software: true }, { units: 512, rows: 1024 })).toEqual(["own-row"]);
  });
});

describe("the faster plan", () => {
  test("is timed once, and remembered beside what was known", async () => {
    const gpu = await testGpu();
    const file = join(folder, "deep", "plans.json");
    const notes: string[] = [];
    const kind = await fastestPlan(gpu, KINDS, SIZE, file, (line) => notes.push(line));
    expect(notes).toHaveLength(1);
    const [key, timing] = Object.entries(JSON.parse(readFileSync(file, "utf8")))[0] as [string, object];
    expect(key).toContain(gpu.adapter.name);
    expect(timing).toMatchObject({
      kind,
      seconds: { step: expect.any(Number), "tile-persistent": expect.any(Number) },
    });
    // What the memory says is believed, without another run.
    const other = KINDS.find((k) => k !== kind);
    const changed = { [key]: { ...timing, kind: other } };
    writeFileSync(file, JSON.stringify({ ...changed, another: timing }));
    expect(await fastestPlan(gpu, KINDS, SIZE, file, (line) => notes.push(line))).toBe(other);
    expect(notes).toHaveLength(1);
    await fastestPlan(gpu, KINDS, { ...SIZE, networks: 1 }, file, (line) => notes.push(line));
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")))).toHaveLength(3);
  });

  test.each(["", "{", "[]", '{"a":{"kind":"none"}}'])("is timed anew where the memory is %j", async (text) => {
    const file = join(folder, `damaged-${text.length}.json`);
    writeFileSync(file, text);
    const notes: string[] = [];
    await fastestPlan(await testGpu(), KINDS, SIZE, file, (line) => notes.push(line));
    expect(notes).toHaveLength(1);
    expect(Object.keys(JSON.parse(readFileSync(file, "utf8")))).toHaveLength(1);
  });

  test("is chosen also where nothing can be remembered", async () => {
    const blocked = join(folder, "file");
    writeFileSync(blocked, "");
    expect(KINDS).toContain(await fastestPlan(await testGpu(), KINDS, SIZE, join(blocked, "plans.json"), () => {}));
  });
});
