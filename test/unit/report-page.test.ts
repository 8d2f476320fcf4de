import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCsv } from "../../src/io/csv.ts";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { measureRun } from "../../src/metrics/measure.ts";
import { CLIENT_SCRIPT } from "../../src/report/client.ts";
import { reportHtml } from "../../src/report/html.ts";
import type { ReportInput } from "../../src/report/input.ts";
import { figuresOf } from "../../src/report/run-figures.ts";
import { standaloneSvg } from "../../src/report/svg.ts";
import { writeReport } from "../../src/report/write.ts";
import { ouTask } from "../../src/task/paths.ts";
import { SMALL, syntheticReport } from "./report-synthetic.ts";

const VOID = new Set(["meta", "link", "br", "hr", "img", "input"]);

/** Names of elements that are opened and not closed, or the other way round. A parser for HTML would mend them. */
function unbalanced(markup: string): string[] {
  const wrong: string[] = [];
  const open: string[] = [];
  const inside = markup
    .replace(/<!doctype html>/, "")
    .replace(/<style>[^<]*<\/style>/g, "")
    .replace(/<script>.*?<\/script>/gs, "");
  for (const [, close, name, rest] of inside.matchAll(/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|'[^']*'|[^"'>])*)>/g)) {
    if (close === "/") {
      if (open.pop() !== name) wrong.push(`</${name}>`);
    } else if (!rest?.endsWith("/") && !VOID.has(name as string)) {
      open.push(name as string);
    }
  }
  return [...wrong, ...open];
}

const input = syntheticReport(SMALL);
const html = reportHtml(input);
const { document } = parseHTML(html);

