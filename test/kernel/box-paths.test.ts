/** Paths in boxes and on the ring against their float64 twins; windows of any path kernel change no bit. */
import { describe, expect, test } from "vitest";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import { boxPathReference } from "../../src/reference/box-path.ts";
import { headDirectionPathReference } from "../../src/reference/head-direction-path.ts";
import type { PathRequest } from "../../src/reference/masked-inputs.ts";
import { type BoxTask, boxTask, PREDECESSOR } from "../../src/task/box.ts";
import { headDirectionTask } from "../../src/task/head-direction.ts";
import { inputScale, ouTask, type PathTask, triangleTask } from "../../src/task/paths.ts";
import { gpuHygiene } from "../gpu.ts";
import { launchPaths } from "./path-launch.ts";
import { within, worst } from "./run-kernel.ts";

gpuHygiene();

const request = (own: Partial<PathRequest> = {}): PathRequest => ({
  T: 60,
  B: 45,
  key: [11, 3],
  stream: STREAM.trainPaths,
  epoch: 5,
  trajectory0: 0,
  maskEvery: 5,
  maskOffset: "random",
  ...own,
});

const wide: BoxTask = { ...boxTask(), width: 2, height: 0.5, burnIn: 3, substeps: 3, drift: 0.05, anchor: [1.5, 0.2] };
const predecessor: BoxTask = { ...boxTask(), width: 0.4, height: 0.3, ...PREDECESSOR };

const BOXES: [string, BoxTask, PathRequest][] = [
  ["RatInABox", boxTask(), request()],
  [
    "RatInABox, wide box, three substeps, biased, test stream",
    wide,
    request({ stream: STREAM.testPaths, epoch: TEST_EPOCH }),
  ],
  ["predecessor", predecessor, request({ maskEvery: 1 })],
  ["predecessor, two substeps, biased", { ...predecessor, substeps: 2, drift: 0.05, anchor: [0.1, 0.2] }, request()],
];

// A step adds a few roundings of a position of 1 m (6e-8 each), and a wrong speed or heading acts until it is forgotten:
// about speedTau and many steps of heading. Seen: 6e-6 m (RatInABox), 3e-7 m (predecessor); 2e-5 m leaves a factor of three.
const POSITION_ERROR = 2e-5;

describe.each(BOXES)("%s", (_, task, r) => {
  test("positions and inputs are the twin's, up to where a wall is a matter of rounding", async () => {
    const paths = await launchPaths(task, r);
    const exact = boxPathReference(task, r);
    const isClear = (t: number, b: number): boolean => (exact.clearance[t * r.B + b] as number) > POSITION_ERROR;
    let compared = 0;
    const p = worst((r.T + 1) * r.B, (i) => {
      if (!isClear(Math.floor(i / r.B), i % r.B)) return 0;
      compared++;
      const [x, y] = [paths.positions[2 * i] as number, paths.positions[2 * i + 1] as number];
      return Math.hypot(x - (exact.positions[2 * i] as number), y - (exact.positions[2 * i + 1] as number));
    });
    within("positions, m", p.error, POSITION_ERROR);
    // Or the test would compare nothing.
    expect(compared / ((r.T + 1) * r.B)).toBeGreaterThan(0.8);
    const u = worst(r.T * r.B * 2, (i) => {
      const row = Math.floor(i / 2);
      if (!isClear(Math.floor(row / r.B) + 1, row % r.B)) return 0;
      const [got, wanted] = [paths.input[i] as number, exact.u[i] as number];
      // A mask is exact.
      return Object.is(got, 0) === Object.is(wanted, 0) ? Math.abs(got - wanted) : Number.POSITIVE_INFINITY;
    });
    within("inputs", u.error, (2 * POSITION_ERROR) / inputScale(task));
    expect(paths.e0).toEqual(paths.positions.subarray(0, 2 * r.B));
    expect(paths.padding.every((x) => x === 0)).toBe(true);
  });
});

describe.each(["oneWay", "twoWay"] as const)("head direction, %s", (directions) => {
  test("positions and inputs are the twin's", async () => {
    const [task, r] = [headDirectionTask(directions), request()];
    const paths = await launchPaths(task, r);
    const exact = headDirectionPathReference(task, r);
    const error = (got: Float32Array, wanted: Float64Array): number =>
      worst(wanted.length, (i) => Math.abs((got[i] as number) - (wanted[i] as number))).error;
    expect(paths.input.length).toBe(r.T * r.B);
    // 60 steps round an angle of at most ½ turn by 2⁻²⁵ turns, and the turn itself by some 2e-7: 60 · 2π · 6e-8 at worst.
    within("positions", error(paths.positions, exact.positions), 3e-5);
    // Of a normal up to 5.77, 3.2 ULP (lib/rng.wgsl), times 1.25.
    within("inputs", error(paths.input, exact.u), 3e-6);
    expect(paths.input.some((x) => Object.is(x, 0))).toBe(true);
    expect(paths.padding.every((x) => x === 0)).toBe(true);
  });
});

const TASKS: [string, PathTask][] = [
  ["polyline", triangleTask("twoWay")],
  ["ou", ouTask()],
  ["RatInABox", { ...boxTask(), burnIn: 5 }],
  ["predecessor", predecessor],
  ["head direction", headDirectionTask("twoWay")],
];

describe.each(TASKS)("%s", (_, task) => {
  test("where windows are cut, burn-in included, changes no bit", async () => {
    const r = request({ T: 23, B: 33 });
    const { dispatches, ...whole } = await launchPaths(task, r);
    expect(dispatches).toBe(1);
    for (const window of [1, 4, 7]) {
      const cut = await launchPaths(task, r, window);
      expect(cut.dispatches).toBeGreaterThan(3);
      expect({ ...cut, dispatches: 0 }).toEqual({ ...whole, dispatches: 0 });
    }
  });

  test("starts alone are those of whole paths", async () => {
    const whole = await launchPaths(task, request({ T: 3 }));
    const starts = await launchPaths(task, request({ T: 0 }));
    expect(starts.e0).toEqual(whole.e0);
  });

  test("splitting a batch changes no bit", async () => {
    const whole = await launchPaths(task, request({ T: 5, B: 40 }));
    const part = await launchPaths(task, request({ T: 5, B: 8, trajectory0: 32 }));
    for (let t = 0; t <= 5; t++) {
      expect(part.positions.slice(t * 16, t * 16 + 16)).toEqual(whole.positions.slice(t * 80 + 64, t * 80 + 80));
    }
  });
});
