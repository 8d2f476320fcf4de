/** A task as the path kernels read it: which kernel, and the uniform that holds the task's numbers. */
import { UsageError } from "../errors.ts";
import type { FieldValues } from "../gpu/pack.ts";
import { type BoxTask, type PredecessorMotion, type RatInABoxMotion, WALL_MARGIN } from "./box.ts";
import { type HeadDirectionTask, meanTurn, turnPerStep } from "./head-direction.ts";
import type { OuTask, PathTask, PolylineTask } from "./paths.ts";
import { type RecordedTask, recordingData } from "./recorded.ts";

/** What `PolylineTask.corner` in `shaders/task/polyline_paths.wgsl` has room for. */
const MAX_ROUTES = 4;
const MAX_CORNERS = 8;

/** A constant that a path kernel binds as storage. */
export interface PathTable {
  readonly binding: string;
  readonly data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;
  readonly axes: string;
}

export interface PathKernel {
  /** File under `shaders/` without its ending. */
  readonly kernel: string;
  /** Uniform variable → its fields; `path_pass` is the planner's. */
  readonly uniforms: Readonly<Record<string, FieldValues>>;
  /** Steps before s_0. */
  readonly lead: number;
  /** Of a row, about: what windows are chosen by. */
  readonly flopsPerStep: number;
  readonly tables: readonly PathTable[];
}

/** A draw of Philox with its logarithms and cosines, about. */
const DRAW_FLOPS = 250;

/** Throws UsageError for a polyline that cannot be run along. */
export function pathKernel(task: PathTask): PathKernel {
  switch (task.kind) {
    case "polyline": {
      const uniforms = { polyline: polylineFields(task) };
      return { kernel: "task/polyline_paths", uniforms, lead: 0, flopsPerStep: DRAW_FLOPS + 50, tables: [] };
    }
    case "ou":
      return {
        kernel: "task/ou_path",
        uniforms: { ou: ouFields(task) },
        lead: 0,
        flopsPerStep: DRAW_FLOPS,
        tables: [],
      };
    case "box":
      return boxKernel(task);
    case "recorded":
      return recordedKernel(task);
    case "headDirection": {
      const uniforms = { ring: ringFields(task) };
      return { kernel: "task/head_direction", uniforms, lead: 0, flopsPerStep: DRAW_FLOPS + 50, tables: [] };
    }
  }
}

function boxKernel(task: BoxTask): PathKernel {
  const { motion } = task;
  const rat = motion.kind === "ratInABox";
  return {
    kernel: rat ? "task/box_ratinabox" : "task/box_predecessor",
    uniforms: { box: boxFields(task), ...(rat ? { rat: ratFields(task, motion) } : { walker: walkerFields(motion) }) },
    lead: task.burnIn,
    flopsPerStep: task.substeps * (DRAW_FLOPS + 200),
    tables: [],
  };
}

function recordedKernel(task: RecordedTask): PathKernel {
  const { samples, trials } = recordingData(task.digest);
  return {
    kernel: "task/recorded_paths",
    uniforms: {
      recording: {
        train_end: task.trainTrials,
        test_first: task.trainTrials < task.trials ? task.trainTrials : 0,
        trials: task.trials,
        // A binary search among so many trials.
        search_steps: Math.ceil(Math.log2(task.trials + 1)),
      },
    },
    lead: 0,
    flopsPerStep: 20,
    tables: [
      { binding: "samples", data: samples, axes: "[samples][2], metres" },
      { binding: "trials", data: trialTable(trials, task.steps), axes: "[trials + 1][first sample, starts before]" },
    ],
  };
}

/** For each trial its first sample, and how many starts of whole trajectories lie before it; at last their number. */
function trialTable(lengths: Uint32Array, steps: number): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(2 * (lengths.length + 1));
  let [first, starts] = [0, 0];
  lengths.forEach((length, i) => {
    table.set([first, starts], 2 * i);
    first += length;
    starts += length - steps;
  });
  table.set([first, starts], 2 * lengths.length);
  return table;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

