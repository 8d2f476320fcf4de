/**
 * Motion in a box (model.md section 7) in float64; witness of `shaders/task/box_ratinabox.wgsl` and
 * `box_predecessor.wgsl`. The draws are described in `src/task/box.ts`.
 */
import { type BoxTask, boxStepLength, type PredecessorMotion, type RatInABoxMotion, WALL_MARGIN } from "../task/box.ts";
import { type AwakePaths, maskedInputsReference, type PathRequest } from "./masked-inputs.ts";
import { normalHazardReference, normalOfHazardReference } from "./normal-law.ts";
import { DEFAULT_ROUNDS, drawWords, normals4, type Quad, uniform } from "./rng.ts";

type Point = readonly [number, number];

export interface BoxPaths extends AwakePaths {
  /**
   * (T+1, B): how close a trajectory has come, up to then, to a border where the motion branches (leaving the box, or the
   * predecessor's range and directions of walls): nearer than its rounding, float32 may have gone the other way.
   */
  readonly clearance: Float64Array;
}

/** What the animal is, between substeps. */
export interface BoxState {
  readonly position: Point;
  /** RatInABox. */
  readonly velocity: Point;
  /** rad/s; RatInABox. */
  readonly omega: number;
  /** Radians; predecessor. */
  readonly heading: number;
  /** Distance to the nearest border that the last substep might have crossed. */
  readonly clearance: number;
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

const clipped = (p: number, size: number): number => Math.min(size - WALL_MARGIN, Math.max(WALL_MARGIN, p));

/** Share of the way to the anchor in one of the substeps. */
const driftOf = (task: BoxTask): number => 1 - (1 - task.drift) ** (1 / task.substeps);

function startState(task: BoxTask, words: Quad, second: Quad): BoxState {
  const place = (word: number, size: number): number => WALL_MARGIN + uniform(word) * (size - 2 * WALL_MARGIN);
  const angle = 2 * Math.PI * uniform(words[2]);
  const speed = task.motion.speed * Math.sqrt(-2 * Math.log(uniform(words[3])));
  return {
    position: [place(words[0], task.width), place(words[1], task.height)],
    velocity: [speed * Math.cos(angle), speed * Math.sin(angle)],
    omega: radians(task.motion.turnStd) * normals4(second)[0],
    heading: angle - Math.PI,
    clearance: Number.POSITIVE_INFINITY,
  };
}

/** One substep of RatInABox with the normals of rotation and speed. */
export function ratSubstep(task: BoxTask, m: RatInABoxMotion, s: BoxState, xi: number, eta: number): BoxState {
  const dt = task.dt / task.substeps;
  const sizes = [task.width, task.height] as const;
  const omega = s.omega - (dt / m.turnTau) * s.omega + radians(m.turnStd) * Math.sqrt((2 * dt) / m.turnTau) * xi;
  const [c, n] = [Math.cos(omega * dt), Math.sin(omega * dt)];
  const turned: Point = [c * s.velocity[0] - n * s.velocity[1], n * s.velocity[0] + c * s.velocity[1]];
  const before = Math.hypot(...turned);
  let z = normalOfHazardReference(before ** 2 / (2 * m.speed ** 2));
  z += -(dt / m.speedTau) * z + Math.sqrt((2 * dt) / m.speedTau) * eta;
  const speed = m.speed * Math.sqrt(2 * normalHazardReference(z));
  const [d, V] = [m.wallDistance, m.wallStrength * m.speed];
  const axes = sizes.map((size, axis) => {
    const p = s.position[axis] as number;
    const low = Math.max(d - p, 0);
    const high = Math.max(d - (size - p), 0);
    const belt = (h: number): number => V * (1 - Math.sqrt(1 - Math.min(1, h / d) ** 2));
    const velocity =
      (speed / before) * (turned[axis] as number) + 3 * (1 - m.thigmotaxis) ** 2 * dt * (V / d) ** 2 * (low - high);
    const shift = 6 * m.thigmotaxis ** 2 * dt * (belt(low) - belt(high));
    const drift = driftOf(task) * ((task.anchor[axis] as number) - p);
    const position = p + shift + velocity * dt + drift;
    return { p, size, velocity, position, out: position < 0 || position > size };
  });
  const clearance = Math.min(...axes.map((a) => Math.min(Math.abs(a.position), Math.abs(a.size - a.position))));
  const state = { omega, heading: 0, clearance };
  if (!axes.some((a) => a.out)) {
    const [x, y] = axes;
    return { ...state, position: [x?.position ?? 0, y?.position ?? 0], velocity: [x?.velocity ?? 0, y?.velocity ?? 0] };
  }
  const back = axes.map((a) => (a.out ? -a.velocity : a.velocity));
  const slowed = (0.5 * m.speed) / Math.hypot(...back);
  const velocity = back.map((v) => slowed * v) as unknown as Point;
  const position = axes.map((a, i) => clipped(a.p + (velocity[i] as number) * dt, a.size)) as unknown as Point;
  return { ...state, position, velocity };
}

/** Nearest to 0 of the angle, radians. */
const wrapped = (angle: number): number => angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));

