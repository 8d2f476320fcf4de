// Speed against coverage, and the mix that a rule chose.
import { draw } from "./draw.mjs";

await draw("balance", /^balance-front/);
