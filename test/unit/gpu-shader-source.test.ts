import { describe, expect, test } from "vitest";
import { ShaderError } from "../../src/errors.ts";
import { assembleShader, type ShaderReader } from "../../src/gpu/shader-source.ts";

const files =
  (table: Record<string, string>): ShaderReader =>
  (path) => {
    const text = table[path];
    if (text === undefined) throw new ShaderError(`no ${path}`);
    return text;
  };

describe("imports", () => {
  test("come before the importer, each file once", () => {
    const read = files({
      "a.wgsl": '//! import "lib/b.wgsl"\n//! import "lib/c.wgsl"\nconst A = 1;',
      "lib/b.wgsl": '//! import "lib/c.wgsl"\nconst B = 1;',
      "lib/c.wgsl": "const C = 1;",
    });
    const { code } = assembleShader("a.wgsl", read);
    const order = [...code.matchAll(/const (\w)/g)].map((m) => m[1]);
    expect(order).toEqual(["C", "B", "A"]);
  });

  test("in a circle are refused with the way round", () => {
    const read = files({ "a.wgsl": '//! import "b.wgsl"', "b.wgsl": '//! import "a.wgsl"' });
    expect(() => assembleShader("a.wgsl", read)).toThrow("a.wgsl → b.wgsl → a.wgsl");
  });

  test("keep a line map to the true file and line", () => {
    const read = files({ "a.wgsl": '//! import "b.wgsl"\nconst A = 1;', "b.wgsl": "const B = 1;\nconst B2 = 1;" });
    const { code, origin } = assembleShader("a.wgsl", read);
    const line = (text: string) => code.split("\n").indexOf(text) + 1;
    expect(origin(line("const B2 = 1;"))).toEqual({ file: "shaders/b.wgsl", line: 2 });
    expect(origin(line("const A = 1;"))).toEqual({ file: "shaders/a.wgsl", line: 2 });
  });

  test("lift `enable` to the top, once, without moving a line of the map", () => {
    const read = files({
      "a.wgsl": '//! import "b.wgsl"\nenable subgroups;\nconst A = 1;',
      "b.wgsl": "enable subgroups;\nconst B = 1;",
    });
    const { code, origin } = assembleShader("a.wgsl", read);
    expect(code.split("\n").filter((l) => l.includes("enable"))).toEqual(["enable subgroups;"]);
    expect(code.startsWith("enable subgroups;")).toBe(true);
    expect(origin(code.split("\n").indexOf("const A = 1;") + 1)).toEqual({ file: "shaders/a.wgsl", line: 3 });
  });
});

describe("tune constants", () => {
  const read = files({
    "a.wgsl": "const ROWS: u32 = 8u; //! tune\nconst KEPT: u32 = 8u;\nconst S: f32 = 0.5; //! tune: why",
  });

  test("are rewritten where they are marked, and only there", () => {
    const { code } = assembleShader("a.wgsl", read, { ROWS: 16, S: 2 });
    expect(code).toContain("const ROWS: u32 = 16u;");
    expect(code).toContain("const KEPT: u32 = 8u;");
    expect(code).toContain("const S: f32 = 2f;");
  });

  test.each([
    [{ COLUMNS: 3 }, "a.wgsl has no tune constant COLUMNS"],
    [{ KEPT: 3 }, "a.wgsl has no tune constant KEPT"],
    [{ ROWS: 1.5 }, "ROWS: 1.5 is not a u32"],
    [{ ROWS: -1 }, "ROWS: -1 is not a u32"],
  ])("%j is refused", (tune, message) => {
    expect(() => assembleShader("a.wgsl", read, tune)).toThrow(message);
  });
});

describe("a choice between imports", () => {
  const read = files({
    "a.wgsl": '//! import "wide.wgsl" or HALF "narrow.wgsl"\nconst A = 1;',
    "wide.wgsl": "const WIDE = 1;",
    "narrow.wgsl": "const NARROW = 1;",
  });

  test("is the first file unless the tune says 1", () => {
    for (const tune of [{}, { HALF: 0 }]) expect(assembleShader("a.wgsl", read, tune).code).toContain("WIDE");
    const { code } = assembleShader("a.wgsl", read, { HALF: 1 });
    expect(code).toContain("NARROW");
    expect(code).not.toContain("WIDE");
  });

  test("does not make a misspelt constant pass", () => {
    expect(() => assembleShader("a.wgsl", read, { HALVE: 1 })).toThrow("no tune constant HALVE");
  });
});
