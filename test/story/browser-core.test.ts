/**
 * The modules that encode GPU work, in a browser: bundled as a web page would, trained and replayed on the browser's own
 * WebGPU. Needs Chromium or Chrome with WebGPU; skipped, with the reason, where there is none.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Rollup } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runReplay } from "../../src/replay/replay.ts";
import { Trainer } from "../../src/train/trainer.ts";
import { gpuHygiene, testGpu } from "../gpu.ts";
import { quiescent } from "../replay/quiescent.ts";
import { network, training } from "../train/experiments.ts";
import { Browser, findChrome, type Tab } from "./browser.ts";
import type { BrowserResult, BrowserTask } from "./browser-page.ts";

gpuHygiene();

const chrome = findChrome();
const ROOT = join(import.meta.dirname, "../..");

let folder: string;
let browser: Browser | null = null;
let tab: Tab;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "reverie-browser-"));
  if (chrome === null) return;
  browser = await Browser.start(chrome, ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]);
  tab = await browser.tab();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function bundle(): Promise<string> {
  const built = (await build({
    configFile: false,
    logLevel: "silent",
    root: ROOT,
    build: {
      write: false,
      target: "esnext",
      lib: { entry: join(import.meta.dirname, "browser-page.ts"), formats: ["es"], fileName: "page" },
    },
  })) as Rollup.RollupOutput[];
  return (built[0] as Rollup.RollupOutput).output[0].code;
}

let code: string;
beforeAll(async () => {
  code = await bundle();
}, 60_000);

test("none of Node's modules is reached", () => {
  // What a bundler puts in place of one throws when it is touched.
  expect(code).not.toMatch(/__vite-browser-external|from ?"node:/);
  expect(code.length).toBeGreaterThan(50_000);
});

test("trains and replays as here, to rounding", async ({ skip }) => {
  skip(browser === null, "no Chromium or Chrome found; CHROME_PATH=… names one");
  const page = join(folder, "page.html");
  writeFileSync(page, `<!doctype html><script type="module">${code.replaceAll("</script", "<\\/script")}</script>`);
  await tab.open(pathToFileURL(page).href, { width: 400, height: 300 });
  skip(!(await tab.value<boolean>("navigator.gpu?.requestAdapter().then(Boolean) ?? false")), "no WebGPU in it");

  const train = training([network(1), network(2, { maskEvery: 3 })], { kind: "step" });
  const replay = quiescent([1, 2], { kind: "step", saveStates: false });
  const shaders = Object.fromEntries(
    readdirSync(join(ROOT, "shaders"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".wgsl"))
      .map((file) => [file.replaceAll("\\", "/"), readFileSync(join(ROOT, "shaders", file), "utf8")]),
  );
  const task: BrowserTask = { train, replay, shaders };
  const there = await tab.value<BrowserResult>(`run(${JSON.stringify(task)})`);
  expect(there.adapter).toMatch(/^adapter: /);
  expect(tab.errors).toEqual([]);

  const trainer = await Trainer.create(await testGpu(), train);
  const losses: (readonly number[])[] = [];
  await trainer.run({ onStats: ({ loss }) => losses.push(loss) });
  const replayed = await runReplay(await testGpu(), replay, trainer.buffers);
  trainer.destroy();
  expect(there.losses.length).toBe(train.iterations);
  there.losses.flat().forEach((loss, i) => {
    // Six steps of Adam on another adapter's roundings.
    expect(Math.abs(loss / (losses.flat()[i] as number) - 1)).toBeLessThan(1e-4);
  });
  expect(there.replays.length).toBe(replayed.conditions.length);
  there.replays.forEach((readout, c) => {
    const own = replayed.conditions[c]?.readout as Float32Array;
    const scale = Math.max(1, ...own.map(Math.abs));
    readout.forEach((y, i) => {
      if (Math.abs(y - (own[i] as number)) > 1e-3 * scale)
        expect.fail(`condition ${c}, readout ${i}: ${y}, here ${own[i]}`);
    });
  });
});