function boxFields(task: BoxTask): FieldValues {
  const dt = task.dt / task.substeps;
  return {
    size: [task.width, task.height],
    anchor: task.anchor,
    // The same share of the way a step, whatever the substeps.
    drift: 1 - (1 - task.drift) ** (1 / task.substeps),
    margin: WALL_MARGIN,
    substeps: task.substeps,
    dt,
    turns_per_s: dt / (2 * Math.PI),
    speed: task.motion.speed,
    turn_std: radians(task.motion.turnStd),
    wall_distance: task.motion.wallDistance,
  };
}

function ratFields(task: BoxTask, motion: RatInABoxMotion): FieldValues {
  const dt = task.dt / task.substeps;
  const wallSpeed = motion.wallStrength * motion.speed;
  return {
    turn_keep: 1 - dt / motion.turnTau,
    turn_kick: radians(motion.turnStd) * Math.sqrt((2 * dt) / motion.turnTau),
    speed_keep: 1 - dt / motion.speedTau,
    speed_kick: Math.sqrt((2 * dt) / motion.speedTau),
    push: 3 * (1 - motion.thigmotaxis) ** 2 * dt * (wallSpeed / motion.wallDistance) ** 2,
    belt: 6 * motion.thigmotaxis ** 2 * dt * wallSpeed,
  };
}

function walkerFields(motion: PredecessorMotion): FieldValues {
  return { wall_slowing: motion.wallSlowing };
}

function ringFields(task: HeadDirectionTask): FieldValues {
  return {
    turn: turnPerStep(task) / (2 * Math.PI),
    turn_input: turnPerStep(task) / meanTurn(task),
    one_way: task.directions === "oneWay" ? 1 : 0,
  };
}

function ouFields(task: OuTask): FieldValues {
  return {
    start: task.start,
    start_std: task.startStd,
    keep: 1 - task.pull,
    path_std: task.pathStd,
  };
}

function polylineFields(task: PolylineTask): FieldValues {
  const corners = task.routes[0]?.length ?? 0;
  checkPolyline(task, corners);
  const keep = 1 - 1 / task.jitterTau;
  return {
    routes: task.routes.length,
    corners,
    closed: task.closed ? 1 : 0,
    starts: task.starts,
    step_length: task.stepLength,
    speed_std: task.speedStd,
    jitter_std: task.jitterStd,
    jitter_keep: keep,
    jitter_kick: task.jitterStd * Math.sqrt(1 - keep * keep),
    corner: task.routes.flatMap((route) => routeFields(route, task.closed)),
  };
}

/** (x, y, arc length up to here, length of the segment that starts here) for each corner, then zeros up to eight. */
function routeFields(route: PolylineTask["routes"][number], closed: boolean): number[] {
  const fields: number[] = [];
  let arc = 0;
  route.forEach(([x, y], i) => {
    const last = i === route.length - 1;
    const [nextX, nextY] = route[(i + 1) % route.length] as readonly [number, number];
    const length = last && !closed ? 0 : Math.hypot(nextX - x, nextY - y);
    fields.push(x, y, arc, length);
    arc += length;
  });
  if (arc === 0) throw new UsageError("task.routes: a route has no length; give corners that differ");
  while (fields.length < 4 * MAX_CORNERS) fields.push(0);
  return fields;
}

function checkPolyline(task: PolylineTask, corners: number): void {
  if (task.routes.length < 1 || task.routes.length > MAX_ROUTES) {
    throw new UsageError(`task.routes holds ${task.routes.length} routes; give 1 to ${MAX_ROUTES}`);
  }
  if (corners < 2 || corners > MAX_CORNERS || task.routes.some((r) => r.length !== corners)) {
    const found = task.routes.map((r) => r.length).join(", ");
    throw new UsageError(`task.routes have ${found} corners; give each the same number, 2 to ${MAX_CORNERS}`);
  }
  if (!task.closed && task.starts !== 1) {
    throw new UsageError(`task.starts is ${task.starts}; an open route has one start, its first corner`);
  }
}
