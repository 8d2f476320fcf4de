/** metrics.csv and awake.csv: one row per network and condition, as pandas and R read them. Pure. */
import { type CsvValue, formatCsv } from "../io/csv.ts";
import type { StepParameters } from "../model/dynamics.ts";
import { PARAMETERS, type SweepDefinition } from "./definition.ts";
import { AWAKE, canonicalOrder, type ResultRecord, resultKey } from "./results.ts";

/** Columns that compare: with the network's awake trajectories, or with its reference condition. */
const COMPARED = ["compression_reach", "compression_speed", "compression_reference", "compression_laps"] as const;

/** pandas reads an empty field as NaN and "inf" as infinity. */
function cell(value: number): CsvValue {
  if (Number.isNaN(value)) return null;
  return Number.isFinite(value) ? value : value > 0 ? "inf" : "-inf";
}

export const stepOf = (d: SweepDefinition, network: number, condition: number): StepParameters => ({
  ...(d.networks[network]?.step as StepParameters),
  ...d.conditions[condition],
});

/** Neither momentum nor adaptation, and otherwise the same: what a condition's compression is measured against. */
function referenceOf(d: SweepDefinition, network: number, condition: number): number | null {
  const own = stepOf(d, network, condition);
  const found = d.conditions.findIndex((_, c) => {
    const other = stepOf(d, network, c);
    const same = (["leak", "gain", "noiseStd", "noiseScale"] as const).every((key) => other[key] === own[key]);
    return same && other.friction === 1 && other.adaptStrength === 0;
  });
  return found < 0 ? null : found;
}

/** A ratio says nothing where a side of it is "never". */
const ratio = (a: number | undefined, b: number | undefined): number =>
  a !== undefined && b !== undefined && Number.isFinite(a) && Number.isFinite(b) && b !== 0 ? a / b : Number.NaN;

function compared(own: ResultRecord, awake?: ResultRecord, reference?: ResultRecord): Record<string, number> {
  const [v, a, r] = [own.values, awake?.values, reference?.values];
  return {
    compression_reach: ratio(a?.reach_median, v.reach_median),
    compression_speed: ratio(v.speed5, a?.speed5),
    compression_reference: ratio(r?.reach_median, v.reach_median),
    compression_laps: ratio(v.abs_laps, r?.abs_laps),
  };
}

export interface SweepTables {
  /** metrics.csv */
  readonly metrics: string;
  /** awake.csv: the same for the awake trajectories. */
  readonly awake: string;
}

export function sweepTables(d: SweepDefinition, records: readonly ResultRecord[]): SweepTables {
  const byKey = new Map(records.map((r) => [resultKey(r), r]));
  const names = Object.keys(records.find((r) => r.condition !== AWAKE)?.values ?? records[0]?.values ?? {});
  const identity = ["network", "run", "seed", "condition"];
  // Conditions of one sweep share few references; finding one is linear in the conditions.
  const references = new Map<string, number | null>();
  const reference = (network: number, condition: number): ResultRecord | undefined => {
    const own = stepOf(d, network, condition);
    const key = JSON.stringify([network, own.leak, own.gain, own.noiseStd, own.noiseScale]);
    if (!references.has(key)) references.set(key, referenceOf(d, network, condition));
    const found = references.get(key);
    return found === null || found === undefined ? undefined : byKey.get(resultKey({ network, condition: found }));
  };
  const row = (r: ResultRecord, step: StepParameters, more: Record<string, number>): Record<string, CsvValue> => ({
    network: r.network,
    run: d.networks[r.network]?.run,
    seed: d.networks[r.network]?.seed,
    condition: r.condition,
    ...Object.fromEntries(PARAMETERS.map((p) => [p, step[p]])),
    n: r.n,
    ...Object.fromEntries(names.map((name) => [name, cell(r.values[name] ?? Number.NaN)])),
    ...Object.fromEntries(Object.entries(more).map(([name, v]) => [name, cell(v)])),
  });
  const [awake, metrics]: Record<string, CsvValue>[][] = [[], []];
  for (const r of canonicalOrder(records)) {
    if (r.condition === AWAKE) awake?.push(row(r, d.networks[r.network]?.awake as StepParameters, {}));
    else {
      const own = byKey.get(resultKey({ network: r.network, condition: AWAKE }));
      const more = compared(r, own, reference(r.network, r.condition));
      metrics?.push(row(r, stepOf(d, r.network, r.condition), more));
    }
  }
  const columns = [...identity, ...PARAMETERS, "n", ...names];
  return { metrics: formatCsv([...columns, ...COMPARED], metrics ?? []), awake: formatCsv(columns, awake ?? []) };
}
