// Loss beyond that of the best map.
import { draw } from "./draw.mjs";

await draw("estimation", /^estimation-excess/);
