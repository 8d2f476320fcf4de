/** Ctrl-C once: finish the chunk, save, stop. Twice: stop now. */
import { EXIT, type ExitCode } from "../errors.ts";

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;
type StopSignal = keyof typeof CODES;

export interface Interruption {
  readonly signal: AbortSignal;
  /** 130 or 143 once a signal has come. */
  readonly exitCode: () => ExitCode | undefined;
  /** Gives the signals back to Node. */
  readonly dispose: () => void;
}

/**
 * Takes SIGINT and SIGTERM until `dispose`.
 * @param note hears what the first signal does
 * @param exit ends the process at the second; neither device nor files are touched then
 */
export function watchSignals(note: (line: string) => void, exit: (code: number) => void = process.exit): Interruption {
  const controller = new AbortController();
  let code: ExitCode | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    if (code !== undefined) return exit(CODES[name as StopSignal]);
    code = CODES[name as StopSignal];
    note(`${name}: finishing the current chunk and saving; once more stops at once`);
    controller.abort(new Error(`stopped by ${name}`));
  };
  for (const name of Object.keys(CODES)) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => code,
    dispose: () => {
      for (const name of Object.keys(CODES)) process.off(name, onSignal);
    },
  };
}
