/**
 * The audit of a sweep: about one rollout in a thousand, at least one of every launch, is computed once more in float64
 * on the CPU. What it finds goes into the manifest; an error beyond its tolerance ends the sweep, before the lines of
 * that launch are kept.
 */
import { GpuError } from "../errors.ts";
import { geometryOf } from "../metrics/geometry.ts";
import { cellParams } from "../model/dynamics.ts";
import type { NetworkTensors } from "../model/parameters.ts";
import { widenTensors } from "../reference/tensors.ts";
import type { AuditedRow } from "../sweep/audit.ts";
import type { SweepDefinition } from "../sweep/definition.ts";
import { stepOf } from "../sweep/table.ts";
import { auditMetrics } from "./metrics.ts";
import { auditReadout, auditSteps } from "./step.ts";

/** A launch's first audited row is always looked at, the others while the audit stays below this share of the time. */
const TIME_SHARE = 0.04;

export interface WorstError {
  /** Of its tolerance; more than 1 is an error. */
  readonly share: number;
  readonly network: number;
  readonly condition: number;
  readonly repeat: number;
  readonly step?: number;
  readonly metric?: string;
}

/** As the manifest holds it. */
export interface AuditReport {
  /** Rollouts looked at, and steps of theirs. */
  readonly rows: number;
  readonly steps: number;
  /** What that took. */
  readonly seconds: number;
  readonly worst: Readonly<Record<"state" | "readout" | "metric", WorstError | null>>;
}

const NOTHING: AuditReport = { rows: 0, steps: 0, seconds: 0, worst: { state: null, readout: null, metric: null } };

/** What an earlier part of the same sweep found. */
export function auditReport(value: unknown): AuditReport {
  const stored = value as Partial<AuditReport> | null | undefined;
  return typeof stored === "object" && stored !== null && stored.worst ? { ...NOTHING, ...stored } : NOTHING;
}

export class Auditor {
  report: AuditReport;
  readonly #d: SweepDefinition;
  readonly #weights: readonly NetworkTensors[];
  readonly #wide = new Map<number, ReturnType<typeof widenTensors>>();
  readonly #began = performance.now();
  #spent = 0;

  /** @param before what was found before an interruption */
  constructor(d: SweepDefinition, weights: readonly NetworkTensors[], before: AuditReport = NOTHING) {
    this.#d = d;
    this.#weights = weights;
    this.report = before;
  }

  /** @throws GpuError naming the row and the step that is wrong */
  look(rows: readonly AuditedRow[]): void {
    rows.forEach((row, i) => {
      const began = performance.now();
      if (i > 0 && this.#spent > TIME_SHARE * (began - this.#began)) return;
      this.#row(row);
      const took = performance.now() - began;
      this.#spent += took;
      this.report = { ...this.report, rows: this.report.rows + 1, seconds: this.report.seconds + took / 1000 };
    });
  }

  /** One line for people. */
  get summary(): string {
    const { rows, steps, seconds, worst } = this.report;
    const share = Math.max(...Object.values(worst).map((w) => w?.share ?? 0));
    return `audit: ${rows} rollout${rows === 1 ? "" : "s"}, ${steps} of their steps, computed again in float64 (${seconds.toFixed(1)} s); worst error ${(100 * share).toPrecision(2)} % of what is allowed`;
  }

  #tensors(network: number): ReturnType<typeof widenTensors> {
    const known = this.#wide.get(network);
    if (known) return known;
    // One at a time: a sweep of many large networks would hold them twice in float64.
    this.#wide.clear();
    const wide = widenTensors(this.#weights[network] as NetworkTensors);
    this.#wide.set(network, wide);
    return wide;
  }

  #row(row: AuditedRow): void {
    const d = this.#d;
    const weights = this.#tensors(row.network);
    const seed = d.networks[row.network]?.seed as number;
    const params = cellParams(stepOf(d, row.network, row.condition));
    const noise = { repeat: row.repeat, epoch: d.pairedNoise ? 0 : row.condition };
    for (const stretch of row.stretches) {
      const { steps, ...state } = auditSteps(d, { weights, seed }, params, noise, stretch);
      this.report = { ...this.report, steps: this.report.steps + steps };
      this.#note("state", row, state, "its state");
      if (row.path && !d.code) this.#note("readout", row, auditReadout(d, weights, stretch, row.path), "its readout");
    }
    if (!row.path) return;
    const { share, name } = auditMetrics(row.path, row.metrics, geometryOf(d.task));
    this.#note("metric", row, { share, ...(name === null ? {} : { metric: name }) }, `its ${name}`);
  }

  #note(
    kind: "state" | "readout" | "metric",
    { network, condition, repeat }: AuditedRow,
    found: { readonly share: number; readonly step?: number; readonly metric?: string },
    what: string,
  ): void {
    const before = this.report.worst[kind];
    if (before === null || found.share > before.share) {
      const worst = { ...this.report.worst, [kind]: { ...found, network, condition, repeat } };
      this.report = { ...this.report, worst };
    }
    if (found.share <= 1) return;
    const { run, seed } = this.#d.networks[network] as SweepDefinition["networks"][number];
    const at = found.step === undefined ? "" : ` after step ${found.step + 1}`;
    throw new GpuError(
      `audit: network ${network} (${run}, seed ${seed}), condition ${condition}, repeat ${repeat}: ${what}${at} differs from float64 by ${found.share.toPrecision(3)} times what is allowed; do not trust this adapter: run npx reverie doctor --gradcheck`,
    );
  }
}
