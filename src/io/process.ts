/** Whether a process named by a file still lives: its id alone does not tell, ids are used again. */
import fs from "node:fs";

/**
 * What tells a process from a later one with the same id: boot and start time where /proc has them, else "".
 * null when there is no such process, or only its unreaped remains.
 */
export function startMark(pid: number): string | null {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name stands in parentheses and may contain anything; the state follows its last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? null : `${bootId()} ${fields[19]}`;
  } catch {
    return exists(pid) ? "" : null;
  }
}

/** Whether the process that had `mark` when it was noted is still there. When in doubt, it is. */
export function isAlive(pid: number, mark: string): boolean {
  const now = startMark(pid);
  return now !== null && (now === "" || mark === "" || now === mark);
}

/** Start times count from the boot; some sandboxes hide which boot that was. */
function bootId(): string {
  try {
    return fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return "";
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
