/** `reverie report` of a sweep: the page, the figures and their data, at any stage of it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DataError, UsageError } from "../errors.ts";
import { parseCsv } from "../io/csv.ts";
import { readNpz } from "../io/npz.ts";
import { geometryOf } from "../metrics/geometry.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { adapterFact, madeBy } from "../report/headline.ts";
import { choosePaths } from "../report/paths.ts";
import { axisValueText } from "../report/sweep-axes.ts";
import { type NetworkGroup, networkGroups, ofNetworks } from "../report/sweep-groups.ts";
import type { SweepReportInput } from "../report/sweep-html.ts";
import { panelLayout } from "../report/sweep-panels.ts";
import { standouts } from "../report/sweep-standouts.ts";
import { type SweepRecord, type SweepTable, sweepTable } from "../report/sweep-table.ts";
import { PATHS_PER_PANEL } from "../report/sweep-trajectories.ts";
import { writeSweepReport } from "../report/sweep-write.ts";
import type { WrittenReport } from "../report/write-page.ts";
import { PARAMETERS, type SweepDefinition } from "../sweep/definition.ts";
import { readDefinition, readResults, readSweepManifest, SHARDS, shardFile } from "../sweep/directory.ts";
import { AWAKE, type ResultRecord } from "../sweep/results.ts";
import { sweepTables } from "../sweep/table.ts";

export const isSweep = (directory: string): boolean => existsSync(join(directory, "sweep.json"));

/** A field of metrics.csv; empty = not defined. */
function numberOf(field: string | undefined): number {
  if (field === undefined || field === "") return Number.NaN;
  if (field === "inf" || field === "-inf") return field === "inf" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return field === "true" || field === "false" ? Number(field === "true") : Number(field);
}

const IDENTITY = ["network", "run", "seed", "condition", "n", ...PARAMETERS];

/** The lines of metrics.csv or awake.csv by condition. Spreads over repeats are not drawn. */
function recordsOf(csv: string, where: string): Map<string, SweepRecord[]> {
  const byCondition = new Map<string, SweepRecord[]>();
  for (const line of parseCsv(csv, where)) {
    const names = Object.keys(line).filter((name) => !IDENTITY.includes(name) && !name.endsWith("_sd"));
    const record: SweepRecord = {
      network: Number(line.network),
      parameters: Object.fromEntries(PARAMETERS.map((name) => [name, numberOf(line[name])])),
      values: Object.fromEntries(names.map((name) => [name, numberOf(line[name])])),
    };
    const condition = line.condition as string;
    byCondition.set(condition, [...(byCondition.get(condition) ?? []), record]);
  }
  return byCondition;
}

/** Steps in each cell of the coverage grid by condition, networks together, as shares of all steps. */
function occupancyOf(
  records: readonly ResultRecord[],
  wanted: ReadonlySet<string>,
  cells: number,
): Map<string, Float64Array> {
  const counts = new Map<string, Float64Array>();
  for (const { condition, occupancy } of records) {
    if (!wanted.has(String(condition))) continue;
    const own = counts.get(String(condition)) ?? new Float64Array(cells);
    for (const [cell, steps] of occupancy) own[cell] = (own[cell] ?? 0) + steps;
    counts.set(String(condition), own);
  }
  for (const own of counts.values()) {
    const total = own.reduce((a, b) => a + b, 0);
    if (total > 0) for (let i = 0; i < own.length; i++) own[i] = (own[i] as number) / total;
  }
  return counts;
}

