/** The verbs, the flags that all of them share, and what becomes of a result, an error or Ctrl-C. */
import { createRequire } from "node:module";
import type { Writable } from "node:stream";
import { Command, CommanderError, Option } from "commander";
import { EXIT, type ExitCode } from "../errors.ts";
import type { Io } from "../run/types.ts";
import { doctor } from "./commands/doctor.ts";
import { dump } from "./commands/dump.ts";
import { evaluate } from "./commands/evaluate.ts";
import { importWeights } from "./commands/import.ts";
import { init } from "./commands/init.ts";
import { inspect } from "./commands/inspect.ts";
import { kernels } from "./commands/kernels.ts";
import { merge } from "./commands/merge.ts";
import { metrics } from "./commands/metrics.ts";
import { paper } from "./commands/paper.ts";
import { paths } from "./commands/paths.ts";
import { profile } from "./commands/profile.ts";
import { replay } from "./commands/replay.ts";
import { report } from "./commands/report.ts";
import { schema } from "./commands/schema.ts";
import { setup } from "./commands/setup.ts";
import { start } from "./commands/start.ts";
import { sweep } from "./commands/sweep.ts";
import { train } from "./commands/train.ts";
import { failureOf, stackOf } from "./failure.ts";
import type { GlobalFlags, Shell, Work } from "./flags.ts";
import { createProgress, isTerminal, type Terminal } from "./progress.ts";
import { RUNS, type Runs } from "./runs.ts";
import { watchSignals } from "./signals.ts";

const VERBS = [
  start,
  doctor,
  setup,
  init,
  train,
  replay,
  sweep,
  merge,
  paper,
  paths,
  evaluate,
  dump,
  importWeights,
  report,
  metrics,
  profile,
  inspect,
  schema,
  kernels,
];

/** The outside world, so that a test can stand in for it. */
export interface Host {
  readonly stdout: Writable;
  readonly stderr: Terminal;
}

const AFTERWORD = `
Values come from a preset, then --config FILE, then --set key=value; \`reverie schema\` lists every key.
Results go to stdout, everything else to stderr.

Exit codes: 0 done · 2 usage or configuration · 3 no usable adapter · 4 bad data or checkpoint · 5 run directory in use
  6 diverged · 7 GPU error · 8 disk or permission · 9 slower than before (profile --compare) · 70 a bug of reverie · 130, 143 interrupted (checkpoint written)
Environment: REVERIE_ADAPTER as --adapter; NO_COLOR as --no-color`;

function versions(): string {
  const require = createRequire(import.meta.url);
  const versionIn = (path: string) => (require(path) as { version: string }).version;
  const reverie = versionIn("../../package.json");
  return `reverie ${reverie} (webgpu ${versionIn("webgpu/package.json")}, Node ${process.versions.node})`;
}

function buildProgram(host: Host, shell: Shell): Command {
  const program = new Command("reverie")
    .description("Train path-integrating recurrent networks on the GPU and watch them replay.")
    .option("--json", "stdout is one JSON document")
    .option("--quiet", "nothing on stderr but errors")
    .option("--no-color", "plain text")
    .option("--debug", "with an error, also its stack")
    .addOption(new Option("--adapter <name>", "part of the name of the adapter to use").env("REVERIE_ADAPTER"))
    .option("--require-gpu", "refuse a software adapter")
    .option("--seed <n>", "root seed of every random number")
    .version(versions(), "-V, --version", "versions of reverie, webgpu and Node")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void host.stdout.write(text),
      writeErr: (text) => void host.stderr.write(text),
      // `main` writes the one line.
      outputError: () => {},
    })
    .exitOverride()
    .addHelpText("after", AFTERWORD);
  for (const add of VERBS) add(program, shell);
  return program;
}

/** Runs a verb with a progress line and under the signals, and says how it ended. */
async function performUnderIo(work: Work, flags: GlobalFlags, host: Host): Promise<ExitCode> {
  const { json = false, quiet = false, color } = flags;
  const terminal = isTerminal(host.stderr);
  const progress = await createProgress({ stream: host.stderr, terminal, quiet, color });
  const interruption = watchSignals((line) => progress.note(line));
  const io: Io = {
    progress,
    out: (text) => void host.stdout.write(text.endsWith("\n") ? text : `${text}\n`),
    note: (line) => progress.note(line),
    json,
    signal: interruption.signal,
  };
  try {
    const exitCode = await work(io);
    return interruption.exitCode() ?? exitCode;
  } catch (error) {
    const stopped = interruption.exitCode();
    const isTheStop = error === interruption.signal.reason || (error instanceof Error && error.name === "AbortError");
    if (stopped !== undefined && isTheStop) return stopped;
    throw error;
  } finally {
    progress.done();
    interruption.dispose();
  }
}

/**
 * Runs one command line, without `node` and the script in front.
 * @returns the exit code; an error has then been told in one line
 */
export async function main(argv: readonly string[], host: Host = process, runs: Runs = RUNS): Promise<number> {
  if (argv.includes("--no-color")) {
    process.env.NO_COLOR = "1";
    delete process.env.FORCE_COLOR;
  }
  let exitCode: ExitCode = EXIT.ok;
  const perform = async (work: Work) => {
    exitCode = await performUnderIo(work, program.opts<GlobalFlags>(), host);
  };
  const program = buildProgram(host, { perform, runs });
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    // Help and version leave the parser by an error, too.
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const failure = failureOf(error);
    host.stderr.write(`reverie: ${failure.line}\n`);
    if (argv.includes("--debug")) host.stderr.write(`${stackOf(error)}\n`);
    return failure.exitCode;
  }
}
