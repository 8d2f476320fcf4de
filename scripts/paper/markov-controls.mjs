// Memory or inhibition: adaptation beside memoryless feedback.
import { draw } from "./draw.mjs";

await draw("markov", /^markov-controls$/);
