/** Centres of place cells from a file. They become part of the configuration: a run never depends on the file again. */
import { readFileSync } from "node:fs";
import { DataError, UsageError } from "../errors.ts";
import { expectArray, readNpz } from "../io/npz.ts";
import type { ExperimentConfig } from "./schema.ts";

type Centres = [number, number][];

function fromNpz(path: string): Centres {
  const all = expectArray(readNpz(path), "centres", { dtype: "float64", shape: ["cells", 2] });
  return Array.from({ length: all.length / 2 }, (_, i) => [all[2 * i] as number, all[2 * i + 1] as number]);
}

/** x,y a line; a first line without numbers is a title. */
function fromCsv(path: string): Centres {
  const lines = readFileSync(path, "utf8")
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((text, i) => ({ text: text.trim(), line: i + 1 }))
    .filter(({ text }) => text !== "");
  const isTitle = (text: string): boolean => text.split(",").every((v) => v.trim() !== "" && Number.isNaN(Number(v)));
  const rows = lines[0] && isTitle(lines[0].text) ? lines.slice(1) : lines;
  return rows.map(({ text, line }) => {
    const cells = text.split(",").map((v) => v.trim());
    const [x, y] = cells.map(Number);
    if (cells.length !== 2 || cells.includes("") || !Number.isFinite(x) || !Number.isFinite(y)) {
      throw new DataError(`${path}:${line}: expected x,y in metres, found ${JSON.stringify(text.slice(0, 60))}`);
    }
    return [x as number, y as number];
  });
}

/** The configuration with its cells' file read into a list. @throws DataError, UsageError */
export function withCentres(config: ExperimentConfig): unknown {
  const { cells } = config.task;
  if (cells === null || cells.layout !== "file") return config;
  if (!/\.(npz|csv)$/i.test(cells.file)) {
    throw new UsageError(`task.cells.file is ${JSON.stringify(cells.file)}: must end in .npz or .csv`);
  }
  let centres: Centres;
  try {
    centres = /\.csv$/i.test(cells.file) ? fromCsv(cells.file) : fromNpz(cells.file);
  } catch (cause) {
    if (cause instanceof DataError || cause instanceof UsageError) throw cause;
    throw new DataError(
      `${cells.file}: cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown reason"})`,
      {
        cause,
      },
    );
  }
  return {
    ...config,
    task: { ...config.task, cells: { ...cells, layout: "list", file: "", count: centres.length, centres } },
  };
}
