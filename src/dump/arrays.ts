/**
 * Every array that a dump may hold: its axes and what it is. The README's table is made from here, and a test compares.
 * `*` stands for what a rollout is called: `awake`, or `replay_<condition>`; of several training iterations the first
 * is `awake0`.
 */
export type Axis = "iteration" | "network" | "time" | "row" | "unit" | "from" | "input" | "output" | "encoder" | "xy";

export interface ArrayKind {
  readonly name: string;
  readonly axes: readonly Axis[];
  readonly meaning: string;
}

const UNITS: readonly Axis[] = ["network", "time", "row", "unit"];

/** Weights, and with a prefix their moments, gradients and later values: what a row of each leads to and comes from. */
export const WEIGHT_AXES = {
  W_rec: ["network", "unit", "from"],
  W_in: ["network", "unit", "input"],
  b: ["network", "unit"],
  W_out: ["network", "output", "unit"],
  b_out: ["network", "output"],
  W_enc: ["network", "unit", "encoder"],
  b_enc: ["network", "unit"],
} as const satisfies Record<string, readonly Axis[]>;

export const ROLLOUT_ARRAYS = {
  e0: { axes: ["network", "row", "encoder"], meaning: "input of the encoder: r_0 = W_enc e0 + b_enc" },
  u: {
    axes: ["network", "time", "row", "input"],
    meaning: "input u_t as the network sees it, 0 where masked; awake only",
  },
  visible: { axes: ["network", "time", "row"], meaning: "1 where the input is visible, 0 where masked; awake only" },
  positions: { axes: ["network", "time", "row", "xy"], meaning: "s_0 … s_T, metres; awake only" },
  noise: { axes: UNITS, meaning: "ξ_t, standard normal: ς ξ_t is added to the velocity" },
  r: { axes: UNITS, meaning: "hidden state r_0 … r_T" },
  v: { axes: UNITS, meaning: "velocity v_0 … v_T, v_t = r_t − r_{t−1}" },
  c: { axes: UNITS, meaning: "adaptation c_0 … c_T" },
  a: { axes: UNITS, meaning: "pre-activation a_t = W_rec r_t + W_in u_t + b − c_t" },
  y: { axes: ["network", "time", "row", "output"], meaning: "readout: index t is W_out r_{t+1} + b_out" },
  target: {
    axes: ["network", "time", "row", "output"],
    meaning: "what y should be: s_{t+1}, the place cells' rates there, or what is given; awake only",
  },
  mask: {
    axes: ["network", "time", "row", "output"],
    meaning:
      "weight of each squared error, one for all outputs where the trials have one a step; awake only, trials with a mask",
  },
  decoded: { axes: ["network", "time", "row", "xy"], meaning: "position that y stands for, metres; place cells only" },
} as const satisfies Record<string, { axes: readonly Axis[]; meaning: string }>;

export type RolloutArray = keyof typeof ROLLOUT_ARRAYS;

/** Arrays that only an awake rollout has. */
export const AWAKE_ONLY: readonly RolloutArray[] = ["u", "visible", "positions", "target", "mask"];

/** Arrays that only networks with place cells have. */
export const CELLS_ONLY: readonly RolloutArray[] = ["decoded"];

/** Arrays with an entry for t = 0 and for t = T. */
export const HAS_END: readonly RolloutArray[] = ["positions", "r", "v", "c"];

const weights = (prefix: string, meaning: string): ArrayKind[] =>
  Object.entries(WEIGHT_AXES).map(([name, axes]) => ({ name: `${prefix}${name}`, axes, meaning }));

export const ARRAY_KINDS: readonly ArrayKind[] = [
  ...weights("", "weight at the dumped iteration"),
  ...weights("m_", "Adam's first moment"),
  ...weights("v_", "Adam's second moment"),
  ...weights("grad_", "gradient of the first dumped iteration's loss, not clipped"),
  ...weights("end_", "weight after the dumped iterations"),
  { name: "loss", axes: ["iteration", "network"], meaning: "loss of each dumped iteration" },
  { name: "grad_norm", axes: ["iteration", "network"], meaning: "global norm of its gradient, before clipping" },
  ...Object.entries(ROLLOUT_ARRAYS).map(([name, { axes, meaning }]) => ({ name: `*_${name}`, axes, meaning })),
];
