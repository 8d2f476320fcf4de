import { describe, expect, test } from "vitest";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import {
  type AwakePaths,
  alongRouteReference,
  awakePathsReference,
  drawWords,
  normals4,
  type PathRequest,
  routeLengthReference,
} from "../../src/reference/index.ts";
import { inputScale, ouTask, type PathTask, type PolylineTask, tmazeTask, triangleTask } from "../../src/task/paths.ts";

const request = (overrides: Partial<PathRequest> = {}): PathRequest => ({
  T: 60,
  B: 2000,
  key: [3, 8],
  stream: STREAM.testPaths,
  epoch: TEST_EPOCH,
  trajectory0: 0,
  maskEvery: 1,
  maskOffset: "fixed",
  ...overrides,
});

type Point = readonly [number, number];
const at = (paths: AwakePaths, t: number, b: number): Point => {
  const B = paths.offsets.length;
  return [paths.positions[(t * B + b) * 2] as number, paths.positions[(t * B + b) * 2 + 1] as number];
};
const distance = (p: Point, q: Point) => Math.hypot(p[0] - q[0], p[1] - q[1]);
const still = (task: PolylineTask): PolylineTask => ({ ...task, jitterStd: 0 });
const mean = (x: number[]) => x.reduce((sum, value) => sum + value, 0) / x.length;
const std = (x: number[]) => {
  const centre = mean(x);
  return Math.sqrt(mean(x.map((value) => (value - centre) ** 2)));
};
const rows = (count: number) => Array.from({ length: count }, (_, b) => b);

/** How many elements differ. */
const different = (x: Float64Array, y: Float64Array) => x.reduce((n, value, i) => n + (value === y[i] ? 0 : 1), 0);

/** Five standard deviations of a share among `n` draws. */
const shareTolerance = (share: number, n: number) => 5 * Math.sqrt((share * (1 - share)) / n);

/** Float64 rounding of sums of a few numbers of size 1. */
const ROUNDING = 1e-12;

describe("triangle", () => {
  test("is equilateral with circumradius 1, and 40 steps are one lap", () => {
    const task = triangleTask("oneWay");
    const corners = task.routes[0] as readonly Point[];
    expect(routeLengthReference(corners, true)).toBeCloseTo(3 * Math.sqrt(3), 12);
    expect(inputScale(task)).toBeCloseTo(0.1299, 4);
    const paths = awakePathsReference(still({ ...task, speedStd: 0 }), request({ B: 50 }));
    for (const b of rows(50)) {
      expect(distance(at(paths, 40, b), at(paths, 0, b))).toBeLessThan(ROUNDING);
      expect(distance(at(paths, 20, b), at(paths, 0, b))).toBeGreaterThan(1);
    }
  });

  test("starts at one of the three vertices, each as often", () => {
    const task = triangleTask("oneWay");
    const corners = task.routes[0] as readonly Point[];
    const paths = awakePathsReference(still(task), request({ T: 1 }));
    const starts = rows(2000).map((b) => corners.findIndex((corner) => distance(corner, at(paths, 0, b)) < ROUNDING));
    for (const corner of [0, 1, 2]) {
      const share = starts.filter((s) => s === corner).length / 2000;
      expect(Math.abs(share - 1 / 3)).toBeLessThan(shareTolerance(1 / 3, 2000));
    }
  });

  test("runs counter-clockwise one-way, and half and half both ways", () => {
    const turns = (directions: "oneWay" | "twoWay") => {
      const paths = awakePathsReference(still(triangleTask(directions)), request({ T: 3 }));
      return rows(2000).map((b) => {
        const [p, q] = [at(paths, 0, b), at(paths, 3, b)];
        return p[0] * q[1] - p[1] * q[0] > 0;
      });
    };
    expect(turns("oneWay").every((ccw) => ccw)).toBe(true);
    const ccw = turns("twoWay").filter((x) => x).length / 2000;
    expect(Math.abs(ccw - 0.5)).toBeLessThan(shareTolerance(0.5, 2000));
  });

  test("keeps each trajectory's speed, drawn around the step length and clipped", () => {
    const task = still(triangleTask("twoWay"));
    const paths = awakePathsReference(task, request());
    const speeds = rows(2000).map((b) => distance(at(paths, 0, b), at(paths, 1, b)) / task.stepLength);
    for (const b of rows(200)) {
      const speed = (speeds[b] as number) * task.stepLength;
      for (let t = 1; t < 60; t++) {
        // Off the corners a step is exactly one speed long; across a corner it is a chord, at least cos 60° shorter.
        const length = distance(at(paths, t, b), at(paths, t + 1, b));
        expect(length).toBeLessThan(speed + ROUNDING);
        expect(length).toBeGreaterThan(speed / 2 - ROUNDING);
      }
    }
    // Five standard errors of a mean and of a standard deviation.
    expect(Math.abs(mean(speeds) - 1)).toBeLessThan((5 * 0.15) / Math.sqrt(2000));
    expect(Math.abs(std(speeds) - 0.15)).toBeLessThan((5 * 0.15) / Math.sqrt(4000));

    const wild = awakePathsReference({ ...task, speedStd: 2 }, request({ T: 1 }));
    const clipped = rows(2000).map((b) => distance(at(wild, 0, b), at(wild, 1, b)) / task.stepLength);
    expect(Math.min(...clipped)).toBeCloseTo(0.5, 10);
    expect(Math.max(...clipped)).toBeCloseTo(1.5, 10);
  });
});

