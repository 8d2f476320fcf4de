/** What a picky reader saw: axes without numbers, ends that were cut, captions of one theme, times for machines. */
import { describe, expect, test } from "vitest";
import { figureLoss } from "../../src/report/figure-loss.ts";
import { figureReach } from "../../src/report/figure-reach.ts";
import { subscripts, timeText } from "../../src/report/format.ts";
import { madeBy } from "../../src/report/headline.ts";
import { packFilms } from "../../src/report/player-data.ts";
import { figuresOf } from "../../src/report/run-figures.ts";
import { axisLayout, sweepAxis } from "../../src/report/sweep-axes.ts";
import { differenceNotice } from "../../src/run/report.ts";
import { syntheticReport } from "./report-synthetic.ts";

const input = syntheticReport({ networks: 2, steps: 200, rows: 8 });
const numbers = (body: string): number[] =>
  [...body.matchAll(/<text [^>]*>([\d.]+)<\/text>/g)].map((m) => Number(m[1]));

describe("axes", () => {
  test.each([
    ["falls by half", [0.42, 0.3, 0.23]],
    ["hardly falls", [0.302, 0.301, 0.3]],
    ["falls by ten thousand", [1, 0.01, 0.0001]],
  ])("a loss that %s has three numbers at least", (_, values) => {
    const loss = { iterations: [0, 500, 1000], perNetwork: [values, values] };
    const { body } = figureLoss({ ...input, testError: [] }, loss as never);
    const [low, high] = [Math.min(...values) / 1.16, Math.max(...values) * 1.16];
    const inside = (body.match(/10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+/g) ?? []).length;
    expect(numbers(body).filter((v) => v >= low && v <= high).length + inside).toBeGreaterThanOrEqual(3);
  });

  test("where nothing arrives, reach times have their whole axis", () => {
    const records = input.records.map((r) => ({ ...r, reachTimes: r.reachTimes.map(() => Number.POSITIVE_INFINITY) }));
    const { body } = figureReach({ ...input, records });
    expect(numbers(body)).toEqual(expect.arrayContaining([1, 10, 100]));
  });

  test("a few even values are labelled where they lie, many by round numbers", () => {
    const few = axisLayout(sweepAxis("adaptStrength", [0, 0.025, 0.05, 0.075]));
    expect([few.ticks, few.ticks?.map((v) => few.format?.(v))]).toEqual([
      [0, 0.025, 0.05, 0.075],
      ["0", "0.025", "0.05", "0.075"],
    ]);
    const third = axisLayout(sweepAxis("friction", [0.333333, 0.666667, 1]));
    expect(third.ticks?.map((v) => third.format?.(v))).toEqual(["0.333", "0.667", "1"]);
    expect(axisLayout(sweepAxis("friction", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])).ticks).toBeUndefined();
  });
});

describe("the animation", () => {
  const film = (steps: number, firstStep: number) => ({
    label: "x",
    colour: ["#000000", "#ffffff"] as const,
    tensor: { data: Float32Array.from({ length: 2 * steps }, (_, i) => (i >> 1) / steps), shape: [1, steps, 1, 2] },
    firstStep,
    every: 1,
  });
  const view = { x: 0, y: 0, width: 1, height: 1 };

  test("a thinned film still ends at its last step", () => {
    const packed = packFilms([film(1500, 1)], view);
    const { first, pitch, samples } = packed.films[0] as (typeof packed.films)[0];
    expect(pitch).toBeGreaterThan(1);
    expect(first + (samples - 1) * pitch).toBe(1500);
    const values = new Uint16Array(Uint8Array.from(Buffer.from(packed.base64, "base64")).buffer);
    const last = packed.origin[0] + packed.unit * (values[2 * (samples - 1)] as number);
    // A 65,534th of three views.
    expect(last).toBeCloseTo(1499 / 1500, 4);
  });

  test("one that begins at step 0 keeps its start", () => {
    expect(packFilms([film(1501, 0)], view).films[0]?.first).toBe(0);
    expect(packFilms([film(1500, 0)], view).films[0]?.first).toBe(0);
  });
});

describe("words", () => {
  test("captions fit both themes, and count what is drawn", () => {
    const captions = figuresOf(input)
      .map((f) => f.caption)
      .join(" ");
    expect(captions).not.toMatch(/\b(black|white|grey)\b:?/i);
    expect(captions).toContain("8 replays in each panel");
  });

  test("a time is one that people read, anything else as it is", () => {
    expect(timeText("2026-12-01T00:02:52.993Z")).toBe("2026-12-01 00:02 UTC");
    expect(timeText("yesterday")).toBe("yesterday");
    expect(madeBy({ versions: { reverie: "1" }, started: "2026-12-01T00:02:52Z" })).toEqual([
      { name: "Made by", value: "reverie 1, 2026-12-01 00:02 UTC" },
    ]);
    expect(madeBy({})).toEqual([]);
  });

  test("symbols have true subscripts, keys and files keep their names", () => {
    expect(subscripts("b_a = 0.05, τ_a = 200; K_t, K\u0302_t and Σ_t⁻¹")).toBe(
      "bₐ = 0.05, τₐ = 200; Kₜ, K\u0302ₜ and Σₜ⁻¹",
    );
    for (const name of ["W_rec", "reach_t", "b_adapt", "figures/b_a_x.csv", "web_a", "k_t"])
      expect(subscripts(name)).toBe(name);
  });

  test("networks that differ are named, equal ones are not", () => {
    expect(differenceNotice({ networks: [] })).toEqual([]);
    expect(differenceNotice({ networks: [{ leak: 0.2 }, { leak: 0.2 }] as never })).toEqual([]);
    const [notice] = differenceNotice({ networks: [{}, { leak: 0.2, maskEvery: 3 }] as never });
    expect(notice).toContain("over all of them (network 0: as configured; network 1: leak 0.2, maskEvery 3)");
  });
});
