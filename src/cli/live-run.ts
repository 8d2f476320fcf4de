/** How far a run is, from its files alone: nothing is locked, opened for writing or waited for. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface RunState {
  readonly outcome: string;
  readonly iterations: { readonly done: number; readonly of: number | null };
  /** Of the last iteration that is logged, one a network. */
  readonly loss: readonly number[];
  /** Null for a run that is not under way, or was resumed: its rate is not known. */
  readonly secondsLeft: number | null;
  readonly holder: { readonly pid: number; readonly host: string; readonly since: string } | null;
}

function json(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

const read = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** The last line that was written whole; its owner may be in the middle of the next. */
function lastLine(text: string): Record<string, unknown> | null {
  const whole = text.slice(0, text.lastIndexOf("\n"));
  return json(whole.slice(whole.lastIndexOf("\n") + 1));
}

/** A process that was resumed took its lock long after the run began. */
const SAME_START_MS = 30_000;

export function runState(run: string, manifest: Readonly<Record<string, unknown>>, now = Date.now()): RunState {
  const last = lastLine(read(join(run, "train.jsonl")));
  const config = json(read(join(run, "config.json"))) as { train?: { iterations?: unknown } } | null;
  const lock = json(read(join(run, "run.lock")));
  const of = typeof config?.train?.iterations === "number" ? config.train.iterations : null;
  const done = typeof last?.iteration === "number" ? last.iteration + 1 : 0;
  const holder = lock && { pid: Number(lock.pid), host: String(lock.host), since: String(lock.since) };
  const started = Date.parse(String(manifest.started));
  const fresh = holder !== null && Math.abs(started - Date.parse(holder.since)) < SAME_START_MS;
  const left = fresh && done > 0 && of !== null ? ((of - done) * (now - started)) / (1000 * done) : null;
  const { kind = "unknown" } = (manifest.outcome ?? {}) as { kind?: unknown };
  return {
    outcome: String(kind),
    iterations: { done, of },
    loss: Array.isArray(last?.loss) ? (last.loss as number[]) : [],
    secondsLeft: left,
    holder,
  };
}

export function formatState(s: RunState): string {
  const loss = s.loss.length > 0 ? `, loss ${s.loss.map((x) => Number(x).toPrecision(3)).join(" ")}` : "";
  const left = s.secondsLeft === null ? "" : `, about ${Math.ceil(s.secondsLeft)} s left`;
  const by =
    s.holder === null ? "" : `\n  in use by process ${s.holder.pid} on ${s.holder.host} since ${s.holder.since}`;
  return `  ${s.outcome}: ${s.iterations.done} of ${s.iterations.of ?? "?"} iterations${loss}${left}${by}`;
}
