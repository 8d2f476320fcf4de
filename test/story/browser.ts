/** A real browser for pages: headless Chromium, told what to do over the DevTools protocol. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import connect from "chrome-remote-interface";

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "chrome",
  "chrome-headless-shell",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Path of a Chromium: CHROME_PATH, or one of the usual names. Null where there is none. */
export function findChrome(): string | null {
  const named = process.env.CHROME_PATH;
  if (named) return existsSync(named) ? named : null;
  const works = (name: string): boolean => spawnSync(name, ["--version"], { stdio: "ignore" }).status === 0;
  return NAMES.find(works) ?? null;
}

type Client = Awaited<ReturnType<typeof connect>>;

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface PageOptions extends Size {
  readonly dark?: boolean;
  readonly calm?: boolean;
}

/** A tab, and what went wrong or out in it since it opened. */
export class Tab {
  /** Exceptions, `console.error` and what the browser itself reports as errors. */
  readonly errors: string[] = [];
  /** Addresses that were asked for, but for the page's own. */
  readonly requests: string[] = [];
  readonly #client: Client;
  readonly #session: string;
  #address = "";
  #loaded: () => void = () => {};

  constructor(client: Client, session: string) {
    this.#client = client;
    this.#session = session;
    client.on("event", ({ method, params, sessionId }) => {
      if (sessionId !== session) return;
      // biome-ignore lint/suspicious/noExplicitAny: the protocol's own shapes
      const p = params as any;
      if (method === "Runtime.exceptionThrown") {
        this.errors.push(p.exceptionDetails.exception?.description ?? p.exceptionDetails.text);
      }
      if (method === "Runtime.consoleAPICalled" && ["error", "assert", "warning"].includes(p.type)) {
        this.errors.push(
          p.args.map((a: { value?: unknown; description?: string }) => a.value ?? a.description).join(" "),
        );
      }
      if (method === "Log.entryAdded" && p.entry.level === "error") this.errors.push(p.entry.text);
      if (method === "Network.requestWillBeSent" && p.request.url !== this.#address) this.requests.push(p.request.url);
      if (method === "Page.loadEventFired") this.#loaded();
    });
  }

  send(method: string, parameters: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    return this.#client.send(method, parameters, this.#session);
  }

  async open(address: string, options: PageOptions): Promise<void> {
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await this.send(`${domain}.enable`);
    await this.resize(options);
    await this.send("Emulation.setEmulatedMedia", {
      features: [
        { name: "prefers-color-scheme", value: options.dark ? "dark" : "light" },
        { name: "prefers-reduced-motion", value: options.calm ? "reduce" : "no-preference" },
      ],
    });
    this.#address = address;
    const loaded = new Promise<void>((resolve) => {
      this.#loaded = resolve;
    });
    await this.send("Page.navigate", { url: address });
    await loaded;
  }

  resize({ width, height }: Size): Promise<unknown> {
    return this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  }

  /** The value of an expression in the page, by value; promises are waited for. */
  async value<T>(expression: string): Promise<T> {
    const answer = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    // biome-ignore lint/suspicious/noExplicitAny: the protocol's own shapes
    const { result, exceptionDetails } = answer as any;
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value as T;
  }

  /** As a user would: the event that the browser makes of it, not the page's own script. */
  async press(key: string, code = key): Promise<void> {
    const text = key === " " ? { text: " " } : {};
    const named = { key, code: key === " " ? "Space" : code, windowsVirtualKeyCode: KEYS[key] ?? 0, ...text };
    await this.send("Input.dispatchKeyEvent", { type: key === " " ? "keyDown" : "rawKeyDown", ...named });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...named });
  }

  async click(selector: string): Promise<void> {
    const { x, y } = await this.value<{ x: number; y: number }>(
      `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: "center", behavior: "instant" });
        const b = e.getBoundingClientRect(); return { x: b.x + b.width / 2, y: b.y + b.height / 2 }; })()`,
    );
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  /** Waits until an expression in the page is true. */
  async until(expression: string, seconds = 10): Promise<void> {
    const end = Date.now() + 1000 * seconds;
    while (!(await this.value<boolean>(expression))) {
      if (Date.now() > end) throw new Error(`not within ${seconds} s: ${expression}`);
      await pause(20);
    }
  }

  /** PNG of the window, or of an element, or, without a selector and with `whole`, of the page. */
  async screenshot(file: string, what: { selector?: string; whole?: boolean } = {}): Promise<Buffer> {
    const box = await this.value<{ x: number; y: number; width: number; height: number }>(
      what.selector
        ? `(() => { const b = document.querySelector(${JSON.stringify(what.selector)}).getBoundingClientRect(); return { x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height }; })()`
        : what.whole
          ? "({ x: 0, y: 0, width: innerWidth, height: document.documentElement.scrollHeight })"
          : "({ x: scrollX, y: scrollY, width: innerWidth, height: innerHeight })",
    );
    const { data } = await this.send("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: true,
      clip: { ...box, scale: 1 },
    });
    const png = Buffer.from(data as string, "base64");
    writeFileSync(file, png);
    return png;
  }
}

const KEYS: Readonly<Record<string, number>> = {
  " ": 32,
  End: 35,
  Home: 36,
  ArrowLeft: 37,
  ArrowRight: 39,
  Tab: 9,
  Enter: 13,
};

export class Browser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #client: Client;

  private constructor(process: ChildProcess, profile: string, client: Client) {
    this.#process = process;
    this.#profile = profile;
    this.#client = client;
    // Every tab listens.
    client.setMaxListeners(0);
  }

  /** @param own flags that say which GPU it has; none by default */
  static async start(path: string, own: readonly string[] = ["--disable-gpu"]): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), "reverie-chrome-"));
    const flags = ["--headless=new", "--no-sandbox", ...own, "--hide-scrollbars", "--no-first-run"];
    const child = spawn(
      path,
      [...flags, "--disable-dev-shm-usage", `--user-data-dir=${profile}`, "--remote-debugging-port=0", "about:blank"],
      { stdio: "ignore" },
    );
    try {
      const [port, target] = await addressOf(child, join(profile, "DevToolsActivePort"));
      const client = await connect({ port, target: `ws://127.0.0.1:${port}${target}`, local: true });
      return new Browser(child, profile, client);
    } catch (error) {
      child.kill("SIGKILL");
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      throw error;
    }
  }

  async tab(): Promise<Tab> {
    const { targetId } = await this.#client.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#client.send("Target.attachToTarget", { targetId, flatten: true });
    return new Tab(this.#client, sessionId as string);
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#process.once("exit", resolve));
    await this.#client.send("Browser.close").catch(() => {});
    const late = setTimeout(() => this.#process.kill("SIGKILL"), 5000);
    await gone;
    clearTimeout(late);
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Port and path of a browser's own socket; it writes them to a file once it listens. */
async function addressOf(child: ChildProcess, file: string): Promise<[port: number, path: string]> {
  const end = Date.now() + 30_000;
  for (;;) {
    if (existsSync(file)) {
      const [port, path] = readFileSync(file, "utf8").split("\n");
      if (port && path) return [Number(port), path.trim()];
    }
    if (child.exitCode !== null) throw new Error(`the browser ended with ${child.exitCode} before it listened`);
    if (Date.now() > end) throw new Error("the browser did not listen within 30 s");
    await pause(50);
  }
}
