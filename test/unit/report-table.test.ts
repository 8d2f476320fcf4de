/** Pages of one's own: what a reproduction of a paper needs. */
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { folded, pageHtml, section } from "../../src/report/page.ts";
import { spreadCell, table, textCell, verdictTable } from "../../src/report/table.ts";

const HOSTILE = `</td><script>x()</script>`;

describe("verdicts", () => {
  const html = verdictTable([
    {
      title: HOSTILE,
      claims: [
        {
          claim: "Momentum compresses time",
          predicted: "× 1/λ",
          measured: "× 1.90 ± 0.05",
          over: "8 seeds",
          verdict: "holds",
        },
        { claim: HOSTILE, predicted: HOSTILE, measured: HOSTILE, over: HOSTILE, verdict: "fails", why: HOSTILE },
      ],
    },
  ]);
  const { document } = parseHTML(`<html><body>${html}</body></html>`);

  test("say in words and by a sign how a claim fared", () => {
    const cells = [...document.querySelectorAll("td.verdict")].map((c) => c.textContent);
    expect(cells).toEqual(["✓ holds", `✗ fails${HOSTILE}`]);
    expect(document.querySelectorAll("tbody tr").length).toBe(3);
    expect(document.querySelector("tbody tr:nth-child(2)")?.children.length).toBe(5);
  });

  test("hold nothing but text", () => {
    expect(document.querySelectorAll("script").length).toBe(0);
  });
});

test("a page of any sections: in their order, empty ones left out", () => {
  const columns = [{ title: "a", detail: "b" }];
  const cells = [spreadCell({ mean: 1.234, sd: 0.1, n: 3 }), textCell(HOSTILE)];
  const html = pageHtml({
    kind: "reproduction",
    title: HOSTILE,
    facts: [{ name: "Seeds", value: "8" }],
    notices: [],
    sections: [
      section("one", "One", table("metric", columns, [{ rows: [{ title: "x", cells }] }])),
      "",
      section("two", "Two", folded("more", "<p>there</p>")),
    ],
    provenance: [{ title: "Manifest", value: { a: Number.NaN, b: 1n } }],
  });
  const { document } = parseHTML(html);
  expect([...document.querySelectorAll("section")].map((s) => s.id)).toEqual(["one", "two", "provenance"]);
  expect(document.querySelector("#one td")?.textContent).toBe("1.23 ± 0.10");
  expect(document.querySelector("h1")?.textContent).toBe(HOSTILE);
  expect(JSON.parse(document.querySelector("#provenance pre")?.textContent ?? "")).toEqual({ a: null, b: "1" });
  expect(document.querySelectorAll("script").length).toBe(1);
});
