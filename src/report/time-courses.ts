import * as Plot from "@observablehq/plot";
import { chart } from "./chart.ts";
import { type Figure, fitText, text } from "./svg.ts";
import { HAIRLINE, INK, MUTED } from "./theme.ts";

/** Small multiples of numbers against steps: a line of panels for every readout, sharing its scale. */

/** One time course; slot i is step (i + 1) · every. */
export interface Course {
  readonly values: ArrayLike<number>;
  readonly every: number;
  readonly colour: string;
  readonly width: number;
}

export interface CourseColumn {
  readonly title: string;
  readonly detail: string;
  /** [line][course] */
  readonly courses: readonly (readonly Course[])[];
}

const WIDTH = 1000;
const LEFT = 56;
const GAP = 26;
const HEAD = 42;
const HEIGHT = 104;
const FOOT = 40;
/** Half a number of the step axis reaches over its panel. */
const SIDE = 12;
const WIDEST = 300;

const points = ({ values, every }: Course) =>
  Array.from(values, (y, i) => ({ x: (i + 1) * every, y })).filter(({ y }) => Number.isFinite(y));

function domainOf(courses: readonly Course[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { values } of courses) {
    for (let i = 0; i < values.length; i++) {
      const y = values[i] as number;
      if (!Number.isFinite(y)) continue;
      [low, high] = [Math.min(low, y), Math.max(high, y)];
    }
  }
  if (!(high >= low)) return [-1, 1];
  const room = high > low ? 0.06 * (high - low) : 1;
  return [low - room, high + room];
}

export function timeCourses(
  o: Pick<Figure, "name" | "description"> & {
    readonly lines: readonly string[];
    readonly columns: readonly CourseColumn[];
  },
): Figure {
  const count = Math.max(1, o.columns.length);
  const width = Math.min(WIDEST, (WIDTH - LEFT - SIDE - GAP * (count - 1)) / count);
  const steps = Math.max(1, ...o.columns.flatMap((c) => c.courses.flat().map((x) => x.values.length * x.every)));
  const heads = o.columns.map((c, j) => {
    const x = LEFT + j * (width + GAP);
    return (
      text(x, 11, fitText(c.title, 14, width), { size: 14, weight: 600 }) +
      text(x, 29, fitText(c.detail, 11, width), { size: 11, fill: MUTED })
    );
  });
  const panels = o.lines.flatMap((line, i) => {
    const domain = domainOf(o.columns.flatMap((c) => c.courses[i] ?? []));
    const y = HEAD + i * HEIGHT;
    const isLast = i === o.lines.length - 1;
    const own = o.columns.map((column, j) =>
      chart(
        {
          width: width + (j === 0 ? LEFT : SIDE) + SIDE,
          height: HEIGHT + (isLast ? FOOT - 12 : 0),
          marginLeft: j === 0 ? LEFT : SIDE,
          marginRight: SIDE,
          marginTop: 4,
          marginBottom: isLast ? FOOT - 4 : 8,
          x: { domain: [0, steps], axis: null },
          y: { domain, axis: null },
          marks: [
            Plot.ruleY([domain[0]], { stroke: HAIRLINE }),
            ...(j === 0
              ? [Plot.axisY({ ticks: 3, tickSize: 0, tickPadding: 4, color: MUTED, fontSize: 10.5, label: null })]
              : []),
            ...(isLast
              ? [Plot.axisX({ ticks: 4, tickSize: 4, tickPadding: 4, color: MUTED, fontSize: 10.5, label: null })]
              : []),
            ...(column.courses[i] ?? []).map((c) =>
              Plot.line(points(c), { x: "x", y: "y", stroke: c.colour, strokeWidth: c.width }),
            ),
          ],
        },
        j === 0 ? 0 : LEFT + j * (width + GAP) - SIDE,
        y,
      ),
    );
    return [...own, text(0, y + 12, line, { size: 11.5, fill: INK })];
  });
  const total = LEFT + count * width + (count - 1) * GAP + SIDE;
  const height = HEAD + o.lines.length * HEIGHT + FOOT - 8;
  return {
    name: o.name,
    description: o.description,
    width: total,
    height,
    body: [
      ...heads,
      ...panels,
      text(LEFT + (total - LEFT) / 2, height - 4, "step", { size: 11.5, anchor: "middle" }),
    ].join(""),
  };
}
