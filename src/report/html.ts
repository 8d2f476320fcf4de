import { headline } from "./headline.ts";
import { environmentIn, type ReportInput } from "./input.ts";
import { metricSection } from "./metric-table.ts";
import { figureSection, type PageFigure, pageHtml, pair } from "./page.ts";
import { playerSection } from "./player.ts";
import { figuresOf, seedsOf } from "./run-figures.ts";
import { conditionPair, INK_PAIR } from "./theme.ts";

/** Awake paths and every condition's replays, to be animated together. */
function player(input: ReportInput): string {
  const every = input.every ?? 1;
  const networks = input.conditions[0]?.positions.shape[0] ?? 0;
  if (networks === 0) return "";
  const seeds = seedsOf(input);
  const awake =
    input.awake === undefined
      ? []
      : [
          {
            label: "Awake",
            detail: "decoded, with input",
            colour: INK_PAIR,
            tensor: input.awake.readout,
            firstStep: 1,
            every: 1,
          },
        ];
  return playerSection({
    environment: environmentIn(input),
    films: [
      ...awake,
      ...input.conditions.map((c, i) => ({
        label: c.label,
        detail: c.detail ?? "",
        colour: conditionPair(i),
        tensor: c.positions,
        firstStep: every,
        every,
      })),
    ],
    networks: Array.from({ length: networks }, (_, n) => `${n}${seeds[n] === undefined ? "" : ` (seed ${seeds[n]})`}`),
    caption:
      "Decoded positions of awake paths, with input, and of replays, without. The same replay in two panels has the same start and, with shared noise, the same noise.",
  });
}

/** The whole report as one HTML document that refers to nothing outside itself. */
export function reportHtml(input: ReportInput, figures: readonly PageFigure[] = figuresOf(input)): string {
  const sectionOf = (name: string): string => {
    const found = figures.find((f) => f.figure.name === name);
    return found === undefined ? "" : figureSection(found);
  };
  return pageHtml({
    kind: "replay report",
    title: input.title,
    facts: headline(input),
    notices: input.notices,
    sections: [
      sectionOf("replays"),
      player(input),
      pair(sectionOf("exploration"), sectionOf("reach")),
      sectionOf("occupancy"),
      metricSection(input),
      pair(sectionOf("speed"), sectionOf("awake")),
      sectionOf("rates"),
      sectionOf("tuning"),
      sectionOf("replays-by-network"),
      sectionOf("loss"),
    ],
    provenance: [
      { title: "Configuration", value: input.config },
      { title: "Manifest", value: input.manifest },
    ],
  });
}
