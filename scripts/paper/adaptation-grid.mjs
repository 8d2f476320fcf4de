// Where over κ, k, b_a and τ_a adaptation raises or lowers coverage and reach time.
import { draw } from "./draw.mjs";

await draw("adaptation", /^adaptation-grid$/);
