import type { Environment, View } from "./environment.ts";
import { CENTRELINE, CORRIDOR } from "./theme.ts";

/** An environment as SVG, under paths or over a map. */

/** Drawing units per pixel, so that paths are written in short whole numbers. */
export const FINE = 8;

export const panelHeight = (view: View, width: number): number => (width * view.height) / view.width;

/** Metres to drawing units, y upwards to y downwards. */
export type Place = (x: number, y: number) => [number, number];

export function placing(view: View, width: number): Place {
  const unit = (width * FINE) / view.width;
  return (x, y) => [Math.round((x - view.x) * unit), Math.round((view.y + view.height - y) * unit)];
}

const closed = (points: readonly (readonly [number, number])[], at: Place): string =>
  points.length === 0 ? "" : `M${points.map((p) => at(...p).join(" ")).join("L")}Z`;

/** Corridors and floor, walls, goals, place-cell centres; in drawing units of a panel `width` pixels wide. */
export function ground(environment: Environment, width: number): string {
  const { view, tracks, walls, discs, centres } = environment;
  const at = placing(view, width);
  const unit = (width * FINE) / view.width;
  const line = tracks.map(([a, b]) => `M${at(...a).join(" ")}L${at(...b).join(" ")}`).join("");
  const outline = walls.map((w) => closed(w, at)).join("");
  const parts: string[] = [];
  if (outline !== "") {
    parts.push(`<path d="${outline}" fill="${CORRIDOR}" stroke="${CENTRELINE}" stroke-width="${2 * FINE}"/>`);
  }
  if (line !== "") {
    parts.push(
      `<path d="${line}" stroke="${CORRIDOR}" stroke-width="${Math.round(environment.trackWidth * unit)}"/>`,
      `<path d="${line}" stroke="${CENTRELINE}" stroke-width="${FINE}"/>`,
    );
  }
  for (const d of discs) {
    const [x, y] = at(d.x, d.y);
    parts.push(
      `<circle cx="${x}" cy="${y}" r="${Math.round(d.radius * unit)}" stroke="${CENTRELINE}" stroke-width="${FINE}" stroke-dasharray="${2 * FINE} ${3 * FINE}"/>`,
    );
  }
  if (centres.length > 0) {
    const r = Math.round(1.6 * FINE);
    const dots = centres.map((c) => {
      const [x, y] = at(...c);
      return `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
    });
    parts.push(`<path d="${dots.join("")}" fill="${CENTRELINE}"/>`);
  }
  return parts.join("");
}

/** The same as thin broken lines, to lie over a map. */
export function overlay(environment: Environment, width: number): string {
  const at = placing(environment.view, width);
  const line = environment.tracks.map(([a, b]) => `M${at(...a).join(" ")}L${at(...b).join(" ")}`).join("");
  const outline = environment.walls.map((w) => closed(w, at)).join("");
  return (
    (line === ""
      ? ""
      : `<path d="${line}" fill="none" stroke="${CENTRELINE}" stroke-width="${FINE}" stroke-dasharray="${3 * FINE} ${3 * FINE}"/>`) +
    (outline === "" ? "" : `<path d="${outline}" fill="none" stroke="${CENTRELINE}" stroke-width="${2 * FINE}"/>`)
  );
}
