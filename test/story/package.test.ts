/**
 * The package in a project that has nothing else: packed, unpacked, used as a library and by its command. Without a
 * network its dependencies are lent; REVERIE_NETWORK=1 (npm run test:package) installs them, and fetches a driver.
 */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuiltCommandLine, buildProduct, freshEnvironment, ROOT, transpile } from "./command-line.ts";

const NETWORK = process.env.REVERIE_NETWORK === "1";
const SECONDS = NETWORK ? 600_000 : 120_000;

let folder: string;
const inside = (...parts: string[]): string => join(folder, ...parts);
const project = (...parts: string[]): string => inside("project", ...parts);
const cache = (...parts: string[]): string => inside("cache", "reverie", ...parts);

interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** In the project, as a shell of a user whose cache is ours. */
function run(command: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Ran {
  const { MESA_SHADER_CACHE_DIR: _, ...environment } = freshEnvironment();
  const env = { ...environment, XDG_CACHE_HOME: inside("cache"), ...more };
  const done = spawnSync(command, args, { cwd: project(), env, encoding: "utf8", timeout: SECONDS });
  return { code: done.status, stdout: done.stdout, stderr: done.stderr };
}

const reverie = (args: readonly string[], more?: NodeJS.ProcessEnv): Ran =>
  run(project("node_modules", ".bin", "reverie"), args, more);

/** What the compiler and set-up would leave of this tree, in a folder of its own. */
function packageFolder(): BuiltCommandLine {
  const product = buildProduct();
  for (const name of ["index", "core"])
    writeFileSync(join(product.folder, "dist", `${name}.js`), transpile(join(ROOT, "src", `${name}.ts`)));
  mkdirSync(join(product.folder, "src", "config"), { recursive: true });
  for (const name of ["README.md", "LICENSE", "src/config/reverie.schema.json"])
    copyFileSync(join(ROOT, name), join(product.folder, name));
  cpSync(join(ROOT, "scripts"), join(product.folder, "scripts"), {
    recursive: true,
    filter: (path) => !path.includes("node_modules"),
  });
  chmodSync(product.script, 0o755);
  return product;
}

/** As npm lays it out; packages that it needs come from this tree. */
function unpackInto(tarball: string): void {
  const modules = project("node_modules");
  mkdirSync(join(modules, ".bin"), { recursive: true });
  execFileSync("tar", ["-xzf", tarball, "-C", modules]);
  execFileSync("mv", [join(modules, "package"), join(modules, "reverie")]);
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(realpathSync(join(ROOT, "node_modules")), name), join(modules, name));
  }
  symlinkSync("../reverie/dist/cli/main.js", join(modules, ".bin", "reverie"));
}

/** The user's cache as `reverie setup` leaves it, with the driver of this tree. */
function lendDriver(): void {
  mkdirSync(cache(), { recursive: true });
  for (const name of [".drivers", ".shader-cache"]) {
    if (existsSync(join(ROOT, name))) symlinkSync(realpathSync(join(ROOT, name)), cache(name));
  }
}

let packed: readonly string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-package-"));
  mkdirSync(project());
  writeFileSync(project("package.json"), '{ "name": "empty", "private": true, "type": "module" }\n');
  const product = packageFolder();
  try {
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const [{ filename, files }] = JSON.parse(execFileSync("npm", args, { cwd: product.folder, encoding: "utf8" }));
    packed = (files as { path: string }[]).map((file) => file.path);
    if (!NETWORK) unpackInto(inside(filename));
    else execFileSync("npm", ["install", "--no-audit", "--no-fund", inside(filename)], { cwd: project() });
  } finally {
    product.remove();
  }
  if (!NETWORK) lendDriver();
}, SECONDS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the tarball holds what runs, and neither tests nor benchmarks nor a driver", () => {
  for (const path of [
    "dist/index.js",
    "dist/cli/main.js",
    "shaders/lib/dynamics.wgsl",
    "scripts/adapter.sh",
    "LICENSE",
  ])
    expect(packed).toContain(path);
  const stray = packed.filter((path) =>
    /^(test|src\/.*\.ts|scripts\/(bench|figures)|\.)|node_modules|\.test\./.test(path),
  );
  expect(stray).toEqual([]);
});

