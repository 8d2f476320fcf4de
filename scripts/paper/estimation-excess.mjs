// Loss beyond the best map's, with and without the leak given.
import { draw } from "./draw.mjs";

await draw("estimation", /^estimation-excess$/);
