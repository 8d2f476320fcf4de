/** What a network on a path is shown and asked for: place cells, the kind of input, and how an activity is decoded. */

import * as z from "zod";
import { LAYOUTS } from "../code/centres.ts";
import { DECODERS, MOST_CELLS, TUNINGS } from "../code/population.ts";
import { choice, integer, listOf, point, positive, record, seed } from "./fields.ts";

const FEWEST_CELLS = 16;

const cells = record(
  {
    count: integer(FEWEST_CELLS, MOST_CELLS, "N_pc: place cells, which are the readouts.").default(64),
    layout: choice(
      LAYOUTS,
      "Where the centres lie: on a grid, each somewhere within its tile or in its middle; anywhere; on a circle (head direction); as listed; or as listed in a file.",
    ).default("jitteredGrid"),
    centres: listOf(point("Centre of a cell, metres."), 0, MOST_CELLS, "points [x, y]", "For layout list.").default([]),
    file: z
      .string({ error: "must be text" })
      .describe("For layout file: .npz with `centres` (cells, 2), metres, or .csv with x,y a line.")
      .default(""),
    seed: seed("Seed of the centres, the same for all networks.").default(1),
    width: positive(1e4, "w: standard deviation of a cell's field, metres.").default(0.12),
    tuning: choice(
      TUNINGS,
      "Rate at distance d: Gaussian; Gaussian above a threshold; difference of Gaussians; softmax over the cells.",
    ).default("gaussian"),
  },
  "A population of place cells.",
);

export const CODE_TASK = {
  cells: cells
    .nullable()
    .describe("Place cells that stand for the position; null: the position itself, x and y.")
    .default(null),
  input: choice(
    ["displacement", "codeDelta"],
    "u: the scaled step of the animal, or the change of all rates (needs cells).",
  ).default("displacement"),
  decode: record(
    {
      method: choice(
        DECODERS,
        "Position of an activity: mean of the k most active cells' centres, or mean of all centres weighted by activity.",
      ).default("topK"),
      k: integer(1, 16, "Cells of topK.").default(3),
    },
    "From rates back to a position.",
  ).prefault({}),
};

export type CellsConfig = z.output<typeof cells>;

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

export interface CodeConfig {
  readonly kind: string;
  readonly cells: (Pick<CellsConfig, "count" | "layout" | "file"> & { readonly centres: readonly unknown[] }) | null;
  readonly input: string;
}

export function codeContradictions({ kind, cells: own, input }: CodeConfig): Contradiction[] {
  const at = (key: string, message: string) => [{ path: ["task", "cells", key], message }];
  if (kind === "tensors" && own !== null) {
    return [{ path: ["task", "cells"], message: "must be null: tensors bring their own targets" }];
  }
  if (own === null) {
    return input === "codeDelta"
      ? [{ path: ["task", "input"], message: "must be displacement unless task.cells are given" }]
      : [];
  }
  if (own.layout === "list" && own.centres.length !== own.count) {
    return at("centres", `must list one centre per cell, ${own.count}`);
  }
  if (own.layout !== "list" && own.centres.length > 0)
    return at("centres", "must be empty unless task.cells.layout is list");
  if (own.layout === "file" && own.file === "") return at("file", "must name a file where task.cells.layout is file");
  return [];
}
