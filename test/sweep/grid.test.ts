/** What a user may ask for, and what becomes of it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { type ConditionRequest, conditionsOf } from "../../src/sweep/grid.ts";

const ask = (own: Partial<ConditionRequest>) =>
  conditionsOf({ grid: [], list: null, random: null, rootSeed: 1, ...own });
const listed = (value: unknown) => ask({ list: { value, origin: "--list x.json" } });

describe("grids", () => {
  test("the first axis is the slowest", () => {
    expect(ask({ grid: ["friction=1,.6", "adaptStrength=0:0.2:3"] })).toEqual({
      axes: [
        { parameter: "friction", values: [1, 0.6] },
        { parameter: "adaptStrength", values: [0, 0.1, 0.2] },
      ],
      conditions: [
        { friction: 1, adaptStrength: 0 },
        { friction: 1, adaptStrength: 0.1 },
        { friction: 1, adaptStrength: 0.2 },
        { friction: 0.6, adaptStrength: 0 },
        { friction: 0.6, adaptStrength: 0.1 },
        { friction: 0.6, adaptStrength: 0.2 },
      ],
    });
  });

  test("a range has the numbers that one would write", () => {
    expect(ask({ grid: ["adaptStrength=0:0.2:11"] }).axes[0]?.values).toEqual([
      0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16, 0.18, 0.2,
    ]);
    expect(ask({ grid: ["adaptTau=log:10:1000:5"] }).axes[0]?.values).toEqual([
      10, 31.6227766017, 100, 316.227766017, 1000,
    ]);
    expect(ask({ grid: ["leak=0.3:0.3:1"] }).axes[0]?.values).toEqual([0.3]);
  });

  test("every step parameter, switches too", () => {
    const grid = ["leak=.1", "gain=1", "noiseStd=0", "noiseScale=1", "noiseFriction=true,false", "adaptTau=50"];
    expect(ask({ grid }).conditions.map((c) => c.noiseFriction)).toEqual([true, false]);
  });

  test("a linear range begins and ends where it says, and its steps are equal", () => {
    const value = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(
      fc.property(value, value, fc.integer({ min: 2, max: 50 }), (start, stop, count) => {
        fc.pre(Math.abs(stop - start) > 1e-6);
        const [axis] = ask({ grid: [`leak=${start}:${stop}:${count}`] }).axes;
        const values = axis?.values as number[];
        // Twelve digits are kept.
        const close = (a: number, b: number) =>
          expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-11 * Math.max(start, stop));
        expect(values).toHaveLength(count);
        values.forEach((v, i) => {
          close(v, start + ((stop - start) * i) / (count - 1));
        });
      }),
    );
  });
});

test("a list, keys in any order", () => {
  expect(listed([{ friction: 0.6, adaptTau: 50 }, {}]).conditions).toEqual([{ adaptTau: 50, friction: 0.6 }, {}]);
});

test("a random sample stays in its ranges, follows its seed, and grows without changing", () => {
  const grid = ["friction=0.2:1", "adaptTau=log:10:1000", "noiseFriction=true,false"];
  const few = ask({ grid, random: 50 }).conditions;
  const many = ask({ grid, random: 2000 }).conditions;
  expect(many.slice(0, 50)).toEqual(few);
  expect(ask({ grid, random: 50, rootSeed: 2 }).conditions).not.toEqual(few);
  for (const c of many) {
    expect(c.friction).toBeGreaterThanOrEqual(0.2);
    expect(c.friction).toBeLessThanOrEqual(1);
  }
  const share = (of: (c: (typeof many)[number]) => boolean) => many.filter(of).length / many.length;
  // Four standard deviations of a share of ½ over 2000 draws: 0.045.
  expect(Math.abs(share((c) => (c.friction as number) < 0.6) - 0.5)).toBeLessThan(0.045);
  expect(Math.abs(share((c) => (c.adaptTau as number) < 100) - 0.5)).toBeLessThan(0.045);
  expect(Math.abs(share((c) => c.noiseFriction === true) - 0.5)).toBeLessThan(0.045);
});

describe("mistakes are told in one line", () => {
  const cases: [string, Partial<ConditionRequest>, RegExp][] = [
    ["nothing", {}, /what is to be swept/],
    ["unknown", { grid: ["lambda=1"] }, /unknown step parameter "lambda" \(did you mean "friction"\?\)/],
    ["no values", { grid: ["friction="] }, /names no values/],
    ["no equals sign", { grid: ["friction"] }, /must be parameter=values/],
    ["out of range", { grid: ["friction=1,2"] }, /friction/],
    ["out of range, stop", { grid: ["friction=0.5:2:3"] }, /friction/],
    ["words", { grid: ["friction=a:b:c"] }, /"a" is not a number/],
    ["fractions of a count", { grid: ["leak=0:1:2.5"] }, /whole number/],
    ["no count", { grid: ["leak=0:1"] }, /how many values\?/],
    ["a logarithm of 0", { grid: ["leak=log:0:1:3"] }, /above 0/],
    ["an axis twice", { grid: ["leak=1", "leak=0"] }, /names leak twice/],
    ["a value twice", { grid: ["leak=0,0.5,0"] }, /0 occurs twice/],
    ["too many", { grid: ["leak=0:1:2000", "gain=0:1:2000"] }, /4000000 conditions, at most/],
    ["no draws", { grid: ["leak=0:1"], random: 0 }, /whole number/],
    ["grid and list", { grid: ["leak=0"], list: { value: [{}], origin: "--list" } }, /excludes/],
  ];
  test.each(cases)("%s", (_, own, message) => {
    expect(() => ask(own)).toThrow(UsageError);
    expect(() => ask(own)).toThrow(message);
  });

  test.each([
    [{}],
    [[]],
    [[1]],
    [[{ frictio: 1 }]],
    [[{ friction: -1 }]],
    [[{ friction: "a" }]],
    [[{ leak: 0 }, { leak: 0 }]],
  ])("list %j", (value) => {
    expect(() => listed(value)).toThrow(UsageError);
  });
});
