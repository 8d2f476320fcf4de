import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { validXml } from "./svg.ts";
import { HAIRLINE, INK, MUTED } from "./theme.ts";

/** Plot draws axes and marks into a document that no browser shows; what comes back is markup. */

export type Mark = NonNullable<Plot.PlotOptions["marks"]>[number];

export interface ChartOptions extends Omit<Plot.PlotOptions, "document" | "width" | "height"> {
  readonly width: number;
  readonly height: number;
}

/** The little of an element's interface that is used: the project compiles without a browser's types. */
interface PlottedElement {
  readonly outerHTML: string;
  querySelectorAll(selector: string): Iterable<{ remove(): void }>;
  setAttribute(name: string, value: string): void;
  removeAttribute(name: string): void;
}

export interface AxisOptions {
  readonly label: string;
  readonly ticks?: number | number[];
  readonly format?: (value: number) => string;
}

/** Pixels; charts may set their own. */
export const MARGINS = { marginLeft: 54, marginBottom: 44, marginTop: 12, marginRight: 16 } as const;

const AXIS = { tickSize: 4, tickPadding: 4, color: MUTED, fontSize: 10.5, labelArrow: "none" } as const;

/** Hairlines across, ticks and numbers in grey, the title in ink beside the axis' middle. */
export function xAxis(o: AxisOptions): Mark[] {
  const ticks = o.ticks === undefined ? {} : { ticks: o.ticks };
  const tickFormat = o.format === undefined ? {} : { tickFormat: o.format };
  return [
    Plot.axisX({ ...AXIS, ...ticks, ...tickFormat, label: null }),
    Plot.axisX({
      ticks: [],
      label: o.label,
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: 36,
      color: INK,
      fontSize: 11.5,
    }),
  ];
}

export function yAxis(o: AxisOptions & { readonly grid?: boolean }): Mark[] {
  const ticks = o.ticks === undefined ? {} : { ticks: o.ticks };
  const tickFormat = o.format === undefined ? {} : { tickFormat: o.format };
  return [
    ...(o.grid === false ? [] : [Plot.gridY({ ...ticks, stroke: HAIRLINE, strokeOpacity: 1 })]),
    Plot.axisY({ ...AXIS, ...ticks, ...tickFormat, tickSize: 0, label: null }),
    Plot.axisY({
      ticks: [],
      label: o.label,
      labelAnchor: "center",
      labelArrow: "none",
      labelOffset: 47,
      color: INK,
      fontSize: 11.5,
    }),
  ];
}

/** A chart as nested SVG at (x, y), pixels. */
export function chart(options: ChartOptions, x = 0, y = 0): string {
  const { document } = parseHTML("<html><body></body></html>");
  const svg = Plot.plot({
    ...MARGINS,
    ...options,
    document,
  } as unknown as Plot.PlotOptions) as unknown as PlottedElement;
  // Plot's own style sheet is for pages that scale its charts; nested in a figure it would leak into the page.
  for (const style of [...svg.querySelectorAll("style")]) style.remove();
  for (const name of ["class", "style", "font-family"]) svg.removeAttribute(name);
  svg.setAttribute("x", String(x));
  svg.setAttribute("y", String(y));
  return validXml(svg.outerHTML);
}
