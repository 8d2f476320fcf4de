/** What a reproduction costs, before it runs and while it does. Pure, but for looking at what is there already. */
import { join } from "node:path";
import type { Gpu } from "../gpu/context.ts";
import { recordLayouts } from "../kernels/records.ts";
import { adapterSpec, choosePlanKind } from "../kernels/spec.ts";
import { STREAM } from "../model/streams.ts";
import { trainSize, trainSpecOf } from "../run/experiment.ts";
import { flopsOf, paceOf, type Work } from "../run/forecast.ts";
import { planAwake } from "../train/plan.ts";
import type { Experiment } from "./experiment.ts";
import { familyConfig, familyMembers } from "./family.ts";
import { gridConditions } from "./grid.ts";
import { isSwept, isTrained } from "./lab.ts";
import type { FamilyName, Protocol } from "./protocol.ts";

export interface BudgetItem {
  readonly kind: "networks" | "sweep";
  readonly name: string;
  /** For people: "96 networks × 1400 iterations". */
  readonly what: string;
  readonly flops: number;
  /** On this adapter, alone on its machine. */
  readonly seconds: number;
  readonly isThere: boolean;
}

/** Metrics and noise of a step of a rollout, beside its products. */
const FLOPS_BESIDE = 1500;

function trainingFlops(gpu: Gpu, protocol: Protocol, name: FamilyName): number {
  const config = familyConfig(protocol, name);
  const adapter = adapterSpec(gpu);
  const spec = trainSpecOf(config, choosePlanKind(adapter, trainSize(config)));
  const { plan } = planAwake(spec, adapter, recordLayouts(gpu.options.readShader), {
    name: "train",
    batch: config.train.batch,
    gradients: true,
    keepReadout: false,
    stream: STREAM.trainPaths,
  });
  return flopsOf(plan.passes) * config.train.iterations;
}

function sweepFlops(protocol: Protocol, family: FamilyName, rollouts: number): number {
  const { rnn, task } = familyConfig(protocol, family);
  const outputs = task.cells?.count ?? 2;
  return rollouts * protocol.replay.steps[family] * (2 * rnn.units * (rnn.units + outputs) + FLOPS_BESIDE);
}

/** Every family and sweep that the experiments ask for, once each. */
export function budgetOf(
  gpu: Gpu,
  protocol: Protocol,
  out: string,
  experiments: readonly Experiment<unknown>[],
): BudgetItem[] {
  const needs = experiments.flatMap((e) => (e.needs === undefined ? [] : [e.needs(protocol)]));
  const grids = gridConditions(protocol).length;
  const sweeps = needs.flatMap((n) => [
    ...(n.grids ?? []).map((family) => ({ name: `grid-${family}`, family, conditions: grids })),
    ...(n.sweeps ?? []),
  ]);
  const families = new Set([...needs.flatMap((n) => n.families), ...sweeps.map((s) => s.family)]);
  const units = Math.max(...[...families].map((name) => familyConfig(protocol, name).rnn.units));
  const paceAt = (work: Work) => paceOf(gpu.adapter.software, work, units).flopsPerSecond;
  const pace = { networks: paceAt("training"), sweep: paceAt("rollouts") };
  const item = (kind: BudgetItem["kind"], name: string, what: string, flops: number, isThere: boolean): BudgetItem => ({
    kind,
    name,
    what,
    flops,
    seconds: flops / pace[kind],
    isThere,
  });
  return [
    ...[...families].map((name) => {
      const what = `${familyMembers(protocol, name).length} networks × ${protocol.families[name].iterations} iterations`;
      return item("networks", name, what, trainingFlops(gpu, protocol, name), isTrained(join(out, "networks", name)));
    }),
    ...[...new Map(sweeps.map((s) => [s.name, s])).values()].map((s) => {
      const repeats = ("repeats" in s ? s.repeats : undefined) ?? protocol.replay.repeats;
      const networks = ("networks" in s ? s.networks : undefined) ?? familyMembers(protocol, s.family).length;
      const rollouts = networks * s.conditions * repeats;
      const what = `${rollouts} rollouts × ${protocol.replay.steps[s.family]} steps`;
      const flops = sweepFlops(protocol, s.family, rollouts);
      return item("sweep", s.name, what, flops, isSwept(join(out, "sweeps", s.name)));
    }),
  ];
}

/** What is left, at the pace that was found so far. */
export class Budget {
  readonly #left: Map<string, BudgetItem>;
  readonly #pace = { networks: { took: 0, foreseen: 0 }, sweep: { took: 0, foreseen: 0 } };

  constructor(items: readonly BudgetItem[]) {
    this.#left = new Map(items.filter((i) => !i.isThere).map((i) => [`${i.kind} ${i.name}`, i]));
  }

  done(kind: BudgetItem["kind"], name: string, seconds: number): void {
    const item = this.#left.get(`${kind} ${name}`);
    if (item === undefined) return;
    this.#left.delete(`${kind} ${name}`);
    this.#pace[kind].took += seconds;
    this.#pace[kind].foreseen += item.seconds;
  }

  /** Seconds. */
  get left(): number {
    let sum = 0;
    for (const { kind, seconds } of this.#left.values()) {
      const { took, foreseen } = this.#pace[kind];
      sum += seconds * (foreseen > 0 ? took / foreseen : 1);
    }
    return sum;
  }
}
