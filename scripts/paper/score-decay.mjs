// Decay rates off and within the plane of the readout.
import { draw } from "./draw.mjs";

await draw("score", /^score-decay/);
