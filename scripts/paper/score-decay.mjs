// Linear decay off and within the readout's plane.
import { draw } from "./draw.mjs";

await draw("score", /^score-decay$/);
