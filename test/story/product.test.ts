/** The product is what it says it is: its numbers come from the WGSL, none from the reference, none from Node. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNpz, writeNpz } from "../../src/io/npz.ts";
import {
  type BuiltCommandLine,
  buildProduct,
  freshEnvironment,
  ROOT,
  runChild,
  transpile,
  withoutNativeWarnings,
} from "./command-line.ts";

describe("the product without the reference", () => {
  let product: BuiltCommandLine;
  const inside = (...parts: string[]): string => join(product.folder, ...parts);

  beforeAll(() => {
    product = buildProduct();
    rmSync(inside("dist", "reference"), { recursive: true });
    writeCase(inside("case.npz"));
  });
  afterAll(() => product?.remove());

  /** A network of 5 units, written down rather than drawn: any numbers of order 1 will do. */
  function writeCase(path: string): void {
    const [N, B, T] = [5, 3, 7];
    const wave = (shape: number[], scale: number) => ({
      data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => scale * Math.sin(1 + 2.3 * i)),
      shape,
    });
    writeNpz(path, {
      ...{ W_rec: wave([N, N], 0.4), W_in: wave([N, 2], 0.5), b: wave([N], 0.1) },
      ...{ W_out: wave([2, N], 0.5), b_out: wave([2], 0.1), W_enc: wave([N, 2], 1), b_enc: wave([N], 0.1) },
      ...{ e0: wave([B, 2], 1), u: wave([T, B, 2], 1), noise: wave([T, B, N], 0.05), target: wave([T, B, 2], 1) },
    });
  }

  async function run(...argv: string[]): Promise<void> {
    const { code, stderr } = await runChild(product.script, ["--quiet", ...argv], {
      cwd: product.folder,
      environment: freshEnvironment(),
    });
    expect(withoutNativeWarnings(stderr)).toBe("");
    expect(code).toBe(0);
  }

  const SHORT = ["--set", "train.iterations=3"];

  /** Trains into `run`, replays the networks of the run `of`, evaluates the case; the numbers that come out. */
  async function numbers(name: string, of: string): Promise<Record<string, Float32Array>> {
    await run("train", "--preset", "tiny", ...SHORT, "--out", `run-${name}`);
    await run("replay", `run-${of}`, "--out", `replay-${name}.npz`);
    await run("evaluate", "--case", "case.npz", "--out", `evaluation-${name}.npz`, "--friction", "0.6");
    const log = readFileSync(inside(`run-${name}`, "train.jsonl"), "utf8")
      .trim()
      .split("\n");
    const losses = log.flatMap((line) => (JSON.parse(line) as { loss: number[] }).loss);
    const positions = readNpz(inside(`replay-${name}.npz`)).get("positions_plain")?.data;
    const evaluation = readNpz(inside(`evaluation-${name}.npz`));
    return {
      losses: Float32Array.from(losses),
      positions: positions as Float32Array,
      states: evaluation.get("r")?.data as Float32Array,
      gradient: evaluation.get("grad_W_rec")?.data as Float32Array,
    };
  }

  /** Changes the leak in one line of the step's equation. */
  function halveLeak(): void {
    const path = inside("shaders", "lib", "dynamics.wgsl");
    const before = readFileSync(path, "utf8").split("\n");
    const after = before.map((line) => line.replace("fma(vec4f(-p.leak), r,", "fma(vec4f(-0.5 * p.leak), r,"));
    expect(after.filter((line, i) => line !== before[i])).toHaveLength(1);
    writeFileSync(path, after.join("\n"));
  }

  test("trains, replays and evaluates; one line of the cell's WGSL changes all three", async () => {
    const first = await numbers("first", "first");
    for (const values of Object.values(first)) {
      expect(values.length).toBeGreaterThan(0);
      expect(values.every(Number.isFinite)).toBe(true);
    }
    halveLeak();
    // The same networks as before: what changes a replay is the cell that it runs, not other training.
    const second = await numbers("second", "first");
    for (const [name, values] of Object.entries(second)) {
      const before = first[name] as Float32Array;
      expect(values).toHaveLength(before.length);
      const largest = Math.max(...before.map(Math.abs));
      const change = Math.max(...values.map((value, i) => Math.abs(value - (before[i] as number))));
      // Rounding alone would be below a millionth.
      expect(change / largest, name).toBeGreaterThan(1e-3);
    }
  }, 180_000);
});

