// The time scale at which replays lie along awake paths, against friction.
import { draw } from "./draw.mjs";

await draw("compression", /^compression-scale$/);
