/**
 * Reports in a real browser, as their readers open them: from a file, without a network. Needs Chromium or Chrome
 * (CHROME_PATH, or one of the usual names); skipped, with the reason, where there is none. REVERIE_SCREENSHOTS=folder
 * keeps the pictures.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReportInput } from "../../src/report/input.ts";
import { writeReport } from "../../src/report/write.ts";
import { reportOfSweep } from "../../src/run/sweep-report.ts";
import { syntheticReport } from "../unit/report-synthetic.ts";
import { linear, writeSyntheticSweep } from "../unit/sweep-synthetic.ts";
import { Browser, findChrome, type PageOptions, type Tab } from "./browser.ts";

const chrome = findChrome();
if (chrome === null) console.log("report-browser: skipped, no Chromium or Chrome found; CHROME_PATH=… names one");

const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 800, height: 900 };
const PHONE = { width: 400, height: 850 };
const HOSTILE = `</script><script>window.pwned=1</script><img src=x onerror="window.pwned=2">"'&`;

let folder: string;
let pictures: string;
let browser: Browser;
const pages: Record<string, string> = {};

async function write(name: string, input: ReportInput): Promise<void> {
  pages[name] = pathToFileURL((await writeReport(input, join(folder, name), { png: false })).html).href;
}

async function opened(page: string, options: Partial<PageOptions> = {}): Promise<Tab> {
  const tab = await browser.tab();
  await tab.open(pages[page] as string, { ...WIDE, ...options });
  return tab;
}

/** A number that changes with any pixel of the animation. */
const FRAME = `(() => { const c = document.querySelector(".player canvas");
  const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
  let h = 0; for (let i = 0; i < d.length; i++) h = (Math.imul(h, 31) + d[i]) | 0; return h; })()`;
const STEP = `Number(document.querySelector(".player").dataset.step)`;
/** Drawing waits for the next frame. */
const SETTLED = `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))`;

const choose = (name: string, value: string): string =>
  `(() => { const s = document.querySelector(".player .${name}"); s.value = ${JSON.stringify(value)};
    s.dispatchEvent(new Event("change", { bubbles: true })); return ${SETTLED}; })()`;

