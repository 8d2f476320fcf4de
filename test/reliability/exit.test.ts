/**
 * Figure 13: however a process ends, it ends by itself and with the right code, although the collector runs all the time:
 * an object of the GPU that was not held for life would take the process down.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EXIT } from "../../src/errors.ts";
import { type BuiltCommandLine, buildProduct } from "../story/command-line.ts";
import { live } from "./children.ts";
import { addedUp, record, scale } from "./record.ts";

const RUNS = scale(9, 207);

let product: BuiltCommandLine;
let folder: string;
const at = (...parts: string[]): string => join(folder, ...parts);
const TINY = ["--preset", "tiny", "--set", "train.iterations=20"];

beforeAll(async () => {
  product = buildProduct();
  folder = mkdtempSync(join(tmpdir(), "reverie-exit-"));
  expect((await live(product, ["train", ...TINY, "--out", at("run")])).code).toBe(0);
});
afterAll(() => {
  product?.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** A way out: the command line, the signals on the way, and the code that it must end with. */
interface Way {
  readonly name: string;
  readonly argv: (i: number) => string[];
  readonly signals?: readonly NodeJS.Signals[];
  readonly code: number;
}

const LONG = ["--preset", "tiny", "--set", "train.iterations=100000"];
const SWEEP = ["--grid", "friction=0.1:1:40", "--repeats", "64", "--steps", "400"];
const DIVERGING = [...TINY, "--set", "train.learningRate=100", "--set", "rnn.initialGain=1e6"];

const WAYS: readonly Way[] = [
  { name: "help", argv: () => ["--help"], code: 0 },
  { name: "done", argv: (i) => ["train", ...TINY, "--out", at(`done-${i}`)], code: 0 },
  { name: "a wrong key", argv: () => ["train", "--set", "rnn.hiden=1"], code: EXIT.usage },
  { name: "nothing to read", argv: () => ["replay", at("nowhere")], code: EXIT.badData },
  { name: "diverged", argv: (i) => ["train", ...DIVERGING, "--out", at(`nan-${i}`)], code: EXIT.diverged },
  { name: "Ctrl-C", argv: (i) => ["train", ...LONG, "--out", at(`int-${i}`)], signals: ["SIGINT"], code: 130 },
  {
    name: "SIGTERM",
    argv: (i) => ["sweep", at("run"), ...SWEEP, "--out", at(`term-${i}`)],
    signals: ["SIGTERM"],
    code: 143,
  },
  {
    name: "Ctrl-C twice",
    argv: (i) => ["train", ...LONG, "--out", at(`twice-${i}`)],
    signals: ["SIGINT", "SIGINT"],
    code: 130,
  },
  {
    name: "a place that cannot be written",
    argv: () => ["paths", "--preset", "tiny", "--out", "/dev/null/x"],
    code: EXIT.disk,
  },
];

test(`${RUNS} ends under forced garbage collection: the right code, each`, async () => {
  const abnormal: string[] = [];
  const count = new Map<string, number>();
  const end = async (i: number): Promise<void> => {
    const way = WAYS[i % WAYS.length] as Way;
    const { code, signal, stderr } = await live(product, way.argv(i), {
      collect: true,
      ...(way.signals ? { signals: way.signals } : {}),
    });
    count.set(way.name, (count.get(way.name) ?? 0) + 1);
    if (code !== way.code)
      abnormal.push(`${way.name}: ${signal ?? code} instead of ${way.code}: ${stderr.slice(-300)}`);
  };
  // Two at a time: most of a process's life is its start, on one core.
  const lanes = [0, 1].map(async (lane) => {
    for (let i = lane; i < RUNS; i += 2) await end(i);
  });
  await Promise.all(lanes);
  expect(abnormal).toEqual([]);
  const { sums, pieces } = addedUp("exit", { runs: RUNS });
  record(
    "exit",
    {
      order: 13,
      figure: "Ends of a process under forced garbage collection, over all exit paths",
      required: "200 runs, 0 abnormal",
      result: `${sums.runs} runs over ${count.size} ways (${[...count.keys()].join(", ")}): 0 abnormal`,
      command: "npm run test:soak -- exit",
    },
    null,
    pieces,
  );
}, 1_800_000);
