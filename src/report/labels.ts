import { MARGINS } from "./chart.ts";
import { textWidth } from "./svg.ts";

/** Names beside points of a chart with linear axes, each where it hides least. */

export const LABEL_SIZE = 12;

interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Label {
  readonly at: Point;
  readonly label: string;
  readonly colour: string;
}

export interface Frame {
  /** Pixels, margins included. */
  readonly width: number;
  readonly height: number;
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

interface Place {
  readonly dx: number;
  readonly dy: number;
  readonly anchor: "start" | "end" | "middle";
}

const PLACES: readonly Place[] = [
  { dx: 9, dy: -12, anchor: "start" },
  { dx: -9, dy: -12, anchor: "end" },
  { dx: 9, dy: 13, anchor: "start" },
  { dx: -9, dy: 13, anchor: "end" },
  { dx: 0, dy: -16, anchor: "middle" },
  { dx: 0, dy: 17, anchor: "middle" },
];

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

const overlap = (a: Box, b: Box): number =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));

const around = (x: number, y: number, radius: number): Box => ({
  left: x - radius,
  right: x + radius,
  top: y - radius,
  bottom: y + radius,
});

/** Greedy: in order, each label takes the place where it covers least of points, earlier labels and the margin. */
export function placeLabels(
  labels: readonly Label[],
  points: readonly Point[],
  frame: Frame,
): (Label & { readonly place: Place })[] {
  const inside: Box = {
    left: MARGINS.marginLeft,
    right: frame.width - MARGINS.marginRight,
    top: MARGINS.marginTop,
    bottom: frame.height - MARGINS.marginBottom,
  };
  const pixel = (p: Point): [number, number] => [
    inside.left + ((p.x - frame.x[0]) / (frame.x[1] - frame.x[0])) * (inside.right - inside.left),
    inside.bottom - ((p.y - frame.y[0]) / (frame.y[1] - frame.y[0])) * (inside.bottom - inside.top),
  ];
  const taken: Box[] = [...points.map((p) => around(...pixel(p), 4)), ...labels.map((l) => around(...pixel(l.at), 8))];
  return labels.map((label) => {
    const [x, y] = pixel(label.at);
    const width = textWidth(label.label, LABEL_SIZE) * 1.06;
    const boxOf = ({ dx, dy, anchor }: Place): Box => {
      const left = x + dx - (anchor === "start" ? 0 : anchor === "end" ? width : width / 2);
      return { left, right: left + width, top: y + dy - 8, bottom: y + dy + 6 };
    };
    const cost = (place: Place): number => {
      const box = boxOf(place);
      const outside = width * 14 - overlap(box, inside);
      return taken.reduce((sum, other) => sum + overlap(box, other), 3 * outside);
    };
    const place = PLACES.reduce((best, p) => (cost(p) < cost(best) ? p : best));
    taken.push(boxOf(place));
    return { ...label, place };
  });
}
