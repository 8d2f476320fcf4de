// The error that training ends at, against the leak.
import { draw } from "./draw.mjs";

await draw("leakage", /^leakage-error/);