test("where there is no adapter, one line says how to get one", () => {
  const nowhere = { VK_DRIVER_FILES: "/nowhere.json", VK_ICD_FILENAMES: "/nowhere.json" };
  const { code, stderr } = reverie(["doctor"], nowhere);
  expect(code).toBe(3);
  expect(stderr).toMatch(/no Vulkan driver: .*npx reverie setup/);
});

test("set-up finds an adapter that computes; what it unpacked lies in the user's cache", () => {
  const { code, stdout, stderr } = NETWORK ? run("npx", ["reverie", "setup"]) : reverie(["setup"]);
  expect(stderr).toMatch(/^setup: ready: .+ \((software|GPU)\)$/m);
  expect(stdout).toMatch(/^ready: .+ \((software|GPU)\)\n$/);
  expect(code).toBe(0);
  expect(existsSync(project("node_modules", "reverie", ".drivers"))).toBe(false);
  if (/unpacked into/.test(stderr)) expect(readdirSync(cache(".drivers"))).toContain("version");
}, 600_000);

describe("in an empty project", () => {
  const PROGRAM = `
import { loadConfig, openGpu, replayNetworks, replaySweep, trainNetworks, Trainer, UsageError, writeRunReport } from "reverie";
import * as core from "reverie/core";
const { config } = loadConfig({ preset: "tiny", set: ["train.iterations=6", "seeds=[0,1]", "replay.steps=20"] });
const gpu = await openGpu();
const training = trainNetworks(gpu, config, { runDir: "run", logEvery: 2 });
const seen = [];
for await (const event of training) if (event.kind === "progress") seen.push([event.iteration, event.loss.length]);
const { outcome, exitCode, testError } = await training.result;
const replayed = await replayNetworks(gpu, "run", { replay: { repeats: 8 } });
const progress = [];
const sweep = await replaySweep(gpu, "run", {
  ...{ out: "sweep", grid: { friction: [1, 0.5] }, repeats: 8, steps: 20 },
  onProgress: (label, done, total) => progress.push(done / total),
});
const again = await trainNetworks(gpu, config, { runDir: "run" }).result.catch((error) => error instanceof UsageError);
const page = await writeRunReport("run");
await gpu.close();
console.log(JSON.stringify({
  core: core.Trainer === Trainer && import.meta.resolve("reverie/shaders/rnn/step_forward.wgsl"),
  ...{ seen, outcome: outcome.kind, exitCode, testError, again, page, last: progress.at(-1) },
  replayed: replayed.metrics.map((m) => m.condition + m.network), swept: sweep.results.length, kind: sweep.kind,
}));`;

  test(
    "a program trains, replays, sweeps and reports by the library",
    () => {
      writeFileSync(project("program.mjs"), PROGRAM);
      const { code, stdout, stderr } = run(process.execPath, ["program.mjs"]);
      expect(code, stderr).toBe(0);
      const said = JSON.parse(stdout);
      expect(said.seen).toEqual([0, 2, 4, 5].map((iteration) => [iteration, 2]));
      expect(said).toMatchObject({ outcome: "completed", exitCode: 0, kind: "completed", again: true, last: 1 });
      expect(said.testError).toHaveLength(2);
      expect(existsSync(fileURLToPath(said.core))).toBe(true);
      expect(said.replayed).toContain("awake0");
      // Two conditions and the awake trajectories, of two networks.
      expect(said.swept).toBe(6);
      for (const path of [said.page, "run/replay/replay.npz", "run/metrics.csv", "sweep/metrics.csv"])
        expect(readFileSync(project(path)).length).toBeGreaterThan(0);
    },
    SECONDS,
  );

  test(
    "the command trains",
    () => {
      const args = ["train", "--preset", "tiny", "--set", "train.iterations=3", "--out", "by-command", "--json"];
      const { code, stdout, stderr } = NETWORK ? run("npx", ["reverie", ...args]) : reverie(args);
      expect(code, stderr).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ outcome: { kind: "completed" }, iteration: 3 });
    },
    SECONDS,
  );
});
