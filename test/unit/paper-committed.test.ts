/**
 * The committed results of the last full reproduction: judged again they give the committed verdicts, under the protocol
 * that is committed beside them. Numbers are rounded to six digits there, far finer than any interval.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ClaimResult } from "../../src/paper/evidence.ts";
import { EXPERIMENTS } from "../../src/paper/experiments/index.ts";
import { loadProtocol } from "../../src/paper/protocol.ts";
import { fromWords } from "../../src/paper/result-json.ts";
import { ROOT } from "../story/command-line.ts";

const FOLDER = join(ROOT, "scripts", "paper", "results");
const read = (name: string) => fromWords(JSON.parse(readFileSync(join(FOLDER, name), "utf8")));

describe.skipIf(!existsSync(FOLDER))("committed results", () => {
  const { claims, protocol } = existsSync(FOLDER)
    ? (read("claims.json") as { claims: ClaimResult[]; protocol: { digest: string; quick: boolean } })
    : { claims: [], protocol: { digest: "", quick: false } };
  const loaded = loadProtocol(protocol.quick);

  test("are of the committed protocol", () => {
    expect(protocol.digest).toBe(loaded.digest);
  });

  test("give the committed verdicts", () => {
    const files = readdirSync(FOLDER);
    const judged = EXPERIMENTS.filter((e) => files.includes(`${e.name}.json`)).flatMap((e) =>
      e.judge((read(`${e.name}.json`) as { result: unknown }).result, loaded.protocol),
    );
    const short = (all: readonly ClaimResult[]) => all.map((c) => `${c.id}: ${c.verdict}`);
    expect(short(judged)).toEqual(short(claims));
  });
});
