// Reach time against coverage: plain, adaptation, momentum, both.
import { draw } from "./draw.mjs";

await draw("adaptation", /^adaptation-momentum$/);
