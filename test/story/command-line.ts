/** Runs the command line: in this process with captured streams, or as a process of its own. */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { main } from "../../src/cli/program.ts";
import type { Runs } from "../../src/cli/runs.ts";
import { EXIT } from "../../src/errors.ts";
import type { Io } from "../../src/run/types.ts";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export class Capture extends Writable {
  text = "";
  override _write(chunk: Buffer | string, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Call {
  readonly verb: string;
  readonly options: Record<string, unknown>;
}

/** Stands in for the work behind every verb: keeps what it was asked for and returns 0, or does what it is told. */
export function recordingRuns(calls: Call[], work: (io: Io) => Promise<number> = async () => EXIT.ok): Runs {
  const run = (verb: string) => async (options: object, io: Io) => {
    calls.push({ verb, options: options as Record<string, unknown> });
    return work(io);
  };
  const verbs = ["start", "train", "replay", "paths", "evaluate", "doctor", "report", "profile", "paper"];
  return Object.fromEntries(verbs.map((verb) => [verb, run(verb)])) as unknown as Runs;
}

/** In this process. Without `runs`, the real work is done. */
export async function reverie(argv: readonly string[], runs?: Runs): Promise<Outcome> {
  const [stdout, stderr] = [new Capture(), new Capture()];
  const code = await main(argv, { stdout, stderr }, runs);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** A line for people, and nothing else that could be taken for a result or a crash. */
export const ONE_LINE = /^reverie: [^\n]+\n$/;

export interface BuiltCommandLine {
  readonly folder: string;
  readonly script: string;
  readonly remove: () => void;
}

/** What the command line needs before any work begins. */
const SOURCES = ["cli", "code", "config", "gpu", "io", "model", "run", "task"];

const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
};

/** The JavaScript of a source file, types unchecked and gone. */
export function transpile(path: string, more: ts.CompilerOptions = {}): string {
  return ts.transpileModule(readFileSync(path, "utf8"), { compilerOptions: { ...compilerOptions, ...more } })
    .outputText;
}

/** `dist` as the compiler would write it, types unchecked, in a folder of its own: the one in the tree may be old. */
export function buildCommandLine(sources: readonly string[] = SOURCES): BuiltCommandLine {
  const folder = mkdtempSync(join(tmpdir(), "reverie-cli-"));
  copyFileSync(join(ROOT, "package.json"), join(folder, "package.json"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const files = sources.flatMap((name) =>
    readdirSync(join(ROOT, "src", name), { recursive: true, encoding: "utf8" }).map((file) => join(name, file)),
  );
  for (const file of ["errors.ts", ...files]) {
    if (!file.endsWith(".ts") || file.endsWith(".d.ts")) continue;
    const target = join(folder, "dist", file.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, transpile(join(ROOT, "src", file)));
  }
  return {
    folder,
    script: join(folder, "dist", "cli", "main.js"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The whole product in a folder of its own: `dist`, shaders, packages, driver. Compiled shaders are shared. */
export function buildProduct(): BuiltCommandLine {
  const sources = readdirSync(join(ROOT, "src"), { withFileTypes: true });
  const built = buildCommandLine(sources.filter((entry) => entry.isDirectory()).map((entry) => entry.name));
  cpSync(join(ROOT, "shaders"), join(built.folder, "shaders"), { recursive: true });
  mkdirSync(join(ROOT, ".shader-cache"), { recursive: true });
  symlinkSync(join(ROOT, ".shader-cache"), join(built.folder, ".shader-cache"));
  if (existsSync(join(ROOT, ".drivers"))) symlinkSync(join(ROOT, ".drivers"), join(built.folder, ".drivers"));
  return built;
}

/** The environment of this process before it preloaded the project's own driver: a child must do so for itself. */
export function freshEnvironment(): NodeJS.ProcessEnv {
  const own = join(ROOT, ".drivers");
  return Object.fromEntries(
    Object.entries(process.env).filter(([name, value]) => !(name.startsWith("VK_") && value?.startsWith(own))),
  );
}

/** What a native library prints on stderr, past all of our code. */
export function withoutNativeWarnings(stderr: string): string {
  return stderr.replace(/^Warning: max\w+ artificially reduced .*\n/gm, "");
}

export interface ChildOptions {
  /** Sent when the child's stderr or stdout first matches; then again for each match of the next. */
  readonly signals?: readonly { readonly after: RegExp; readonly send: NodeJS.Signals }[];
  readonly closeStdout?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** `node script …` as a process of its own. */
export function runChild(script: string, argv: readonly string[], options: ChildOptions = {}): Promise<Outcome> {
  const child = spawn(process.execPath, [script, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: options.environment ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const pending = [...(options.signals ?? [])];
  let stdout = "";
  let stderr = "";
  const look = () => {
    const next = pending[0];
    if (!next?.after.test(stdout + stderr)) return;
    pending.shift();
    child.kill(next.send);
  };
  if (options.closeStdout) child.stdout.destroy();
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
    look();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk;
    look();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
