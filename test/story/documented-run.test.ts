/**
 * Every documented command of reverie does its work, on networks, grids and times made small: the words that are changed
 * are listed here. `npm run test:documented`; in the default run `documented-commands.test.ts` sends them through the parser.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../src/errors.ts";
import { writeNpz } from "../../src/io/npz.ts";
import { TENSOR_NAMES } from "../../src/model/parameters.ts";
import { ROOT, reverie } from "./command-line.ts";
import { type Documented, OURS, words } from "./documented.ts";

const enabled = process.env.REVERIE_DOCUMENTED === "1";

const TRAINING = ["train.iterations=6", "train.batch=16", "test.trajectories=32"];
const REPLAY = ["replay.steps=24", "replay.repeats=4"];
const settings = (list: readonly string[]): string[] => list.flatMap((entry) => ["--set", entry]);

/** The same work, less of it. */
function small(argv: readonly string[]): string[] {
  const [verb] = argv;
  if (argv.includes("--plan")) return [...argv];
  if (verb === "train" || verb === "start") {
    return argv.includes("--resume") ? [...argv] : [...argv, ...settings([...TRAINING, ...REPLAY])];
  }
  if (verb === "replay") return [...argv, ...settings(REPLAY)];
  if (verb === "import") return [...argv, ...settings(TRAINING)];
  if (verb === "sweep") {
    return [...argv.map((w) => w.replace(/:\d+$/, ":2").replace(/^32$/, "3")), "--steps", "20"];
  }
  if (verb === "profile") return [...argv, "--repeats", "2", "--batch", "32", "--steps", "4"];
  if (verb === "paths") return argv.map((w) => (w === "100" ? "8" : w));
  if (verb !== "paper") return [...argv];
  // The quick reproduction as a whole has a story of its own.
  const rest = argv.filter((w, i) => !["--quick", "--only"].includes(w) && argv[i - 1] !== "--only");
  const again = rest.includes("--resume") ? [] : ["--force"];
  return [
    ...rest,
    "--quick",
    "--only",
    "estimation",
    ...again,
    ...(rest.includes("--out") ? [] : ["--out", "runs/paper"]),
  ];
}

/** What a page takes for granted when it gives a command. */
const GIVEN: readonly (readonly [string, () => Promise<void>])[] = [
  [
    "runs/tmaze",
    async () => {
      const shape = ["rnn.units=128", "seeds=[0]"];
      await done([
        "train",
        "--preset",
        "tmaze",
        ...settings([...shape, ...TRAINING, ...REPLAY]),
        "--out",
        "runs/tmaze",
      ]);
      await done(["replay", "runs/tmaze"]);
    },
  ],
  ["weights.npz", () => done(["dump", "runs/tmaze", "--include", "W_*,b*", "--out", "weights.npz"])],
  [
    "weights.safetensors",
    () => done(["dump", "runs/tmaze", "--format", "safetensors", "--out", "weights.safetensors"]),
  ],
  ["a.npz", async () => copyFileSync("weights.npz", "a.npz")],
  ["b.npz", async () => copyFileSync("weights.npz", "b.npz")],
  [
    "names.json",
    async () =>
      writeFileSync("names.json", JSON.stringify(Object.fromEntries(TENSOR_NAMES.map((name) => [name, name])))),
  ],
  [
    "my-replays.npz",
    async () =>
      writeNpz("my-replays.npz", { positions: { data: new Float32Array(6 * 40 * 2).fill(0.1), shape: [6, 40, 2] } }),
  ],
  ["theirs.npz", async () => copyFileSync("my-replays.npz", "theirs.npz")],
  ["ours.npz", async () => copyFileSync("my-replays.npz", "ours.npz")],
  ["mine.wgsl", async () => copyFileSync(join(ROOT, "shaders/rnn/rollout_own_row.wgsl"), "mine.wgsl")],
  [
    "before.json",
    () =>
      done(["profile", "--shape", "anchor", "--repeats", "2", "--batch", "32", "--steps", "4", "--out", "before.json"]),
  ],
  [
    "centres.csv",
    async () =>
      writeFileSync("centres.csv", Array.from({ length: 512 }, (_, i) => `${(i % 32) / 15},${i / 256}`).join("\n")),
  ],
];

async function done(argv: readonly string[], allowed: readonly number[] = [EXIT.ok]): Promise<void> {
  const { code, stderr } = await reverie(argv);
  expect(allowed, `reverie ${argv.join(" ")}: ${stderr}`).toContain(code);
}

/** Weights as RNNReactivation names them, of the page's size. */
function predecessor(): void {
  const n = 512;
  const random = (length: number) => Float32Array.from({ length }, (_, i) => 0.02 * Math.sin(12.9898 * (i + 1)));
  writeNpz("weights.npz", {
    "w_rec.weight": { data: random(n * n), shape: [n, n] },
    "w_in.weight": { data: random(n * 2), shape: [n, 2] },
    "w_out.weight": { data: random(n * n), shape: [n, n] },
    "encoder.weight": { data: random(n * n), shape: [n, n] },
  });
}

/** `setup` brings drivers from the network: `npm run test:package` has it do so. */
const ELSEWHERE = ["setup"];
const seen = new Set<string>();
const commands = OURS.map(({ page, line }) => ({ page, argv: words(line.replace(/^npx /, "")).slice(1) })).filter(
  ({ argv }) => {
    const key = argv.join(" ");
    const isNew = !seen.has(key) && !ELSEWHERE.includes(argv[0] as string);
    seen.add(key);
    // A verb alone is the name of one, but for those that need nothing else.
    return isNew && (argv.length > 1 || ["profile", "schema", "--help"].includes(argv[0] as string));
  },
);

describe.skipIf(!enabled)("every documented command, made small", () => {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), "reverie-documented-"));
  beforeAll(async () => {
    process.chdir(folder);
    mkdirSync("runs");
    symlinkSync(join(ROOT, "scripts"), "scripts");
    for (const [path, make] of GIVEN) if (!existsSync(path)) await make();
  }, 600_000);
  afterAll(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(commands)(
    "$page: $argv",
    async ({ argv }: Omit<Documented, "line"> & { argv: string[] }) => {
      // Pages stand for themselves: a run that another page's command made does not stop this one's.
      const out = argv[argv.indexOf("--out") + 1];
      const makesRun = out?.startsWith("runs/") && !argv.includes("--resume") && !argv.includes("--plan");
      if (makesRun && out !== undefined) rmSync(out, { recursive: true, force: true });
      if (argv.includes("--uniform-noise")) predecessor();
      // A profile of so little may well differ from the one before.
      await done(small(argv), argv.includes("--compare") ? [EXIT.ok, EXIT.slower] : [EXIT.ok]);
      if (argv.includes("--uniform-noise")) await GIVEN.find(([path]) => path === "weights.npz")?.[1]();
    },
    600_000,
  );
});
