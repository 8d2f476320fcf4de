// Where small friction diverges.
import { draw } from "./draw.mjs";

await draw("activations", /^small-friction/);
