/** The reproduction of the paper: its experiments in order, each measured once, each resumable. */
import { join } from "node:path";
import { DataError, GpuError, UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { gpuFacts, versions } from "../run/manifest.ts";
import type { Io } from "../run/types.ts";
import { Budget, budgetOf } from "./budget.ts";
import {
  hasManifest,
  type PaperDirectory,
  type PaperManifest,
  type ProtocolMark,
  readPaperManifest,
  readResult,
  requireKind,
} from "./directory.ts";
import type { ClaimResult, PaperFigure } from "./evidence.ts";
import type { Experiment } from "./experiment.ts";
import { Interrupted, PaperLab } from "./lab.ts";
import type { LoadedProtocol, Protocol } from "./protocol.ts";

/** What the report is made of. */
export interface Findings {
  readonly claims: readonly ClaimResult[];
  readonly figures: readonly PaperFigure[];
  /** Names of experiments whose results are there, and of those whose are not. */
  readonly done: readonly string[];
  readonly missing: readonly string[];
}

/** The experiments that were asked for, in their own order. @throws UsageError */
export function chosenExperiments(
  all: readonly Experiment<unknown>[],
  only: readonly string[] | null,
): readonly Experiment<unknown>[] {
  if (only === null) return all;
  const stranger = only.find((name) => !all.some((e) => e.name === name));
  if (stranger !== undefined) {
    throw new UsageError(`--only ${stranger}: no such experiment; there are ${all.map((e) => e.name).join(", ")}`);
  }
  return all.filter((e) => only.includes(e.name));
}

export const markOf = ({ digest, quick }: LoadedProtocol): ProtocolMark => ({ digest, quick });

/** Verdicts and figures of what was measured under this protocol. */
export function findingsIn(
  directory: string,
  loaded: LoadedProtocol,
  experiments: readonly Experiment<unknown>[],
): Findings {
  const { protocol } = loaded;
  const found = experiments.map((e) => ({ e, result: readResult(directory, e.name, markOf(loaded)) }));
  const done = found.filter(({ result }) => result !== undefined);
  // Results may be those of an older version.
  const from = <T>(e: Experiment<unknown>, make: () => T): T => {
    try {
      return make();
    } catch (cause) {
      const file = join(directory, "results", `${e.name}.json`);
      throw new DataError(`${file}: does not fit this version of ${e.name}; delete it, and it is measured anew`, {
        cause,
      });
    }
  };
  return {
    claims: done.flatMap(({ e, result }) => from(e, () => e.judge(result, protocol))),
    figures: done.flatMap(({ e, result }) => from(e, () => e.figures(result, protocol))),
    done: done.map(({ e }) => e.name),
    missing: found.filter(({ result }) => result === undefined).map(({ e }) => e.name),
  };
}

const ownSeconds = (manifest: PaperManifest): Record<string, number> => ({ ...manifest.seconds });

export class Reproduction {
  readonly #dir: PaperDirectory;
  readonly #gpu: Gpu;
  readonly #loaded: LoadedProtocol;
  readonly #io: Io;

  constructor(dir: PaperDirectory, gpu: Gpu, loaded: LoadedProtocol, io: Io) {
    this.#dir = dir;
    this.#gpu = gpu;
    this.#loaded = loaded;
    this.#io = io;
  }

  /** The manifest, before anything else; what is kept of an earlier session is told. */
  begin(isResumed: boolean): void {
    const mark = markOf(this.#loaded);
    requireKind(this.#dir.path, mark);
    const before = isResumed && hasManifest(this.#dir.path) ? readPaperManifest(this.#dir.path) : null;
    if (before !== null) this.#noteChanges(before, mark);
    const others = (before?.protocolsBefore ?? []) as readonly string[];
    const isOther = before !== null && before.protocol.digest !== mark.digest;
    this.#dir.writeManifest({
      protocol: mark,
      ...(isOther || others.length > 0
        ? { protocolsBefore: isOther ? [...others, before.protocol.digest] : others }
        : {}),
      versions: versions(),
      ...gpuFacts(this.#gpu),
      seeds: seedsOf(this.#loaded.protocol),
      started: before?.started ?? new Date().toISOString(),
      seconds: before?.seconds ?? {},
      outcome: { kind: "running" },
    });
  }

  #noteChanges(before: PaperManifest, mark: ProtocolMark): void {
    const { note } = this.#io;
    if (before.protocol.digest !== mark.digest) {
      note(
        "the protocol is not the one that this reproduction began with: its experiments are measured anew, and that is recorded",
      );
    }
    const { adapter } = before as { adapter?: { name?: string; driver?: string } };
    const now = this.#gpu.adapter;
    if (adapter !== undefined && (adapter.name !== now.name || adapter.driver !== now.driver)) {
      note(`the reproduction began on ${adapter.name} (${adapter.driver}): another adapter or driver gives other bits`);
    }
  }

  /** Measures what is not there yet. @throws Interrupted after Ctrl-C; what was finished is kept */
  async run(experiments: readonly Experiment<unknown>[]): Promise<void> {
    const { protocol } = this.#loaded;
    const items = budgetOf(this.#gpu, protocol, this.#dir.path, experiments);
    const budget = new Budget(items);
    let within = 0;
    const lab = new PaperLab(this.#gpu, protocol, this.#dir.path, this.#io, (kind, name, seconds) => {
      budget.done(kind, name, seconds);
      within += seconds;
      this.#count(`${kind} ${name}`, seconds);
    });
    try {
      for (const [index, experiment] of experiments.entries()) {
        const place = `${index + 1}/${experiments.length} ${experiment.name}`;
        if (readResult(this.#dir.path, experiment.name, markOf(this.#loaded)) !== undefined) {
          this.#io.note(`${place}: measured already`);
          continue;
        }
        this.#io.note(`${place}: ${experiment.title}${left(budget.left)}`);
        const began = performance.now();
        within = 0;
        const result = await experiment.measure(lab);
        // Work that was stopped half-way may look finished.
        if (this.#io.signal.aborted) throw new Interrupted();
        const seconds = (performance.now() - began) / 1000;
        this.#io.progress.done();
        this.#dir.writeResult(experiment.name, markOf(this.#loaded), seconds - within, result);
        this.#count(experiment.name, seconds - within);
      }
    } catch (error) {
      throw this.#ended(error);
    }
  }

  finish(): void {
    this.#dir.updateManifest({ outcome: { kind: "completed" }, ended: new Date().toISOString() });
  }

  /** Of all sessions together. */
  #count(stage: string, seconds: number): void {
    const all = ownSeconds(readPaperManifest(this.#dir.path));
    all[stage] = Number(((all[stage] ?? 0) + seconds).toFixed(2));
    this.#dir.updateManifest({ seconds: all });
  }

  /** The error to tell, after the manifest tells how it ended. */
  #ended(error: unknown): unknown {
    const goOn = `npx reverie paper --resume --out ${this.#dir.path}`;
    // A verb inside may have met the same Ctrl-C in its own way.
    const isStop = error instanceof Interrupted || this.#io.signal.aborted;
    const kind = isStop ? "interrupted" : "failed";
    try {
      this.#dir.updateManifest({ outcome: { kind, remedy: `go on with: ${goOn}` }, ended: new Date().toISOString() });
    } catch {
      // The first error is the one to tell.
    }
    if (isStop) return new Interrupted();
    if (!(error instanceof GpuError)) return error;
    return new GpuError(`${error.message}; what was measured is saved; go on with: ${goOn}`, { cause: error });
  }
}

function seedsOf(protocol: Protocol): Record<string, unknown> {
  return { root: protocol.seed, networks: protocol.seeds, unseen: protocol.families.unseen.seeds };
}

function left(seconds: number): string {
  if (seconds < 20) return "";
  return seconds < 90 ? ", about a minute left" : `, about ${Math.round(seconds / 60)} min left`;
}
