/**
 * What a user can get wrong once adapters, memory, checkpoints and arrays come into it: nothing on stdout, one line on
 * stderr that says what, where and how to mend it, and the exit code of src/cli/README.md.
 */
import fs, {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { main } from "../../src/cli/program.ts";
import { EXIT } from "../../src/errors.ts";
import { type ArrayToWrite, readNpz, writeNpz } from "../../src/io/npz.ts";
import {
  type BuiltCommandLine,
  buildProduct,
  Capture,
  freshEnvironment,
  ONE_LINE,
  type Outcome,
  ROOT,
  reverie,
  runChild,
} from "./command-line.ts";

let folder: string;
const inside = (...parts: string[]): string => join(folder, ...parts);

/** A run with two checkpoints: one of the untrained networks, one of the trained. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reverie-bad-gpu-"));
  const stderr = new (class extends Capture {
    override _write(chunk: Buffer | string, encoding: string, done: () => void): void {
      super._write(chunk, encoding, done);
      if (String(chunk).startsWith("training")) process.emit("SIGINT");
    }
  })();
  expect(await main(["train", "--preset", "tiny", "--out", inside("run")], { stdout: new Capture(), stderr })).toBe(
    130,
  );
  expect((await reverie(["train", "--resume", "--out", inside("run")])).code).toBe(0);
  expect(readdirSync(inside("run", "checkpoints"))).toEqual(["iteration-000000.npz", "iteration-000020.npz"]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `@` stands for the test's folder. The line that names the adapter is left out by --quiet. */
async function refused(line: string, code: number, pattern: RegExp): Promise<void> {
  const argv = line.split(" ").map((word) => word.replace("@", folder));
  expectRefusal(await reverie(["--quiet", ...argv]), code, pattern);
}

function expectRefusal({ code, stdout, stderr }: Outcome, expected: number, pattern: RegExp): void {
  expect(stderr).toMatch(ONE_LINE);
  expect(stderr).toMatch(pattern);
  expect(stderr).not.toMatch(/\bat .*:\d+:\d+/);
  expect(stdout).toBe("");
  expect(code).toBe(expected);
}

describe("adapters (3)", () => {
  let product: BuiltCommandLine;
  beforeAll(() => {
    product = buildProduct();
  });
  afterAll(() => product?.remove());

  test("an unknown name: those that there are", async () => {
    const { stdout } = await reverie(["doctor", "--json", "--quiet"]);
    const { adapter } = JSON.parse(stdout) as { adapter: { name: string } };
    // Drivers write the name with and without punctuation.
    const word = /^[A-Za-z]+/.exec(adapter.name)?.[0] ?? "";
    await refused("doctor --adapter abacus", EXIT.noAdapter, new RegExp(`no adapter named "abacus": .*${word}`));
  });

  test("a software adapter where a GPU is required", async () => {
    const { stdout } = await reverie(["doctor", "--json", "--quiet"]);
    const { adapter } = JSON.parse(stdout) as { adapter: { software: boolean } };
    if (adapter.software) {
      await refused(
        "doctor --require-gpu",
        EXIT.noAdapter,
        /only the software adapter \S+ is here and --require-gpu was given: install/,
      );
    } else {
      expect((await reverie(["doctor", "--require-gpu"])).code).toBe(0);
    }
  });

  test("no driver: what to run", async () => {
    const environment = {
      ...freshEnvironment(),
      VK_ICD_FILENAMES: inside("none.json"),
      VK_DRIVER_FILES: inside("none.json"),
    };
    const { code, stdout, stderr } = await runChild(product.script, ["doctor"], { environment });
    expect({ code, stdout }).toEqual({ code: EXIT.noAdapter, stdout: "" });
    // Dawn's own lines may come first.
    expect(stderr).toMatch(/(^|\n)reverie: no Vulkan driver: [^\n]*npm run setup[^\n]*\n$/);
    expect(stderr).not.toMatch(/node:internal|\.js:\d+:\d+/);
  });
});

describe("sizes (2)", () => {
  test("units beyond what the adapter can bind: the numbers, and nothing allocated", async () => {
    await refused(
      "train --preset tiny --set rnn.units=16384 --plan",
      EXIT.usage,
      /16384 units .* need a binding of [\d.]+ GiB .* this adapter allows [\d.]+ [MG]iB .*: use a smaller batch, fewer/,
    );
  });

  test("units beyond the workgroup memory of a plan: how many would fit, and which plan takes more", async () => {
    await refused(
      "train --preset tiny --set rnn.units=4096 --plan-kind tile-persistent --plan",
      EXIT.usage,
      /4096 units need 67584 bytes of workgroup memory, this adapter has \d+: at most \d+ units, or --plan-kind step/,
    );
  });

  /** A machine with so little memory. */
  function withMemory(kilobytes: number): void {
    restore();
    const original = fs.readFileSync;
    fs.readFileSync = ((path: unknown, ...rest: never[]) =>
      path === "/proc/meminfo" ? `MemAvailable:   ${kilobytes} kB\n` : original(path as never, ...rest)) as never;
    syncBuiltinESMExports();
    restore = () => {
      fs.readFileSync = original;
      syncBuiltinESMExports();
    };
  }
  let restore = () => {};
  afterEach(() => restore());

  test.runIf(existsSync("/proc/meminfo"))("more than the machine's memory, where the adapter is a CPU", async () => {
    const { stdout } = await reverie(["doctor", "--json", "--quiet"]);
    if (!(JSON.parse(stdout) as { adapter: { software: boolean } }).adapter.software) return;
    withMemory(64);
    const pattern = /needs [\d.]+ KiB, 64 KiB available: use a smaller batch, fewer steps or fewer networks/;
    await refused("train --preset tiny --out @/big", EXIT.usage, pattern);
    withMemory(1);
    const host = /takes [\d.]+ KiB of memory, 1\.0 KiB available: /;
    await refused("paths --preset tiny --out @/big.npz", EXIT.usage, host);
    await refused("replay @/run --out @/big.npz", EXIT.usage, host);
    expect(existsSync(inside("big.npz"))).toBe(false);
  });
});

describe("cases (4)", () => {
  const FIXTURE = join(ROOT, "test", "fixtures", "evaluate-relu.npz");
  type Arrays = Record<string, ArrayToWrite>;

  /** The fixture with some arrays changed, or gone. */
  async function evaluateWith(change: (arrays: Arrays) => Arrays, pattern: RegExp): Promise<void> {
    const arrays = Object.fromEntries(
      [...readNpz(FIXTURE)].map(([name, { data, shape }]) => [name, { data: data.slice(), shape }]),
    );
    writeNpz(inside("case.npz"), change(arrays as Arrays));
    await refused("evaluate --case @/case.npz --out @/out.npz", EXIT.badData, pattern);
    expect(existsSync(inside("out.npz"))).toBe(false);
  }

  const spoil =
    (name: string, at: number, value: number) =>
    (arrays: Arrays): Arrays => {
      (arrays[name] as ArrayToWrite).data[at] = value as never;
      return arrays;
    };
  const replace =
    (name: string, array: ArrayToWrite) =>
    (arrays: Arrays): Arrays => ({ ...arrays, [name]: array });

  test.each<[string, (arrays: Arrays) => Arrays, RegExp]>([
    // u is (T=11, B=5, I=3): element 37 is the first of input 1 of row 2 at step 2.
    ["NaN", spoil("u", 37, Number.NaN), /case\.npz: u: NaN at \(2,2,1\); every value must be a finite number/],
    ["infinity", spoil("W_rec", 14, -Infinity), /case\.npz: W_rec: -Infinity at \(1,1\); every value must be/],
    [
      "more than float32 holds",
      replace("b", { data: Float64Array.of(...Array(12).fill(0), 1e39), shape: [13] }),
      /case\.npz: b: 1e\+39 is beyond float32 at \(12,\)/,
    ],
    [
      "a missing array",
      ({ W_enc: _, ...rest }) => rest,
      /case\.npz: W_enc: missing; the file has W_rec, W_in, b, W_out/,
    ],
    [
      "a wrong shape",
      replace("W_rec", { data: new Float32Array(13 * 12), shape: [13, 12] }),
      /case\.npz: W_rec: expected float32 \(N,N\), found float32 \(13,12\)/,
    ],
    [
      "columns for rows",
      replace("W_in", { data: new Float32Array(39), shape: [3, 13] }),
      /case\.npz: W_in: expected float32 \(N=13,I\), found float32 \(3,13\)/,
    ],
    [
      "an axis too many",
      replace("mask", { data: new Float32Array(55), shape: [11, 5, 1] }),
      /case\.npz: mask: expected float32 \(T=11,B=5\), found float32 \(11,5,1\)/,
    ],
    [
      "a target of other length",
      replace("target", { data: new Float32Array(12 * 25), shape: [12, 5, 5] }),
      /case\.npz: target: expected float32 \(T=11,B=5,O=5\), found float32 \(12,5,5\)/,
    ],
    [
      "a wrong type",
      replace("b", { data: new Int32Array(13), shape: [13] }),
      /case\.npz: b: expected float32 \(N=13,\), found int32 \(13,\)/,
    ],
    [
      "no step at all",
      (arrays) => {
        const { mask, noise, target, ...rest } = arrays;
        return { ...rest, u: { data: new Float32Array(), shape: [0, 5, 3] } };
      },
      /case\.npz: u: holds nothing; every size of a case must be at least 1/,
    ],
  ])("%s", (_, change, pattern) => evaluateWith(change, pattern));

  test.each<[string, string, RegExp]>([
    ["fortran order", "numpy-refused.npz", /numpy-refused\.npz: fortran: .*C order/i],
    ["not there", "none.npz", /none\.npz: no such file; check the path/],
    ["not a .npz", "evaluate-cases.json", /evaluate-cases\.json: damaged or not a \.npz file/],
  ])("%s", async (_, name, pattern) => {
    await refused(`evaluate --case ${join(ROOT, "test", "fixtures", name)} --out @/out.npz`, EXIT.badData, pattern);
  });
});

describe("runs and checkpoints (4)", () => {
  /** A copy of the run whose newest checkpoints are cut short. */
  function damaged(name: string, count: number): string {
    cpSync(inside("run"), inside(name), { recursive: true });
    const newestFirst = readdirSync(inside(name, "checkpoints")).sort().reverse();
    for (const file of newestFirst.slice(0, count)) truncateSync(inside(name, "checkpoints", file), 2000);
    return inside(name);
  }

  test("a damaged checkpoint: the older one, and it says so", async () => {
    const run = damaged("one", 1);
    const { code, stderr } = await reverie(["replay", run, "--out", inside("older.npz")]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/iteration-000020\.npz: damaged.*; going on from iteration-000000\.npz\n/);
    // And training from there comes to the same networks.
    const resumed = await reverie(["train", "--resume", "--out", run]);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/iteration-000020\.npz: damaged.*; going on from iteration-000000\.npz\n/);
    const newest = join("checkpoints", "iteration-000020.npz");
    expect(readFileSync(join(run, newest))).toEqual(readFileSync(inside("run", newest)));
  });

  test("none that is sound: both are named", async () => {
    const run = damaged("both", 2);
    const both = /no sound checkpoint \(found iteration-000020\.npz, iteration-000000\.npz\): .*damaged.*damaged/;
    await refused(`replay ${run}`, EXIT.badData, both);
    await refused(`train --resume --out ${run}`, EXIT.badData, both);
  });

  test("none at all", async () => {
    cpSync(inside("run"), inside("bare"), { recursive: true });
    rmSync(inside("bare", "checkpoints"), { recursive: true });
    await refused("replay @/bare", EXIT.badData, /bare: no sound checkpoint \(none found\): train first/);
    await refused("train --resume --out @/bare", EXIT.badData, /bare: no sound checkpoint \(none found\)/);
  });

  test.each<[string, RegExp]>([
    ["train --resume --preset tiny --out @/nowhere", /nowhere: no run to resume \(nothing is there\)/],
    ["report @/nowhere", /nowhere: no run or sweep here .*check the path/],
    ["replay @/nowhere", /nowhere: no run here \(config\.json is missing\); check the path/],
  ])("%s", (line, pattern) => refused(line, EXIT.badData, pattern));

  test("a replay file that belongs to other conditions", async () => {
    cpSync(inside("run"), inside("other"), { recursive: true });
    mkdirSync(inside("other", "replay"));
    writeNpz(inside("other", "replay", "replay.npz"), { positions_plain: { data: new Float32Array(4) } });
    await refused("report @/other", EXIT.badData, /replay\.npz: awake_positions is missing; write the file again with/);
  });
});