describe.skipIf(chrome === null)("in a browser", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "reverie-browser-"));
    pictures = process.env.REVERIE_SCREENSHOTS ?? join(folder, "pictures");
    mkdirSync(pictures, { recursive: true });
    const input = syntheticReport({ networks: 2, steps: 200, rows: 8 });
    await write("run", input);
    await write("hostile", {
      ...input,
      title: HOSTILE,
      notices: [HOSTILE],
      config: { [HOSTILE]: HOSTILE },
      manifest: { [HOSTILE]: HOSTILE },
      conditions: input.conditions.map((c) => ({ ...c, label: HOSTILE, detail: HOSTILE })),
    });
    const sweep = join(folder, "sweep-run");
    mkdirSync(sweep);
    writeSyntheticSweep(
      sweep,
      { axes: { friction: linear(0.1, 1, 10), adaptStrength: linear(0, 0.3, 7) }, networks: 2 },
      { shards: true },
    );
    pages.sweep = pathToFileURL(
      (await reportOfSweep(sweep, join(folder, "sweep"), undefined, () => {})).written.html,
    ).href;
    browser = await Browser.start(chrome as string);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  describe.each(["run", "sweep", "hostile"])("the page of a %s", (page) => {
    test.each([
      ["light", WIDE],
      ["dark", NARROW],
    ] as const)("loads %s without an error or a request, and nothing sticks out", async (theme, size) => {
      const tab = await opened(page, { ...size, dark: theme === "dark" });
      expect(await tab.value(STEP)).toBeGreaterThan(0);
      expect(await tab.value("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      // What is wider than its column scrolls inside it.
      const outside = `[...document.querySelectorAll("main > *, main section > *, main figure, canvas")]
        .filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.tagName + "." + e.className)`;
      expect(await tab.value(outside)).toEqual([]);
      const brightness = `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 3`;
      const bright = await tab.value<number>(brightness);
      if (theme === "dark") expect(bright).toBeLessThan(60);
      else expect(bright).toBeGreaterThan(230);
      const png = await tab.screenshot(join(pictures, `${page}-${theme}-${size.width}.png`), { whole: true });
      // An empty page of this size packs to less than a tenth of this.
      expect(png.length).toBeGreaterThan(100_000);
      expect(tab.errors).toEqual([]);
      expect(tab.requests).toEqual([]);
      expect(await tab.value("typeof window.pwned")).toBe("undefined");
    });
  });

  test("on a phone nothing sticks out, figures say that they go on, and the animation fits the screen", async () => {
    for (const page of ["run", "sweep"]) {
      const tab = await opened(page, PHONE);
      await tab.value(SETTLED);
      expect(await tab.value("document.documentElement.scrollWidth")).toBe(PHONE.width);
      expect(await tab.value(`document.querySelector(".player canvas").clientHeight`)).toBeLessThan(PHONE.height);
      const wide = `(() => { const e = document.querySelector(".wide"); return [e.scrollWidth > e.clientWidth,
        (getComputedStyle(e).backgroundImage.match(/gradient/g) ?? []).length]; })()`;
      expect(await tab.value(wide)).toEqual([true, 4]);
      await tab.screenshot(join(pictures, `${page}-phone.png`), { whole: true });
      expect(tab.errors).toEqual([]);
    }
  });

  test("play moves on, pause stops, the end stops, and play begins again", async () => {
    const tab = await opened("run");
    const [step, frame] = [await tab.value<number>(STEP), await tab.value<number>(FRAME)];
    await tab.click(".player .play");
    await tab.until(`${STEP} > ${step + 5}`);
    expect(await tab.value(`document.querySelector(".player .play").textContent`)).toBe("Pause");
    expect(await tab.value(FRAME)).not.toBe(frame);
    await tab.click(".player .play");
    await tab.value(SETTLED);
    const stopped = await tab.value(STEP);
    await tab.value("new Promise((r) => setTimeout(r, 150))");
    expect(await tab.value(STEP)).toBe(stopped);
    await tab.value(choose("speed", "240"));
    await tab.click(".player .play");
    await tab.until(`document.querySelector(".player .play").textContent === "Play"`);
    expect(await tab.value(STEP)).toBe(200);
    await tab.click(".player .play");
    await tab.until(`${STEP} < 100`);
    expect(tab.errors).toEqual([]);
  });

  test("the slider and the keyboard choose the step", async () => {
    const tab = await opened("run");
    await tab.value(
      `(() => { const s = document.querySelector(".seek"); s.value = "120"; s.dispatchEvent(new Event("input")); return ${SETTLED}; })()`,
    );
    expect(await tab.value(STEP)).toBe(120);
    expect(await tab.value(`document.querySelector(".clock").textContent`)).toBe("step 120 of 200");
    await tab.value(`document.querySelector(".player canvas").focus({ preventScroll: true })`);
    await tab.press("ArrowRight");
    await tab.value(SETTLED);
    expect(await tab.value(STEP)).toBe(121);
    await tab.press("End");
    await tab.value(SETTLED);
    expect(await tab.value(STEP)).toBe(200);
    await tab.press("Home");
    await tab.value(SETTLED);
    expect(await tab.value(STEP)).toBe(0);
    await tab.press(" ");
    await tab.until(`${STEP} > 3`);
    await tab.press(" ");
    // Everything that can be operated is in the order of the tabulator: from the slider, five selections follow.
    await tab.value(`document.querySelector(".seek").focus()`);
    const reached: string[] = [];
    for (let i = 0; i < 5; i++) {
      await tab.press("Tab");
      reached.push(await tab.value<string>("document.activeElement.className"));
    }
    expect(reached).toEqual(["condition", "network", "row", "trail", "speed"]);
  });

  test("condition, network, replay and trail change what is drawn", async () => {
    const tab = await opened("run");
    const frames = [await tab.value<number>(FRAME)];
    for (const [name, value] of [
      ["trail", "all"],
      ["network", "1"],
      ["network", "all"],
      ["row", "3"],
      ["condition", "2"],
    ] as const) {
      await tab.value(choose(name, value));
      frames.push(await tab.value<number>(FRAME));
    }
    expect(new Set(frames).size).toBe(frames.length);
    await tab.screenshot(join(pictures, "one-replay.png"), { selector: "#animation" });
    expect(tab.errors).toEqual([]);
  });

  test("light and dark: as the system has it, until the reader chooses", async () => {
    const tab = await opened("run", { dark: true });
    const background = "getComputedStyle(document.body).backgroundColor";
    const mazeIsDark = `(() => { const e = document.querySelector("#replays [stroke='#eef0f3']"); return getComputedStyle(e).stroke; })()`;
    const dark = [await tab.value(background), await tab.value(mazeIsDark), await tab.value(FRAME)];
    expect(await tab.value(`document.querySelector(".theme").textContent`)).toBe("Light");
    await tab.click(".theme");
    await tab.value(SETTLED);
    const light = [await tab.value(background), await tab.value(mazeIsDark), await tab.value(FRAME)];
    light.forEach((value, i) => {
      expect(value).not.toBe(dark[i]);
    });
    expect(await tab.value(background)).toBe("rgb(255, 255, 255)");
    await tab.click(".theme");
    await tab.value(SETTLED);
    expect([await tab.value(background), await tab.value(mazeIsDark), await tab.value(FRAME)]).toEqual(dark);
  });

  test("nothing moves by itself, and slowly where the reader wants calm", async () => {
    const tab = await opened("run", { calm: true });
    const step = await tab.value(STEP);
    await tab.value("new Promise((r) => setTimeout(r, 200))");
    expect(await tab.value(STEP)).toBe(step);
    expect(await tab.value(`document.querySelector(".speed").value`)).toBe("10");
  });

  test("on paper: light, without controls", async () => {
    const tab = await opened("run", { dark: true });
    await tab.send("Emulation.setEmulatedMedia", {
      media: "print",
      features: [{ name: "prefers-color-scheme", value: "dark" }],
    });
    expect(await tab.value("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
    expect(await tab.value(`getComputedStyle(document.querySelector(".transport")).display`)).toBe("none");
    const { data } = await tab.send("Page.printToPDF", { printBackground: true });
    expect(
      Buffer.from(data as string, "base64")
        .subarray(0, 4)
        .toString(),
    ).toBe("%PDF");
  });

  test("the page's own policy stops requests and scripts of others", async () => {
    const tab = await opened("run");
    const blocked = await tab.value<string[]>(`new Promise((resolve) => {
      const seen = [];
      document.addEventListener("securitypolicyviolation", (e) => { seen.push(e.effectiveDirective); if (seen.length === 3) resolve(seen.sort()); });
      fetch("http://127.0.0.1:9/").catch(() => {});
      document.body.append(Object.assign(new Image(), { src: "http://127.0.0.1:9/x.png" }));
      document.body.append(Object.assign(document.createElement("script"), { textContent: "window.pwned = 3" }));
      setTimeout(() => resolve(seen), 3000);
    })`);
    expect(blocked).toEqual(["connect-src", "img-src", "script-src-elem"]);
    expect(await tab.value("typeof window.pwned")).toBe("undefined");
  });
});
