/** From a sweep's definition to what the planners take. Pure. */
import { shownOf } from "../code/passes.ts";
import type { PlanKind } from "../gpu/plan.ts";
import type { RecordLayouts } from "../kernels/records.ts";
import { type AdapterSpec, type ModelSpec, modelSpec } from "../kernels/spec.ts";
import { activityEvery } from "../metrics/code.ts";
import { geometryOf } from "../metrics/geometry.ts";
import { usesModifiers } from "../model/dynamics.ts";
import type { RowRecord } from "../model/rows.ts";
import { extentOf } from "../task/extent.ts";
import { pathKernel } from "../task/path-uniforms.ts";
import { inputScale } from "../task/paths.ts";
import type { TrainSpec } from "../train/spec.ts";
import type { SweepDefinition } from "./definition.ts";
import type { MetricsLayouts } from "./path-metrics.ts";
import type { SweepPlanOptions } from "./plan.ts";
import { stepOf } from "./table.ts";

export function modelOfSweep(d: SweepDefinition): ModelSpec {
  return modelSpec({
    shape: d.shape,
    activation: d.activation,
    slope: d.leakySlope,
    rootSeed: d.rootSeed,
    noiseRounds: d.noiseRounds,
  });
}

/** Awake trajectories of networks [from, from + count), as `testBatch` takes them. */
export function awakeSpec(d: SweepDefinition, kind: PlanKind, from: number, count: number): TrainSpec {
  return {
    model: modelOfSweep(d),
    networks: d.networks.slice(from, from + count).map((n) => ({
      seed: n.seed,
      step: n.awake,
      maskEvery: n.maskEvery,
      // Nothing is trained.
      learningRate: 1,
      finalLearningRate: 1,
      initialGain: 1,
    })),
    task: d.task,
    code: d.code ?? null,
    maskRandom: d.maskRandom,
    steps: d.awakeSteps,
    batch: d.awakeTrajectories,
    iterations: 1,
    clipNorm: 0,
    l2Activity: 0,
    kind,
  };
}

/** Rows of a network under conditions [from, from + count): condition by condition, repeats within. */
export function sweepRows(d: SweepDefinition, network: number, from: number, count: number): RowRecord[] {
  const networkSeed = d.networks[network]?.seed as number;
  return Array.from({ length: count }, (_, c) => c + from).flatMap((condition) => {
    const step = stepOf(d, network, condition);
    return Array.from({ length: d.repeats }, (_, trajectory) => ({
      step,
      networkSeed,
      trajectory,
      epoch: d.pairedNoise ? 0 : condition,
      maskEvery: 1,
      maskRandom: false,
    }));
  });
}

export interface MachineOptions {
  readonly kind: PlanKind;
  /** Bytes on the device. */
  readonly budget: number;
  readonly adapter: AdapterSpec;
  readonly records: RecordLayouts;
  readonly layouts: MetricsLayouts;
}

export function planOptionsOf(d: SweepDefinition, m: MachineOptions): SweepPlanOptions {
  const steps = d.networks.flatMap((_, s) => d.conditions.map((__, c) => stepOf(d, s, c)));
  return {
    ...m,
    model: modelOfSweep(d),
    networks: d.networks.length,
    repeats: d.repeats,
    steps: d.steps,
    noise: steps.some((p) => p.noiseStd > 0 && p.noiseScale > 0),
    extra: steps.some(usesModifiers),
    start: d.start === "encoded" ? { path: pathKernel(d.task), inputScale: inputScale(d.task) } : null,
    code: d.code ?? null,
    metrics: {
      geometry: geometryOf(d.task),
      steps: d.steps,
      outputs: shownOf(d.code, d.shape.outputs).width,
      readout: shownOf(d.code, d.shape.outputs).buffer,
      awakeOccupancy: true,
    },
    extent: d.activity ? extentOf(d.task) : null,
    activityEvery: d.activity ? activityEvery(d.steps, d.repeats) : 0,
    keepEvery: d.save === "summary" ? 0 : d.saveEvery,
    stateRepeats: d.stateRepeats,
  };
}
