import { mean, standardDeviation } from "../metrics/statistics.ts";
import { spreadText, timeText } from "./format.ts";
import type { ReportBase } from "./input.ts";

/** The facts a reader asks for first, read from manifest and config; what is not there is not mentioned. */
export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly isWarning?: boolean;
}

/** A value at a path of keys, or undefined. */
function at(source: unknown, path: string): unknown {
  let value = source;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

const isShown = (v: unknown): v is string | number => (typeof v === "string" && v !== "") || typeof v === "number";

/** "κ 0.5, γ 1": the entries whose value is there. */
function list(source: unknown, entries: readonly (readonly [path: string, write: (v: string) => string])[]): string {
  return entries
    .flatMap(([path, write]) => {
      const value = at(source, path);
      return isShown(value) ? [write(typeof value === "number" ? String(Number(value.toPrecision(6))) : value)] : [];
    })
    .join(", ");
}

export function adapterOf(input: ReportBase): { readonly name: string; readonly software: boolean } | null {
  if (input.adapter !== undefined) return input.adapter;
  const found = at(input.manifest, "adapter");
  if (typeof found === "string" && found !== "") return { name: found, software: false };
  const name = ["name", "device", "description", "vendor"].map((k) => at(found, k)).find((v) => isShown(v));
  if (name === undefined) return null;
  return { name: String(name), software: at(found, "software") === true || at(found, "isFallbackAdapter") === true };
}

export const adapterFact = ({ name, software }: { readonly name: string; readonly software: boolean }): Fact => ({
  name: "Adapter",
  value: software ? `${name}, a software adapter: results are valid, speeds say nothing about a GPU` : name,
  isWarning: software,
});

const overNetworks = (values: readonly number[]): string =>
  spreadText({ mean: mean(values), sd: standardDeviation(values), n: values.length });

export function headline(input: ReportBase): Fact[] {
  const { config } = input;
  const facts: Fact[] = [];
  const adapter = adapterOf(input);
  if (adapter !== null) facts.push(adapterFact(adapter));
  const add = (name: string, value: string): void => {
    if (value !== "") facts.push({ name, value });
  };
  const seeds = at(config, "seeds");
  const networks = Array.isArray(seeds) ? `${seeds.length} (${seedList(seeds)})` : "";
  const network = list(config, [
    ["rnn.units", (v) => `${v} units`],
    ["rnn.activation", (v) => v],
    ["rnn.leak", (v) => `leak κ ${v}`],
    ["rnn.gain", (v) => `gain γ ${v}`],
    ["rnn.noiseStd", (v) => `noise σ ${v}`],
  ]);
  add("Networks", [networks, network].filter((s) => s !== "").join(", "));
  add(
    "Task",
    list(config, [
      ["task.kind", (v) => TASKS[v] ?? v],
      ["task.steps", (v) => `${v} steps`],
      ["task.maskEvery", (v) => (v === "1" ? "input always visible" : `input visible at 1 step in ${v}`)],
    ]),
  );
  add(
    "Place cells",
    list(config, [
      ["task.cells.count", (v) => v],
      ["task.cells.tuning", (v) => v.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)],
      ["task.cells.width", (v) => `width ${v} m`],
    ]),
  );
  add(
    "Training",
    list(config, [
      ["train.iterations", (v) => `${v} iterations`],
      ["train.batch", (v) => `${v} paths each`],
    ]),
  );
  const errors = (input.testError ?? []).filter(Number.isFinite);
  if (errors.length > 0) {
    add(
      "Test error",
      `${overNetworks(errors)} ${(input.errorUnit ?? "m²") || `(${input.errorOf ?? "rates"}, mean squared)`}`,
    );
  }
  const distances = (input.decodingError ?? []).filter(Number.isFinite);
  if (distances.length > 0) add("Decoding error", `${overNetworks(distances)} m`);
  add(
    "Replay",
    list(config, [
      ["replay.steps", (v) => `${v} steps`],
      ["replay.repeats", (v) => `${v} replays per network and condition`],
      ["replay.start", (v) => (v === "encoded" ? "from encoded start positions" : "from the ends of awake paths")],
    ]),
  );
  return [...facts, ...madeBy(input.manifest)];
}

/** Version and time of what a manifest belongs to, if it tells them. */
export function madeBy(manifest: unknown): Fact[] {
  const value = list(manifest, [
    ["versions.reverie", (v) => `reverie ${v}`],
    ["version", (v) => `reverie ${v}`],
    ["started", timeText],
    ["startedAt", timeText],
  ]);
  return value === "" ? [] : [{ name: "Made by", value }];
}

const TASKS: Readonly<Record<string, string>> = {
  tmaze: "T-maze",
  triangle: "triangle",
  ou: "Ornstein–Uhlenbeck paths",
  box: "rat in a box",
  headDirection: "head direction",
  polyline: "own maze",
  file: "recorded paths",
  tensors: "own tensors",
};

const seedList = (seeds: readonly unknown[]): string =>
  seeds.length <= 8
    ? `seeds ${seeds.join(", ")}`
    : `seeds ${seeds.slice(0, 6).join(", ")}, … ${seeds[seeds.length - 1]}`;
