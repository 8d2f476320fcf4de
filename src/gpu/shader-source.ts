/**
 * Follows `//! import "lib/x.wgsl"` directives and rewrites `//! tune` constants. The files stay legal WGSL for
 * editors, Dawn and wgsl_reflect; a line map leads every compiler message back to its true file and line.
 * `//! import "lib/x.wgsl" or NAME "lib/y.wgsl"` takes the second file where the tune sets NAME to 1: for what a constant
 * cannot change, such as a type.
 */
import { ShaderError } from "../errors.ts";

/** Reads a shader by its path under `shaders/`, such as `rnn/readout.wgsl`; throws if there is none. */
export type ShaderReader = (path: string) => string;

/** Values for lines such as `const TILE_ROWS: u32 = 32u; //! tune`. */
export type Tune = Readonly<Record<string, number>>;

export interface ShaderSource {
  readonly file: string;
  readonly code: string;
  /** True place of a line (1-based) of `code`. */
  origin(line: number): { readonly file: string; readonly line: number };
}

const IMPORT = /^\s*\/\/!\s*import\s+"([^"]+)"(?:\s+or\s+(\w+)\s+"([^"]+)")?\s*$/;
const TUNE = /^(\s*const\s+)(\w+)(\s*:\s*)(u32|i32|f32)(\s*=\s*)([^;]+)(;\s*\/\/!\s*tune\b.*)$/;
const ENABLE = /^\s*enable\s+\w+\s*;/;

interface Line {
  readonly text: string;
  readonly file: string;
  readonly line: number;
}

interface Collection {
  readonly read: ShaderReader;
  readonly tune: Tune;
  readonly done: Set<string>;
  /** Names that chose between imports. */
  readonly chosen: Set<string>;
  readonly out: Line[];
}

/** The file that an import line names, under this tune. */
function imported(text: string, c: Collection): string | undefined {
  const [, file, name, other] = IMPORT.exec(text) ?? [];
  if (name === undefined) return file;
  c.chosen.add(name);
  return c.tune[name] === 1 ? other : file;
}

function collect(file: string, c: Collection, open: readonly string[]): void {
  if (open.includes(file)) throw new ShaderError(`${open.join(" → ")} → ${file}: shader imports go round in a circle`);
  if (c.done.has(file)) return;
  c.done.add(file);
  const own: Line[] = c
    .read(file)
    .split("\n")
    .map((text, i) => ({ text, file, line: i + 1 }));
  for (const l of own) {
    const name = imported(l.text, c);
    if (name !== undefined) collect(name, c, [...open, file]);
  }
  c.out.push(...own);
}

function literal(value: number, type: string, name: string): string {
  if (type === "f32") return `${value}f`;
  if (!Number.isInteger(value) || (type === "u32" && value < 0)) {
    throw new ShaderError(`${name}: ${value} is not a ${type}`);
  }
  return type === "u32" ? `${value}u` : `${value}i`;
}

/** Files that a shader names itself, in order. */
export function shaderImports(text: string): string[] {
  return text.split("\n").flatMap((line) => IMPORT.exec(line)?.[1] ?? []);
}

export interface TuneConstant {
  readonly name: string;
  readonly type: string;
  /** As written in the file. */
  readonly value: string;
}

/** The constants that `assembleShader` may rewrite. */
export function tuneConstants(code: string): TuneConstant[] {
  return code.split("\n").flatMap((line) => {
    const m = TUNE.exec(line);
    return m ? [{ name: m[2] as string, type: m[4] as string, value: (m[6] as string).trim() }] : [];
  });
}

export function assembleShader(file: string, read: ShaderReader, tune: Tune = {}): ShaderSource {
  const lines: Line[] = [];
  const chosen = new Set<string>();
  collect(file, { read, tune, done: new Set(), chosen, out: lines }, []);
  const unused = new Set(Object.keys(tune).filter((name) => !chosen.has(name)));
  const text = lines.map((l) => {
    const m = TUNE.exec(l.text);
    const value = m ? tune[m[2] as string] : undefined;
    if (!m || value === undefined) return l;
    unused.delete(m[2] as string);
    return {
      ...l,
      text: `${m[1]}${m[2]}${m[3]}${m[4]}${m[5]}${literal(value, m[4] as string, m[2] as string)}${m[7]}`,
    };
  });
  if (unused.size > 0) throw new ShaderError(`${file} has no tune constant ${[...unused].join(", ")}`);
  // WGSL wants `enable` before anything else, whichever file asks for it.
  const seen = new Set<string>();
  const enables = text.filter((l) => ENABLE.test(l.text) && !seen.has(l.text.trim()) && seen.add(l.text.trim()));
  const body = text.map((l) => (ENABLE.test(l.text) ? { ...l, text: "" } : l));
  const all = [...enables, ...body];
  return {
    file,
    code: all.map((l) => l.text).join("\n"),
    origin: (line) => {
      const l = all[Math.min(Math.max(line, 1), all.length) - 1] as Line;
      return { file: `shaders/${l.file}`, line: l.line };
    },
  };
}
