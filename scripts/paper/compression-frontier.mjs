// Compression against fidelity, with animals' replay marked.
import { draw } from "./draw.mjs";

await draw("compression", /^compression-frontier$/);
