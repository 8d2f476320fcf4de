// Reach times against friction, beside 1/λ.
import { draw } from "./draw.mjs";

await draw("momentum", /^momentum-(?!law)/);
