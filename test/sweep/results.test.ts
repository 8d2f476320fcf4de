/** Lines of results and the tables made from them. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../../src/io/csv.ts";
import type { SweepDefinition } from "../../src/sweep/definition.ts";
import {
  canonicalOrder,
  parseResultLine,
  type ResultRecord,
  resultLine,
  soundResults,
} from "../../src/sweep/results.ts";
import { sweepTables } from "../../src/sweep/table.ts";
import { quiet } from "../replay/quiescent.ts";
import { PLAIN } from "../train/experiments.ts";

const record = (own: Partial<ResultRecord> = {}): ResultRecord => ({
  network: 0,
  condition: 0,
  n: 3,
  values: { reach_median: 4, speed5: 0.1, abs_laps: Number.NaN },
  occupancy: [[7, 12]],
  ...own,
});

describe("a line", () => {
  const number = fc.double();
  const arbitrary = fc.record({
    network: fc.nat(1000),
    condition: fc.oneof(fc.nat(), fc.constant("awake" as const)),
    n: fc.nat(),
    values: fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), number),
    occupancy: fc.array(fc.tuple(fc.nat(399), fc.nat())),
  });

  test("comes back as it was, NaN and infinities too", () => {
    fc.assert(
      fc.property(arbitrary, (r) => {
        // JSON has one zero.
        const values = Object.fromEntries(Object.entries(r.values).map(([k, v]) => [k, v === 0 ? 0 : v]));
        const back = parseResultLine(resultLine({ ...r, values }).slice(0, -1));
        expect(back).toEqual({ ...r, values });
      }),
    );
  });

  test("is refused after any change of a character", () => {
    const line = resultLine(record()).slice(0, -1);
    expect(parseResultLine(line)).not.toBeNull();
    for (let i = 0; i < line.length; i++) {
      for (const c of ["0", "9", "x"]) {
        if (line[i] !== c) expect(parseResultLine(line.slice(0, i) + c + line.slice(i + 1)), `${i}${c}`).toBeNull();
      }
    }
  });

  test("is refused when cut anywhere, and so is all that follows it", () => {
    const lines = [0, 1, 2].map((condition) => Buffer.from(resultLine(record({ condition }))));
    const all = Buffer.concat(lines);
    const border = (lines[0] as Buffer).length;
    for (let end = 0; end <= all.length; end++) {
      const sound = soundResults(all.subarray(0, end));
      const whole = lines.filter((_, i) => end >= lines.slice(0, i + 1).reduce((n, l) => n + l.length, 0)).length;
      expect(sound.records.map((r) => r.condition)).toEqual([0, 1, 2].slice(0, whole));
    }
    const damaged = Buffer.from(all);
    damaged[border + 20] = 0x21;
    expect(soundResults(damaged)).toMatchObject({ bytes: border, records: [{ condition: 0 }] });
  });
});

test("canonical order: awake, then conditions as numbers, networks within", () => {
  const mixed = [
    record({ condition: 10 }),
    record({ condition: 2, network: 1 }),
    record({ condition: "awake" }),
    record({ condition: 2 }),
  ];
  expect(canonicalOrder(mixed).map((r) => `${r.condition}/${r.network}`)).toEqual(["awake/0", "2/0", "2/1", "10/0"]);
});

describe("metrics.csv", () => {
  const step = quiet();
  const definition = {
    networks: [{ run: "a, b", seed: 7, step, awake: PLAIN }],
    conditions: [{ friction: 0.5 }, { friction: 1 }, { friction: 1, leak: 0.9 }, { friction: 0.5, leak: 0.9 }],
  } as unknown as SweepDefinition;
  const values = (reach_median: number, speed5: number, abs_laps: number) => ({ reach_median, speed5, abs_laps });
  const records = [
    record({ condition: 0, values: values(40, 0.2, 3) }),
    record({ condition: 1, values: values(80, 0.1, 2) }),
    record({ condition: 2, values: values(Number.POSITIVE_INFINITY, Number.NaN, 1) }),
    record({ condition: 3, values: values(30, 0.3, 4) }),
    record({ condition: "awake", values: values(20, 0.4, Number.NaN) }),
  ];

  test("compares with awake and with the condition that has neither momentum nor adaptation", () => {
    const rows = parseCsv(sweepTables(definition, records).metrics, "metrics.csv");
    expect(rows.map((r) => r.run)).toEqual(Array(4).fill("a, b"));
    expect(rows.map((r) => [r.friction, r.leak])).toEqual([
      ["0.5", "0.5"],
      ["1", "0.5"],
      ["1", "0.9"],
      ["0.5", "0.9"],
    ]);
    const column = (name: string) => rows.map((r) => r[name]);
    expect(column("compression_reach")).toEqual(["0.5", "0.25", "", String(20 / 30)]);
    expect(column("compression_speed")).toEqual(["0.5", "0.25", "", String(0.3 / 0.4)]);
    // With another leak the reference is another one, and it never arrives.
    expect(column("compression_reference")).toEqual(["2", "1", "", ""]);
    expect(column("compression_laps")).toEqual(["1.5", "1", "1", "4"]);
    expect(column("reach_median")).toEqual(["40", "80", "inf", "30"]);
    expect(column("speed5")[2]).toBe("");
  });

  test("awake.csv has the awake parameters", () => {
    expect(parseCsv(sweepTables(definition, records).awake, "awake.csv")).toMatchObject([
      { condition: "awake", noiseScale: "1", noiseFriction: "false", reach_median: "20" },
    ]);
  });

  test("does not depend on the order of the lines", () => {
    expect(sweepTables(definition, [...records].reverse())).toEqual(sweepTables(definition, records));
  });

  test("the example of the format is what the code makes", () => {
    const folder = new URL("../fixtures/sweep/", import.meta.url);
    const text = (name: string) => readFileSync(new URL(name, folder), "utf8");
    const { records: lines, bytes } = soundResults(Buffer.from(text("results.jsonl")));
    expect(bytes).toBe(text("results.jsonl").length);
    const tables = sweepTables(JSON.parse(text("sweep.json")), lines);
    expect(tables).toEqual({ metrics: text("metrics.csv"), awake: text("awake.csv") });
  });
});
