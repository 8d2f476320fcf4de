/** How much memory there is for what a verb is about to hold: in a container no more than it may have. */
import { readFileSync } from "node:fs";
import { freemem } from "node:os";

function ofMachine(): number {
  try {
    const m = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"));
    if (m) return Number(m[1]) * 1024;
  } catch {
    // Not Linux.
  }
  return freemem();
}

/** Bytes that can be allocated before the system kills somebody. */
export function availableMemory(): number {
  const ofContainer = process.constrainedMemory() - process.memoryUsage.rss();
  return ofContainer > 0 ? Math.min(ofMachine(), ofContainer) : ofMachine();
}
