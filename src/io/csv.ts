/** Tables as CSV with the quoting of RFC 4180; lines end in a newline alone, which every reader takes. */
import { DataError } from "../errors.ts";
import { writeFileAtomically } from "./atomic-file.ts";
import { readSmallFile } from "./disk.ts";

export type CsvValue = string | number | bigint | boolean | null | undefined;
export type CsvRow = Readonly<Record<string, CsvValue>>;

/** null and undefined are empty fields; NaN stays NaN, which pandas and R read. */
function field(value: CsvValue): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A header line and one line per row; a row may lack columns, but not have others. */
export function formatCsv(columns: readonly string[], rows: readonly CsvRow[]): string {
  const known = new Set(columns);
  for (const row of rows) {
    const stranger = Object.keys(row).find((key) => !known.has(key));
    if (stranger !== undefined) throw new Error(`no column ${stranger} among ${columns.join(", ")}`);
  }
  const lines = [columns.map(field), ...rows.map((row) => columns.map((column) => field(row[column])))];
  return lines.map((fields) => `${fields.join(",")}\n`).join("");
}

/** @throws DiskError */
export function writeCsv(path: string, columns: readonly string[], rows: readonly CsvRow[]): void {
  writeFileAtomically(path, formatCsv(columns, rows));
}

/** Rows as records of text, keyed by the header line. @throws DataError */
export function readCsv(path: string): Record<string, string>[] {
  return parseCsv(readSmallFile(path).toString("utf8"), path);
}

/** @throws DataError naming `where` and the row (1 = first after the header) */
export function parseCsv(text: string, where: string): Record<string, string>[] {
  const [header, ...body] = parseFields(text, where);
  if (header === undefined) return [];
  return body.map((fields, i) => {
    if (fields.length !== header.length) {
      throw new DataError(`${where}: row ${i + 1}: expected ${header.length} fields, found ${fields.length}`);
    }
    return Object.fromEntries(header.map((column, c) => [column, fields[c] as string]));
  });
}

function parseFields(text: string, where: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (match === null) {
      throw new DataError(`${where}: row ${rows.length}: a quotation mark is out of place; restore the file`);
    }
    const [, quoted, plain, separator] = match;
    row.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    if (separator !== ",") {
      rows.push(row);
      row = [];
    } else if (pattern.lastIndex === text.length) {
      rows.push([...row, ""]);
    }
  }
  return rows;
}
