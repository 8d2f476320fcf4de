/** Progress on stderr: what is done, how fast, how long it will still take. */
import type { Writable } from "node:stream";
import type { Progress } from "../run/types.ts";

/** Milliseconds between plain lines where nobody watches a terminal. */
const PLAIN_INTERVAL = 5000;

/** A stretch of time as people say it: two units at most. */
export function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** Three digits that count, without an exponent. */
function rate(perSecond: number): string {
  if (perSecond >= 100) return perSecond.toFixed(0);
  return perSecond >= 10 ? perSecond.toFixed(1) : perSecond.toFixed(2);
}

interface Task {
  readonly label: string;
  readonly total: number | undefined;
  readonly unit: string;
  /**
   * Where the rate is measured from: the first update, because what lies before it is shader compilation, and work
   * of an earlier session.
   */
  first: { readonly at: number; readonly done: number } | undefined;
}

/** `training  420/1400 iterations (30 %), 52.1 iterations/s, 19 s left, loss 0.012` */
function statusLine(task: Task, now: number, done: number, detail: string | undefined): string {
  const parts: string[] = [];
  const { total, unit, first } = task;
  if (total === undefined) parts.push(`${done} ${unit}`);
  else parts.push(`${done}/${total} ${unit} (${total > 0 ? Math.floor((100 * done) / total) : 100} %)`);
  const elapsed = first === undefined ? 0 : now - first.at;
  if (first !== undefined && elapsed > 0 && done > first.done) {
    const perSecond = ((done - first.done) * 1000) / elapsed;
    parts.push(`${rate(perSecond)} ${unit}/s`);
    if (total !== undefined && done < total) parts.push(`${duration(((total - done) * 1000) / perSecond)} left`);
  }
  if (detail) parts.push(detail);
  return `${task.label}  ${parts.join(", ")}`;
}

/** Where the lines go. */
interface Display {
  begin(text: string): void;
  /** The status changed; shown now or later. */
  show(text: string): void;
  end(text: string | undefined): void;
  note(line: string): void;
}

class Reporter implements Progress {
  readonly #display: Display;
  readonly #now: () => number;
  #task: Task | undefined;

  constructor(display: Display, now: () => number) {
    this.#display = display;
    this.#now = now;
  }

  start(label: string, total?: number, unit = "steps"): void {
    if (this.#task) this.done();
    this.#task = { label, total, unit, first: undefined };
    this.#display.begin(label);
  }

  update(done: number, detail?: string): void {
    if (!this.#task) return;
    const now = this.#now();
    this.#task.first ??= { at: now, done };
    this.#display.show(statusLine(this.#task, now, done, detail));
  }

  done(summary?: string): void {
    if (!this.#task) return;
    this.#display.end(summary);
    this.#task = undefined;
  }

  note(line: string): void {
    this.#display.note(line);
  }
}

const SILENT: Display = { begin() {}, show() {}, end() {}, note() {} };

class PlainDisplay implements Display {
  readonly #stream: Writable;
  readonly #now: () => number;
  #shownAt = 0;
  #begun = "";

  constructor(stream: Writable, now: () => number) {
    this.#stream = stream;
    this.#now = now;
  }

  /** Of the same piece again, such as three compilations in a row, one line is enough. */
  begin(text: string): void {
    if (text !== this.#begun) this.#print(text);
    this.#begun = text;
  }

  show(text: string): void {
    if (this.#now() - this.#shownAt >= PLAIN_INTERVAL) this.#print(text);
  }

  end(text: string | undefined): void {
    if (text !== undefined) this.#print(text);
  }

  note(line: string): void {
    this.#stream.write(`${line}\n`);
  }

  #print(text: string): void {
    this.#shownAt = this.#now();
    this.#stream.write(`${text}\n`);
  }
}

/** A stream that may be a terminal. */
export type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** Whether a stream can show a status line: a pseudo-terminal that nobody gave a size has 0 columns, and no line fits it. */
export const isTerminal = (stream: Terminal): boolean =>
  stream.isTTY === true && stream.columns !== 0 && process.env.TERM !== "dumb";

/** What fits beside the spinner: a status of two lines is two lines to take away, and flickers. */
function oneLine(text: string, stream: Terminal): string {
  const room = (stream.columns ?? 80) - 3;
  return text.length <= room ? text : `${text.slice(0, Math.max(0, room - 1))}…`;
}

/** ora's spinner with one line of text. */
async function terminalDisplay(stream: Terminal, color: boolean): Promise<Display> {
  const { default: ora } = await import("ora");
  // ora would put stdin into raw mode, where Ctrl-C is a letter until the event loop is free.
  const spinner = ora({ stream, isEnabled: true, discardStdin: false, color: color && "cyan" });
  return {
    begin: (text) => void spinner.start(oneLine(text, stream)),
    show: (text) => {
      spinner.text = oneLine(text, stream);
    },
    end: (text) => {
      spinner.stop();
      if (text !== undefined) stream.write(`${text}\n`);
    },
    // While it spins, ora takes its line away for whatever is written to the stream.
    note: (line) => void stream.write(`${line}\n`),
  };
}

export interface ProgressOptions {
  readonly stream: Terminal;
  /** The stream is a terminal that can move its cursor (`isTerminal`). */
  readonly terminal: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  /** Milliseconds. */
  readonly now?: () => number;
}

export async function createProgress(options: ProgressOptions): Promise<Progress> {
  const { stream, terminal, quiet, color, now = () => performance.now() } = options;
  if (quiet) return new Reporter(SILENT, now);
  return new Reporter(terminal ? await terminalDisplay(stream, color) : new PlainDisplay(stream, now), now);
}
