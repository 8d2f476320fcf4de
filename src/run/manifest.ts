/** What every result file says of where it came from. */
import { readFileSync } from "node:fs";
import type { Gpu } from "../gpu/context.ts";

function packageVersion(url: URL): string {
  try {
    return String((JSON.parse(readFileSync(url, "utf8")) as { version?: unknown }).version);
  } catch {
    return "unknown";
  }
}

const ROOT = new URL("../../", import.meta.url);

export function versions(): Record<string, string> {
  return {
    reverie: packageVersion(new URL("package.json", ROOT)),
    webgpu: packageVersion(new URL("node_modules/webgpu/package.json", ROOT)),
    node: process.versions.node,
  };
}

export function gpuFacts(gpu: Gpu): Record<string, unknown> {
  return {
    adapter: {
      name: gpu.adapter.name,
      software: gpu.adapter.software,
      vendor: gpu.adapter.vendor,
      driver: gpu.adapter.driver,
    },
    givenUp: gpu.givenUp,
    limits: gpu.limits,
  };
}
