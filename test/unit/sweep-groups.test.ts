/** A sweep over networks that were trained otherwise: told apart, and never one mean. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { afterAll, describe, expect, test } from "vitest";
import { type parseCsv, readCsv } from "../../src/io/csv.ts";
import { networkGroups, ofNetworks } from "../../src/report/sweep-groups.ts";
import { reportOfSweep } from "../../src/run/sweep-report.ts";
import type { SweepNetwork } from "../../src/sweep/definition.ts";
import { linear, writeSyntheticSweep } from "./sweep-synthetic.ts";

const step = {
  leak: 0.5,
  gain: 1,
  noiseStd: 0.05,
  noiseScale: Math.SQRT2,
  noiseFriction: true,
  friction: 1,
  adaptStrength: 0,
  adaptTau: 200,
};
const network = (seed: number, more: Partial<typeof step> = {}, maskEvery = 5): SweepNetwork => {
  const own = { ...step, ...more };
  return { run: "r", seed, weights: "", step: own, awake: { ...own, noiseScale: 1, noiseFriction: false }, maskEvery };
};
const groups = (networks: SweepNetwork[], conditions: object[] = [{ friction: 1 }, { friction: 0.5 }]) =>
  networkGroups({ networks, conditions }).map((g) => [g.label, [...g.networks]]);

describe("groups", () => {
  test("seeds alone make none", () => {
    expect(groups([network(0), network(1), network(2)])).toEqual([["", [0, 1, 2]]]);
  });

  test("what training had otherwise names them, in the order of the networks", () => {
    const networks = [network(0), network(1, { leak: 0.2 }), network(2), network(3, { leak: 0.2 }, 1)];
    expect(groups(networks)).toEqual([
      ["trained with κ 0.5, input at 1 step in 5", [0, 2]],
      ["trained with κ 0.2, input at 1 step in 5", [1]],
      ["trained with κ 0.2, input always visible", [3]],
    ]);
  });

  test("a parameter that every condition sets is still one of training", () => {
    const networks = [network(0), network(1, { leak: 0.2 })];
    expect(groups(networks, [{ leak: 0.1 }, { leak: 1 }]).map(([label]) => label)).toEqual([
      "trained with κ 0.5",
      "trained with κ 0.2",
    ]);
  });

  test("what only replay has otherwise counts, unless every condition sets it", () => {
    const networks = [network(0), network(1, { noiseScale: 1 })];
    expect(groups(networks)).toEqual([
      ["noise × 1.41421 in replay", [0]],
      ["noise × 1 in replay", [1]],
    ]);
    expect(groups(networks, [{ noiseScale: 1 }, { noiseScale: 2 }])).toEqual([["", [0, 1]]]);
  });

  test("tensors keep the rows of their networks", () => {
    const data = Float32Array.from({ length: 3 * 4 }, (_, i) => i);
    expect(ofNetworks({ data, shape: [3, 1, 2, 2] }, [2, 0])).toEqual({
      data: Float32Array.of(8, 9, 10, 11, 0, 1, 2, 3),
      shape: [2, 1, 2, 2],
    });
  });
});

describe("the page", () => {
  const folder = mkdtempSync(join(tmpdir(), "reverie-groups-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const report = async (name: string, axes: Record<string, number[]>, leaks: number[]) => {
    const sweep = join(folder, name);
    mkdirSync(sweep);
    writeSyntheticSweep(sweep, { axes, networks: leaks.length }, { shards: true, leaks });
    const { written } = await reportOfSweep(sweep, join(folder, `${name}-out`), undefined, () => {});
    const html = readFileSync(written.html, "utf8");
    const { document } = parseHTML(html);
    const titles = [...document.querySelectorAll("h2")].map((e) => e.textContent as string);
    return { html, document, titles, out: (file: string) => join(folder, `${name}-out`, file) };
  };

  test("a plane is drawn once for each training, each of the mean of its own networks", async () => {
    const axes = { friction: linear(0.2, 1, 9), adaptStrength: linear(0, 0.3, 7) };
    const { html, document, titles, out } = await report("plane", axes, [0.5, 0.2, 0.5]);
    expect(titles.slice(0, 4)).toEqual([
      "Phase diagram, trained with κ 0.5",
      "Phase diagram, trained with κ 0.2",
      "Conditions that stand out, trained with κ 0.5",
      "Conditions that stand out, trained with κ 0.2",
    ]);
    expect(titles).not.toContain("Phase diagram");
    expect(html).toContain("trained with κ 0.5 (seeds 0, 2); trained with κ 0.2 (seed 1)");
    expect(html).toContain("0 (seed 0, κ 0.5)");
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.getAttribute("id"));
    expect(new Set(ids).size).toBe(ids.length);
    const [first, second] = ["phase-1.csv", "phase-2.csv"].map((f) => readCsv(out(f))) as ReturnType<typeof parseCsv>[];
    for (const row of first ?? []) {
      const own = [Number(row.network_0), Number(row.network_2)];
      // Seven digits in the file.
      if (row.mean !== "")
        expect(Number(row.mean) / ((own[0] as number) / 2 + (own[1] as number) / 2)).toBeCloseTo(1, 5);
    }
    expect(Object.keys(second?.[0] ?? {})).toContain("network_1");
    expect(Object.keys(second?.[0] ?? {})).not.toContain("network_0");
    expect(new Set(readCsv(out("trajectories-2.csv")).map((r) => r.network))).toEqual(new Set(["1"]));
  });

  test("one parameter has a curve for each training in the same panels", async () => {
    const { titles, document, html } = await report("line", { friction: linear(0.2, 1, 9) }, [0.5, 0.2, 0.5]);
    expect(titles.filter((t) => t.startsWith("Curves"))).toEqual(["Curves"]);
    const legend = document.querySelector("#curves svg")?.textContent ?? "";
    expect(legend).toContain("trained with κ 0.5");
    expect(legend).toContain("trained with κ 0.2");
    expect(html).toContain("trained alike (2, 1)");
  });

  test("many trainings are named, a few drawn", async () => {
    const leaks = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
    const { titles, html } = await report("many", { friction: linear(0.2, 1, 5) }, leaks);
    expect(titles.filter((t) => t.startsWith("Conditions that stand out"))).toHaveLength(6);
    expect(html).toContain("The first 6 kinds are drawn");
  });
});
