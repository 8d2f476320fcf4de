import { text, textWidth } from "./svg.ts";

export interface Entry {
  readonly label: string;
  readonly colour: string;
  readonly dash?: string;
}

/** Short lines with names, in as many rows as they need. */
export function legend(
  entries: readonly Entry[],
  x: number,
  y: number,
  width: number,
): { body: string; height: number } {
  const [line, pitch, size] = [18, 18, 11.5];
  let [column, row] = [0, 0];
  const parts = entries.map(({ label, colour, dash }) => {
    const needed = line + 6 + textWidth(label, size) + 18;
    if (column > 0 && column + needed > width) [column, row] = [0, row + 1];
    const [left, top] = [x + column, y + row * pitch];
    column += needed;
    const dashes = dash === undefined ? "" : ` stroke-dasharray="${dash}"`;
    return (
      `<path d="M${left} ${top}h${line}" stroke="${colour}" stroke-width="2.4" fill="none"${dashes}/>` +
      text(left + line + 6, top + 4, label, { size })
    );
  });
  return { body: parts.join(""), height: entries.length === 0 ? 0 : (row + 1) * pitch + 4 };
}
