/** The one GPU of the test process: NaN poison and guard words on, stray errors kept for the test that caused them. */
import { afterEach } from "vitest";
import type { Gpu } from "../src/gpu/context.ts";
import { openGpu } from "../src/gpu/open-node.ts";

let opened: Promise<Gpu> | null = null;
const stray: Error[] = [];

/** Opened once per process; every file shares it (vitest runs with one worker, not isolated). */
export function testGpu(): Promise<Gpu> {
  opened ??= openGpu({ poison: true, onStrayError: (e) => void stray.push(e) });
  return opened;
}

/** Call at the top of a file: any GPU error, or a write outside a buffer, fails the test that met it. */
export function gpuHygiene(): void {
  afterEach(async () => {
    const gpu = await testGpu();
    await gpu.device.queue.onSubmittedWorkDone();
    const first = stray.shift();
    stray.length = 0;
    if (first) throw first;
    await gpu.checkGuards();
  });
}