/** A few rollouts of each wanted condition, from the shards that hold them, one shard in memory at a time. */
function decodedOf(directory: string, d: SweepDefinition, wanted: ReadonlySet<string>): Map<string, Tensor> {
  const chosen = new Map<string, Tensor>();
  const perShard = d.conditionsPerShard;
  if (perShard < 1) return chosen;
  const byShard = new Map<number, number[]>();
  for (const name of wanted) {
    if (name === AWAKE) continue;
    const shard = Math.floor(Number(name) / perShard);
    byShard.set(shard, [...(byShard.get(shard) ?? []), Number(name)]);
  }
  for (const [shard, conditions] of byShard) {
    const path = join(directory, SHARDS, shardFile(shard));
    if (!existsSync(path)) continue;
    const positions = readNpz(path, { only: (name) => name === "positions" }).get("positions");
    const [S = 0, T = 0, R = 0] = positions?.shape ?? [];
    if (!(positions?.data instanceof Float32Array) || positions.shape.length !== 4 || R % d.repeats !== 0) {
      throw new DataError(`${path}: positions: expected float32 (network, time, condition × repeat, 2)`);
    }
    for (const condition of conditions) {
      const row0 = (condition - shard * perShard) * d.repeats;
      if (row0 + d.repeats > R) continue;
      chosen.set(String(condition), rowsOf({ data: positions.data, shape: [S, T, R, 2] }, row0, d.repeats));
    }
  }
  return chosen;
}

/** The rows of one condition that a panel draws, out of a tensor of many conditions. */
function rowsOf(
  all: { readonly data: Float32Array; readonly shape: readonly number[] },
  row0: number,
  repeats: number,
): Tensor {
  const [S = 0, T = 0, R = 0] = all.shape;
  const perNetwork = choosePaths({ data: all.data, shape: [1, T, repeats, 2] }, Math.ceil(PATHS_PER_PANEL / S));
  const rows = perNetwork.length;
  const data = new Float32Array(S * T * rows * 2);
  for (let s = 0; s < S; s++) {
    for (let t = 0; t < T; t++) {
      perNetwork.forEach(({ row }, i) => {
        const from = ((s * T + t) * R + row0 + row) * 2;
        const to = ((s * T + t) * rows + i) * 2;
        data[to] = all.data[from] as number;
        data[to + 1] = all.data[from + 1] as number;
      });
    }
  }
  return { data, shape: [S, T, rows, 2] };
}

const TASKS = {
  open: "open maze",
  closed: "closed maze",
  free: "Ornstein–Uhlenbeck paths",
  box: "box",
  ring: "head direction",
} as const;

function factsOf(
  d: SweepDefinition,
  table: SweepTable,
  manifest: Readonly<Record<string, unknown>>,
): SweepReportInput["facts"] {
  const adapter = manifest.adapter as { name?: string; software?: boolean } | undefined;
  const runs = [...new Set(d.networks.map((n) => n.run))];
  const seeds = d.networks.map((n) => n.seed);
  const axes = table.axes.map((axis) => {
    const [first, last] = [axis.values[0] as number, axis.values[axis.values.length - 1] as number];
    return `${axisValueText(axis, first)} … ${axisValueText(axis, last).replace(`${axis.symbol} `, "")} (${axis.values.length})`;
  });
  const count = d.conditions.length * d.networks.length * d.repeats;
  return [
    ...(typeof adapter?.name === "string" && adapter.name !== ""
      ? [adapterFact({ name: adapter.name, software: adapter.software === true })]
      : []),
    {
      name: "Networks",
      value: `${d.networks.length} of ${d.shape.units} units from ${runs.join(", ")}, seeds ${seeds.slice(0, 8).join(", ")}${seeds.length > 8 ? ", …" : ""}`,
    },
    { name: "Task", value: `${TASKS[geometryOf(d.task).kind]}, ${d.awakeSteps} steps awake` },
    { name: "Conditions", value: `${d.conditions.length}${axes.length > 0 ? `: ${axes.join(" × ")}` : ""}` },
    {
      name: "Rollouts",
      value: `${d.repeats} per network and condition, ${d.steps} steps, ${count.toLocaleString("en")} in all; conditions ${d.pairedNoise ? "share" : "do not share"} their noise`,
    },
    ...madeBy(manifest),
  ];
}

/** More kinds of networks than this would be a page that nobody reads. */
const MAX_GROUPS = 6;

function apartNotice(d: SweepDefinition, groups: readonly NetworkGroup[]): string {
  const each = groups.map(({ label, networks }) => {
    const seeds = networks.map((n) => d.networks[n]?.seed).join(", ");
    return `${label} (${networks.length === 1 ? "seed" : "seeds"} ${seeds})`;
  });
  const rest = groups.length > MAX_GROUPS ? ` The first ${MAX_GROUPS} kinds are drawn; all are in metrics.csv.` : "";
  return `These networks differ in more than their seed, and every mean is over those trained alike: ${each.join("; ")}.${rest}`;
}

