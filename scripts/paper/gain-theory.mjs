// The gain K_t in closed form, and the best constant ones.
import { draw } from "./draw.mjs";

await draw("estimation", /^gain-theory/);
