/** Small charts beside each other, each with a letter and a title. */
import { type ChartOptions, chart } from "./chart.ts";
import { type Entry, legend } from "./legend.ts";
import { type Figure, fitText, text } from "./svg.ts";

export interface Panel {
  readonly title: string;
  readonly options: Omit<ChartOptions, "width" | "height">;
}

export interface PanelsOptions {
  readonly name: string;
  readonly description: string;
  readonly panels: readonly Panel[];
  readonly columns: number;
  readonly entries?: readonly Entry[];
  /** Pixels of one chart. */
  readonly width?: number;
  readonly height?: number;
}

const [HEAD, COLUMN_GAP, ROW_GAP] = [24, 18, 18];
const PAGE = 1000;

/** One legend for all, then rows of panels that fill the page's width. */
export function panels(o: PanelsOptions): Figure {
  const columns = Math.min(o.columns, o.panels.length);
  const width = o.width ?? (PAGE - (columns - 1) * COLUMN_GAP) / columns;
  const height = o.height ?? 260;
  const whole = columns * width + (columns - 1) * COLUMN_GAP;
  const key = legend(o.entries ?? [], 54, 10, whole - 60);
  const top = key.height === 0 ? 0 : key.height + 10;
  const drawn = o.panels.map((p, i) => {
    const x = (i % columns) * (width + COLUMN_GAP);
    const y = top + Math.floor(i / columns) * (HEAD + height + ROW_GAP);
    const letter = String.fromCharCode(97 + i);
    return (
      text(x + 20, y + 12, letter, { size: 13, weight: 600 }) +
      text(x + 54, y + 12, fitText(p.title, 13, width - 60), { size: 13, weight: 600 }) +
      chart({ ...p.options, width, height }, x, y + HEAD)
    );
  });
  const rows = Math.ceil(o.panels.length / columns);
  return {
    name: o.name,
    width: whole,
    height: top + rows * (HEAD + height + ROW_GAP) - ROW_GAP,
    body: key.body + drawn.join(""),
    description: o.description,
  };
}
