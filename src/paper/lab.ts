/** The lab of a reproduction: trains families and sweeps them, each once, each resumable. */
import fs from "node:fs";
import { join } from "node:path";
import { EXIT, ReverieError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { openRunDirectory, readManifest } from "../io/run-dir.ts";
import { trainSize } from "../run/experiment.ts";
import { timedPlanKind } from "../run/open.ts";
import { type Sweep, sweepInto } from "../run/sweep.ts";
import { trainInto } from "../run/train.ts";
import type { Io } from "../run/types.ts";
import type { Condition } from "../sweep/definition.ts";
import { readDefinition, readResults, readSweepManifest, SweepDirectory, sameDefinition } from "../sweep/directory.ts";
import { defineSweep, loadNetworks } from "../sweep/networks.ts";
import { AWAKE, type ResultRecord } from "../sweep/results.ts";
import type { Family, FamilyMember, FamilySweep, Lab } from "./experiment.ts";
import { familyConfig, readFamily } from "./family.ts";
import { gridConditions } from "./grid.ts";
import type { FamilyName, Protocol } from "./protocol.ts";

/** Ctrl-C came; everything so far is kept. */
export class Interrupted extends ReverieError {
  constructor() {
    super("interrupted; go on with reverie paper --resume", EXIT.interrupted);
  }
}

/** Told once for every family that was trained here and every sweep that was made here. */
export type OnStage = (kind: "networks" | "sweep", name: string, seconds: number) => void;

const exists = (...parts: string[]): boolean => fs.existsSync(join(...parts));

export class PaperLab implements Lab {
  readonly gpu: Gpu;
  readonly protocol: Protocol;
  readonly out: string;
  readonly io: Io;
  readonly #families = new Map<FamilyName, Family>();
  readonly #onStage: OnStage;

  constructor(gpu: Gpu, protocol: Protocol, out: string, io: Io, onStage: OnStage = () => {}) {
    this.gpu = gpu;
    this.protocol = protocol;
    this.out = out;
    this.io = io;
    this.#onStage = onStage;
  }

  async family(name: FamilyName): Promise<Family> {
    const known = this.#families.get(name);
    if (known) return known;
    const run = join(this.out, "networks", name);
    if (!isTrained(run)) await this.#timed("networks", name, () => this.#train(name, run));
    const family = readFamily(this.protocol, name, run);
    this.#families.set(name, family);
    return family;
  }

  async #train(name: FamilyName, run: string): Promise<void> {
    const config = familyConfig(this.protocol, name);
    const resume = exists(run, "checkpoints");
    this.io.note(`networks of ${name}: ${config.seeds.length}, ${resume ? "going on with their training" : "trained"}`);
    const dir = openRunDirectory(run, resume ? { resume } : { force: exists(run, "manifest.json") });
    try {
      const kind = await timedPlanKind(this.gpu, {}, trainSize(config), this.io);
      const { trainer, outcome } = await trainInto(dir, config, this.gpu, kind, this.io, { resume });
      trainer.destroy();
      if (outcome.kind === "interrupted" || this.io.signal.aborted) throw new Interrupted();
    } finally {
      dir.close();
    }
  }

  grid(name: FamilyName): Promise<FamilySweep> {
    return this.sweep(`grid-${name}`, name, gridConditions(this.protocol));
  }

  async sweep(
    name: string,
    familyName: FamilyName,
    conditions: readonly Condition[],
    repeats?: number,
    of: (member: FamilyMember) => boolean = () => true,
  ): Promise<FamilySweep> {
    const family = await this.family(familyName);
    const chosen = family.members.filter(of);
    const all = loadNetworks([family.run], () => undefined);
    const ofChosen = <T>(each: readonly T[]): T[] => chosen.map((m) => each[m.index] as T);
    const loaded = { ...all, networks: ofChosen(all.networks), weights: ofChosen(all.weights) };
    const steps = this.protocol.replay.steps[familyName];
    const definition = defineSweep(loaded, {
      grid: [],
      list: { value: conditions, origin: `the conditions of ${name}` },
      random: null,
      seed: this.protocol.seed,
      repeats: repeats ?? this.protocol.replay.repeats,
      steps,
      save: "summary",
      saveEvery: 1,
      stateRepeats: 0,
    });
    const path = join(this.out, "sweeps", name);
    const sweep: Sweep = { definition, loaded, sources: [family.run], shard: { index: 0, of: 1 } };
    if (!exists(path, "metrics.csv") || !sameDefinition(readDefinition(path), definition)) {
      await this.#timed("sweep", name, () => this.#run(path, sweep));
    }
    const { records } = readResults(path);
    const members = chosen.map((_, network) => records.filter((r) => r.network === network));
    const byCondition = (rows: readonly ResultRecord[]) => conditions.map((_, c) => one(rows, c));
    return {
      family,
      members: chosen,
      conditions,
      records: members.map(byCondition),
      awake: members.map((rows) => one(rows, AWAKE)),
      steps,
    };
  }

  async #timed(kind: Parameters<OnStage>[0], name: string, work: () => Promise<void>): Promise<void> {
    const began = performance.now();
    try {
      await work();
    } finally {
      this.#onStage(kind, name, (performance.now() - began) / 1000);
    }
  }

  async #run(path: string, sweep: Sweep): Promise<void> {
    const same = exists(path, "sweep.json") && sameDefinition(readDefinition(path), sweep.definition);
    const resume = same && readSweepManifest(path).shard !== undefined;
    const dir = SweepDirectory.open(path, resume ? { resume } : { force: exists(path, "manifest.json") });
    try {
      const code = await sweepInto(
        dir,
        sweep,
        this.gpu,
        { budget: null, resume },
        { ...this.io, out: () => undefined },
      );
      if (code !== EXIT.ok) throw new Interrupted();
    } finally {
      dir.close();
    }
  }
}

export function isTrained(run: string): boolean {
  if (!exists(run, "manifest.json")) return false;
  const { testError, outcome } = readManifest(run) as { testError?: unknown; outcome?: { kind?: string } };
  return testError !== undefined && outcome?.kind !== "running" && outcome?.kind !== "interrupted";
}

/** Whether a sweep was finished there, whichever it was. */
export const isSwept = (path: string): boolean => exists(path, "metrics.csv");

function one(rows: readonly ResultRecord[], condition: number | typeof AWAKE): ResultRecord {
  const found = rows.find((r) => r.condition === condition);
  if (!found) throw new Error(`a finished sweep lacks its condition ${condition}`);
  return found;
}