describe("what imports what", () => {
  const SRC = join(ROOT, "src");
  const FILES = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && !file.endsWith(".d.ts"),
  );
  /** Without comments, and without types: an import of types is gone when the program runs. */
  const code = new Map(FILES.map((file) => [file, transpile(join(SRC, file), { removeComments: true })]));

  interface Import {
    readonly from: string;
    readonly to: string;
  }

  /** Of packages by name, of files by path under `src`; static, dynamic and re-exported. */
  const imports: readonly Import[] = [...code].flatMap(([from, text]) =>
    ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => {
      const isFile = fileName.startsWith(".");
      const path = relative(SRC, join(SRC, from, "..", fileName)).replace(/\.js$/, ".ts");
      return { from, to: isFile ? path : fileName };
    }),
  );

  const CORE = ["gpu", "kernels", "model", "task", "code", "train", "replay", "evaluate", "dump"];
  const UNDER_NODE = ["gpu/open-node.ts", "gpu/local-driver.ts"];
  const isCore = (file: string) => CORE.includes(file.split("/")[0] as string) && !UNDER_NODE.includes(file);

  test("the scan sees files, packages and what is loaded late", () => {
    expect(FILES.length).toBeGreaterThan(100);
    expect(imports).toContainEqual({ from: "run/doctor.ts", to: "run/gradcheck.ts" });
    expect(imports).toContainEqual({ from: "cli/main.ts", to: "cli/program.ts" });
    expect(imports).toContainEqual({ from: "gpu/open-node.ts", to: "webgpu" });
    expect(FILES.filter(isCore).length).toBeGreaterThan(20);
  });

  test("nothing but the gradient check and the audit knows the reference", () => {
    const users = imports.filter(({ from, to }) => to.startsWith("reference/") && !from.startsWith("reference/"));
    const isAudit = (file: string) => file.startsWith("audit/");
    expect(users.filter(({ from }) => from !== "run/gradcheck.ts" && !isAudit(from))).toEqual([]);
    // The audit looks at results and gives none: whoever runs a sweep or a replay asks it, and nobody else does.
    const asking = imports.filter(({ from, to }) => isAudit(to) && !isAudit(from));
    expect([...new Set(asking.map(({ from }) => from))]).toEqual(["run/sweep.ts"]);
    // And it is loaded only when it is asked for.
    expect(imports.filter(({ to }) => to === "run/gradcheck.ts").map(({ from }) => from)).toEqual(["run/doctor.ts"]);
    expect(code.get("run/doctor.ts")).toMatch(/await import\("\.\/gradcheck\.js"\)/);
  });

  test("one file knows the package that reads WGSL, one the package that runs it", () => {
    const users = (name: string) => imports.filter(({ to }) => to.split("/")[0] === name).map(({ from }) => from);
    expect(users("wgsl_reflect")).toEqual(["gpu/reflect.ts"]);
    expect(users("webgpu")).toEqual(["gpu/open-node.ts"]);
  });

  test("the core could run in a browser: it reaches nothing of Node's, however far one follows its imports", () => {
    const reached = new Set<string>();
    const follow = (file: string): void => {
      if (reached.has(file)) return;
      reached.add(file);
      for (const { from, to } of imports) if (from === file && code.has(to)) follow(to);
    };
    for (const file of FILES.filter(isCore)) follow(file);
    const packages = imports.filter(({ from, to }) => reached.has(from) && !code.has(to));
    expect(packages).toEqual([{ from: "gpu/reflect.ts", to: "wgsl_reflect/wgsl_reflect.module.js" }]);
    const globals = [...reached].filter((file) =>
      /\b(process|Buffer|require|__dirname)\b[.([]/.test(code.get(file) ?? ""),
    );
    expect(globals).toEqual([]);
  });

  test("shader text lives in .wgsl files only", () => {
    const wgsl = [...code].filter(([, text]) => /@compute|@group\(|@workgroup_size\(/.test(text));
    expect(wgsl.map(([file]) => file)).toEqual([]);
  });
});
