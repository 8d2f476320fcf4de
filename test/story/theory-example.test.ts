/** The example of src/theory/README.md: as typed as a reader's own program, and run, on its own short training. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, expect, test, vi } from "vitest";
import * as library from "../../src/index.ts";
import { ROOT } from "./command-line.ts";

const folder = mkdtempSync(join(tmpdir(), "reverie-theory-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const page = readFileSync(join(ROOT, "src/theory/README.md"), "utf8");
const example = /```ts\n([\s\S]*?)```/.exec(page)?.[1] as string;

test("it has every name that it uses", () => {
  const file = join(ROOT, "test/story/example-of-theory.ts");
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  const text = example.replace('"reverie"', '"../../src/index.ts"');
  host.getSourceFile = (name, target) => (name === file ? ts.createSourceFile(name, text, target) : read(name, target));
  const program = ts.createProgram([file], { ...options, noEmit: true }, host);
  const found = ts.getPreEmitDiagnostics(program, program.getSourceFile(file));
  expect(found.map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"))).toEqual([]);
}, 60_000);

test("it runs, and prints a gain between nothing and all", async () => {
  const { outputText } = ts.transpileModule(example, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const body = outputText
    .replace(/^import \{(.*)\} from "reverie";$/m, "const {$1} = library;")
    .replace(/runs\//, `${folder}/`);
  const printed = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor;
  await AsyncFunction("library", body)(library);
  const K = printed.mock.calls[0]?.[0] as { rows: number; columns: number; data: Float64Array };
  printed.mockRestore();
  expect([K.rows, K.columns]).toEqual([2, 2]);
  const [a = 0, , , d = 0] = K.data;
  for (const x of [a, d]) expect(x).toSatisfy((k: number) => k > 0 && k < 1);
}, 60_000);
