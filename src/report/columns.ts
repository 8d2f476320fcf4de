/** Rows of cells as lines of equal columns; those of `left` are left-aligned, the others right. Nothing trails. */
export function alignColumns(rows: readonly (readonly string[])[], left: ReadonlySet<number> = new Set([0])): string[] {
  const length = (cell: string | undefined) => [...(cell ?? "")].length;
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => length(row[column]))));
  const pad = (cell: string, column: number): string => {
    const blank = " ".repeat((widths[column] ?? 0) - length(cell));
    return left.has(column) ? cell + blank : blank + cell;
  };
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}