/** One substep of the predecessor with its four words. */
export function walkerSubstep(task: BoxTask, m: PredecessorMotion, s: BoxState, words: Quad): BoxState {
  const dt = task.dt / task.substeps;
  const [x, y] = s.position;
  const walls = [task.width - x, task.height - y, x, y];
  const distance = Math.min(...walls);
  const facing = wrapped(s.heading - (walls.indexOf(distance) * Math.PI) / 2);
  const isMet = distance < m.wallDistance && Math.abs(facing) < Math.PI / 2;
  const speed = m.speed * Math.sqrt(-2 * Math.log(uniform(words[0]))) * (isMet ? m.wallSlowing : 1);
  const turn = radians(m.turnStd) * dt * normals4(words)[2];
  const along = isMet ? Math.sign(facing) * (Math.PI / 2 - Math.abs(facing)) : 0;
  const moved = (p: number, part: number, anchor: number, size: number): number =>
    clipped(p + speed * dt * part + driftOf(task) * (anchor - p), size);
  const second = [...walls].sort((a, b) => a - b)[1] as number;
  // Angles count as metres at arm's length. Which wall is nearest, and where it faces, matters only within its range.
  const nearby = Math.min(second - distance, Math.abs(facing), Math.abs(Math.abs(facing) - Math.PI / 2));
  const range = Math.abs(distance - m.wallDistance);
  return {
    position: [
      moved(x, Math.cos(s.heading), task.anchor[0], task.width),
      moved(y, Math.sin(s.heading), task.anchor[1], task.height),
    ],
    velocity: [0, 0],
    omega: 0,
    heading: wrapped(s.heading + turn + along),
    clearance: distance < m.wallDistance ? Math.min(range, nearby) : range,
  };
}

export function boxPathReference(task: BoxTask, request: PathRequest): BoxPaths {
  const { T, B, key, stream, epoch, trajectory0, rounds = DEFAULT_ROUNDS } = request;
  const { motion } = task;
  const positions = new Float64Array((T + 1) * B * 2);
  const clearance = new Float64Array((T + 1) * B);
  for (let b = 0; b < B; b++) {
    const draw = (step: number, quad: number): Quad =>
      drawWords(step, quad, trajectory0 + b, stream, epoch, key, rounds);
    let state = startState(task, draw(0, 0), draw(0, 1));
    let closest = state.clearance;
    for (let step = 0; step <= task.burnIn + T; step++) {
      const t = step - task.burnIn;
      if (t >= 0) {
        positions.set(state.position, (t * B + b) * 2);
        clearance[t * B + b] = closest;
      }
      for (let j = 0; j < task.substeps; j++) {
        if (motion.kind === "predecessor") state = walkerSubstep(task, motion, state, draw(step + 1, j));
        else {
          const normals = normals4(draw(step + 1, j >> 1));
          const at = 2 * (j % 2);
          state = ratSubstep(task, motion, state, normals[at] as number, normals[at + 1] as number);
        }
        closest = Math.min(closest, state.clearance);
      }
    }
  }
  return { ...maskedInputsReference(positions, boxStepLength(task), request), clearance };
}