describe("places that cannot be written (8)", () => {
  // The tests may run as root, to whom no permission is denied: only what no one can do.
  beforeAll(() => {
    writeFileSync(inside("file"), "");
    mkdirSync(inside("folder.npz"));
  });
  const CASE = join(ROOT, "test", "fixtures", "evaluate-relu.npz");

  test.each<[string, RegExp]>([
    ["start --preset tiny --out @/file/run", /a file stands where a folder is needed; choose another path/],
    [
      "train --preset tiny --out @/file",
      /a file stands where a folder is needed|a file of that name stands in the way/,
    ],
    ["replay @/run --out @/file/x.npz", /a file stands where a folder is needed|a file of that name/],
    ["replay @/run --out @/folder.npz", /folder\.npz: a folder stands where a file is needed; choose another path/],
    ["paths --preset tiny --out @/file/x.npz", /a file stands where a folder is needed|a file of that name/],
    [`evaluate --case ${CASE} --out @/file/x.npz`, /a file stands where a folder is needed|a file of that name/],
    [`evaluate --case ${CASE} --out @/folder.npz`, /folder\.npz: a folder stands where a file is needed/],
    ["report @/run --out @/file", /a file stands where a folder is needed|a file of that name stands in the way/],
  ])("%s", (line, pattern) => refused(line, EXIT.disk, pattern));

  test.runIf(existsSync("/proc/self"))("a file system that holds no files of ours", () =>
    refused("paths --preset tiny --out /proc/reverie/x.npz", EXIT.disk, /\/proc\/reverie: .*; (choose|create)/),
  );

  test.each([
    ["replay", "replay @/run"],
    ["paths", "paths --preset tiny"],
    ["evaluate", `evaluate --case ${CASE}`],
  ])("%s knows before the work begins: the GPU, whose name would come first, is not even opened", async (_, line) => {
    const argv = `${line} --out @/folder.npz`.split(" ").map((word) => word.replace("@", folder));
    expectRefusal(await reverie(argv), EXIT.disk, /folder\.npz: a folder stands where a file is needed/);
  });
});
