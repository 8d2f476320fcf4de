// Phase diagram over friction and adaptation strength.
import { draw } from "./draw.mjs";

await draw("balance", /^balance-phase/);
