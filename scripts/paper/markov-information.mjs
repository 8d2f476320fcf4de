// What the past of r still tells, given r and given its memory too.
import { draw } from "./draw.mjs";

await draw("markov", /^markov-information$/);
