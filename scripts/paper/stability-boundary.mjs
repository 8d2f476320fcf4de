// Where replay diverges, predicted and found.
import { draw } from "./draw.mjs";

await draw("stability", /^stability-boundary/);
