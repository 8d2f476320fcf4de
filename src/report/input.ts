import type { Geometry } from "../metrics/geometry.ts";
import type { MetricRecord } from "../metrics/measure.ts";
import type { RateGrid, RateMaps } from "../metrics/rate-maps.ts";
import type { Tensor } from "../metrics/trajectories.ts";
import { type Environment, environmentOf, type Surroundings } from "./environment.ts";

export interface ReportCondition {
  /** Name in the config and in metrics.csv. */
  readonly name: string;
  /** Title of its panels. */
  readonly label: string;
  /** A second line: its parameters, e.g. "λ 0.6". */
  readonly detail?: string;
  /** Decoded replays, (network, time, row, 2), metres, or readouts of given tensors; slot i is step (i + 1) · every. */
  readonly positions: Tensor;
}

/** What every report shows of a run. What it does not have yet is left out, so a report can be made at any time. */
export interface ReportBase {
  readonly title: string;
  /** manifest.json, shown as it is. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** config.json, shown as it is; the headline reads a few of its values. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Default: `manifest.adapter`. */
  readonly adapter?: { readonly name: string; readonly software: boolean };
  /** Training loss, one list per network, one value per entry of `iterations`. */
  readonly loss?: {
    readonly iterations: readonly number[];
    readonly perNetwork: readonly (readonly number[])[];
  };
  /** Loss and test error of positions are in m²; those of rates and of given tensors have no unit. */
  readonly errorUnit?: "m²" | "";
  /** What has an error without unit; "rates" where nothing is said. */
  readonly errorOf?: "rates" | "readouts";
  /** Test error of each network, mean squared. */
  readonly testError?: readonly number[];
  /** Median distance of decoded from true positions, one per network, metres; of place cells. */
  readonly decodingError?: readonly number[];
  readonly conditions: readonly ReportCondition[];
  /** Of `measureRun`; the awake paths are the condition "awake". */
  readonly records: readonly MetricRecord[];
  /** `replay.saveEvery`, 1 where none is given. */
  readonly every?: number;
  /** Sentences that a reader must not miss: what was given up, stopped or diverged. */
  readonly notices: readonly string[];
}

/** A run on paths. */
export interface ReportInput extends ReportBase {
  readonly awake?: {
    /** True paths s_0..s_T, (network, time, row, 2), metres. */
    readonly positions: Tensor;
    /** Decoded with input, y_1..y_T, (network, time, row, 2), metres. */
    readonly readout: Tensor;
  };
  /** Activity of hidden units by place, awake; one entry per network. */
  readonly rates?: {
    readonly grid: RateGrid;
    readonly networks: readonly RateMaps[];
    /** The same in a replay whose states were kept. */
    readonly replay?: { readonly label: string; readonly networks: readonly RateMaps[] };
  };
  readonly geometry: Geometry;
  /** What the geometry does not know: place-cell centres. */
  readonly surroundings?: Surroundings;
}

export const environmentIn = (input: Pick<ReportInput, "geometry" | "surroundings">): Environment =>
  environmentOf(input.geometry, input.surroundings);

const SYMBOLS: readonly (readonly [key: string, symbol: string])[] = [
  ["leak", "κ"],
  ["gain", "γ"],
  ["noiseStd", "σ"],
  ["noiseScale", "noise ×"],
  ["friction", "λ"],
  ["adaptStrength", "bₐ"],
  ["adaptTau", "τₐ"],
];

/** A condition's parameters in one line, as `ReportCondition.detail`: "λ 0.6, bₐ 0.05, τₐ 200". */
export function describeCondition(overrides: Readonly<Record<string, unknown>>): string {
  const parts = SYMBOLS.flatMap(([key, symbol]) => {
    const value = overrides[key];
    return typeof value === "number" ? [`${symbol} ${Number(value.toPrecision(4))}`] : [];
  });
  if (overrides.noiseFriction === false) parts.push("noise without √λ");
  return parts.length === 0 ? "no momentum, no adaptation" : parts.join(", ");
}
