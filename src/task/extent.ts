/** The rectangle that a task's paths lie in, but for their jitter: where place cells are laid out. */
import type { PathTask } from "./paths.ts";

export interface Extent {
  /** Lower left corner and sides, metres. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Paths without borders hardly leave this square around the origin. */
const FREE: Extent = { x: -1.3, y: -1.3, width: 2.6, height: 2.6 };

const UNIT_CIRCLE: Extent = { x: -1, y: -1, width: 2, height: 2 };

export function extentOf(task: PathTask): Extent {
  if (task.kind === "ou") return FREE;
  if (task.kind === "box") return { x: 0, y: 0, width: task.width, height: task.height };
  if (task.kind === "recorded") return task.bounds;
  if (task.kind === "headDirection") return UNIT_CIRCLE;
  const corners = task.routes.flat();
  const range = (axis: 0 | 1): [number, number] => {
    const values = corners.map((c) => c[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [x0, x1] = range(0);
  const [y0, y1] = range(1);
  // A straight corridor has no width of its own.
  const least = 0.1 * Math.max(x1 - x0, y1 - y0);
  const [width, height] = [Math.max(x1 - x0, least), Math.max(y1 - y0, least)];
  return { x: (x0 + x1 - width) / 2, y: (y0 + y1 - height) / 2, width, height };
}
