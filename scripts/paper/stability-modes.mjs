// Eigenvalues of trained networks beside the region of stability.
import { draw } from "./draw.mjs";

await draw("stability", /^stability-modes/);
