// How far the drift points along the score.
import { draw } from "./draw.mjs";

await draw("score", /^score-cosine/);
