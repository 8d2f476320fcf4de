/** `reverie kernels`: what the shaders say of themselves, without a GPU. */
import { describe, expect, test } from "vitest";
import type { KernelDescription } from "../../src/kernels/catalog.ts";
import { assembled, KERNELS } from "../kernels.ts";
import { ONE_LINE, reverie } from "./command-line.ts";

describe("reverie kernels", () => {
  test("lists every kernel once, under a head that names the columns", async () => {
    const { code, stdout } = await reverie(["kernels"]);
    expect(code).toBe(0);
    const lines = stdout.split("\n");
    expect(lines[0]).toMatch(/^kernel +workgroup +buffers +uniforms +tune +arithmetic +special +memory +open loops$/);
    const listed = lines.slice(1, KERNELS.length + 1).map((line) => line.split(" ")[0]);
    expect(listed).toEqual(KERNELS);
  });

  test("as JSON: bindings and layouts are those that the host packs by", async () => {
    const { stdout } = await reverie(["kernels", "--json"]);
    const all = JSON.parse(stdout) as KernelDescription[];
    expect(all.map((k) => k.name)).toEqual(KERNELS);
    for (const own of all) {
      expect(own.bindings).toEqual(assembled(own.name).interface.bindings);
      expect(own.computes, own.name).toMatch(/\S{3}/);
    }
    const step = all.find((k) => k.name === "rnn/step_forward") as KernelDescription;
    expect(step.computes).toContain("one step t0 of the cell");
    expect(step.tune.map((t) => t.name)).toContain("ACTIVATION");
    // A tile of a product: more than a hundred multiplications, and the noise's square root.
    expect(step.cost.arithmetic).toBeGreaterThan(100);
    expect(step.cost.special).toBeGreaterThan(0);
  });

  test("one kernel: its layouts field by field; by part of a name: all that fit", async () => {
    const { stdout } = await reverie(["kernels", "optim/adam"]);
    expect(stdout).toMatch(/^optim\/adam {3}shaders\/optim\/adam\.wgsl, entry adam_step, workgroup 256×1×1$/m);
    expect(stdout).toMatch(/^ {6}epsilon +f32 +32$/m);
    const tiles = await reverie(["kernels", "_tile"]);
    expect(tiles.stdout.match(/^\w+\/\w+_tile {3}/gm)?.length).toBeGreaterThan(1);
  });

  test("--wgsl prints what the GPU gets", async () => {
    const { stdout } = await reverie(["kernels", "rnn/affine_tile", "--wgsl"]);
    expect(stdout.trimEnd()).toBe(assembled("rnn/affine_tile").source.code.trimEnd());
    const many = await reverie(["kernels", "--wgsl"]);
    expect(many.code).toBe(2);
    expect(many.stderr).toMatch(ONE_LINE);
  });

  test("an unknown name is refused", async () => {
    const { code, stderr } = await reverie(["kernels", "rnn/forwards"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/no kernel is called rnn\/forwards/);
  });
});
