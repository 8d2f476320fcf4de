/** What a killed process leaves in its directories. */
import fs from "node:fs";
import { join } from "node:path";
import { asDiskError, asReadError, disk, temporaryOwner } from "./disk.ts";
import { isSuccession } from "./lock.ts";
import { startMark } from "./process.ts";

/**
 * Removes temporary files of this program whose process is gone. Only the holder of the lock may call it.
 * @throws DiskError
 */
export function removeLeftovers(directories: readonly string[]): void {
  for (const directory of directories) {
    let names: string[];
    try {
      names = fs.existsSync(directory) ? fs.readdirSync(directory) : [];
    } catch (error) {
      throw asReadError(error, directory);
    }
    for (const name of names) {
      const owner = temporaryOwner(name);
      // A living process may be writing here without the lock, a dump for instance; one with our id is dead.
      const abandoned = owner !== null && (owner === process.pid || startMark(owner) === null);
      if (!abandoned && !isSuccession(name)) continue;
      try {
        disk.unlink(join(directory, name));
      } catch (error) {
        throw asDiskError(error, join(directory, name));
      }
    }
  }
}
