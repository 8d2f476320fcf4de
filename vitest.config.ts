import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A software adapter compiles for seconds before a new kernel's first dispatch.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // One process and one device for all files: each costs more than most tests, and two compete for the same cores.
    // Threads would take the whole run down with a driver that crashes.
    pool: "forks",
    maxWorkers: 1,
    isolate: false,
  },
});
