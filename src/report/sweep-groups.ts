import type { Tensor } from "../metrics/trajectories.ts";
import { PARAMETERS, type SweepDefinition, type SweepNetwork } from "../sweep/definition.ts";
import { symbolOf, valueText } from "./sweep-axes.ts";

/** Networks of one sweep that differ in more than their seed: a mean over them would be of nothing. */
export interface NetworkGroup {
  /** What tells it from the others: "trained with κ 0.2"; empty where there is one group alone. */
  readonly label: string;
  /** Positions in the sweep's networks. */
  readonly networks: readonly number[];
}

type Setting = readonly [name: string, of: (n: SweepNetwork) => number, text: (v: number) => string];

const training: readonly Setting[] = [
  ...PARAMETERS.map(
    (p): Setting => [`trained ${p}`, (n) => Number(n.awake[p]), (v) => `${symbolOf(p)} ${valueText(v)}`],
  ),
  ["maskEvery", (n) => n.maskEvery, (v) => (v === 1 ? "input always visible" : `input at 1 step in ${v}`)],
];

/** What every condition sets is the same for all networks; what replay has from training was named there. */
function replaySettings({ networks, conditions }: Pick<SweepDefinition, "networks" | "conditions">): Setting[] {
  return PARAMETERS.filter(
    (p) =>
      !conditions.every((c) => c[p] !== undefined) && !networks.every((n) => Number(n.step[p]) === Number(n.awake[p])),
  ).map((p) => [`replay ${p}`, (n) => Number(n.step[p]), (v) => `${symbolOf(p)} ${valueText(v)} in replay`]);
}

/** Groups in the order of their first networks. */
export function networkGroups(d: Pick<SweepDefinition, "networks" | "conditions">): NetworkGroup[] {
  const isVaried = ([, of]: Setting): boolean => new Set(d.networks.map(of)).size > 1;
  const [trained, replayed] = [training.filter(isVaried), replaySettings(d).filter(isVaried)];
  const textOf = (settings: readonly Setting[], n: SweepNetwork): string =>
    settings.map(([, of, text]) => text(of(n))).join(", ");
  const groups = new Map<string, number[]>();
  d.networks.forEach((n, i) => {
    const parts = [trained.length > 0 ? `trained with ${textOf(trained, n)}` : "", textOf(replayed, n)];
    const label = parts.filter((p) => p !== "").join(", ");
    groups.set(label, [...(groups.get(label) ?? []), i]);
  });
  return [...groups].map(([label, networks]) => ({ label, networks }));
}

/** The rows of some networks of (network, time, row, …). */
export function ofNetworks({ data, shape }: Tensor, networks: readonly number[]): Tensor {
  const [, ...rest] = shape;
  const size = rest.reduce((a, b) => a * b, 1);
  const chosen = new Float32Array(networks.length * size);
  networks.forEach((n, i) => {
    chosen.set(data.subarray(n * size, (n + 1) * size), i * size);
  });
  return { data: chosen, shape: [networks.length, ...rest] };
}