export interface ReportedSweep {
  readonly written: WrittenReport;
  readonly conditions: number;
}

/**
 * @param metrics names of the metrics to draw; the main ones of the task where none are named
 * @throws DataError where the directory holds no results, UsageError for a metric that it does not have
 */
export async function reportOfSweep(
  directory: string,
  out: string,
  metrics: readonly string[] | undefined,
  note: (line: string) => void,
): Promise<ReportedSweep> {
  const d = readDefinition(directory);
  const { records } = readResults(directory);
  const tables = sweepTables(d, records);
  const byCondition = recordsOf(tables.metrics, directory);
  if (byCondition.size === 0) throw new DataError(`${directory}: no results yet; go on with reverie sweep --resume`);
  const awake = [...recordsOf(tables.awake, directory).values()].flat();
  const table = sweepTable(byCondition);
  const unknown = metrics?.find((m) => !table.metrics.includes(m));
  if (unknown !== undefined) {
    throw new UsageError(`--metrics ${unknown}: not in these results; they have ${table.metrics.join(", ")}`);
  }
  const geometry = geometryOf(d.task);
  const groups = networkGroups(d);
  // One kind alone is the whole.
  const kinds = groups.length > 1 ? groups.slice(0, MAX_GROUPS) : [];
  const drawn = kinds.map((group) => {
    const isOwn = ({ network }: { readonly network: number }): boolean => group.networks.includes(network);
    const own = [...byCondition].map(([name, of]) => [name, of.filter(isOwn)] as const);
    return {
      ...group,
      isOwn,
      table: sweepTable(new Map(own.filter(([, of]) => of.length > 0))),
      awake: awake.filter(isOwn),
    };
  });
  const wanted = new Set(
    (drawn.length > 0 ? drawn : [{ table, awake }]).flatMap((part) => [
      ...panelLayout(part.table).cells.map(({ condition }) => condition.name),
      ...standouts(part.table, part.awake, geometry).map(({ condition }) => condition),
    ]),
  );
  const positions = decodedOf(directory, d, wanted);
  const cells = geometry.box.cells ** 2;
  const parts = drawn.map(({ isOwn, ...part }) => ({
    ...part,
    occupancy: occupancyOf(records.filter(isOwn), wanted, cells),
    positions: new Map([...positions].map(([name, tensor]) => [name, ofNetworks(tensor, part.networks)])),
  }));
  const done = records.filter((r) => r.condition !== AWAKE).length;
  const all = d.conditions.length * d.networks.length;
  const manifest = readSweepManifest(directory);
  const { conditions: _, ...shown } = d;
  const written = await writeSweepReport(
    {
      title: `${d.conditions.length} conditions of replay, ${d.networks.length === 1 ? "one network" : `${d.networks.length} networks`}`,
      facts: factsOf(d, table, manifest),
      notices: [
        ...(done < all
          ? [`Not finished: ${done} of ${all} results are there; go on with reverie sweep --resume.`]
          : []),
        ...(kinds.length > 0 ? [apartNotice(d, groups)] : []),
      ],
      table,
      parts,
      networkNames: d.networks.map(({ seed }, i) => {
        const label = groups.find((g) => g.networks.includes(i))?.label.replace("trained with ", "") ?? "";
        return `${i} (seed ${seed}${label === "" ? "" : `, ${label}`})`;
      }),
      awake,
      geometry,
      ...(d.code ? { surroundings: { centres: d.code.population.centres } } : {}),
      ...(metrics === undefined ? {} : { metrics }),
      occupancy: occupancyOf(records, wanted, cells),
      positions,
      every: d.saveEvery,
      // A grid says in a few lines what its conditions say in thousands.
      definition: d.axes.length > 0 ? shown : d,
      manifest,
    },
    out,
  );
  if (written.pngSkipped) note(written.pngSkipped);
  return { written, conditions: byCondition.size };
}
