import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A software adapter compiles for seconds before a new kernel's first dispatch.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two processes with a device each, for all files: a software adapter compiles on one core, and each process costs
    // more than most tests. Threads would take the whole run down with a driver that crashes.
    pool: "forks",
    maxWorkers: 2,
    isolate: false,
  },
});
