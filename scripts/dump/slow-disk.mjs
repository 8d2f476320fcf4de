// node --import ./scripts/dump/slow-disk.mjs dist/cli/main.js …: as if the disk took REVERIE_DISK_MIB MiB/s and had no cache.
import { disk } from "../../dist/io/disk.js";

const rate = Number(process.env.REVERIE_DISK_MIB) * 2 ** 20;
const write = disk.write;
const sleep = new Int32Array(new SharedArrayBuffer(4));
let free = 0;
disk.write = (descriptor, bytes, from, length, position) => {
  const done = write(descriptor, bytes, from, length, position);
  free = Math.max(free, performance.now()) + (1000 * done) / rate;
  // The processor is not used meanwhile, as it is not by a write that waits for a disk.
  Atomics.wait(sleep, 0, 0, free - performance.now());
  return done;
};
