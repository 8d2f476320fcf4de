/**
 * The lines of results.jsonl: what one network did under one condition, every line with its own checksum. Lines are
 * appended in the order in which launches end; a finished sweep's file has them in one canonical order. Pure.
 *
 * `{"network":0,"condition":3,"n":32,"values":{…},"occupancy":[[cell,steps],…],"crc":"89abcdef"}`, where `crc` is the
 * CRC-32 of the line without `,"crc":"…"`. JSON has no NaN and no infinity: null is "not defined", "inf" is "never".
 */
import { crc32 } from "node:zlib";

/** The condition of a network's awake trajectories. */
export const AWAKE = "awake";

export interface ResultRecord {
  /** Index among the networks of the sweep. */
  readonly network: number;
  /** Index among the conditions of the whole sweep, or "awake". */
  readonly condition: number | typeof AWAKE;
  /** Rollouts. */
  readonly n: number;
  /** By the names of the columns of metrics.csv; NaN = not defined, Infinity = never. */
  readonly values: Readonly<Record<string, number>>;
  /** Steps of all rollouts in each cell of the coverage grid that was entered: [row · 20 + column, steps], ascending. */
  readonly occupancy: readonly (readonly [number, number])[];
}

const encode = (v: number): number | string | null =>
  Number.isNaN(v) ? null : Number.isFinite(v) ? v : v > 0 ? "inf" : "-inf";

function decode(v: unknown): number {
  if (v === null) return Number.NaN;
  if (v === "inf") return Number.POSITIVE_INFINITY;
  return v === "-inf" ? Number.NEGATIVE_INFINITY : (v as number);
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, "0");

/** One line, its newline included. */
export function resultLine(r: ResultRecord): string {
  const values = Object.fromEntries(Object.entries(r.values).map(([name, v]) => [name, encode(v)]));
  const body = JSON.stringify({ network: r.network, condition: r.condition, n: r.n, values, occupancy: r.occupancy });
  return `${body.slice(0, -1)},"crc":"${checksum(body)}"}\n`;
}

const TAIL = /,"crc":"([0-9a-f]{8})"\}$/;

/** The record of a line without its newline; null where the line is torn or damaged. */
export function parseResultLine(line: string): ResultRecord | null {
  const tail = TAIL.exec(line);
  if (tail === null) return null;
  const body = `${line.slice(0, tail.index)}}`;
  if (checksum(body) !== tail[1]) return null;
  const r = parsed(body);
  // A checksum says that a line is whole, not that it is one of ours.
  if (r === null || !isRecord(r)) return null;
  return { ...r, values: Object.fromEntries(Object.entries(r.values).map(([name, v]) => [name, decode(v)])) };
}

type Encoded = Omit<ResultRecord, "values"> & { readonly values: Record<string, unknown> };

function parsed(body: string): Encoded | null {
  try {
    return JSON.parse(body) as Encoded | null;
  } catch {
    return null;
  }
}

const isCount = (x: unknown): boolean => Number.isSafeInteger(x) && (x as number) >= 0;
const isValue = (v: unknown): boolean => v === null || typeof v === "number" || v === "inf" || v === "-inf";
const isCell = (pair: unknown): boolean => Array.isArray(pair) && pair.length === 2 && pair.every(isCount);

function isRecord(r: Encoded): boolean {
  const isWhose = isCount(r.network) && (r.condition === AWAKE || isCount(r.condition)) && isCount(r.n);
  const isMeasured = typeof r.values === "object" && r.values !== null && Object.values(r.values).every(isValue);
  return isWhose && isMeasured && Array.isArray(r.occupancy) && r.occupancy.every(isCell);
}

export interface SoundResults {
  readonly records: readonly ResultRecord[];
  /** Bytes up to and including the last sound line before the first bad one. */
  readonly bytes: number;
}

/** The leading sound lines of a file: what comes after a bad one is not trusted, it is computed again. */
export function soundResults(content: Uint8Array): SoundResults {
  const records: ResultRecord[] = [];
  const text = new TextDecoder();
  let bytes = 0;
  for (;;) {
    const end = content.indexOf(10, bytes);
    const record = end < 0 ? null : parseResultLine(text.decode(content.subarray(bytes, end)));
    if (record === null) return { records, bytes };
    records.push(record);
    bytes = end + 1;
  }
}

const order = (r: ResultRecord): number => (r.condition === AWAKE ? -1 : r.condition);

/** Awake first, then conditions; networks within. */
export function canonicalOrder(records: readonly ResultRecord[]): ResultRecord[] {
  return [...records].sort((a, b) => order(a) - order(b) || a.network - b.network);
}

export const resultKey = (r: Pick<ResultRecord, "network" | "condition">): string => `${r.network}/${r.condition}`;
