/** Writes src/config/reverie.schema.json, what `reverie schema` prints, for editors: npm run schema. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configJsonSchema } from "../dist/index.js";

const path = fileURLToPath(new URL("../src/config/reverie.schema.json", import.meta.url));
writeFileSync(path, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
