/** A peer's process, seen from the comparison: one question, one answer. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A first training step compiles; on a software adapter, or under torch.compile, for minutes. */
const PATIENCE_MS = 900_000;

export class PeerProcess {
  static async start(command, args, request, environment) {
    const self = new PeerProcess();
    self.process = spawn(command, [...args, JSON.stringify(request)], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...environment },
    });
    self.stderr = "";
    self.process.stderr.on("data", (text) => {
      self.stderr = `${self.stderr}${text}`.slice(-2000);
    });
    self.process.stdin.on("error", () => undefined);
    self.gone = new Promise((resolve) => {
      self.process.on("error", (error) => resolve(error.code === "ENOENT" ? `there is no ${command}` : error.message));
      self.process.on("close", (code, signal) => resolve(`it ended with ${signal ?? `code ${code}`}: ${self.#last()}`));
    });
    self.lines = createInterface({ input: self.process.stdout })[Symbol.asyncIterator]();
    self.first = await self.#next();
    return self;
  }

  #last() {
    return this.stderr.trim().split("\n").at(-1) ?? "";
  }

  /** The next line that is JSON: libraries print greetings. */
  async #next() {
    let timer;
    const late = new Promise((resolve) => {
      timer = setTimeout(() => resolve(`no answer in ${PATIENCE_MS / 1e3} s`), PATIENCE_MS);
    });
    try {
      for (;;) {
        const line = await Promise.race([this.lines.next(), late]);
        if (typeof line === "string") return { error: line };
        if (line.done) return { error: await this.gone };
        if (line.value.startsWith("{")) return JSON.parse(line.value);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  ask(order) {
    this.process.stdin.write(`${JSON.stringify(order)}\n`);
    return this.#next();
  }

  async stop() {
    this.process.stdin.end();
    const killed = setTimeout(() => this.process.kill("SIGKILL"), 5000);
    await this.gone;
    clearTimeout(killed);
  }
}
