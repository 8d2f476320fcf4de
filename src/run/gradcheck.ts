/**
 * The GPU against the float64 reference on random networks, under every plan: which tensor is off, and which option of
 * the model all the cases share that went wrong. Behind `doctor --gradcheck`, and the tests.
 */
import { type EvaluateOutput, evaluateModel } from "../evaluate/evaluate.ts";
import type { Gpu } from "../gpu/context.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { TENSOR_NAMES, type TensorName } from "../model/parameters.ts";
import { activationDerivativeReference } from "../reference/activation.ts";
import { type Adjoint, adjointReference } from "../reference/adjoint.ts";
import {
  GRADCHECK_OPTIONS,
  type GradcheckCase,
  type GradcheckOption,
  gradcheckCase,
  gradcheckOrder,
} from "../reference/gradcheck-cases.ts";

/**
 * What float32 may differ by, T ≤ 100 and beyond. States: of max(1, max |r|). Gradients: of the tensor's own norm, and
 * for its elements of its own root mean square.
 */
const TOLERANCE = {
  state: 1e-5,
  gradient: (T: number): number => (T <= 100 ? 2e-5 : 2e-4),
  element: (T: number): number => (T <= 100 ? 2e-4 : 2e-3),
} as const;

/** A pre-activation this near to 0, of max(1, max |a|), may lie on the other side of its kink in float32. */
const KINK = 1e-5;

export interface GradcheckFailure {
  readonly case: number;
  readonly kind: PlanKind;
  /** `r`, `v`, `c`, `y`, `loss`, a weight tensor's name, or `phi` for a mask that differs far from the kink. */
  readonly tensor: string;
  /** Error as a multiple of the tolerance; Infinity for NaN. */
  readonly share: number;
  readonly message: string;
}

/** Shares of the tolerances: 1 is the limit. */
export interface GradcheckShares {
  states: number;
  readout: number;
  loss: number;
  gradient: number;
  element: number;
}

export interface GradcheckResult {
  readonly cases: number;
  readonly worst: Readonly<GradcheckShares>;
  /** Units and steps whose φ′ differed, all of them within rounding of the kink, of so many compared. */
  readonly maskDifferences: { readonly count: number; readonly of: number };
  readonly failures: readonly GradcheckFailure[];
  /** Options that every failing case has, and that let most cases fail: where to look first. */
  readonly suspects: readonly string[];
}

export interface GradcheckOptions {
  /** How many, or which in what order. */
  readonly cases: number | readonly number[];
  readonly seed: number;
  /** Plans to run, perhaps not all of them for every case. */
  readonly kinds: readonly PlanKind[] | ((example: GradcheckCase) => readonly PlanKind[]);
  /** T of every case; drawn per case without. */
  readonly steps?: number;
  /** Called after each case, with what the GPU gave under each plan. */
  readonly onCase?: (example: GradcheckCase, outputs: Readonly<Partial<Record<PlanKind, EvaluateOutput>>>) => void;
}

type Numbers = { readonly length: number; readonly [i: number]: number };

/** NaN counts as infinitely wrong. */
const orInfinity = (x: number): number => (Number.isNaN(x) ? Number.POSITIVE_INFINITY : x);

function largest(x: Numbers): number {
  let most = 0;
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i] as number));
  return most;
}

function largestDifference(x: Numbers, y: Numbers): number {
  let most = 0;
  for (let i = 0; i < y.length; i++) {
    const d = Math.abs((x[i] as number) - (y[i] as number));
    if (!(d <= most)) most = orInfinity(d);
  }
  return most;
}

/** Error over the reference's norm, and largest element error over its root mean square; 0 only where both are 0. */
function gradientErrors(got: Numbers, exact: Numbers): { normwise: number; element: number } {
  let error = 0;
  let norm = 0;
  for (let i = 0; i < exact.length; i++) {
    error += ((got[i] as number) - (exact[i] as number)) ** 2;
    norm += (exact[i] as number) ** 2;
  }
  const ratio = (x: number, scale: number) => (x === 0 ? 0 : orInfinity(x / scale));
  return {
    normwise: ratio(Math.sqrt(error), Math.sqrt(norm)),
    element: ratio(largestDifference(got, exact), Math.sqrt(norm / exact.length)),
  };
}

/** A readout adds up N states: their errors count as often as its weights say. */
function readoutScale({ reference, rollout }: GradcheckCase): number {
  const { units: N, outputs: O } = reference.shape;
  let most = 1;
  for (let o = 0; o < O; o++) {
    let sum = 0;
    for (let i = 0; i < N; i++) sum += Math.abs(reference.weights.W_out[o * N + i] as number);
    most = Math.max(most, sum);
  }
  return most * Math.max(1, largest(rollout.r));
}

export interface Finding {
  readonly tensor: string;
  readonly part: keyof GradcheckShares | "mask";
  readonly share: number;
  readonly message: string;
}

export interface Comparison {
  readonly findings: readonly Finding[];
  /** Units and steps whose φ′ is not the reference's, of so many. */
  readonly differences: number;
  readonly of: number;
}

