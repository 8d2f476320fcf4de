/** The palettes keep what the pages say of them: apart with the common colour blindnesses, ordered by lightness. */
import { describe, expect, test } from "vitest";
import { conditionPair, HEAT_STEPS, heatColour, INK_PAIR, RAMP } from "../../src/report/theme.ts";

type Triple = readonly [number, number, number];

const linear = (hex: string): Triple =>
  [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as unknown as Triple;

/** Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB. */
const SEEN_WITH: Readonly<Record<string, readonly Triple[]>> = {
  "full colour vision": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

const times = (m: readonly Triple[], v: Triple): Triple =>
  m.map((row) => Math.max(0, row[0] * v[0] + row[1] * v[1] + row[2] * v[2])) as unknown as Triple;

/** CIELAB under D65. */
function lab(rgb: Triple): Triple {
  const xyz = times(
    [
      [0.4124, 0.3576, 0.1805],
      [0.2126, 0.7152, 0.0722],
      [0.0193, 0.1192, 0.9505],
    ],
    rgb,
  );
  const [x, y, z] = xyz.map((v, i) => {
    const t = v / ([0.9505, 1, 1.089][i] as number);
    return t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116;
  }) as unknown as Triple;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const apart = (a: Triple, b: Triple): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
const lightness = (hex: string): number => lab(linear(hex))[0];

describe.each(["light", "dark"] as const)("on a %s page", (theme) => {
  const side = theme === "light" ? 0 : 1;

  test.each(Object.keys(SEEN_WITH))("awake and four conditions differ with %s", (sight) => {
    const colours = [INK_PAIR, ...[0, 1, 2, 3].map(conditionPair)].map((p) =>
      lab(times(SEEN_WITH[sight] as readonly Triple[], linear(p[side]))),
    );
    const distances = colours.flatMap((a, i) => colours.slice(i + 1).map((b) => apart(a, b)));
    // ΔE of 10 is seen at a glance; 2.3 is just noticeable.
    expect(Math.min(...distances)).toBeGreaterThan(10);
  });

  test("time goes from dark to light, step by step", () => {
    const steps = RAMP[theme].map(lightness);
    expect(steps.slice(1).every((l, i) => l > (steps[i] as number))).toBe(true);
  });
});

test("amounts go away from a white page, step by step", () => {
  const steps = Array.from({ length: HEAT_STEPS }, (_, i) => lightness(heatColour(i)));
  expect(steps.slice(1).every((l, i) => l < (steps[i] as number))).toBe(true);
  expect(steps[0]).toBeGreaterThan(85);
});
