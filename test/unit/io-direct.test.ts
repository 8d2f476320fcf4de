import { randomFillSync } from "node:crypto";
import fs from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DiskError } from "../../src/errors.ts";
import { AtomicFile } from "../../src/io/atomic-file.ts";
import { DIRECT_BYTES } from "../../src/io/direct.ts";
import { disk } from "../../src/io/disk.ts";
import { type Fault, scratch, systemError, withFault } from "./io-helpers.ts";

const folder = scratch();
const real = { ...disk };
afterEach(() => Object.assign(disk, real));

/** Two blocks and an end; pieces that end at no block's border. */
const content = randomFillSync(new Uint8Array(2 * DIRECT_BYTES + 12_345));
const PIECES = [7, 1_000_003, DIRECT_BYTES + 11, Number.POSITIVE_INFINITY];
/** In the first block, from the first into the second, from what is written into what waits, in the end. */
const PATCHES = [14, DIRECT_BYTES - 2, 2 * DIRECT_BYTES - 2, 2 * DIRECT_BYTES + 9];

function write(path: string): void {
  const file = new AtomicFile(path, { large: true });
  try {
    let from = 0;
    for (const bytes of PIECES) {
      file.append(content.subarray(from, from + bytes));
      from += bytes;
    }
    for (const at of PATCHES) file.patch(Uint8Array.of(1, 2, 3, 4), at);
    expect(file.length).toBe(content.length);
    file.commit();
  } finally {
    file.abort();
  }
}

const expected = content.slice();
for (const at of PATCHES) expected.set([1, 2, 3, 4], at);
const holds = (path: string): boolean => Buffer.compare(fs.readFileSync(path), expected) === 0;

/** Descriptors that were opened for direct writes, and how many bytes went through them. */
function watchDirect() {
  const seen = { opened: 0, closed: 0, bytes: 0 };
  const direct = new Set<number>();
  disk.open = (path, flags) => {
    const descriptor = real.open(path, flags);
    if (typeof flags === "number") {
      direct.add(descriptor);
      seen.opened++;
    }
    return descriptor;
  };
  disk.write = (descriptor, ...rest) => {
    const written = real.write(descriptor, ...rest);
    if (direct.has(descriptor)) seen.bytes += written;
    return written;
  };
  disk.close = (descriptor) => {
    if (direct.delete(descriptor)) seen.closed++;
    real.close(descriptor);
  };
  return seen;
}

/** Whether files beside the tests' can be written past the cache at all. */
function canWriteDirectly(): boolean {
  try {
    const flag = fs.constants.O_DIRECT;
    if (flag === undefined) return false;
    fs.closeSync(fs.openSync(join(folder(), "probe"), fs.constants.O_WRONLY | fs.constants.O_CREAT | flag));
    return true;
  } catch {
    return false;
  }
}

describe("a large file", () => {
  it("holds what was appended and patched, its blocks past the cache where the system can", () => {
    const path = join(folder(), "x");
    const seen = watchDirect();
    write(path);
    expect(holds(path)).toBe(true);
    expect(seen).toEqual(
      canWriteDirectly() ? { opened: 1, closed: 1, bytes: 2 * DIRECT_BYTES } : { opened: 0, closed: 0, bytes: 0 },
    );
  });

  it("of less than a block is written too", () => {
    const path = join(folder(), "x");
    const file = new AtomicFile(path, { large: true });
    file.append(Buffer.from("0123456789"));
    file.patch(Buffer.from("..."), 7);
    file.commit();
    expect(fs.readFileSync(path, "utf8")).toBe("0123456...");
  });

  it.each(["EINVAL", "EOPNOTSUPP"])("is written in the ordinary way where opening says %s", (code) => {
    const path = join(folder(), "x");
    disk.open = (opened, flags) => {
      if (typeof flags === "number") throw systemError(code, "open");
      return real.open(opened, flags);
    };
    write(path);
    expect(holds(path)).toBe(true);
  });

  it("is written in the ordinary way from the write on that is refused", ({ skip }) => {
    skip(!canWriteDirectly(), "this file system has no direct writes");
    const path = join(folder(), "x");
    const seen = watchDirect();
    const watched = disk.write;
    // As where a disk's blocks are larger: the second write is cut to a length that is no multiple of any.
    let calls = 0;
    disk.write = (descriptor, bytes, from, length, position) =>
      watched(descriptor, bytes, from, calls++ === 1 ? length - 1000 : length, position);
    write(path);
    expect(holds(path)).toBe(true);
    expect(seen).toEqual({ opened: 1, closed: 1, bytes: DIRECT_BYTES });
  });

  it.each(["ENOSPC", "EIO", "short write"] as Fault[])(
    "is there whole or not at all when any call fails: %s",
    (fault) => {
      let failed: string | null = "";
      const seen: string[] = [];
      for (let n = 1; failed !== null; n++) {
        const directory = folder();
        const path = join(directory, "x");
        let error: unknown = null;
        failed = withFault(n, fault, false, () => {
          try {
            write(path);
          } catch (caught) {
            error = caught;
          }
        });
        if (failed !== null) seen.push(failed);
        if (error === null) expect(holds(path)).toBe(true);
        else {
          expect(error).toBeInstanceOf(DiskError);
          // The folder's fsync may fail after the file is in place.
          expect(fs.readdirSync(directory).every((name) => name === "x" && holds(path))).toBe(true);
        }
      }
      expect(seen.filter((call) => call === "write").length).toBeGreaterThan(3);
    },
  );
});
