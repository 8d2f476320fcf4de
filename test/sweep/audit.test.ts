/** A sweep recomputes some rollouts in float64 while it runs; a wrong kernel, or one wrong number, ends it with a name. */
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { Auditor, auditReport } from "../../src/audit/auditor.ts";
import type { Gpu } from "../../src/gpu/context.ts";
import type { AuditedRow } from "../../src/sweep/audit.ts";
import type { SweepDefinition } from "../../src/sweep/definition.ts";
import { modelOfSweep } from "../../src/sweep/spec.ts";
import { triangleTask } from "../../src/task/paths.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { someWeights } from "../replay/quiescent.ts";
import { changed, secondGpu } from "../second-gpu.ts";
import { MemorySink, sweep, swept } from "./sweeps.ts";

gpuHygiene();

let gpu: Gpu;
let broken: Gpu | null = null;
beforeAll(async () => {
  gpu = await testGpu();
});
afterEach(async () => {
  await broken?.close();
  broken = null;
});

const weightsOf = (d: SweepDefinition) => d.networks.map((n) => someWeights(modelOfSweep(d), n.seed));

interface Audited {
  readonly auditor: Auditor;
  readonly rows: readonly AuditedRow[];
  readonly sink: MemorySink;
}

async function audited(on: Gpu, d: SweepDefinition, own: Parameters<typeof swept>[2] = {}): Promise<Audited> {
  const auditor = new Auditor(d, weightsOf(d));
  const rows: AuditedRow[] = [];
  const sink = new MemorySink();
  const audit = (some: readonly AuditedRow[]): void => {
    rows.push(...some);
    auditor.look(some);
  };
  await swept(on, d, { ...own, sink, audit });
  return { auditor, rows, sink };
}

const CASES: readonly (readonly [string, Partial<SweepDefinition>])[] = [
  ["T-maze", {}],
  [
    "triangle, unpaired, ten rounds, tanh",
    { task: triangleTask("twoWay"), pairedNoise: false, noiseRounds: 10, activation: "tanh" },
  ],
  ["from awake states", { start: "awakeEnd", activation: "leakyRelu" }],
];

describe.each(CASES)("%s", (_, own) => {
  test("is within its tolerances, and nothing of it is in the results", async () => {
    const d = sweep(own);
    const { auditor, rows, sink } = await audited(gpu, d);
    const { report } = auditor;
    expect(report.rows).toBeGreaterThan(0);
    expect(report.steps).toBe(report.rows * d.steps);
    for (const worst of Object.values(report.worst)) expect(worst?.share).toBeLessThan(1);
    expect(report.worst.state?.share).toBeGreaterThan(0);
    for (const row of rows) expect(row.path).toHaveLength(2 * d.steps);
    expect(sink.text).toBe((await swept(gpu, d)).text);
    process.stderr.write(`${auditor.summary}\n`);
  });
});

test("at least one row of every launch, windows of a ring put together", async () => {
  const d = sweep();
  const small = await audited(gpu, d, { budget: 400_000 });
  const conditions = new Set(small.rows.map((r) => r.condition));
  expect(conditions.size).toBeGreaterThan(1);
  expect(small.auditor.report.steps).toBeGreaterThan(0);
  expect(small.auditor.report.worst.state?.share).toBeLessThan(1);
});

test("a diverging condition is audited up to where float32 ends", async () => {
  const d = sweep({ conditions: [{ gain: 1e4 }] });
  const { auditor, rows } = await audited(gpu, d);
  expect(rows[0]?.metrics.diverged).toBe(1);
  expect(auditor.report.worst.metric?.share ?? 0).toBeLessThanOrEqual(1);
  expect(auditor.report.steps).toBeLessThan(d.steps);
});

const WRONG: readonly (readonly [string, string, string, string, RegExp])[] = [
  ["noise", "lib/step_noise.wgsl", "quad, trajectory,", "quad, trajectory + 1u,", /its state after step \d+ differs/],
  [
    "readout",
    "rnn/affine_lanes.wgsl",
    "(group.z * affine.rows + row0) * x4",
    "row0 * x4",
    /its readout after step \d+ differs/,
  ],
  [
    "metric",
    "metrics/path_stats.wgsl",
    "square_step(row, t, 5u, p)",
    "square_step(row, t, 4u, p)",
    /its speed5 differs/,
  ],
];

test.each(WRONG)("a wrong %s ends it with code 7, and no line is kept", async (_, file, from, to, message) => {
  broken = await secondGpu({ readShader: changed(file, from, to) });
  const d = sweep();
  const sink = new MemorySink();
  const auditor = new Auditor(d, weightsOf(d));
  const run = swept(broken, d, { sink, audit: (rows) => auditor.look(rows) });
  await expect(run).rejects.toThrow(message);
  await expect(run).rejects.toMatchObject({ exitCode: 7 });
  await expect(run).rejects.toThrow(
    /^audit: network \d+ \(test, seed \d+\), condition \d+, repeat \d+: .*doctor --gradcheck$/,
  );
  expect([...sink.known.values()].filter((r) => r.condition !== "awake")).toEqual([]);
});

test("one state of one row that is off by a thousandth is found, with its step", async () => {
  const d = sweep();
  const { rows } = await audited(gpu, d);
  const row = rows[0] as AuditedRow;
  const stretch = row.stretches[0] as AuditedRow["stretches"][number];
  const r = Float32Array.from(stretch.r);
  r[5 * d.shape.units + 3] = (r[5 * d.shape.units + 3] as number) + 1e-3;
  const auditor = new Auditor(d, weightsOf(d));
  expect(() => auditor.look([{ ...row, stretches: [{ ...stretch, r }] }])).toThrow(/its state after step [56] differs/);
});

test("a count is allowed to differ only where a step lies on a border", async () => {
  const d = sweep();
  const { rows } = await audited(gpu, d);
  const row = rows[0] as AuditedRow;
  const auditor = new Auditor(d, weightsOf(d));
  const metrics = { ...row.metrics, cells: row.metrics.cells + 1 };
  expect(() => auditor.look([{ ...row, metrics }])).toThrow(/its cells differs/);
});

test("what an interrupted sweep found is kept, and whatever else a manifest holds is not", () => {
  const d = sweep();
  const before = { ...new Auditor(d, []).report, rows: 7 };
  expect(new Auditor(d, [], auditReport(JSON.parse(JSON.stringify(before)))).report.rows).toBe(7);
  for (const odd of [undefined, null, 3, "x", {}]) expect(auditReport(odd).rows).toBe(0);
});