describe("draws of a polyline", () => {
  test("speed, start and route come from step 0, quad 1: normal 0, word 2, word 3", () => {
    const task = still(triangleTask("twoWay"));
    const paths = awakePathsReference(task, request({ T: 1, B: 100, trajectory0: 40 }));
    for (const b of rows(100)) {
      const words = drawWords(0, 1, 40 + b, STREAM.testPaths, TEST_EPOCH, [3, 8]);
      const corners = task.routes[words[3] % 2] as readonly Point[];
      const [from, to] = [words[2] % 3, (words[2] + 1) % 3].map((i) => corners[i] as Point) as [Point, Point];
      const speed = task.stepLength * Math.max(0.5, Math.min(1.5, 1 + 0.15 * normals4(words)[0]));
      const share = speed / Math.sqrt(3);
      expect(distance(at(paths, 0, b), from)).toBeLessThan(ROUNDING);
      const expected = [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])] as const;
      expect(distance(at(paths, 1, b), expected)).toBeLessThan(ROUNDING);
    }
  });
});

describe("T-maze", () => {
  const task = tmazeTask();
  const ends: readonly Point[] = [
    [-1, 0.5],
    [1, 0.5],
  ];

  test("runs from the base over the junction to either end, each as often, never off the track", () => {
    const paths = awakePathsReference(still(task), request({ T: 90 }));
    const arms = rows(2000).map((b) => {
      expect(at(paths, 0, b)).toEqual([0, -1]);
      return ends.findIndex((end) => distance(end, at(paths, 90, b)) < ROUNDING);
    });
    const left = arms.filter((arm) => arm === 0).length / 2000;
    expect(arms).not.toContain(-1);
    expect(Math.abs(left - 0.5)).toBeLessThan(shareTolerance(0.5, 2000));
    for (const b of rows(100)) {
      for (let t = 0; t <= 90; t++) {
        const [x, y] = at(paths, t, b);
        const side = arms[b] === 0 ? -x : x;
        const onStem = x === 0 && y >= -1 && y <= 0.5;
        const onArm = Math.abs(y - 0.5) < ROUNDING && side >= 0 && side <= 1;
        expect(onStem || onArm).toBe(true);
      }
    }
  });

  test("waits at the end, from the step on at which the run is 2.5 m long", () => {
    const paths = awakePathsReference(still(task), request({ B: 300 }));
    let waiting = 0;
    for (const b of rows(300)) {
      const speed = distance(at(paths, 0, b), at(paths, 1, b));
      const arrival = 2.5 / speed;
      const end = ends[at(paths, 60, b)[0] < 0 ? 0 : 1] as Point;
      for (let t = 0; t <= 60; t++) {
        const there = distance(at(paths, t, b), end) < ROUNDING;
        if (Math.abs(t - arrival) > 1e-6) expect(there).toBe(t > arrival);
        if (there && t < 60) {
          waiting++;
          expect(distance(at(paths, t, b), at(paths, t + 1, b))).toBeLessThan(ROUNDING);
        }
      }
    }
    // A run takes 45 of 60 steps at mean speed.
    expect(waiting / 300).toBeGreaterThan(10);
  });

  test("the jitter is stationary from the first step, with its standard deviation and time constant", () => {
    const B = 4000;
    const [moving, bare] = [task, still(task)].map((t) => awakePathsReference(t, request({ B })));
    const jitter = (t: number, axis: 0 | 1) =>
      rows(B).map((b) => at(moving as AwakePaths, t, b)[axis] - at(bare as AwakePaths, t, b)[axis]);
    const correlation = (x: number[], y: number[]) => mean(x.map((value, b) => value * (y[b] as number))) / 0.03 ** 2;
    for (const axis of [0, 1] as const) {
      for (const t of [0, 1, 10, 60]) {
        expect(Math.abs(std(jitter(t, axis)) / 0.03 - 1)).toBeLessThan(5 / Math.sqrt(2 * B));
        expect(Math.abs(mean(jitter(t, axis))) / 0.03).toBeLessThan(5 / Math.sqrt(B));
      }
      // 1 − 1/τ_j = 0.9 per step; a correlation's standard error is at most √2/√B.
      for (const lag of [1, 10, 30]) {
        expect(Math.abs(correlation(jitter(5, axis), jitter(5 + lag, axis)) - 0.9 ** lag)).toBeLessThan(
          5 * Math.sqrt(2 / B),
        );
      }
    }
    expect(Math.abs(correlation(jitter(5, 0), jitter(5, 1)))).toBeLessThan(5 / Math.sqrt(B));
  });
});

