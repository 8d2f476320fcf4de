// The gain of the drift on the score along a path.
import { draw } from "./draw.mjs";

await draw("score", /^score-gain/);
