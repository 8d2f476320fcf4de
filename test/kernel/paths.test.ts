/** shaders/task/*.wgsl against their float64 twins: positions, masked inputs, encoder inputs, padded rows. */
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { STREAM, TEST_EPOCH } from "../../src/model/streams.ts";
import type { PathRequest } from "../../src/reference/masked-inputs.ts";
import { awakePathsReference } from "../../src/reference/train-step.ts";
import { pathKernel } from "../../src/task/path-uniforms.ts";
import { inputScale, ouTask, type PathTask, type PolylineTask, tmazeTask, triangleTask } from "../../src/task/paths.ts";
import { gpuHygiene } from "../gpu.ts";
import { runKernel, within, worst } from "./run-kernel.ts";

gpuHygiene();

interface Case {
  readonly task: PathTask;
  /** Each network's trajectories; its rows are padded to 32. */
  readonly requests: readonly PathRequest[];
}

interface Paths {
  readonly rows: number;
  readonly stride: number;
  /** Row of trajectory b of network s. */
  row(s: number, b: number): number;
  readonly positions: Float32Array;
  readonly input: Float32Array;
  readonly e0: Float32Array;
}

const PADDED = 32;
/** Floats between the slots of the input that no row owns. */
const GAP = 10;

async function generate({ task, requests }: Case): Promise<Paths> {
  const first = requests[0] as PathRequest;
  const { T } = first;
  const starts: number[] = [];
  const records: Record<string, number>[] = [];
  for (const r of requests) {
    starts.push(records.length);
    for (let b = 0; b < r.B; b++) {
      records.push({
        valid: 1,
        network_seed: r.key[1],
        trajectory: r.trajectory0 + b,
        mask_every: r.maskEvery,
        mask_random: r.maskOffset === "random" ? 1 : 0,
      });
    }
    while (records.length % PADDED !== 0) records.push({});
  }
  const rows = records.length;
  const stride = 2 * rows + GAP;
  const { kernel, uniforms } = pathKernel(task);
  const out = await runKernel({
    kernel,
    uniforms: {
      ...uniforms,
      path_pass: {
        rows,
        t0: 0,
        lead: 0,
        input_on: 1,
        steps: T,
        root_seed: first.key[0],
        stream: first.stream,
        input_stride: stride,
        input_scale: inputScale(task),
      },
    },
    bind: {
      rows: records,
      positions: (T + 1) * rows * 8,
      input: T * stride * 4,
      e0: rows * 8,
      carry: rows * 16,
    },
    groups: [rows / PADDED, 1, 1],
    clock: { iteration: first.epoch },
  });
  return {
    rows,
    stride,
    row: (s, b) => (starts[s] as number) + b,
    positions: out.f32("positions"),
    input: out.f32("input"),
    e0: out.f32("e0"),
  };
}

const request = (own: Partial<PathRequest>): PathRequest => ({
  T: 60,
  B: 20,
  key: [11, 0],
  stream: STREAM.trainPaths,
  epoch: 5,
  trajectory0: 0,
  maskEvery: 5,
  maskOffset: "random",
  ...own,
});

/** Many corners, clipped speeds, every start in use, and a run of several laps. */
const heptagon: PolylineTask = {
  ...triangleTask("oneWay"),
  routes: [Array.from({ length: 7 }, (_, i) => [Math.cos(0.9 * i), 0.5 * Math.sin(0.9 * i)] as const)],
  starts: 7,
  speedStd: 1.5,
};

/** Four routes of eight corners, of which a middle and the last one stand twice; runs wait at the end of the short ones. */
const staircase: PolylineTask = {
  ...tmazeTask(),
  routes: [1, -1, 2, -2].map((side) => [
    [0, 0],
    [0.5, 0],
    [0.5, side],
    [0.5, side],
    [1, side],
    [1, 2 * side],
    [2, 2 * side],
    [2, 2 * side],
  ]),
  stepLength: 0.09,
};

const CASES: [string, Case][] = [
  [
    "triangle both ways, two networks, offsets at random",
    {
      task: triangleTask("twoWay"),
      requests: [request({}), request({ key: [11, 4], B: 45, trajectory0: 100 })],
    },
  ],
  [
    "T-maze, test stream, all visible",
    {
      task: tmazeTask(),
      requests: [
        request({
          stream: STREAM.testPaths,
          epoch: TEST_EPOCH,
          maskEvery: 1,
          B: 32,
        }),
      ],
    },
  ],
  ["heptagon, 200 steps", { task: heptagon, requests: [request({ T: 200, maskEvery: 7 })] }],
  [
    "staircase, fixed offset, networks with different k",
    {
      task: staircase,
      requests: [
        request({
          stream: STREAM.replayStarts,
          epoch: 0,
          maskEvery: 20,
          maskOffset: "fixed",
        }),
        request({
          stream: STREAM.replayStarts,
          epoch: 0,
          maskEvery: 3,
          key: [11, 1],
          B: 1,
        }),
      ],
    },
  ],
  ["one step", { task: tmazeTask(), requests: [request({ T: 1, B: 3 })] }],
  [
    "OU",
    {
      task: ouTask(),
      requests: [request({}), request({ key: [11, 1], maskEvery: 20 })],
    },
  ],
];

