// Cosine between drift and score along OU paths.
import { draw } from "./draw.mjs";

await draw("score", /^score-cosine$/);
