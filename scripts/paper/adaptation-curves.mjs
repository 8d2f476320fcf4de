// Coverage, regions, entropy and reach time against adaptation strength, a figure for each task.
import { draw } from "./draw.mjs";

await draw("adaptation", /^adaptation-(tmaze|triangle|place|placeDelta)$/);
