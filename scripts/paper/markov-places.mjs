// The same over every κ and k.
import { draw } from "./draw.mjs";

await draw("markov", /^markov-places$/);
