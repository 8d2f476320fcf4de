/**
 * Free motion in a rectangular box (model.md section 7), as plain data; `shaders/task/box_ratinabox.wgsl` and
 * `box_predecessor.wgsl` generate it. The box reaches from (0, 0) to (width, height).
 *
 * Draws (Philox as in `paths.ts`; step 0 is the start, step τ + 1 leads from τ to τ + 1, burn-in included):
 *  - step 0, quad 0: words 0, 1 the place, 2 the heading, 3 the speed; quad 1: normal 0 the rotational velocity;
 *  - RatInABox, substep j: quad j >> 1, normals (0, 1) for even j, (2, 3) for odd: rotation, speed;
 *  - predecessor, substep j: quad j, word 0 the speed, normal 2 the turn.
 */

/** Animals in boxes as RatInABox moves them (George et al., eLife 2024; `Agent.py`): its names are in brackets. */
export interface RatInABoxMotion {
  readonly kind: "ratInABox";
  /** ς: Rayleigh scale of the speed, m/s [speed_mean]. */
  readonly speed: number;
  /** τ_v, s [speed_coherence_time]. */
  readonly speedTau: number;
  /** ς_ω, degrees/s [rotational_velocity_std]. */
  readonly turnStd: number;
  /** τ_ω, s [rotational_velocity_coherence_time]. */
  readonly turnTau: number;
  /** d, metres [wall_repel_distance]. */
  readonly wallDistance: number;
  /** V/ς [wall_repel_strength]; 0 = walls only reflect. */
  readonly wallStrength: number;
  /** θ: 0 = walls turn the velocity, 1 = they shift the position, so that the animal lingers there. */
  readonly thigmotaxis: number;
}

/** Motion of the predecessor's spatial navigation: independent speeds and turns, slowing and turning at walls. */
export interface PredecessorMotion {
  readonly kind: "predecessor";
  /** Rayleigh scale of the speed, m/s. */
  readonly speed: number;
  /** Standard deviation of the turn, degrees/s. */
  readonly turnStd: number;
  /** Nearer to a wall than this, metres, and facing it, the animal slows down and turns along it. */
  readonly wallDistance: number;
  /** Factor on the speed there. */
  readonly wallSlowing: number;
}

/** A rat in a rectangular box, from (0, 0) to (width, height). */
export interface BoxTask {
  readonly kind: "box";
  /** Metres. */
  readonly width: number;
  readonly height: number;
  readonly motion: RatInABoxMotion | PredecessorMotion;
  /** Seconds of a step. */
  readonly dt: number;
  /** Steps of the motion within one step. */
  readonly substeps: number;
  /** Steps before s_0. */
  readonly burnIn: number;
  /** Share of the way to the anchor that every step adds: "biased" paths; 0 = none. */
  readonly drift: number;
  /** Metres. */
  readonly anchor: readonly [number, number];
}

/** What a reflected or clipped animal keeps from a wall, metres. */
export const WALL_MARGIN = 1e-3;

/** RatInABox's published constants but for the speed: its default of 0.08 m/s would take a minute to cross the box. */
export const RAT_IN_A_BOX = {
  dt: 0.1,
  substeps: 2,
  motion: {
    kind: "ratInABox",
    speed: 0.2,
    speedTau: 0.7,
    turnStd: 120,
    turnTau: 0.08,
    wallDistance: 0.1,
    wallStrength: 1,
    thigmotaxis: 0.5,
  },
} as const satisfies { dt: number; substeps: number; motion: RatInABoxMotion };

/** The predecessor's published constants; its box is 2.2 m wide, its drift 0.05 where paths are biased. */
export const PREDECESSOR = {
  dt: 0.02,
  substeps: 1,
  motion: {
    kind: "predecessor",
    speed: 0.26 * Math.PI,
    turnStd: (11.52 * 180) / Math.PI,
    wallDistance: 0.03,
    wallSlowing: 0.25,
  },
} as const satisfies { dt: number; substeps: number; motion: PredecessorMotion };

/** A box of 1 m × 1 m. */
export function boxTask(): BoxTask {
  return { kind: "box", width: 1, height: 1, ...RAT_IN_A_BOX, burnIn: 20, drift: 0, anchor: [0.5, 0.5] };
}

/** Mean length of a free step, metres: that of a Rayleigh speed. */
export function boxStepLength(task: BoxTask): number {
  return task.motion.speed * Math.sqrt(Math.PI / 2) * task.dt;
}
