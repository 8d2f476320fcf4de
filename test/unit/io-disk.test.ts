import fs from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataError, DiskError } from "../../src/errors.ts";
import { AtomicFile, writeFileAtomically } from "../../src/io/atomic-file.ts";
import {
  asDiskError,
  asReadError,
  disk,
  makeDirectory,
  probeWritable,
  readSmallFile,
  requireFreeSpace,
  writeFully,
} from "../../src/io/disk.ts";
import { type Fault, scratch, systemError, thrownBy, withFault } from "./io-helpers.ts";

const folder = scratch();

describe("errors of the file system", () => {
  it.each([
    ["ENOSPC", "the disk is full"],
    ["EDQUOT", "the disk quota is used up"],
    ["EACCES", "permission denied"],
    ["EROFS", "the file system is read-only"],
    ["ENOTDIR", "a file stands where a folder is needed"],
    ["EIO", "the device reports an input/output error"],
    ["EMFILE", "cannot be written"],
  ])("%s becomes one line with a remedy", (code, words) => {
    const error = asDiskError(systemError(code), "runs/x") as DiskError;
    expect(error).toBeInstanceOf(DiskError);
    expect(error.exitCode).toBe(8);
    expect(error.message).toMatch(new RegExp(`^runs/x: ${words}[^\\n]*; [^\\n]+ \\(${code}\\)$`));
  });

  it("leaves other errors alone", () => {
    const bug = new TypeError("ours");
    expect(asDiskError(bug, "x")).toBe(bug);
    expect(asReadError(bug, "x")).toBe(bug);
  });

  it("while reading blames the data, unless permission is lacking", () => {
    expect(asReadError(systemError("EACCES"), "x")).toBeInstanceOf(DiskError);
    expect(asReadError(systemError("EIO"), "x")).toBeInstanceOf(DataError);
    expect(thrownBy(() => readSmallFile("/nowhere/x.json")).message).toMatch(/^\/nowhere\/x\.json: no such file; /);
  });

  it("come from a disk that is really full", ({ skip }) => {
    skip(!fs.existsSync("/dev/full"), "this system has no /dev/full");
    const descriptor = disk.open("/dev/full", "w");
    const error = thrownBy(() => writeFully(descriptor, new Uint8Array(1)));
    disk.close(descriptor);
    expect((asDiskError(error, "x") as Error).message).toContain("the disk is full");
  });

  it("come from paths that cannot be written", () => {
    const directory = folder();
    fs.writeFileSync(join(directory, "file"), "");
    expect(thrownBy(() => makeDirectory(join(directory, "file", "run"))).message).toContain("(ENOTDIR)");
    expect(thrownBy(() => makeDirectory(join(directory, "file"))).message).toContain("(EEXIST)");
    expect(thrownBy(() => probeWritable(join(directory, "absent"))).message).toContain("(ENOENT)");
    expect(thrownBy(() => writeFileAtomically(join(directory, "file", "x"), "")).message).toContain("(ENOTDIR)");
    expect(thrownBy(() => writeFileAtomically(directory, "")).message).toContain("(EISDIR)");
    // Root may write anywhere but here.
    if (fs.existsSync("/proc/self")) expect(thrownBy(() => probeWritable("/proc"))).toBeInstanceOf(DiskError);
    expect(fs.readdirSync(directory)).toEqual(["file"]);
  });

  it("do not come from a folder that another process made a moment earlier", () => {
    const path = join(folder(), "a", "b");
    const real = disk.makeDirectory;
    disk.makeDirectory = (wanted) => {
      fs.mkdirSync(wanted);
      real(wanted);
    };
    try {
      makeDirectory(path);
    } finally {
      disk.makeDirectory = real;
    }
    expect(fs.statSync(path).isDirectory()).toBe(true);
  });

  it("are foreseen where the free space is known", () => {
    const error = thrownBy(() => requireFreeSpace(folder(), 2 ** 60));
    expect(error).toBeInstanceOf(DiskError);
    expect(error.message).toMatch(/: needs 1099511627776\.0 MiB, [\d.]+ MiB are free; free some space or save less$/);
    expect(() => requireFreeSpace(folder(), 1)).not.toThrow();
  });
});

describe("an atomic file", () => {
  it.each(["ENOSPC", "EIO", "short write"] as Fault[])("is the old or the new one when any call fails: %s", (fault) => {
    for (const forEver of [false, true]) {
      let failed: string | null = "";
      const seen: string[] = [];
      for (let n = 1; failed !== null; n++) {
        const directory = folder();
        const path = join(directory, "x");
        writeFileAtomically(path, "old");
        let error: unknown = null;
        failed = withFault(n, fault, forEver, () => {
          try {
            writeFileAtomically(path, "new content");
          } catch (caught) {
            error = caught;
          }
        });
        expect(["old", "new content"]).toContain(fs.readFileSync(path, "utf8"));
        if (failed === null) expect(fs.readFileSync(path, "utf8")).toBe("new content");
        else {
          seen.push(failed);
          expect(error).toBeInstanceOf(DiskError);
          if (!forEver) expect(fs.readdirSync(directory)).toEqual(["x"]);
        }
      }
      // Every step was hit: temporary file, content, content to disk, close; rename; then the directory.
      expect(seen).toEqual(["open", "write", "fsync", "close", "rename", "open", "fsync", "close"]);
    }
  });

  it("goes on after a short write that reports no error", () => {
    const write = disk.write;
    disk.write = (descriptor, bytes, from, length, position) =>
      write(descriptor, bytes, from, Math.min(length, 3), position);
    const path = join(folder(), "x");
    try {
      const file = new AtomicFile(path);
      file.append(Buffer.from("0123456789"));
      file.append(Buffer.from("abc"));
      file.patch(Buffer.from("....."), 2);
      file.commit();
    } finally {
      disk.write = write;
    }
    expect(fs.readFileSync(path, "utf8")).toBe("01.....789abc");
  });

  it("does without the directory's fsync where the file system has none", () => {
    const path = join(folder(), "x");
    const real = disk.fsync;
    let calls = 0;
    disk.fsync = (descriptor) => {
      if (++calls === 2) throw systemError("EINVAL", "fsync");
      real(descriptor);
    };
    try {
      writeFileAtomically(path, "new");
    } finally {
      disk.fsync = real;
    }
    expect(calls).toBe(2);
    expect(fs.readFileSync(path, "utf8")).toBe("new");
  });

  it("stays when it is aborted after commit, and cannot be written any more", () => {
    const path = join(folder(), "x");
    const file = new AtomicFile(path);
    file.commit();
    expect(() => file.append(Buffer.from("x"))).toThrow("after it was closed");
    file.abort();
    expect(fs.existsSync(path)).toBe(true);
  });
});
