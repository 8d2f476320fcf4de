/** The command line as a process of its own: pipes, signals, exit codes. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type BuiltCommandLine, buildCommandLine, ONE_LINE, runChild } from "./command-line.ts";

let built: BuiltCommandLine;
/** `main.js` with work that waits, instead of a GPU. */
let waiting: string;

beforeAll(() => {
  built = buildCommandLine();
  waiting = join(built.folder, "waiting.mjs");
  writeFileSync(
    waiting,
    `import { main } from "./dist/cli/program.js";
const kinds = {
  // Ends when it is asked to, as training does.
  polite: (io) => new Promise((resolve) => io.signal.addEventListener("abort", () => resolve(0))),
  // Passes the interruption on as an error.
  throwing: (io) => new Promise((_, reject) => io.signal.addEventListener("abort", () => reject(io.signal.reason))),
  // Hears nothing.
  deaf: () => new Promise(() => {}),
  // Fails while it stops.
  failing: (io) => new Promise((_, reject) => io.signal.addEventListener("abort", () => reject(new Error("late")))),
};
const timer = setInterval(() => {}, 1000);
const doctor = (_, io) => {
  io.note("ready");
  return kinds[process.argv[2]](io);
};
const code = await main(["doctor"], process, { doctor });
clearInterval(timer);
process.exitCode = code;
`,
  );
});
afterAll(() => built?.remove());

describe("main.js", () => {
  test("a result on stdout, whole, although the process ends right after it", async () => {
    const { code, stdout, stderr } = await runChild(built.script, ["schema"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ title: "reverie experiment" });
  });

  test("a mistake: nothing on stdout, one line on stderr, exit 2", async () => {
    const { code, stdout, stderr } = await runChild(built.script, ["train", "--set", "rnn.hiden=3"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toBe('reverie: unknown key "rnn.hiden" (did you mean "units"?), from --set\n');
  });

  test("a reader that goes away is no error", async () => {
    const { code, stderr } = await runChild(built.script, ["schema"], { closeStdout: true });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test("a missing package: one line that says what to run", async () => {
    const packages = join(built.folder, "node_modules");
    renameSync(packages, `${packages}-away`);
    try {
      const { code, stdout, stderr } = await runChild(built.script, ["schema"]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
      expect(stderr).toBe("reverie: Cannot find package 'commander'; run: npm run setup\n");
    } finally {
      renameSync(`${packages}-away`, packages);
    }
  });
});

describe("before and beside the verbs", () => {
  /** `main.js` after a few lines of our own. */
  function runAfter(lines: string, argv: readonly string[]) {
    const preload = join(built.folder, "preload.mjs");
    writeFileSync(preload, lines);
    return runChild("--import", [preload, built.script, ...argv]);
  }

  test("an old Node is told so before anything that it cannot read is loaded", async () => {
    const old = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.18.3" } });`;
    expect(await runAfter(old, ["schema"])).toEqual({
      code: 3,
      stdout: "",
      stderr: "reverie: needs Node 20.19 or newer, this is 20.18.3\n",
    });
  });

  test.each([
    ["thrown", 'throw new Error("stray")'],
    ["rejected", 'void Promise.reject(new Error("stray"))'],
  ])("an error %s where nobody waits for it is one line, too", async (_, statement) => {
    // As soon as main.js listens, so that it is not Node's own message that is seen.
    const stray = `const timer = setInterval(() => {
      if (process.listenerCount("unhandledRejection") === 0) return;
      clearInterval(timer);
      ${statement};
    }, 1);`;
    expect(await runAfter(stray, ["schema"])).toEqual({
      code: 70,
      stdout: "",
      stderr: "reverie: internal error: stray; please report it with the output of --debug\n",
    });
  });
});

describe("signals", () => {
  const ready = /ready/;
  const told = /finishing the current chunk/;

  test.each<["SIGINT" | "SIGTERM", number, string]>([
    ["SIGINT", 130, "polite"],
    ["SIGTERM", 143, "polite"],
    ["SIGINT", 130, "throwing"],
  ])("%s once: says so, lets the work end, exits with %i (%s)", async (send, code, kind) => {
    const outcome = await runChild(waiting, [kind], { signals: [{ after: ready, send }] });
    expect(outcome).toEqual({
      code,
      stdout: "",
      stderr: `ready\n${send}: finishing the current chunk and saving; once more stops at once\n`,
    });
  });

  test.each<["SIGINT" | "SIGTERM", number]>([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("twice, the second %s: at once, %i", async (send, code) => {
    const signals = [
      { after: ready, send: "SIGINT" as const },
      { after: told, send },
    ];
    expect((await runChild(waiting, ["deaf"], { signals })).code).toBe(code);
  });

  test("an error while stopping is still told", async () => {
    const { code, stderr } = await runChild(waiting, ["failing"], { signals: [{ after: ready, send: "SIGINT" }] });
    expect(code).toBe(70);
    expect(stderr).toContain("reverie: internal error: late");
  });
});
