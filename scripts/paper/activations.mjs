// Speed and coverage with other activation functions.
import { draw } from "./draw.mjs";

await draw("activations", /^activations/);
