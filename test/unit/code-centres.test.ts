/** Where place cells lie, and how a configuration says so. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { centresOf, type Layout } from "../../src/code/centres.ts";
import { codeUniform, MOST_CELLS } from "../../src/code/population.ts";
import { loadConfig } from "../../src/config/load.ts";
import { codeSpec, networkShape } from "../../src/config/resolve.ts";
import { DataError, UsageError } from "../../src/errors.ts";
import { writeNpz } from "../../src/io/npz.ts";

const BOX = { x: -1, y: 2, width: 2, height: 1 };
const layout = (own: Partial<Layout>): Layout => ({ count: 64, layout: "jitteredGrid", centres: [], seed: 1, ...own });
const folder = mkdtempSync(join(tmpdir(), "reverie-cells-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["jitteredGrid", "grid", "uniform"] as const)("%s", (kind) => {
  test.each([16, 17, 64, 130, 2048])("%i cells lie inside, no two at one place", (count) => {
    const centres = centresOf(layout({ count, layout: kind }), BOX, 3);
    expect(centres.length).toBe(count);
    for (const [x, y] of centres) {
      expect(x > -1 && x < 1 && y > 2 && y < 3).toBe(true);
    }
    expect(new Set(centres.map(String)).size).toBe(count);
  });
});

test("a jittered centre stays within 45 % of its tile", () => {
  const [plain, jittered] = (["grid", "jitteredGrid"] as const).map((l) => centresOf(layout({ layout: l }), BOX, 3));
  // 64 cells on 2 m × 1 m: 6 lines of 10 or 11.
  const most = Math.max(...(jittered ?? []).map(([x], i) => Math.abs(x - (plain?.[i]?.[0] as number))));
  expect(most).toBeGreaterThan(0.3 * (2 / 11));
  expect(most).toBeLessThanOrEqual(0.45 * (2 / 10));
});

test("centres are those of their seed, whatever the networks", () => {
  const of = (seed: number, root: number) => centresOf(layout({ seed }), BOX, root);
  expect(of(1, 3)).toEqual(of(1, 3));
  expect(of(2, 3)).not.toEqual(of(1, 3));
  expect(of(1, 4)).not.toEqual(of(1, 3));
});

test("a ring goes round the largest circle", () => {
  const centres = centresOf(layout({ count: 17, layout: "ring" }), BOX, 3);
  expect(centres[0]).toEqual([0.5, 2.5]);
  for (const [x, y] of centres) expect(Math.hypot(x, y - 2.5)).toBeCloseTo(0.5, 12);
});

test("the uniform has room for all, and pads with nothing", () => {
  const p = { centres: centresOf(layout({ count: 17 }), BOX, 3), width: 0.5, tuning: "gaussian" } as const;
  const u = codeUniform(p);
  expect(u).toMatchObject({ cells: 17, cell_quads: 5, exponent: -2 });
  const flat = u.centre as number[];
  expect([flat[32], flat[36], flat[33], flat[39]]).toEqual([p.centres[16]?.[0], p.centres[16]?.[1], 0, 0]);
  const most = codeUniform({ ...p, centres: Array.from({ length: MOST_CELLS }, () => [1, 2] as const) });
  expect((most.centre as number[]).length).toBe(2 * MOST_CELLS);
});

const load = (...set: string[]) => loadConfig({ preset: "tmaze", set }).config;

test("cells turn readouts and encoder inputs into rates", () => {
  const config = load('task.cells={"count":17}');
  expect(networkShape(config)).toEqual({ units: 64, inputs: 2, outputs: 17, encoderInputs: 17 });
  expect(codeSpec(config)?.population.centres.length).toBe(17);
  expect(codeSpec(load())).toBeNull();
  expect(codeSpec(loadConfig({ preset: "tmaze", set: ["task.cells.width=0.2", "task.cells=null"] }).config)).toBeNull();
});

describe("centres from a file become the configuration's own", () => {
  const wanted = Array.from({ length: 16 }, (_, i) => [i / 10, 1 - i / 5]);
  test("npz", () => {
    const file = join(folder, "cells.npz");
    writeNpz(file, { centres: { data: Float64Array.from(wanted.flat()), shape: [16, 2] } });
    const { cells } = load('task.cells.layout="file"', `task.cells.file=${file}`).task;
    expect(cells).toMatchObject({ layout: "list", count: 16, file: "", centres: wanted });
  });
  test("csv, with a title", () => {
    const file = join(folder, "cells.csv");
    writeFileSync(file, `x,y\n${wanted.map(([x, y]) => `${x}, ${y}`).join("\n")}\n`);
    expect(load("task.cells.layout=file", `task.cells.file=${file}`).task.cells?.centres).toEqual(wanted);
  });
  test("what is wrong is said with its line", () => {
    const file = join(folder, "bad.csv");
    writeFileSync(file, "0,1\n2,nan\n");
    const from = (path: string) => () => load("task.cells.layout=file", `task.cells.file=${path}`);
    expect(from(file)).toThrow(DataError);
    expect(from(file)).toThrow(/bad\.csv:2: expected x,y in metres, found "2,nan"/);
    expect(from(join(folder, "none.csv"))).toThrow(/cannot be read \(ENOENT\)/);
    expect(from("cells.txt")).toThrow(/must end in .npz or .csv/);
    writeFileSync(file, "0,1\n2,3\n");
    expect(from(file)).toThrow(/16/);
  });
});

test.each([
  ['task.cells={"count":15}', /task.cells.count is 15: must be an integer from 16 to 2048/],
  ['task.cells={"layout":"list"}', /task.cells.centres is missing: it must list one centre per cell, 64/],
  ['task.cells={"centres":[[0,0]]}', /must be empty unless task.cells.layout is list/],
  ['task.cells={"layout":"file"}', /task.cells.file is missing: it must name a file/],
  ['task.cells={"widht":1}', /unknown key "task.cells.widht" \(did you mean "width"\?\)/],
  ["task.decode.k=17", /task.decode.k is 17/],
])("%s is refused", (set, message) => {
  expect(() => load(set)).toThrow(UsageError);
  expect(() => load(set)).toThrow(message);
});
