/** `reverie paper`: the paper's claims, measured and judged in one command. */
import { join } from "node:path";
import { EXIT, type ExitCode } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { makeDirectory } from "../io/disk.ts";
import { Budget, type BudgetItem, budgetOf } from "../paper/budget.ts";
import { claimsCsv, claimsJson } from "../paper/claims.ts";
import { PaperDirectory, readPaperManifest, requireKind } from "../paper/directory.ts";
import { EXPERIMENTS } from "../paper/experiments/index.ts";
import { familyConfig } from "../paper/family.ts";
import { Interrupted } from "../paper/lab.ts";
import { FAMILY_NAMES, type LoadedProtocol, loadProtocol, type Protocol } from "../paper/protocol.ts";
import { chosenExperiments, type Findings, findingsIn, markOf, Reproduction } from "../paper/reproduction.ts";
import { shareOf } from "../paper/statistics.ts";
import { FIGURES, type PaperReportInput, pageFigure, paperHtml } from "../report/paper-page.ts";
import { type WrittenReport, writePage } from "../report/write-page.ts";
import { openForVerb } from "./open.ts";
import type { GpuOptions, Io } from "./types.ts";

export interface PaperOptions extends GpuOptions {
  readonly quick: boolean;
  readonly out: string;
  readonly resume: boolean;
  readonly force: boolean;
  /** Names of experiments; null: all. */
  readonly only: readonly string[] | null;
  /** Print what it will cost instead of running anything. */
  readonly plan: boolean;
}

export async function runPaper(options: PaperOptions, io: Io): Promise<ExitCode> {
  const loaded = loadProtocol(options.quick);
  const experiments = chosenExperiments(EXPERIMENTS, options.only);
  if (options.plan) return withGpu(options, io, async (gpu) => printPlan(gpu, loaded, options, io));
  const dir = PaperDirectory.open(options.out, { resume: options.resume, force: options.force });
  try {
    return await withGpu(options, io, async (gpu) => {
      const reproduction = new Reproduction(dir, gpu, loaded, io);
      reproduction.begin(options.resume);
      try {
        await reproduction.run(experiments);
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        return tellStop(dir.path, io);
      }
      reproduction.finish();
      io.progress.start("judging and drawing");
      const { written, findings } = await writePaperReport(dir.path, dir.path, loaded, io.note);
      io.progress.done();
      tell(dir.path, written, findings, io);
      return EXIT.ok;
    });
  } finally {
    dir.close();
  }
}

async function withGpu(options: PaperOptions, io: Io, work: (gpu: Gpu) => Promise<ExitCode>): Promise<ExitCode> {
  const gpu = await openForVerb(options, io);
  try {
    return await work(gpu);
  } finally {
    await gpu.close();
  }
}

/** What trained each family. */
function configsOf(protocol: Protocol): PaperReportInput["configs"] {
  return Object.fromEntries(
    FAMILY_NAMES.map((name) => [name, familyConfig(protocol, name)]),
  ) as unknown as PaperReportInput["configs"];
}

/** Page, figures and verdicts of what a reproduction has measured so far under this protocol. */
export async function writePaperReport(
  directory: string,
  out: string,
  loaded: LoadedProtocol,
  note: (line: string) => void,
): Promise<{ written: WrittenReport; findings: Findings }> {
  const { protocol } = loaded;
  const findings = findingsIn(directory, loaded, EXPERIMENTS);
  const manifest = readPaperManifest(directory);
  const mark = markOf(loaded);
  const { adapter, versions, seeds, ended } = manifest;
  const facts = { protocol: mark, adapter, versions, seeds, ended, done: findings.done, missing: findings.missing };
  makeDirectory(out);
  writeFileAtomically(join(out, "claims.csv"), claimsCsv(findings.claims));
  writeFileAtomically(join(out, "claims.json"), claimsJson(findings.claims, facts));
  const input = { findings, protocol, mark, manifest, configs: configsOf(protocol) };
  const figures = findings.figures.map(pageFigure);
  const written = await writePage(out, figures, paperHtml(input), { folder: FIGURES });
  if (written.pngSkipped) note(written.pngSkipped);
  return { written, findings };
}

/** The page of a directory that `reverie report` was given; quick or full, as its manifest says. */
export function reportOfPaper(
  directory: string,
  out: string,
  note: (line: string) => void,
): ReturnType<typeof writePaperReport> {
  return writePaperReport(directory, out, loadProtocol(readPaperManifest(directory).protocol.quick), note);
}

function tellStop(path: string, io: Io): ExitCode {
  io.progress.done();
  const remedy = `go on with: npx reverie paper --resume --out ${path}`;
  io.note(`interrupted; ${remedy}`);
  if (io.json) io.out(JSON.stringify({ paper: path, outcome: { kind: "interrupted", remedy } }));
  return EXIT.interrupted;
}

function tell(path: string, written: WrittenReport, { claims, done, missing }: Findings, io: Io): void {
  if (io.json) {
    const verdicts = claims.map((c) => ({ id: c.id, part: c.part, verdict: c.verdict, share: shareOf(c.cells) || 0 }));
    const outcome = { kind: "completed" };
    io.out(JSON.stringify({ paper: path, outcome, report: written.html, done, missing, claims: verdicts }));
    return;
  }
  const width = Math.max(0, ...claims.map((c) => c.verdict.length));
  for (const c of claims) io.out(`${c.verdict.padEnd(width)}  ${c.part}  ${c.claim}: ${c.measured}`);
  if (missing.length > 0) io.note(`not run: ${missing.join(", ")}`);
  io.out(`report: ${written.html}`);
}

function printPlan(gpu: Gpu, { protocol, digest, quick }: LoadedProtocol, options: PaperOptions, io: Io): ExitCode {
  const experiments = chosenExperiments(EXPERIMENTS, options.only);
  requireKind(options.out, { quick });
  const items = budgetOf(gpu, protocol, options.out, experiments);
  const seconds = new Budget(items).left;
  if (io.json) {
    io.out(
      JSON.stringify({ protocol: { digest, quick }, experiments: experiments.map((e) => e.name), items, seconds }),
    );
    return EXIT.ok;
  }
  const line = (i: BudgetItem): string =>
    `${i.kind.padEnd(8)}  ${i.name.padEnd(20)}  ${i.what.padEnd(36)}  ${i.isThere ? "there already" : minutes(i.seconds)}`;
  io.out(
    [
      `protocol ${digest.slice(0, 16)}…${quick ? ", quick" : ""}; experiments: ${experiments.map((e) => e.name).join(", ")}`,
      ...items.map(line),
      `in all at least ${minutes(seconds)} on this adapter when nothing else runs, and what the experiments analyse on the host`,
    ].join("\n"),
  );
  return EXIT.ok;
}

const minutes = (seconds: number): string =>
  seconds < 90 ? `${Math.max(1, Math.round(seconds))} s` : `${Math.round(seconds / 60)} min`;
