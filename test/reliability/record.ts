/**
 * Figures of reliability: the tests here run small in `npm test` and large under `npm run test:soak`, and say in one line
 * what they found. A soak also leaves that line in scripts/reliability/results, from which the README's table is made.
 *
 * REVERIE_SOAK=1: the large counts, or with REVERIE_SHARE=0.2 a fifth of them. REVERIE_SEED: another selection of the
 * random cases (default 1). Where a figure adds up, shares of several seeds do: a lane need not run in one go.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AdapterFacts } from "../../src/gpu/adapter.ts";
import { ROOT } from "../story/command-line.ts";

export const SOAK = process.env.REVERIE_SOAK === "1";
export const SEED = Number(process.env.REVERIE_SEED ?? 1);

/** The number of cases: of every run of the tests, and of a soak. */
export const scale = (always: number, soak: number): number =>
  SOAK ? Math.max(always, Math.ceil(soak * Number(process.env.REVERIE_SHARE ?? 1))) : always;

export interface Figure {
  /** Its number among the figures to hit, by which the table is sorted. */
  readonly order: number;
  readonly figure: string;
  readonly required: string;
  readonly result: string;
  /** What computes it again. */
  readonly command: string;
}

const FOLDER = join(ROOT, "scripts", "reliability", "results");

type Counts = Readonly<Record<string, number>>;

/** Counts of this run, and under a soak of earlier ones with other seeds. */
export function addedUp<T extends Counts>(name: string, counts: T): { sums: T; pieces: Record<string, Counts> } {
  const file = join(FOLDER, `${name}.json`);
  const earlier = SOAK && existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).pieces : {};
  const pieces: Record<string, Counts> = { ...earlier, [SEED]: counts };
  const sum = (key: string) => Object.values(pieces).reduce((total, piece) => total + (piece[key] ?? 0), 0);
  return { sums: Object.fromEntries(Object.keys(counts).map((key) => [key, sum(key)])) as T, pieces };
}

/** Prints the figure, and under a soak writes it, with the counts that it is made of. */
export function record(
  name: string,
  figure: Figure,
  adapter: Pick<AdapterFacts, "name" | "driver"> | null,
  pieces?: Record<string, Counts>,
): void {
  process.stdout.write(`reliability: ${figure.figure}: ${figure.result} (required: ${figure.required})\n`);
  if (!SOAK) return;
  mkdirSync(FOLDER, { recursive: true });
  const where = adapter === null ? {} : { adapter: adapter.name, driver: adapter.driver };
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(
    join(FOLDER, `${name}.json`),
    `${JSON.stringify({ ...figure, ...where, seed: SEED, date, ...(pieces ? { pieces } : {}) }, null, 2)}\n`,
  );
}
