/** The page of the reproduction: verdicts first, then what they rest on. */
import type { ExperimentConfig } from "../config/schema.ts";
import type { PaperManifest, ProtocolMark } from "../paper/directory.ts";
import type { PaperFigure } from "../paper/evidence.ts";
import type { FamilyName, Protocol } from "../paper/protocol.ts";
import type { Findings } from "../paper/reproduction.ts";
import { durationText, subscripts, timeText } from "./format.ts";
import { adapterFact, type Fact } from "./headline.ts";
import { figureHtml, type PageFigure, pageHtml, section } from "./page.ts";
import { grid, ofPart, PARTS, type Part, tally, verdicts } from "./paper-claims.ts";
import { constants, methods } from "./paper-methods.ts";
import { escapeXml } from "./svg.ts";

export interface PaperReportInput {
  readonly findings: Findings;
  readonly protocol: Protocol;
  readonly mark: ProtocolMark;
  readonly manifest: PaperManifest;
  /** What trained each family. */
  readonly configs: Readonly<Record<FamilyName, ExperimentConfig>>;
}

/** Where figures and their tables lie, beside the page. */
export const FIGURES = "figures";

export const pageFigure = ({ figure, title, caption, csv }: PaperFigure): PageFigure => ({
  figure: { ...figure, body: subscripts(figure.body), description: subscripts(figure.description) },
  title: subscripts(title),
  caption: subscripts(caption),
  data: { name: `${FIGURES}/${figure.name}.csv`, csv },
});

/** Smaller networks than this are told to be small. */
const LARGE_UNITS = 256;

const unitsOf = ({ configs }: PaperReportInput): number => Math.max(...Object.values(configs).map((c) => c.rnn.units));

function noticesOf(input: PaperReportInput): string[] {
  const { findings, mark, manifest } = input;
  const units = unitsOf(input);
  const before = (manifest.protocolsBefore ?? []) as readonly string[];
  return [
    "The paper's equations were not available. The equations here are a reading of its abstract and of what it builds on; the constants are ours where the table below says so. A claim that fails here may hold for the paper's own constants.",
    ...(units < LARGE_UNITS
      ? [`Small: every result on this page is of networks with N = ${units} units or fewer.`]
      : []),
    ...(mark.quick
      ? [
          "Quick: few seeds, short training, few places of the grid. It shows that everything works; read no verdict out of it.",
        ]
      : []),
    ...(findings.missing.length > 0
      ? [`Not run: ${findings.missing.join(", ")}. Their claims are not in the table.`]
      : []),
    ...(before.length > 0
      ? [
          `The protocol was changed after this reproduction began (before: ${before.map((d) => d.slice(0, 12)).join(", ")}).`,
        ]
      : []),
  ];
}

const isText = (x: unknown): x is string => typeof x === "string" && x !== "";

function factsOf(input: PaperReportInput): Fact[] {
  const { manifest, protocol, mark } = input;
  const adapter = manifest.adapter as { name?: string; software?: boolean } | undefined;
  const { versions: v, started, ended } = manifest as { versions?: Record<string, string> } & Record<string, unknown>;
  const seconds = Object.values(manifest.seconds).reduce((a, b) => a + b, 0);
  return [
    ...(isText(adapter?.name) ? [adapterFact({ name: adapter.name, software: adapter.software === true })] : []),
    {
      name: "Networks",
      value: `N = ${unitsOf(input)}${unitsOf(input) < LARGE_UNITS ? " (small)" : ""}; κ ${protocol.leaks.join(", ")} × k ${protocol.maskEvery.join(", ")}; ${protocol.seeds.count} seeds for each`,
    },
    {
      name: "Protocol",
      value: `fixed before the run; SHA-256 ${mark.digest.slice(0, 16)}…${mark.quick ? ", its quick part" : ""}`,
    },
    {
      name: "Made by",
      value: [
        v?.reverie && `reverie ${v.reverie}`,
        isText(started) && `begun ${timeText(started)}`,
        isText(ended) && `ended ${timeText(ended)}`,
        `${durationText(seconds)} of work`,
      ]
        .filter(isText)
        .join(", "),
    },
  ];
}

function partSection(input: PaperReportInput, part: Part, title: string): string {
  const { claims, figures } = input.findings;
  const own = ofPart(claims, part);
  const drawn = ofPart(figures, part).map(
    (f) => `<h3 id="${escapeXml(f.figure.name)}">${escapeXml(subscripts(f.title))}</h3>${figureHtml(pageFigure(f))}`,
  );
  const grids = own.map(grid).filter((g) => g !== "");
  if (own.length === 0 && drawn.length === 0) return "";
  const places = grids.length === 0 ? "" : `<h3>Every place of the grid</h3>${grids.join("\n")}`;
  return section(`claim-${part}`, title, [...drawn, subscripts(places)].join("\n"));
}

/** Where to go on the page, as it is long. */
function contents({ findings }: PaperReportInput): string {
  const isThere = (part: Part): boolean =>
    ofPart(findings.claims, part).length > 0 || ofPart(findings.figures, part).length > 0;
  const links = [
    ...PARTS.filter(({ part }) => isThere(part)).map(({ part, short }) => [`claim-${part}`, short] as const),
    ["constants", "Constants"] as const,
    ["methods", "Methods"] as const,
    ["provenance", "Provenance"] as const,
  ];
  return `<nav class="contents">${links.map(([id, title]) => `<a href="#${id}">${escapeXml(title)}</a>`).join(" · ")}</nav>`;
}

/** The page as one HTML document that refers to nothing outside itself but the tables beside it. */
export function paperHtml(input: PaperReportInput): string {
  const { findings, protocol, manifest, mark } = input;
  const { claims } = findings;
  return pageHtml({
    kind: "reproduction",
    title: "Leakage, adaptation and momentum in RNN replay",
    facts: factsOf(input),
    notices: noticesOf(input),
    sections: [
      contents(input),
      claims.length === 0
        ? ""
        : section(
            "verdicts",
            "Verdicts",
            `<p class="prose-text">${escapeXml(tally(claims))} A verdict follows from the whole grid, never from its best place; “measured” quotes the place that the protocol named beforehand. Every cell: <a href="claims.csv">claims.csv</a>, <a href="claims.json">claims.json</a>.</p>${subscripts(verdicts(claims))}`,
          ),
      ...PARTS.map(({ part, title }) => partSection(input, part, title)),
      section("constants", "Constants of our choice", subscripts(constants(input.configs, protocol))),
      section("methods", "Methods", subscripts(methods(protocol, mark.digest))),
    ],
    provenance: [
      { title: "Protocol", value: protocol },
      { title: "Manifest", value: manifest },
    ],
  });
}