describe("the point at an arc length", () => {
  const route: readonly Point[] = [
    [0, 0],
    [2, 0],
    [2, 1],
  ];

  test("on an open route ends at the last corner", () => {
    expect([0, 1, 2, 2.25, 3, 7].map((q) => alongRouteReference(route, false, q))).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [2, 0.25],
      [2, 1],
      [2, 1],
    ]);
  });

  test("on a closed route goes home and round again", () => {
    const length = 3 + Math.sqrt(5);
    const half = alongRouteReference(route, true, 3 + Math.sqrt(5) / 2);
    expect(distance(half, [1, 0.5])).toBeLessThan(ROUNDING);
    expect(distance(alongRouteReference(route, true, length + 1), [1, 0])).toBeLessThan(ROUNDING);
  });
});

describe("Ornstein–Uhlenbeck path", () => {
  test("has the mean and the variance of its recursion at every step", () => {
    const [task, B] = [ouTask(), 4000];
    const paths = awakePathsReference(task, request({ B }));
    let variance = task.startStd ** 2;
    for (let t = 0; t <= 60; t++) {
      for (const axis of [0, 1] as const) {
        const x = rows(B).map((b) => at(paths, t, b)[axis]);
        const expected = task.start[axis] * (1 - task.pull) ** t;
        expect(Math.abs(mean(x) - expected)).toBeLessThan(5 * Math.sqrt(variance / B));
        expect(Math.abs(std(x) ** 2 / variance - 1)).toBeLessThan(5 * Math.sqrt(2 / B));
      }
      variance = (1 - task.pull) ** 2 * variance + task.pathStd ** 2;
    }
  });
});

describe("inputs and masks", () => {
  const TASKS: PathTask[] = [triangleTask("twoWay"), tmazeTask(), ouTask()];

  test.each(TASKS)("unmasked inputs lead from the encoded start to every target ($kind)", (task) => {
    const paths = awakePathsReference(task, request({ B: 20 }));
    for (const b of rows(20)) {
      let [x, y] = [paths.e0[b * 2] as number, paths.e0[b * 2 + 1] as number];
      for (let t = 0; t < 60; t++) {
        x += inputScale(task) * (paths.u[(t * 20 + b) * 2] as number);
        y += inputScale(task) * (paths.u[(t * 20 + b) * 2 + 1] as number);
        expect(distance([x, y], at(paths, t + 1, b))).toBeLessThan(ROUNDING);
      }
    }
  });

  test.each(["random", "fixed"] as const)(
    "%s offsets: one input in k is seen, and it is the unmasked one",
    (maskOffset) => {
      const [k, B] = [5, 3000];
      const bare = awakePathsReference(tmazeTask(), request({ B }));
      const masked = awakePathsReference(tmazeTask(), request({ B, maskEvery: k, maskOffset }));
      expect(different(masked.positions, bare.positions)).toBe(0);
      const expected = bare.u.map((x, i) => {
        const [t, b] = [Math.floor(i / (2 * B)), Math.floor(i / 2) % B];
        return t % k === masked.offsets[b] ? x : 0;
      });
      expect(different(masked.u, expected)).toBe(0);
      if (maskOffset === "random") {
        const drawn = rows(B).map((b) => drawWords(0, 0, b, STREAM.masks, TEST_EPOCH, [3, 8])[0] % k);
        expect([...masked.offsets]).toEqual(drawn);
      }
      for (let offset = 0; offset < k; offset++) {
        const share = masked.offsets.filter((o) => o === offset).length / B;
        if (maskOffset === "fixed") expect(share).toBe(offset === 0 ? 1 : 0);
        else expect(Math.abs(share - 1 / k)).toBeLessThan(shareTolerance(1 / k, B));
      }
    },
  );

  test.each(TASKS)(
    "a trajectory is the same in any batch, and another in another epoch, stream or network ($kind)",
    (task) => {
      const options = { T: 7, maskEvery: 3, maskOffset: "random" } as const;
      const whole = awakePathsReference(task, request({ ...options, B: 6 }));
      const part = awakePathsReference(task, request({ ...options, B: 2, trajectory0: 4 }));
      for (let t = 0; t <= 7; t++) expect(at(part, t, 1)).toEqual(at(whole, t, 5));
      expect(part.offsets[1]).toBe(whole.offsets[5]);
      for (const other of [{ epoch: 0 }, { stream: STREAM.trainPaths }, { key: [3, 9] }, { rounds: 10 }] as const) {
        const paths = awakePathsReference(task, request({ ...options, B: 6, ...other }));
        expect(at(paths, 7, 0)).not.toEqual(at(whole, 7, 0));
      }
    },
  );
});
