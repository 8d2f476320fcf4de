/** How a reproduction begins, stops and goes on, with experiments that measure nothing. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EXIT, GpuError, type ReverieError } from "../../src/errors.ts";
import { PaperDirectory, readPaperManifest } from "../../src/paper/directory.ts";
import type { Experiment } from "../../src/paper/experiment.ts";
import { type LoadedProtocol, loadProtocol } from "../../src/paper/protocol.ts";
import { chosenExperiments, findingsIn, Reproduction } from "../../src/paper/reproduction.ts";
import type { Io } from "../../src/run/types.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";

gpuHygiene();

let folder: string;
let paper: string;
let notes: string[];
let stop: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reverie-paper-"));
  paper = join(folder, "paper");
  notes = [];
  stop = new AbortController();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const io = (): Io => ({
  progress: { start() {}, update() {}, done() {}, note() {} },
  out() {},
  note: (line) => void notes.push(line),
  json: false,
  signal: stop.signal,
});

let measured: string[] = [];
beforeEach(() => {
  measured = [];
});

/** Finds NaN, so that what is kept must not lose it. */
function experiment(name: string, during: () => void = () => {}): Experiment<unknown> {
  return {
    name,
    title: `what ${name} is about`,
    async measure() {
      measured.push(name);
      during();
      return { name, value: Number.NaN };
    },
    judge: (result) => [
      {
        id: name,
        part: 4,
        claim: name,
        predicted: "",
        measured: String((result as { value: number }).value),
        over: "",
        cells: [],
        verdict: "undecided",
      },
    ],
    figures: () => [],
  };
}

/** One session. */
async function session(all: readonly Experiment<unknown>[], loaded: LoadedProtocol, resume: boolean): Promise<void> {
  const dir = PaperDirectory.open(paper, { resume });
  try {
    const reproduction = new Reproduction(dir, await testGpu(), loaded, io());
    reproduction.begin(resume);
    await reproduction.run(all);
    reproduction.finish();
  } finally {
    dir.close();
  }
}

const quick = loadProtocol(true);
const outcome = (): string => readPaperManifest(paper).outcome.kind;

async function errorOf(work: Promise<void>): Promise<ReverieError> {
  return work.then(
    () => {
      throw new Error("nothing was thrown");
    },
    (error) => error as ReverieError,
  );
}

test("experiments run in their own order, once; findings are those of the results on disk", async () => {
  const all = [experiment("one"), experiment("two"), experiment("three")];
  await session(chosenExperiments(all, ["two", "one"]), quick, false);
  expect(measured).toEqual(["one", "two"]);
  const { claims, done, missing } = findingsIn(paper, quick, all);
  expect(claims.map((c) => c.measured)).toEqual(["NaN", "NaN"]);
  expect({ done, missing }).toEqual({ done: ["one", "two"], missing: ["three"] });
  await session(all, quick, true);
  expect(measured).toEqual(["one", "two", "three"]);
  expect(findingsIn(paper, quick, all).missing).toEqual([]);
  expect(Object.keys(readPaperManifest(paper).seconds).sort()).toEqual(["one", "three", "two"]);
});

test("a result that an experiment cannot read any more is told by its file", async () => {
  await session([experiment("one")], quick, false);
  const strict = {
    ...experiment("one"),
    judge: (result: unknown) => (result as { cells: [] }).cells.map(() => never()),
  };
  expect(() => findingsIn(paper, quick, [strict])).toThrow(
    /results.one\.json: does not fit this version of one; delete it/,
  );
});

function never(): never {
  throw new Error("not reached");
}

describe("Ctrl-C", () => {
  test("ends with 130, keeps what was finished, and never keeps what it interrupted", async () => {
    const all = [experiment("one"), experiment("two", () => stop.abort()), experiment("three")];
    const error = await errorOf(session(all, quick, false));
    expect(error.exitCode).toBe(EXIT.interrupted);
    expect(error.message).toContain("--resume");
    expect(outcome()).toBe("interrupted");
    stop = new AbortController();
    measured = [];
    await session([experiment("one"), experiment("two"), experiment("three")], quick, true);
    expect(measured).toEqual(["two", "three"]);
    expect(outcome()).toBe("completed");
  });
});

test("a lost device is told with the way to go on", async () => {
  const lost = () => {
    throw new GpuError("the device is gone");
  };
  const error = await errorOf(session([experiment("one"), experiment("two", lost)], quick, false));
  expect(error.exitCode).toBe(EXIT.gpu);
  expect(error.message).toMatch(/the device is gone; what was measured is saved; go on with: .*--resume --out /);
  expect(outcome()).toBe("failed");
});

describe("another protocol", () => {
  test("is measured anew, and that stays in the manifest", async () => {
    await session([experiment("one")], quick, false);
    const changed = { ...quick, digest: "f".repeat(64) };
    await session([experiment("one")], changed, true);
    expect(measured).toEqual(["one", "one"]);
    expect(notes.some((line) => line.includes("measured anew"))).toBe(true);
    await session([experiment("one")], changed, true);
    expect(measured).toEqual(["one", "one"]);
    expect(readPaperManifest(paper).protocolsBefore).toEqual([quick.digest]);
  });

  test("the full one is not what a quick directory goes on with", async () => {
    await session([experiment("one")], quick, false);
    const before = readFileSync(join(paper, "manifest.json"), "utf8");
    const error = await errorOf(session([experiment("one")], loadProtocol(false), true));
    expect(error.exitCode).toBe(EXIT.usage);
    expect(readFileSync(join(paper, "manifest.json"), "utf8")).toBe(before);
  });
});
