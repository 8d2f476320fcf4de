/**
 * Runs along a polyline with jitter: triangle and T-maze (model.md section 7); witness of
 * `shaders/task/polyline_paths.wgsl`. The draws are described in `src/task/paths.ts`.
 */
import { inputScale, type PolylineTask } from "../task/paths.ts";
import { type AwakePaths, maskedInputsReference, type PathRequest } from "./masked-inputs.ts";
import { DEFAULT_ROUNDS, drawWords, normals4 } from "./rng.ts";

type Point = readonly [number, number];
type Route = readonly Point[];

export function polylinePathsReference(task: PolylineTask, request: PathRequest): AwakePaths {
  const { T, B, key, stream, epoch, trajectory0, rounds = DEFAULT_ROUNDS } = request;
  const positions = new Float64Array((T + 1) * B * 2);
  const jitterKeep = 1 - 1 / task.jitterTau;
  const jitterKick = task.jitterStd * Math.sqrt(1 - jitterKeep * jitterKeep);
  for (let b = 0; b < B; b++) {
    const trajectory = trajectory0 + b;
    const words = drawWords(0, 1, trajectory, stream, epoch, key, rounds);
    const route = task.routes[words[3] % task.routes.length] as Route;
    const start = ((words[2] % task.starts) * routeLengthReference(route, task.closed)) / task.starts;
    const speed = task.stepLength * Math.min(1.5, Math.max(0.5, 1 + task.speedStd * normals4(words)[0]));
    let jitter: Point = [0, 0];
    for (let t = 0; t <= T; t++) {
      const [x, y] = normals4(drawWords(t, 0, trajectory, stream, epoch, key, rounds));
      jitter =
        t === 0
          ? [task.jitterStd * x, task.jitterStd * y]
          : [jitterKeep * jitter[0] + jitterKick * x, jitterKeep * jitter[1] + jitterKick * y];
      const place = alongRouteReference(route, task.closed, start + speed * t);
      positions[(t * B + b) * 2] = place[0] + jitter[0];
      positions[(t * B + b) * 2 + 1] = place[1] + jitter[1];
    }
  }
  return maskedInputsReference(positions, inputScale(task), request);
}

/** Length of a route in metres; a closed one includes the way back to its first corner. */
export function routeLengthReference(route: Route, closed: boolean): number {
  return segments(route, closed).reduce((sum, [from, to]) => sum + distance(from, to), 0);
}

/** The point at arc length q ≥ 0: a closed route goes round, an open one ends at its last corner. */
export function alongRouteReference(route: Route, closed: boolean, q: number): Point {
  let left = closed ? q % routeLengthReference(route, true) : q;
  for (const [from, to] of segments(route, closed)) {
    const length = distance(from, to);
    if (left < length) {
      const share = left / length;
      return [from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1])];
    }
    left -= length;
  }
  return (closed ? route[0] : route[route.length - 1]) as Point;
}

function segments(route: Route, closed: boolean): [Point, Point][] {
  const count = closed ? route.length : route.length - 1;
  return Array.from({ length: count }, (_, i) => [route[i] as Point, route[(i + 1) % route.length] as Point]);
}

function distance(from: Point, to: Point): number {
  return Math.hypot(to[0] - from[0], to[1] - from[1]);
}
