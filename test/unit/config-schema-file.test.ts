/** The schema that editors read is the one that the program checks by; the presets' costs are told for each of them. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { presets } from "../../src/config/presets/index.ts";
import { configJsonSchema } from "../../src/config/schema.ts";

const text = (path: string): string => readFileSync(new URL(`../../src/config/${path}`, import.meta.url), "utf8");

test("reverie.schema.json is what `reverie schema` prints", () => {
  expect(JSON.parse(text("reverie.schema.json")), "run npm run schema").toEqual(configJsonSchema());
});

test("every preset has its line in the table, with its purpose", () => {
  const readme = text("README.md");
  for (const { name, purpose } of presets()) expect(readme).toContain(`| \`${name}\` | ${purpose} |`);
});

test("an editor has a sentence for every key", () => {
  const silent: string[] = [];
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key === "properties")
        for (const [name, property] of Object.entries(value as Record<string, { description?: string }>))
          if (!property.description) silent.push(`${path}.${name}`);
      visit(value, `${path}.${key}`);
    }
  };
  visit(configJsonSchema(), "");
  expect(silent).toEqual([]);
});
