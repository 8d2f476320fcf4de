/** A task as the path kernels read it: which kernel, and the uniform that holds the task's numbers. */
import { UsageError } from "../errors.ts";
import type { FieldValues } from "../gpu/pack.ts";
import type { OuTask, PathTask, PolylineTask } from "./paths.ts";

/** What `PolylineTask.corner` in `shaders/task/polyline_paths.wgsl` has room for. */
const MAX_ROUTES = 4;
const MAX_CORNERS = 8;

export interface PathKernel {
  readonly kernel: "task/polyline_paths" | "task/ou_path";
  /** Uniform variable → its fields; `path_pass` is the planner's. */
  readonly uniforms: Readonly<Record<string, FieldValues>>;
}

/** Throws UsageError for a polyline that cannot be run along. */
export function pathKernel(task: PathTask): PathKernel {
  return task.kind === "polyline"
    ? {
        kernel: "task/polyline_paths",
        uniforms: { polyline: polylineFields(task) },
      }
    : { kernel: "task/ou_path", uniforms: { ou: ouFields(task) } };
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
