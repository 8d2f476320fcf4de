/** Which driver and which shader cache a process is given, without opening one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { driverHome, preloadLocalDriver } from "../../src/gpu/local-driver.ts";

const VARIABLES = [
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "VK_ADD_DRIVER_FILES",
  "MESA_SHADER_CACHE_DIR",
  "LP_NATIVE_VECTOR_WIDTH",
];
const NO_GPU = { devices: [], manifests: [] };
let before: (string | undefined)[];
let root: string;

// The test process may have opened the real driver already, so its variables are put back.
beforeEach(() => {
  before = VARIABLES.map((name) => process.env[name]);
  for (const name of VARIABLES) delete process.env[name];
  root = mkdtempSync(join(tmpdir(), "reverie-driver-"));
});

afterEach(() => {
  VARIABLES.forEach((name, index) => {
    const value = before[index];
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  });
  rmSync(root, { recursive: true });
});

function unpack(): string {
  mkdirSync(join(root, ".drivers"));
  writeFileSync(join(root, ".drivers/version"), "lavapipe-1.2\n");
  const manifest = join(root, ".drivers/icd.json");
  writeFileSync(manifest, "{}");
  return manifest;
}

describe.runIf(process.platform === "linux")("an unpacked driver", () => {
  test("is named by the variables of new and old loaders", () => {
    const manifest = unpack();
    expect(preloadLocalDriver(root, NO_GPU)).toEqual({ driver: "lavapipe-1.2" });
    expect(process.env.VK_DRIVER_FILES).toBe(manifest);
    expect(process.env.VK_ICD_FILENAMES).toBe(manifest);
  });

  // A cluster: set up where there is no GPU, run where there is one.
  test.each([
    ["nvidia_icd.json", true],
    ["radeon_icd.x86_64.json", true],
    ["lvp_icd.x86_64.json", false],
    ["README", false],
  ])("joins the system's where a GPU has %s: %s", (name, joins) => {
    const manifest = unpack();
    const device = join(root, "gpu0");
    writeFileSync(device, "");
    writeFileSync(join(root, name), "{}");
    preloadLocalDriver(root, { devices: [device], manifests: [join(root, "absent"), root] });
    expect(process.env.VK_ADD_DRIVER_FILES).toBe(joins ? manifest : undefined);
    expect(process.env.VK_DRIVER_FILES).toBe(joins ? undefined : manifest);
    expect(process.env.VK_ICD_FILENAMES).toBe(joins ? undefined : manifest);
  });

  test("stays alone where a driver has no GPU", () => {
    const manifest = unpack();
    writeFileSync(join(root, "nvidia_icd.json"), "{}");
    preloadLocalDriver(root, { devices: [join(root, "gpu0")], manifests: [root] });
    expect(process.env.VK_DRIVER_FILES).toBe(manifest);
    expect(process.env.VK_ADD_DRIVER_FILES).toBeUndefined();
  });

  test("gives way to one that the user chose", () => {
    unpack();
    process.env.VK_ICD_FILENAMES = "/theirs.json";
    expect(preloadLocalDriver(root)).toEqual({ driver: null });
    expect(process.env.VK_ICD_FILENAMES).toBe("/theirs.json");
    expect(process.env.VK_DRIVER_FILES).toBeUndefined();
  });

  test("leaves the choice to the loader where set-up hid its manifest", () => {
    rmSync(unpack());
    expect(preloadLocalDriver(root)).toEqual({ driver: null });
    expect(process.env.VK_DRIVER_FILES).toBeUndefined();
  });

  test("survives libraries that do not open, in any order", () => {
    unpack();
    const libraries = join(
      root,
      ".drivers/usr/lib",
      process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu",
    );
    mkdirSync(libraries, { recursive: true });
    writeFileSync(join(libraries, "libbroken.so.1"), "not a library");
    expect(preloadLocalDriver(root)).toEqual({ driver: "lavapipe-1.2" });
  });
});

describe("the folder of the driver", () => {
  test("is a clone's own", () => {
    expect(driverHome("/home/anna/reverie")).toBe("/home/anna/reverie");
  });

  test("of an installed package is in the user's cache: an install wipes the package", () => {
    const before = process.env.XDG_CACHE_HOME;
    try {
      process.env.XDG_CACHE_HOME = "/caches";
      expect(driverHome("/home/anna/project/node_modules/reverie")).toBe(join("/caches", "reverie"));
      delete process.env.XDG_CACHE_HOME;
      expect(driverHome("/home/anna/project/node_modules/reverie")).toMatch(/\.cache[\\/]reverie$/);
    } finally {
      if (before === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = before;
    }
  });
});

describe("the shader cache", () => {
  test("is named by driver and vector width, for Mesa's own key has no width", () => {
    unpack();
    process.env.LP_NATIVE_VECTOR_WIDTH = "512";
    preloadLocalDriver(root);
    const driver = process.platform === "linux" ? "lavapipe-1.2" : "system";
    expect(process.env.MESA_SHADER_CACHE_DIR).toBe(join(root, `.shader-cache/${driver}-512`));
  });

  test("of the system's driver has a name of its own", () => {
    expect(preloadLocalDriver(root)).toEqual({ driver: null });
    expect(process.env.MESA_SHADER_CACHE_DIR).toBe(join(root, ".shader-cache/system-default"));
  });

  test("stays where the user put it", () => {
    process.env.MESA_SHADER_CACHE_DIR = "/theirs";
    preloadLocalDriver(root);
    expect(process.env.MESA_SHADER_CACHE_DIR).toBe("/theirs");
  });

  test("is Mesa's default where the project cannot be written", () => {
    preloadLocalDriver(join(root, "absent"));
    expect(process.env.MESA_SHADER_CACHE_DIR).toBeUndefined();
  });
});

test("a second call changes nothing", () => {
  const first = preloadLocalDriver(root);
  delete process.env.MESA_SHADER_CACHE_DIR;
  expect(preloadLocalDriver(root)).toBe(first);
  expect(process.env.MESA_SHADER_CACHE_DIR).toBeUndefined();
});
