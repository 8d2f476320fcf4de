// Error of an estimated score against the number of samples.
import { draw } from "./draw.mjs";

await draw("estimation", /^estimation-error/);
