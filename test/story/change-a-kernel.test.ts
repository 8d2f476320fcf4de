/** The worked example of shaders/README.md, done in a copy of the product with the very lines that the page shows. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BuiltCommandLine, buildProduct, freshEnvironment, ROOT, runChild, transpile } from "./command-line.ts";

interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Fenced blocks `diff FILE`: lines that go, lines that come. */
function editsOf(page: string): Edit[] {
  return [...page.matchAll(/^```diff (\S+)\n([\s\S]*?)^```$/gm)].map(([, file, body]) => {
    const lines = (body as string).split("\n");
    const side = (sign: string) => lines.filter((l) => l.startsWith(sign)).map((l) => `${l.slice(1)}\n`);
    return { file: file as string, from: side("-").join(""), to: side("+").join("") };
  });
}

const EDITS = editsOf(readFileSync(join(ROOT, "shaders", "README.md"), "utf8"));

let product: BuiltCommandLine;
/** The text of the files that the example changes, as it is now. */
const texts = new Map<string, string>();

function apply({ file, from, to }: Edit): void {
  const before = texts.get(file) ?? readFileSync(join(ROOT, file), "utf8");
  expect(before.split(from), `${file} has once: ${from}`).toHaveLength(2);
  texts.set(
    file,
    before.replace(from, () => to),
  );
  writeFileSync(join(product.folder, file.replace(/^src\//, "dist/")), texts.get(file) as string);
  if (!file.endsWith(".ts")) return;
  const built = join(product.folder, file.replace(/^src\//, "dist/"));
  writeFileSync(built.replace(/\.ts$/, ".js"), transpile(built));
}

/** One nonlinearity, one plan and few inputs: what else there is imports the same file. */
const CHECK = `
import { openGpu } from "./dist/gpu/open-node.js";
import { gradcheck } from "./dist/run/gradcheck.js";
const gpu = await openGpu();
const kinds = ({ reference }) => (reference.activation === "relu" && reference.shape.inputs < 16 ? ["step"] : []);
const { failures, suspects } = await gradcheck(gpu, { cases: 40, seed: 1, kinds });
await gpu.close();
console.log(JSON.stringify({ tensors: [...new Set(failures.map((f) => f.tensor))].sort(), suspects }));`;

async function check(): Promise<{ tensors: string[]; suspects: string[] }> {
  const script = join(product.folder, "check.mjs");
  const { code, stdout, stderr } = await runChild(script, [], {
    cwd: product.folder,
    environment: freshEnvironment(),
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

beforeAll(() => {
  product = buildProduct();
  writeFileSync(join(product.folder, "check.mjs"), CHECK);
});
afterAll(() => product?.remove());

test("a new rule of adaptation: the check names the adjoint that is missing, then passes", async () => {
  expect(EDITS.map((edit) => edit.file)).toEqual([
    ...Array(3).fill("src/reference/dynamics.ts"),
    ...Array(3).fill("shaders/lib/dynamics.wgsl"),
  ]);
  for (const edit of EDITS.slice(0, 4)) apply(edit);
  const forward = await check();
  expect(forward).toMatchObject({ suspects: ["adaptation"] });
  // States, readouts and loss agree.
  expect(forward.tensors.filter((name) => !name.startsWith("d"))).toEqual([]);
  for (const edit of EDITS.slice(4)) apply(edit);
  expect(await check()).toEqual({ tensors: [], suspects: [] });
}, 240_000);
