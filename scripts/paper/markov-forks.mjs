// Laws after forks from the same r: memory of another visit, none, and the floor.
import { draw } from "./draw.mjs";

await draw("markov", /^markov-forks$/);
