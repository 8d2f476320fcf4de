// Learning curves with and without a leak, by mask.
import { draw } from "./draw.mjs";

await draw("leakage", /^leakage-curves/);
