/** The size of the paper: 512 units, 512 place cells. A GPU's work; on a CPU an iteration takes seconds. */
import type { ConfigInput } from "../schema.ts";
import { network } from "./common.ts";
import { cells, place } from "./place.ts";

export const placeLarge = {
  ...place,
  name: "place-large",
  seeds: [0],
  rnn: { ...network, units: 512 },
  task: { ...place.task, cells: { ...cells, count: 512 } },
  train: { ...place.train, batch: 64, iterations: 3000 },
} satisfies ConfigInput;
