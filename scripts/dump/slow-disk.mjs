// node --import ./scripts/dump/slow-disk.mjs dist/cli/main.js …: as if behind the system's cache of unwritten pages there
// were a disk of REVERIE_DISK_MIB MiB/s. A write returns at once while the cache has room; fsync waits until it is empty.
import { disk } from "../../dist/io/disk.js";

const MIB = 2 ** 20;
const CACHE = 128 * MIB;
const rate = (Number(process.env.REVERIE_DISK_MIB) * MIB) / 1000;
const { write, fsync } = disk;
const sleep = new Int32Array(new SharedArrayBuffer(4));
/** When the disk will have taken everything, milliseconds. */
let done = 0;
/** Uses no processor meanwhile, as a process that waits for a disk does not. */
const waitUntil = (time) => Atomics.wait(sleep, 0, 0, Math.max(0, time - performance.now()));

disk.write = (descriptor, bytes, from, length, position) => {
  const written = write(descriptor, bytes, from, length, position);
  done = Math.max(done, performance.now()) + written / rate;
  waitUntil(done - CACHE / rate);
  return written;
};
disk.fsync = (descriptor) => {
  waitUntil(done);
  return fsync(descriptor);
};
