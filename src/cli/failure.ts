/** Every way to fail becomes one line on stderr and an exit code. Imports no package, for one may be missing. */
import { EXIT, type ExitCode, ReverieError } from "../errors.ts";

export interface Failure {
  readonly line: string;
  readonly exitCode: ExitCode;
}

/** System calls that fail for the disk's or the user's reasons, not for ours. */
const DISK_CODES: readonly string[] = [
  "EACCES",
  "EDQUOT",
  "EFBIG",
  "EIO",
  "EISDIR",
  "EMFILE",
  "ENFILE",
  "ENOSPC",
  "ENOTDIR",
  "EPERM",
  "EROFS",
];

/** Breaks and control characters would make two lines of one, or move the cursor. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").trim();
}

export function failureOf(error: unknown): Failure {
  if (error instanceof ReverieError) return { line: oneLine(error.message), exitCode: error.exitCode };
  const message = oneLine(error instanceof Error ? error.message : String(error)) || "no message";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // The parser of the command line has errors of its own.
  if (code.startsWith("commander.")) {
    const hint = message.includes("Did you mean") ? "" : " (see --help)";
    return { line: message.replace(/^error: /, "").replace(/\.$/, "") + hint, exitCode: EXIT.usage };
  }
  if (DISK_CODES.includes(code)) return { line: message, exitCode: EXIT.disk };
  if (code === "ERR_MODULE_NOT_FOUND" && message.startsWith("Cannot find package")) {
    return { line: `${message.replace(/ imported from .*/, "")}; run: npm run setup`, exitCode: EXIT.noAdapter };
  }
  return { line: `internal error: ${message}; please report it with the output of --debug`, exitCode: EXIT.bug };
}

/** The stack with those of its causes, for `--debug`. */
export function stackOf(error: unknown): string {
  const stacks: string[] = [];
  for (let at = error; at !== undefined && at !== null && stacks.length < 10; at = (at as { cause?: unknown }).cause) {
    stacks.push(at instanceof Error ? (at.stack ?? at.message) : String(at));
  }
  return stacks.join("\ncaused by: ");
}
