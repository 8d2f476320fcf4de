/** The commands of all pages, as their readers see them. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./command-line.ts";

const PROGRAMS = /^(npx reverie|reverie|npm|node|bash) /;

/** Words of a line of shell: quotes hold together, a comment ends it. */
export function words(line: string): string[] {
  const out: string[] = [];
  for (const m of line.matchAll(/'([^']*)'|"([^"]*)"|(#.*)|([^\s'"#]+)/g)) {
    if (m[3] !== undefined) break;
    const text = m[1] ?? m[2] ?? m[4] ?? "";
    const before = line[(m.index ?? 0) - 1];
    if (before !== undefined && !/\s/.test(before) && out.length > 0) out.push(`${out.pop()}${text}`);
    else out.push(text);
  }
  return out;
}

export interface Documented {
  readonly page: string;
  readonly line: string;
}

const tracked = (pattern: string): string[] =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", pattern], {
    cwd: ROOT,
    encoding: "utf8",
  })
    .trim()
    .split("\n");

/** In fenced shell, one a line; in running text, between backticks. Placeholders are not commands. */
function commandsOf(page: string): Documented[] {
  const text = readFileSync(join(ROOT, page), "utf8").replace(/\\\n\s*/g, " ");
  const fenced = [...text.matchAll(/^```(?:sh|bash)?\n([\s\S]*?)^```$/gm)].flatMap((m) => (m[1] as string).split("\n"));
  const prose = text.replace(/^```[\s\S]*?^```$/gm, "");
  const inline = [...prose.matchAll(/`([^`\n]+)`/g)].map((m) => m[1] as string);
  return [...fenced, ...inline]
    .map((line) => line.trim())
    .filter((line) => PROGRAMS.test(line) && !/…|<[a-z]+>|\b(FILE|RUN|DIR|NAME|DIRECTORY)\b/.test(line))
    .map((line) => ({ page, line }));
}

/** The project may lie in a folder without its history: then the pages that are known to be there. */
export const PAGES = existsSync(join(ROOT, ".git"))
  ? tracked("*.md")
  : ["README.md", "test/README.md", "shaders/README.md"];
const ALL = PAGES.flatMap(commandsOf);
export const OURS = ALL.filter(({ line }) => /^(npx )?reverie /.test(line));
export const OTHERS = ALL.filter(({ line }) => !/^(npx )?reverie /.test(line));