describe("the page", () => {
  test("is balanced HTML with every section", () => {
    expect(unbalanced(html)).toEqual([]);
    expect(html.startsWith("<!doctype html>")).toBe(true);
    const ids = [...document.querySelectorAll("section")].map((s) => s.getAttribute("id"));
    expect(ids).toEqual([
      "replays",
      "animation",
      "exploration",
      "reach",
      "occupancy",
      "numbers",
      "speed",
      "awake",
      "rates",
      "replays-by-network",
      "loss",
      "provenance",
    ]);
    expect(document.querySelectorAll("figure svg.figure").length).toBe(9);
    expect(document.querySelectorAll("svg [aria-label]").length).toBeGreaterThan(0);
  });

  test("needs nothing from anywhere: no address, no script but its own, no import", () => {
    expect(html).not.toMatch(/https?:|[^:]\/\/[a-z]+\.|@import|url\(|<link|<iframe|<img|javascript:|\son[a-z]+=/i);
    for (const element of document.querySelectorAll("*")) {
      for (const name of ["src", "xlink:href", "action", "data"]) expect(element.getAttribute(name)).toBeNull();
      // Links go to the tables beside the page, and nowhere unless a reader follows them.
      expect(element.getAttribute("href") ?? "none.csv").toMatch(/^[a-z]+\.csv$/);
    }
    const scripts = [...document.querySelectorAll("script")];
    expect(scripts.map((s) => s.getAttribute("type"))).toEqual(["application/json", null]);
    expect(scripts[1]?.textContent).toBe(CLIENT_SCRIPT);
  });

  test("forbids itself everything but that script", () => {
    const policy = document.querySelector("meta[http-equiv='Content-Security-Policy']")?.getAttribute("content") ?? "";
    expect(policy).toContain("default-src 'none'");
    const digest = createHash("sha256").update(CLIENT_SCRIPT).digest("base64");
    expect(policy).toContain(`script-src 'sha256-${digest}'`);
    expect(policy).not.toMatch(/script-src[^;]*unsafe|connect-src|img-src|\*/);
  });

  test("says which adapter it was, and that it is none", () => {
    const adapter = document.querySelector(".facts dd");
    expect(adapter?.textContent).toContain("llvmpipe (LLVM 15.0.6, 256 bits), a software adapter");
    expect(adapter?.getAttribute("class")).toBe("warning");
    const gpu = reportHtml({ ...input, adapter: { name: "Some GPU", software: false } });
    expect(gpu).toContain("<dd>Some GPU</dd>");
    expect(gpu).not.toContain("software adapter");
  });

  test("shows mean ± sd of every metric and condition", () => {
    const rows = [...document.querySelectorAll("#numbers tbody tr")].filter((r) => r.querySelector("td") !== null);
    const reach = rows.find((r) => r.querySelector("code")?.textContent === "reach_rmean");
    expect(reach?.querySelectorAll("td").length).toBe(1 + input.conditions.length);
    expect(reach?.textContent).toMatch(/\d ± \d/);
    // Nothing saved states, so the two memory metrics have no row; laps have no meaning in a T-maze.
    const names = rows.map((r) => r.querySelector("code")?.textContent);
    expect(names).not.toContain("cmi5");
    expect(names).not.toContain("laps");
    expect(names.length).toBeGreaterThan(20);
  });

  test("folds configuration and manifest in, as they are", () => {
    const texts = [...document.querySelectorAll("#provenance pre")].map((p) => p.textContent ?? "");
    expect(JSON.parse(texts[0] as string)).toEqual(input.config);
    expect(JSON.parse(texts[1] as string)).toEqual(input.manifest);
  });

  test("is the same for the same run", () => {
    expect(reportHtml(syntheticReport(SMALL))).toBe(html);
  });
});

describe("names from outside", () => {
  const hostile = `</title><script>alert("1")</script><svg onload='x()'>&amp; ]]> \u0007\ud800 é ${"long ".repeat(30)}`;
  // What XML cannot hold is gone or replaced.
  const shown = hostile.replace("\u0007", "").replace("\ud800", "\ufffd");
  const nasty: ReportInput = {
    ...input,
    title: hostile,
    adapter: { name: hostile, software: true },
    notices: [hostile],
    config: { [hostile]: hostile, task: { kind: hostile } },
    manifest: { [hostile]: [hostile] },
    conditions: input.conditions.map((c) => ({ ...c, label: hostile, detail: hostile })),
  };

  test("are text wherever they stand", () => {
    const page = reportHtml(nasty);
    expect(unbalanced(page)).toEqual([]);
    expect(page.match(/<script/g)?.length).toBe(2);
    expect(page).not.toMatch(/<svg onload/);
    const { document: parsed } = parseHTML(page);
    expect(parsed.querySelector("h1")?.textContent).toBe(shown);
    expect(parsed.querySelector(".notices li")?.textContent).toBe(shown);
    expect([...parsed.querySelectorAll("script")].map((s) => s.getAttribute("type"))).toEqual([
      "application/json",
      null,
    ]);
    const film = JSON.parse(parsed.querySelector("script")?.textContent ?? "");
    expect(film.films[1].label).toBe(hostile);
    expect(parsed.querySelector(".condition option[value='1']")?.textContent).toBe(`${shown}: ${shown}`);
    expect(parsed.querySelectorAll("[onload]").length).toBe(0);
  });

  test("leave every figure well-formed", async () => {
    const { Resvg } = await import("@resvg/resvg-js");
    for (const { figure } of figuresOf(nasty)) {
      const svg = standaloneSvg(figure);
      expect(unbalanced(svg), figure.name).toEqual([]);
      // The rasteriser reads strict XML and throws at the first mistake.
      expect(() => new Resvg(svg), figure.name).not.toThrow();
    }
  });
});

describe("what is not there", () => {
  test("is left out, down to a run that has just begun", () => {
    const { adapter: _, loss: __, testError: ___, awake: ____, rates: _____, ...rest } = input;
    const bare = reportHtml({ ...rest, conditions: [], records: [], manifest: {}, config: {}, notices: ["Stopped."] });
    expect(unbalanced(bare)).toEqual([]);
    expect(bare).toContain("Stopped.");
    expect(parseHTML(bare).document.querySelectorAll("svg.figure").length).toBe(0);
    const { rates: ______, ...unmapped } = input;
    const training = reportHtml({ ...unmapped, conditions: [], records: [] });
    expect(parseHTML(training).document.querySelectorAll("svg.figure").length).toBe(2);
  });

  test("free paths have no reach times; speed and cells take their place", () => {
    const geometry = geometryOf(ouTask());
    const readout = (input.awake as NonNullable<ReportInput["awake"]>).readout;
    const records = measureRun({ seeds: [0, 1], geometry, awake: readout, conditions: input.conditions });
    const page = reportHtml({ ...input, geometry, records });
    const { document: parsed } = parseHTML(page);
    expect(parsed.querySelector("#reach")).toBeNull();
    expect(parsed.querySelector("#exploration")?.textContent).toContain("cells visited");
    expect(page).not.toMatch(/NaN|undefined/);
  });

  test("diverged and never-arriving replays draw no nonsense", () => {
    const conditions = input.conditions.map((c, i) => {
      const data = Float32Array.from(c.positions.data);
      if (i === 0) data.fill(0.1);
      if (i === 1) data.fill(Number.NaN, data.length / 2);
      if (i === 2) for (let k = data.length / 2; k < data.length; k++) data[k] = (data[k] as number) * 1e30;
      if (i === 3) data.fill(Number.POSITIVE_INFINITY);
      return { ...c, positions: { ...c.positions, data } };
    });
    const readout = (input.awake as NonNullable<ReportInput["awake"]>).readout;
    const records = measureRun({ seeds: [0, 1], geometry: input.geometry, awake: readout, conditions });
    const loss = {
      iterations: [0, 10, 20],
      perNetwork: [
        [1, Number.NaN, Number.POSITIVE_INFINITY],
        [0, 0.5, 0.1],
      ],
    };
    const broken = { ...input, conditions, records, loss, testError: [Number.NaN, 0.2] };
    expect(unbalanced(reportHtml(broken))).toEqual([]);
    for (const { figure } of figuresOf(broken)) {
      expect(figure.body, figure.name).not.toMatch(/NaN|Infinity|undefined|e\+\d/);
    }
    expect(reportHtml(broken)).toContain("∞");
  });
});

describe("files", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "report-"));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test("a page, and each figure as SVG and PNG", async () => {
    const target = join(directory, "deep", "report");
    const written = await writeReport(input, target);
    expect(readFileSync(written.html, "utf8")).toBe(html);
    const names = figuresOf(input).map((f) => f.figure.name);
    const svgs = names.map((n) => `${n}.svg`);
    // Without fonts or without the optional rasteriser there are no PNG files, and a reason instead.
    const pngs = written.pngSkipped === null ? names.map((n) => `${n}.png`) : [];
    const tables = ["exploration", "loss", "occupancy", "rates", "reach", "speed"].map((n) => `${n}.csv`);
    expect(readdirSync(target).sort()).toEqual([...svgs, ...pngs, ...tables, "index.html"].sort());
    for (const name of pngs) {
      expect([...readFileSync(join(target, name)).subarray(0, 4)], name).toEqual([0x89, 0x50, 0x4e, 0x47]);
    }
    for (const name of svgs) {
      const svg = readFileSync(join(target, name), "utf8");
      expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"'), name).toBe(true);
      expect((svg.match(/<path/g) ?? []).length, name).toBeGreaterThan(5);
    }
  });

  test("the data behind the figures can be read", () => {
    const target = join(directory, "deep", "report");
    const of = (name: string) => readCsv(join(target, `${name}.csv`));
    const sum = (rows: Record<string, string>[]) => rows.reduce((total, r) => total + Number(r.share), 0);
    // Six digits a cell, and a few positions outside the panel or beyond the axis.
    for (const name of ["plain", "awake"]) {
      expect(sum(of("occupancy").filter((r) => r.condition === name))).toBeGreaterThan(0.98);
      expect(sum(of("speed").filter((r) => r.condition === name))).toBeGreaterThan(0.98);
    }
    expect(of("reach").length).toBe(2 * 6 * 5);
    const plain = input.records.find((r) => r.condition === "plain" && r.network === 1);
    const steps = of("reach").filter((r) => r.condition === "plain" && r.network === "1");
    expect(steps.map((r) => (r.steps === "inf" ? Number.POSITIVE_INFINITY : Number(r.steps)))).toEqual([
      ...(plain?.reachTimes ?? []),
    ]);
    expect(new Set(of("rates").map((r) => r.network))).toEqual(new Set(["0", "1"]));
    expect(of("loss").length).toBe(140);
    expect(Number(of("loss")[3]?.network_1)).toBeCloseTo(input.loss?.perNetwork[1]?.[3] as number, 5);
    expect(Number(of("exploration")[0]?.reach_rmean)).toBeCloseTo(input.records[0]?.values.reach_rmean as number, 3);
  });

  test("PNG files can be left out", async () => {
    const target = join(directory, "plain");
    await writeReport(input, target, { png: false });
    expect(readdirSync(target).some((f) => f.endsWith(".png"))).toBe(false);
  });
});