// float32 loses up to 2⁻²⁴ of the distance run (speed and route length are rounded once, the run itself once): 1e-5 m
// leaves room for 50 m and more; no case here runs further than 40 m.
const POSITION_ERROR = 1e-5;

describe.each(CASES)("%s", (_, given) => {
  test("positions, inputs and masks are the twin's", async () => {
    const paths = await generate(given);
    const scale = inputScale(given.task);
    given.requests.forEach((r, s) => {
      const exact = awakePathsReference(given.task, r);
      /** Visits every (slot, trajectory, axis) of `slots` slots: index in the device's array and in the twin's. */
      const each = (slots: number, stride: number, error: (device: number, reference: number) => number): number =>
        worst(slots * r.B * 2, (i) => {
          const [t, inSlot] = [Math.floor(i / (r.B * 2)), i % (r.B * 2)];
          return error(t * stride + 2 * paths.row(s, 0) + inSlot, i);
        }).error;
      const positionError = (device: number, i: number): number =>
        Math.abs((paths.positions[device] as number) - (exact.positions[i] as number));
      within(`network ${s}, positions`, each(r.T + 1, 2 * paths.rows, positionError), POSITION_ERROR);
      const inputError = (device: number, i: number): number =>
        Math.abs((paths.input[device] as number) - (exact.u[i] as number));
      within(`network ${s}, inputs`, each(r.T, paths.stride, inputError), (2 * POSITION_ERROR) / scale);
      const maskDiffers = (device: number, i: number): number =>
        Number(Object.is(paths.input[device], 0) !== Object.is(exact.u[i], 0));
      expect(each(r.T, paths.stride, maskDiffers), "masks").toBe(0);
      for (let b = 0; b < r.B; b++) {
        const at = 2 * paths.row(s, b);
        expect(paths.e0.slice(at, at + 2)).toEqual(paths.positions.slice(at, at + 2));
      }
    });
  });

  test("padded rows are exactly 0, and nothing is written between the slots of the input", async () => {
    const paths = await generate(given);
    const owned = new Set(given.requests.flatMap((r, s) => Array.from({ length: r.B }, (_, b) => paths.row(s, b))));
    const { T } = given.requests[0] as PathRequest;
    for (let row = 0; row < paths.rows; row++) {
      if (owned.has(row)) continue;
      for (let axis = 0; axis < 2; axis++) {
        const at = 2 * row + axis;
        expect(paths.e0[at]).toBe(0);
        for (let t = 0; t <= T; t++) expect(paths.positions[t * 2 * paths.rows + at]).toBe(0);
        for (let t = 0; t < T; t++) expect(paths.input[t * paths.stride + at]).toBe(0);
      }
    }
    for (let t = 0; t < T; t++) {
      const gap = paths.input.subarray(t * paths.stride + 2 * paths.rows, (t + 1) * paths.stride);
      expect(gap.every(Number.isNaN)).toBe(true);
    }
  });
});

test("splitting a batch changes no bit", async () => {
  const task = triangleTask("twoWay");
  const whole = await generate({ task, requests: [request({ B: 30 })] });
  const part = await generate({
    task,
    requests: [request({ B: 10, trajectory0: 20 })],
  });
  for (let t = 0; t <= 60; t++) {
    const from = 2 * (t * whole.rows + whole.row(0, 20));
    const at = 2 * (t * part.rows + part.row(0, 0));
    expect(part.positions.slice(at, at + 20)).toEqual(whole.positions.slice(from, from + 20));
  }
});

describe("a polyline that cannot be run along is refused", () => {
  const [a, b, c] = [
    [0, 0],
    [1, 0],
    [1, 1],
  ] as const;
  test.each<[string, Partial<PolylineTask>]>([
    ["no route", { routes: [] }],
    ["five routes", { routes: [1, 2, 3, 4, 5].map((i) => [a, [i, 0]]) }],
    ["one corner", { routes: [[a]] }],
    ["nine corners", { routes: [Array.from({ length: 9 }, (_, i) => [i, 0] as const)] }],
    [
      "routes of different length",
      {
        routes: [
          [a, b],
          [a, b, c],
        ],
      },
    ],
    ["all corners in one place", { routes: [[b, b]] }],
    ["an open route with two starts", { starts: 2 }],
  ])("%s", (_, change) => {
    expect(() => pathKernel({ ...tmazeTask(), ...change })).toThrow(UsageError);
  });
});
