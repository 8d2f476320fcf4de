/** The set-up script in a copy of the project, with npm and the network out of reach, and the line that closes a test run. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = process.cwd();
const DRIVER_VARIABLES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"];

let copy: string;

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a script of the copy as a fresh shell would, that is without the driver that this process preloaded. */
function bash(script: string, extra: Record<string, string> = {}): Outcome {
  const environment = { ...process.env };
  for (const name of DRIVER_VARIABLES) delete environment[name];
  const path = `${join(copy, "shims")}:${process.env.PATH}`;
  const { status, stdout, stderr } = spawnSync("bash", [script], {
    cwd: copy,
    env: { ...environment, PATH: path, ...extra },
    encoding: "utf8",
    timeout: 50_000,
  });
  return { code: status, stdout, stderr };
}

function shim(name: string, body: string): void {
  const path = join(copy, "shims", name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
}

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "reverie-setup-"));
  for (const name of ["scripts", "package.json", "package-lock.json", "tsconfig.json", "tsconfig.build.json"]) {
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  }
  // The smallest project that set-up can build: the driver's preload and an entry point.
  mkdirSync(join(copy, "src/gpu"), { recursive: true });
  mkdirSync(join(copy, "src/cli"));
  cpSync(join(ROOT, "src/gpu/local-driver.ts"), join(copy, "src/gpu/local-driver.ts"));
  writeFileSync(join(copy, "src/cli/main.ts"), '#!/usr/bin/env node\nconsole.log("hello from the copy");\n');
  mkdirSync(join(copy, "node_modules/.bin"), { recursive: true });
  for (const name of ["webgpu", "typescript", "@types", "@webgpu", "undici-types"]) {
    symlinkSync(join(ROOT, "node_modules", name), join(copy, "node_modules", name));
  }
  if (existsSync(join(ROOT, ".drivers"))) symlinkSync(join(ROOT, ".drivers"), join(copy, ".drivers"));
  mkdirSync(join(copy, "shims"));
  for (const name of ["npm", "apt-get"]) shim(name, `echo "${name} $*" >>"${join(copy, "reached")}"; exit 1`);
  const hash = spawnSync("bash", ["-c", ". scripts/common.sh && (uname -sm && cat package-lock.json) | sha256"], {
    cwd: copy,
    encoding: "utf8",
  });
  writeFileSync(join(copy, "node_modules/.lock-hash"), hash.stdout);
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe("set-up on a machine that is ready but for the build", () => {
  let first: Outcome;
  let builtAt: number;

  beforeAll(() => {
    first = bash("scripts/setup.sh");
    builtAt = existsSync(join(copy, "dist")) ? statSync(join(copy, "dist")).ctimeMs : 0;
  });

  test("builds, finds an adapter that computes, and needs neither npm nor apt", () => {
    expect(first.stderr).toMatch(/^setup: ready: .+ \((software|GPU)\)$/m);
    expect(first.code).toBe(0);
    expect(first.stdout).toBe("");
    expect(existsSync(join(copy, "reached"))).toBe(false);
  });

  test("gives npx the project's own command", () => {
    expect(readlinkSync(join(copy, "node_modules/.bin/reverie"))).toBe("../../dist/cli/main.js");
    const run = spawnSync(join(copy, "node_modules/.bin/reverie"), { encoding: "utf8" });
    expect(run.stdout).toBe("hello from the copy\n");
  });

  test("does nothing the second time", () => {
    const second = bash("scripts/setup.sh");
    expect(second.code).toBe(0);
    expect(second.stderr.split("\n").filter((line) => /unpack|install|trying/.test(line))).toEqual([]);
    expect(statSync(join(copy, "dist")).ctimeMs).toBe(builtAt);
  });

  test("builds again when a source changed, and keeps the old build when the new one fails", () => {
    const main = join(copy, "src/cli/main.ts");
    const sound = readFileSync(main, "utf8");
    writeFileSync(main, "const units: number = 'many';\n");
    const broken = bash("scripts/setup.sh");
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain("src/cli/main.ts(1,7): error TS2322");
    expect(readFileSync(join(copy, "dist/cli/main.js"), "utf8")).toContain("hello from the copy");

    writeFileSync(main, sound.replace("copy", "second build"));
    expect(bash("scripts/build.sh").code).toBe(0);
    expect(readFileSync(join(copy, "dist/cli/main.js"), "utf8")).toContain("hello from the second build");
  });
});

test("a driver that the user chose and that gives no adapter ends set-up with code 3 and the reasons", () => {
  const { code, stderr } = bash("scripts/setup.sh", {
    VK_DRIVER_FILES: "/nowhere.json",
    VK_ICD_FILENAMES: "/nowhere.json",
  });
  expect(code).toBe(3);
  expect(stderr).toContain("system: no Vulkan driver gives an adapter");
  expect(stderr).toContain("a VK_… variable chooses the driver");
  expect(existsSync(join(copy, "reached"))).toBe(false);
});

test("an old Node is replaced inside the project, and where that fails the message says what to install", () => {
  shim("node", '[ "$1" = --version ] && echo v18.0.0; exit 1');
  try {
    const { code, stderr } = bash("scripts/setup.sh");
    expect(code).toBe(1);
    expect(stderr).toContain("Node v18.0.0 is too old");
    expect(stderr).toContain("install Node 20.19 or newer yourself");
    expect(readFileSync(join(copy, "reached"), "utf8")).toMatch(
      /^npm install --prefix \.tools .*node-linux-(x64|arm64)@22/m,
    );
  } finally {
    rmSync(join(copy, "shims/node"));
    rmSync(join(copy, "reached"), { force: true });
  }
});

describe("the last line of a test run", () => {
  function summarise(report: unknown, status: number): string {
    const path = join(copy, "report.json");
    writeFileSync(path, typeof report === "string" ? report : JSON.stringify(report));
    const { status: code, stdout } = spawnSync("node", ["scripts/summarise-tests.mjs", path, String(status)], {
      cwd: copy,
      encoding: "utf8",
    });
    return `${stdout.trimEnd()} -> ${code}`;
  }

  const file = (...statuses: string[]) => ({
    status: statuses.includes("failed") ? "failed" : "passed",
    assertionResults: statuses.map((status) => ({ status })),
  });

  test.each([
    ["all passed", { testResults: [file("passed", "passed"), file("passed")] }, 0, "3 passed, 0 failed -> 0"],
    ["some skipped", { testResults: [file("passed", "skipped", "todo")] }, 0, "1 passed, 0 failed, 2 skipped -> 0"],
    ["one failed", { testResults: [file("passed", "failed")] }, 1, "1 passed, 1 failed -> 1"],
    [
      "a file that does not load",
      { testResults: [file("passed"), { status: "failed", assertionResults: [] }] },
      1,
      "1 passed, 1 failed -> 1",
    ],
    [
      "a file that does not load beside a failure",
      { testResults: [file("failed"), { status: "failed", assertionResults: [] }] },
      1,
      "0 passed, 2 failed -> 1",
    ],
    ["an error outside the tests", { testResults: [file("passed")] }, 1, "1 passed, 1 failed -> 1"],
    ["no test", { testResults: [] }, 0, "0 passed, 1 failed -> 1"],
    ["all skipped", { testResults: [file("skipped")] }, 0, "0 passed, 1 failed, 1 skipped -> 1"],
    ["no report, as after a time-out", "", 124, "0 passed, 1 failed -> 1"],
  ])("%s", (_name, report, status, expected) => {
    expect(summarise(report, status)).toBe(expected);
  });
});
