// The law that replays settle into, with and without momentum.
import { draw } from "./draw.mjs";

await draw("momentum", /^momentum-law/);
