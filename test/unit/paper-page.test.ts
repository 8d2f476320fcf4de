/** The page of a reproduction: what it opens with, and that texts are texts. */
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import type { ClaimResult } from "../../src/paper/evidence.ts";
import { familyConfig } from "../../src/paper/family.ts";
import { FAMILY_NAMES, loadProtocol } from "../../src/paper/protocol.ts";
import { type PaperReportInput, paperHtml } from "../../src/report/paper-page.ts";

const HOSTILE = `</td><script>window.pwned=1</script>"'&`;
const { protocol, digest } = loadProtocol(false);

const claim = (part: ClaimResult["part"], more: Partial<ClaimResult> = {}): ClaimResult => ({
  id: `claim-${part}`,
  part,
  claim: `claim of part ${part}`,
  predicted: "more",
  measured: "1.5 [1.2, 1.8]",
  over: "8 seeds",
  cells: [
    { where: "κ = 0.2", estimate: { value: 1.5, low: 1.2, high: 1.8, n: 8 }, holds: true },
    {
      where: "κ = 0.5",
      estimate: { value: 1, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, n: 1 },
      holds: false,
    },
  ],
  verdict: "partly",
  ...more,
});

const input = (more: Partial<PaperReportInput> = {}): PaperReportInput => ({
  findings: {
    claims: [claim(1), claim(3, { verdict: "holds" })],
    figures: [],
    done: ["leakage"],
    missing: ["markov", "balance"],
  },
  protocol,
  mark: { digest, quick: false },
  manifest: { protocol: { digest, quick: false }, seconds: { leakage: 7200 }, outcome: { kind: "completed" } },
  configs: Object.fromEntries(
    FAMILY_NAMES.map((name) => [name, familyConfig(protocol, name)]),
  ) as unknown as PaperReportInput["configs"],
  ...more,
});

const pageOf = (i: PaperReportInput) => parseHTML(paperHtml(i)).document;
const textsOf = (document: ReturnType<typeof pageOf>, selector: string): string[] =>
  [...document.querySelectorAll(selector)].map((e) => e.textContent ?? "");

describe("the page", () => {
  const document = pageOf(input());
  test("opens with what was not available, that it is small, and what was not run", () => {
    const notices = textsOf(document, ".notices li");
    expect(notices).toHaveLength(3);
    expect(notices[0]).toMatch(/equations were not available.*constants are ours/s);
    expect(notices[1]).toContain("N = 64");
    expect(notices[2]).toContain("Not run: markov, balance.");
  });
  test("writes symbols with true subscripts, keys as they are", () => {
    const own = pageOf(
      input({ findings: { ...input().findings, claims: [claim(1, { measured: "b_a = 0.05, W_rec" })] } }),
    );
    expect(textsOf(own, "#verdicts").join()).toContain("bₐ = 0.05, W_rec");
    expect(textsOf(own, "#methods, #constants").join()).not.toMatch(/[bτ]_a/);
  });
  test("has verdicts by claim, with the share of the grid where each holds", () => {
    expect(textsOf(document, "#verdicts .group")).toHaveLength(2);
    expect(textsOf(document, "#verdicts td.verdict")).toEqual(["◐ partly", "✓ holds"]);
    expect(document.querySelector("#verdicts p")?.textContent).toContain("Of 2 claims 1 hold, 1 hold partly.");
    const cells = textsOf(document, "#verdicts tbody tr:nth-child(2) td");
    expect(cells[3]?.replaceAll("\u00a0", " ")).toBe("1 of 2");
  });
  test("has each claim's grid, sections only for what is there, and the constants", () => {
    expect(textsOf(document, "#claim-1 details tbody tr")).toHaveLength(2);
    expect(textsOf(document, "#claim-1 details")[0]).toContain("[−∞, ∞]");
    expect(document.querySelector("#claim-2")).toBeNull();
    expect(textsOf(document, "nav a")).toEqual(["Score and leakage", "Momentum", "Constants", "Methods", "Provenance"]);
    expect(document.querySelector("#constants")?.textContent).toContain("0.0556 m a step");
    expect(document.querySelector("#methods")?.textContent).toContain(digest);
    // What a place must have to be tested, and what becomes of one where networks diverge.
    expect(document.querySelector("#methods")?.textContent).toMatch(/tmaze 50 %.*It never arrives.*does not hold/s);
  });
  test("tells a protocol that was changed on the way, and a quick run", () => {
    const manifest = { ...input().manifest, protocolsBefore: ["a".repeat(64)] };
    const notices = textsOf(pageOf(input({ manifest, mark: { digest, quick: true } })), ".notices li");
    expect(notices.some((n) => n.startsWith("Quick"))).toBe(true);
    expect(notices.some((n) => n.includes(`before: ${"a".repeat(12)}`))).toBe(true);
  });
  test("takes texts as texts", () => {
    const claims = [claim(2, { claim: HOSTILE, predicted: HOSTILE, measured: HOSTILE, over: HOSTILE, why: HOSTILE })];
    const html = paperHtml(input({ findings: { claims, figures: [], done: [HOSTILE], missing: [HOSTILE] } }));
    expect(parseHTML(html).document.querySelectorAll("script")).toHaveLength(1);
  });
  test("of nothing yet is a page all the same", () => {
    const findings = { claims: [], figures: [], done: [], missing: ["leakage"] };
    expect(pageOf(input({ findings })).querySelector("#verdicts")).toBeNull();
  });
});
