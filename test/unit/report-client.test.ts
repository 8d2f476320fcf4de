import ts from "typescript";
import { describe, expect, test } from "vitest";
import { CLIENT_SCRIPT } from "../../src/report/client.ts";

describe("the pages' own script", () => {
  test("has no mistake that a compiler with a browser's types can see", () => {
    const name = "client.js";
    const options: ts.CompilerOptions = {
      allowJs: true,
      checkJs: true,
      noEmit: true,
      noImplicitAny: false,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
      target: ts.ScriptTarget.ES2023,
      types: [],
    };
    const host = ts.createCompilerHost(options);
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (file, ...rest) =>
      file === name ? ts.createSourceFile(file, CLIENT_SCRIPT, ts.ScriptTarget.ES2023, true) : read(file, ...rest);
    const program = ts.createProgram([name], options, host);
    const found = [...program.getSyntacticDiagnostics(), ...program.getSemanticDiagnostics()];
    expect(found.map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"))).toEqual([]);
  });

  test("cannot end the element that holds it", () => {
    expect(CLIENT_SCRIPT).not.toMatch(/<\/script|<!--/i);
  });
});
