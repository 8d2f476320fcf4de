import { describe, expect, test, vi } from "vitest";
import { createProgress, duration, isTerminal } from "../../src/cli/progress.ts";
import { Capture } from "./command-line.ts";

/** A clock that stands still until it is moved. */
function clock() {
  let time = 1000;
  return { now: () => time, pass: (milliseconds: number) => (time += milliseconds) };
}

async function plain(quiet = false) {
  const stream = new Capture();
  const { now, pass } = clock();
  const progress = await createProgress({ stream, terminal: false, quiet, color: false, now });
  return { stream, pass, progress };
}

test.each([
  [0, "0 s"],
  [59_400, "59 s"],
  [59_600, "1 min 00 s"],
  [190_000, "3 min 10 s"],
  [3_599_600, "1 h 00 min"],
  [7_500_000, "2 h 05 min"],
])("%i ms is %s", (milliseconds, text) => expect(duration(milliseconds)).toBe(text));

describe("plain lines", () => {
  test("one at the start, then one in 5 s, with share, speed and time left", async () => {
    const { stream, pass, progress } = await plain();
    progress.start("training 3 networks", 1400, "iterations");
    pass(2000);
    progress.update(20); // shaders were compiled until here: the speed is measured from now on
    for (let done = 30; done <= 80; done += 10) {
      pass(1000);
      progress.update(done, "loss 0.5");
    }
    pass(1000);
    progress.done("trained");
    progress.update(90);
    expect(stream.text.split("\n")).toEqual([
      "training 3 networks",
      // 30 iterations in 3 s since the first update; 1350 are left
      "training 3 networks  50/1400 iterations (3 %), 10.0 iterations/s, 2 min 15 s left, loss 0.5",
      "trained",
      "",
    ]);
  });

  test("the same piece three times in a row is one line", async () => {
    const { stream, progress } = await plain();
    for (const label of ["compiling", "compiling", "training", "compiling"]) {
      progress.start(label);
      progress.done();
    }
    expect(stream.text).toBe("compiling\ntraining\ncompiling\n");
  });

  test("without a total: a count and a speed", async () => {
    const { stream, pass, progress } = await plain();
    progress.start("replay");
    progress.update(0);
    pass(5000);
    progress.update(1000);
    expect(stream.text).toBe("replay\nreplay  1000 steps, 200 steps/s\n");
  });

  test("work that is already done, or of no steps, divides by nothing", async () => {
    const { stream, pass, progress } = await plain();
    progress.start("a", 0);
    pass(5000);
    progress.update(0);
    progress.start("b", 10);
    pass(5000);
    progress.update(10);
    pass(5000);
    progress.update(10);
    expect(stream.text).toBe("a\na  0/0 steps (100 %)\nb\nb  10/10 steps (100 %)\nb  10/10 steps (100 %)\n");
  });

  test("notes go through at once", async () => {
    const { stream, progress } = await plain();
    progress.note("a software adapter");
    expect(stream.text).toBe("a software adapter\n");
  });

  test("quiet is silent", async () => {
    const { stream, pass, progress } = await plain(true);
    progress.start("a", 10);
    pass(6000);
    progress.update(5);
    progress.note("x");
    progress.done("b");
    expect(stream.text).toBe("");
  });
});

/** Enough of a terminal for the spinner. */
class Terminal extends Capture {
  readonly isTTY = true;
  readonly columns: number;
  constructor(columns = 120) {
    super();
    this.columns = columns;
  }
  clearLine(): boolean {
    return true;
  }
  cursorTo(): boolean {
    return true;
  }
  moveCursor(): boolean {
    return true;
  }
}

describe("terminal", () => {
  test("one status line; notes and the summary stay whole", async () => {
    const stream = new Terminal();
    const { now, pass } = clock();
    const progress = await createProgress({ stream, terminal: true, quiet: false, color: false, now });
    progress.start("training", 10, "iterations");
    progress.update(2);
    pass(1000);
    progress.update(4, "loss 1");
    // The spinner draws by a timer.
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(stream.text).toContain("training  4/10 iterations (40 %), 2.00 iterations/s, 3 s left, loss 1");
    progress.note("a note");
    progress.done("trained");
    expect(stream.text).toMatch(/(^|\n|\r|[A-Za-z])a note\n/);
    expect(stream.text).toContain("trained\n");
    const length = stream.text.length;
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(stream.text.length).toBe(length);
  });

  test("a narrow one gets as much of the line as fits into it", async () => {
    const stream = new Terminal(40);
    const progress = await createProgress({ stream, terminal: true, quiet: false, color: false });
    progress.start("training", 1400, "iterations");
    progress.update(2, "loss 0.0101 0.0102 0.0103");
    await new Promise((resolve) => setTimeout(resolve, 250));
    progress.done();
    expect(stream.text).toContain("training  2/1400 iterations (0 %), l…");
    expect(stream.text).not.toContain("0.0101");
  });

  test("one without a size, or that cannot move its cursor, is none", () => {
    expect(isTerminal(new Terminal(80))).toBe(true);
    // ora would count ∞ lines and take them away one by one.
    expect(isTerminal(new Terminal(0))).toBe(false);
    expect(isTerminal(new Capture())).toBe(false);
    vi.stubEnv("TERM", "dumb");
    expect(isTerminal(new Terminal(80))).toBe(false);
    vi.unstubAllEnvs();
  });
});
