/** What the tests of `src/io` share: scratch folders, failing disks, child processes, a second reader in Python. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import ts from "typescript";
import { afterAll } from "vitest";
import type { Checkpoint } from "../../src/io/checkpoint.ts";
import { disk } from "../../src/io/disk.ts";
import { type NetworkShape, type NetworkTensors, parameterLayout, TENSOR_NAMES } from "../../src/model/parameters.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
export const FIXTURES = join(ROOT, "test/fixtures");

/** A fresh folder per call, removed after the test file. */
export function scratch(): () => string {
  const all: string[] = [];
  afterAll(() => {
    for (const path of all) fs.rmSync(path, { recursive: true, force: true });
  });
  return () => {
    const path = fs.mkdtempSync(join(tmpdir(), "reverie-io-"));
    all.push(path);
    return path;
  };
}

/** Uniform in [0, 1), the same numbers in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A file-system error as Node throws it. */
export function systemError(code: string, syscall = "write"): Error {
  return Object.assign(new Error(`${code}: injected, ${syscall}`), { code, syscall, errno: -1 });
}

type DiskCall = keyof typeof disk;
export type Fault = "ENOSPC" | "EIO" | "short write";

/**
 * Runs `action` while the n-th call of `disk` fails (n from 1), and with `forEver` every later one too.
 * A short write takes half the bytes and then reports a full disk.
 * @returns the call that failed, or null where there were fewer than n
 */
export function withFault(n: number, fault: Fault, forEver: boolean, action: () => void): DiskCall | null {
  const real = { ...disk };
  let calls = 0;
  let failed: DiskCall | null = null;
  const fail = (name: DiskCall, args: unknown[]): never => {
    failed ??= name;
    if (fault === "short write" && name === "write") {
      const [descriptor, bytes, from, length, position] = args as Parameters<typeof disk.write>;
      real.write(descriptor, bytes, from, Math.floor(length / 2), position);
    }
    // A close that reports an error has closed all the same.
    if (name === "close") real.close(args[0] as number);
    throw systemError(fault === "EIO" ? "EIO" : "ENOSPC", name);
  };
  for (const name of Object.keys(real) as DiskCall[]) {
    const call = real[name] as (...args: unknown[]) => unknown;
    Object.assign(disk, {
      [name]: (...args: unknown[]) => {
        calls++;
        return calls === n || (forEver && calls > n) ? fail(name, args) : call(...args);
      },
    });
  }
  try {
    action();
  } finally {
    Object.assign(disk, real);
  }
  return failed;
}

/** What `action` throws; an error of its own where it throws nothing. */
export function thrownBy(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** Compiles the sources that `src/io` consists of, for child processes that run plain Node. */
export function compileSources(to: string): string {
  const sources = ["src/errors.ts", "src/model/parameters.ts"];
  for (const name of fs.readdirSync(join(ROOT, "src/io"))) sources.push(`src/io/${name}`);
  for (const source of sources) {
    const { outputText } = ts.transpileModule(fs.readFileSync(join(ROOT, source), "utf8"), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    const path = join(to, source.replace(/\.ts$/, ".js"));
    fs.mkdirSync(dirname(path), { recursive: true });
    fs.writeFileSync(path, outputText);
  }
  fs.writeFileSync(join(to, "package.json"), '{"type":"module"}');
  return to;
}

export interface Child {
  readonly process: ChildProcess;
  /** Resolves with the first line that it prints. */
  readonly firstLine: Promise<string>;
  /** Resolves when it is gone. */
  readonly gone: Promise<void>;
}

/** Runs a module in a child process, in the folder of `compileSources`. */
export function startChild(compiled: string, code: string): Child {
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
    cwd: compiled,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const firstLine = new Promise<string>((resolve) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
    });
    child.once("close", () => resolve(text.trim()));
  });
  return { process: child, firstLine, gone };
}

export const NO_NUMPY = "python3 with numpy is not installed";

/** What a Python program prints, as JSON; null where there is no python3 with NumPy. */
export function runNumpy(program: string, ...args: string[]): unknown {
  if (spawnSync("python3", ["-c", "import numpy"]).status !== 0) return null;
  const { status, stdout, stderr } = spawnSync("python3", ["-c", program, ...args], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

export const SMALL_SHAPE: NetworkShape = { units: 13, inputs: 2, outputs: 3, encoderInputs: 5 };

/** A checkpoint of two networks whose numbers all differ and depend on the iteration. */
export function smallCheckpoint(iteration: number, shape = SMALL_SHAPE): Checkpoint {
  const random = seededRandom(iteration + 1);
  const { slices } = parameterLayout(shape);
  const network = (): NetworkTensors => {
    const tensors = {} as NetworkTensors;
    for (const name of TENSOR_NAMES) {
      const [rows, columns] = slices[name].shape;
      tensors[name] = Float32Array.from({ length: rows * columns }, () => random() - 0.5);
    }
    return tensors;
  };
  return {
    arrays: { weights: [network(), network()], m: [network(), network()], v: [network(), network()] },
    meta: {
      iteration,
      shape,
      configHash: "c0ffee",
      config: { rnn: { leak: 0.5 } },
      rootSeed: 1,
      networkSeeds: [0, 7],
      status: ["running", "diverged"],
      adapter: "a software adapter",
      driver: "Mesa 25.0.7",
      lossHistoryLength: Math.floor(iteration / 10),
    },
  };
}
