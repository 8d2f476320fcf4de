/**
 * Lets Dawn find the Vulkan driver that set-up unpacked into `.drivers/`, on machines that have none.
 *
 * The dynamic linker reads LD_LIBRARY_PATH once, before the program starts. So that nobody has to source a file first,
 * the driver's libraries are opened here by path: when Dawn then asks for `libvulkan.so.1`, the linker finds it loaded.
 */
import { constants as access, accessSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { constants, homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What the preload did: `driver` is the unpacked driver's name and version, or null where the system's own is used. */
export interface LocalDriver {
  driver: string | null;
}

/** Where a system says that it has a GPU, and where the loader looks for its drivers. */
export interface SystemPaths {
  /** One of these files is there: a GPU that a program may open. */
  readonly devices: readonly string[];
  /** Folders of the drivers' manifests. */
  readonly manifests: readonly string[];
}

const SYSTEM: SystemPaths = {
  devices: ["/dev/nvidia0", "/dev/dri/renderD128"],
  manifests: ["/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d"],
};

/** A GPU and a driver that is none of Mesa's or Google's for CPUs. */
function hasHardwareDriver({ devices, manifests }: SystemPaths): boolean {
  const isHardware = (name: string) => name.endsWith(".json") && !/lvp|swiftshader|virtio|gfxstream/i.test(name);
  return (
    devices.some((file) => existsSync(file)) &&
    manifests.some((folder) => existsSync(folder) && readdirSync(folder).some(isHardware))
  );
}

const PROJECT_ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** An installed package: its folder may be read-only, and the next install wipes it. */
export const isInstalled = (root: string = PROJECT_ROOT): boolean => /[\\/]node_modules[\\/]/.test(root);

/** What a user runs to get a driver. */
export const setupCommand = (): string => (isInstalled() ? "npx reverie setup" : "npm run setup");

/** What may be lost without harm, and holds for all projects of a user. */
export function userCache(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "reverie");
}

/** The folder that holds `.drivers/` and `.shader-cache/`: a clone's own, and the user's cache for an installed package. */
export function driverHome(root: string = PROJECT_ROOT): string {
  return isInstalled(root) ? userCache() : root;
}

/** Any of these means that the user chose a driver. */
const DRIVER_VARIABLES = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES", "VK_ADD_DRIVER_FILES"];

/** glibc's and musl's value; Node does not export it. */
const RTLD_NODELETE = 0x1000;

const preloaded = new Map<string, LocalDriver>();

/**
 * Makes the unpacked driver usable by this process, and gives Mesa a shader cache of its own. Call it before `webgpu`
 * is imported; further calls do nothing. Without `.drivers/`, or where the user chose a driver, the system's own is left
 * alone. Set-up writes `.drivers/` only on machines whose own adapter is missing or does not compute; where the folder is
 * then met by a machine with a GPU (a cluster's nodes share it), its driver joins the system's and Dawn puts GPUs first.
 *
 * @param home folder that holds `.drivers/` and `.shader-cache/`
 */
export function preloadLocalDriver(home: string = driverHome(), system: SystemPaths = SYSTEM): LocalDriver {
  const known = preloaded.get(home);
  if (known) return known;
  const result = { driver: openUnpackedDriver(join(home, ".drivers"), system) };
  nameShaderCache(home, result.driver ?? "system");
  preloaded.set(home, result);
  return result;
}

function openUnpackedDriver(folder: string, system: SystemPaths): string | null {
  const version = join(folder, "version");
  if (process.platform !== "linux" || !existsSync(version)) return null;
  if (DRIVER_VARIABLES.some((name) => process.env[name] !== undefined)) return null;
  openLibraries(sharedObjects(folder));
  // Set-up hides the manifest where the unpacked loader finds a driver of the system's.
  const manifest = join(folder, "icd.json");
  if (!existsSync(manifest)) return null;
  if (hasHardwareDriver(system)) {
    process.env.VK_ADD_DRIVER_FILES = manifest;
  } else {
    // Older loaders know only the second name.
    process.env.VK_DRIVER_FILES = manifest;
    process.env.VK_ICD_FILENAMES = manifest;
  }
  return readFileSync(version, "utf8").trim();
}

function sharedObjects(folder: string): string[] {
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return [join(folder, "usr/lib", triplet), join(folder, "lib", triplet)]
    .filter((libraries) => existsSync(libraries))
    .flatMap((libraries) => readdirSync(libraries).map((name) => join(libraries, name)))
    .filter((path) => /\.so(\.\d+)*$/.test(path));
}

/**
 * Opens each library, in passes, for one may need another that comes later. Node refuses each of them, as none is an
 * add-on, but RTLD_NODELETE keeps it mapped. Never with RTLD_GLOBAL: LLVM's symbols would then take the place of Dawn's
 * and the process dies at its first compilation.
 */
function openLibraries(paths: string[]): void {
  let waiting = paths;
  let before: number;
  do {
    before = waiting.length;
    waiting = waiting.filter((path) => !isOpened(path));
  } while (waiting.length > 0 && waiting.length < before);
}

function isOpened(path: string): boolean {
  try {
    process.dlopen({ exports: {} }, path, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
    return true;
  } catch (error) {
    return !(error as Error).message.includes("cannot open shared object file");
  }
}

/**
 * Mesa's cache is not keyed by the vector width that its software driver compiles for, so each width gets its own
 * folder. Kept in the project, a fresh clone starts cold and removing the clone removes it.
 */
function nameShaderCache(home: string, driver: string): void {
  if (process.env.MESA_SHADER_CACHE_DIR !== undefined) return;
  try {
    if (home === userCache()) mkdirSync(home, { recursive: true });
    accessSync(home, access.W_OK);
  } catch {
    return;
  }
  const width = process.env.LP_NATIVE_VECTOR_WIDTH ?? "default";
  process.env.MESA_SHADER_CACHE_DIR = join(home, ".shader-cache", `${driver}-${width}`);
}