/** The GPU's φ′, and how it differs from the reference's. */
function phiPrimeOf(example: GradcheckCase, positive: Uint8Array) {
  const { a } = example.rollout;
  const derivative = activationDerivativeReference(example.reference.activation, example.reference.leakySlope);
  const near = KINK * Math.max(1, largest(a));
  const phiPrime = new Float64Array(a.length);
  let differences = 0;
  let far = 0;
  for (let i = 0; i < a.length; i++) {
    phiPrime[i] = derivative(positive[i] ? 1 : -1);
    if (phiPrime[i] === derivative(a[i] as number)) continue;
    differences++;
    if (Math.abs(a[i] as number) >= near) far++;
  }
  return { phiPrime, differences, far };
}

/** Every tensor that the GPU gave for a case against float64, gradients on the GPU's own side of each kink. */
export function compareWithReference(example: GradcheckCase, out: EvaluateOutput): Comparison {
  const { input, reference, rollout } = example;
  const findings: Finding[] = [];
  const note = (tensor: string, part: Finding["part"], error: number, tolerance: number, unit: string) => {
    const message = `${tensor} is off by ${error.toPrecision(2)}${unit}; ${tolerance.toPrecision(2)} is allowed`;
    findings.push({ tensor, part, share: error / tolerance, message });
  };
  const state = TOLERANCE.state * Math.max(1, largest(rollout.r));
  for (const name of ["r", "v", "c"] as const)
    note(name, "states", largestDifference(out[name], rollout[name]), state, "");
  note("y", "readout", largestDifference(out.y, rollout.y), TOLERANCE.state * readoutScale(example), "");

  const mask = out.positive ? phiPrimeOf(example, out.positive) : null;
  if (mask && mask.far > 0) note("phi", "mask", mask.far, 0, " units whose side of the kink is beyond doubt");
  const adjoint: Adjoint = adjointReference(reference, rollout, Float64Array.from(input.target), {
    l2Activity: input.l2Activity,
    ...(mask ? { phiPrime: mask.phiPrime } : {}),
  });
  // dL = 2 mean (y − s) dy, so a loss is as good as its readouts.
  const loss = TOLERANCE.state * readoutScale(example) * Math.max(1, adjoint.loss);
  note("loss", "loss", Math.abs((out.loss ?? Number.NaN) - adjoint.loss), loss, "");
  for (const name of TENSOR_NAMES) {
    const { normwise, element } = gradientErrors(out.grads?.[name as TensorName] ?? [], adjoint.grads[name]);
    note(`d${name}`, "gradient", normwise, TOLERANCE.gradient(input.steps), " of its norm");
    note(`d${name}`, "element", element, TOLERANCE.element(input.steps), " of its root mean square");
  }
  return { findings, differences: mask?.differences ?? 0, of: mask ? rollout.a.length : 0 };
}

/**
 * Options that all failing cases have, as far as cases that have them fail more often than those with another such
 * option: a wrong term does not show in every case, with one step, say.
 */
function suspectsOf(failed: readonly GradcheckCase[], passed: readonly GradcheckCase[]): string[] {
  const count = (cases: readonly GradcheckCase[], o: GradcheckOption) =>
    cases.filter((c) => c.options.includes(o)).length;
  const rates = GRADCHECK_OPTIONS.filter((o) => failed.length > 0 && count(failed, o) === failed.length).map((o) => ({
    option: o,
    rate: failed.length / (failed.length + count(passed, o)),
  }));
  const most = Math.max(0, ...rates.map((r) => r.rate));
  return rates.filter((r) => r.rate === most).map((r) => r.option);
}

/** Compares random cases under each of `kinds`. */
export async function gradcheck(gpu: Gpu, options: GradcheckOptions): Promise<GradcheckResult> {
  const worst: GradcheckShares = { states: 0, readout: 0, loss: 0, gradient: 0, element: 0 };
  const maskDifferences = { count: 0, of: 0 };
  const failures: GradcheckFailure[] = [];
  const [failed, passed]: [GradcheckCase[], GradcheckCase[]] = [[], []];
  const cases = typeof options.cases === "number" ? gradcheckOrder(options.cases) : options.cases;
  for (const index of cases) {
    const example = gradcheckCase(options.seed, index, options.steps ?? null);
    const outputs: Partial<Record<PlanKind, EvaluateOutput>> = {};
    const before = failures.length;
    const kinds = typeof options.kinds === "function" ? options.kinds(example) : options.kinds;
    for (const kind of kinds) {
      const out = await evaluateModel(gpu, { ...example.input, kind });
      outputs[kind] = out;
      const { findings, differences, of } = compareWithReference(example, out);
      maskDifferences.count += differences;
      maskDifferences.of += of;
      for (const { tensor, part, share, message } of findings) {
        if (part !== "mask") worst[part] = Math.max(worst[part], orInfinity(share));
        if (share <= 1) continue;
        failures.push({ case: index, kind, tensor, share, message: `${example.label}, plan ${kind}: ${message}` });
      }
    }
    if (kinds.length > 0) (failures.length > before ? failed : passed).push(example);
    options.onCase?.(example, outputs);
  }
  failures.sort((a, b) => a.case - b.case);
  return { cases: cases.length, worst, maskDifferences, failures, suspects: suspectsOf(failed, passed) };
}
