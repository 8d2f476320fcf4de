// Gain of the drift on the score along OU paths.
import { draw } from "./draw.mjs";

await draw("score", /^score-gain$/);
