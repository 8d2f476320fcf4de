/**
 * The one family of errors that reaches a user. Every message is one line: what, where, how to mend it.
 * Exit codes are those of the README's table; `70` means that the mistake is ours.
 */
export const EXIT = {
  ok: 0,
  usage: 2,
  noAdapter: 3,
  badData: 4,
  locked: 5,
  diverged: 6,
  gpu: 7,
  disk: 8,
  slower: 9,
  bug: 70,
  interrupted: 130,
  terminated: 143,
} as const;

/** One of {@link EXIT}. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What every error of reverie is: its message says what, where and how to mend it. */
export class ReverieError extends Error {
  readonly exitCode: ExitCode;
  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

/** A wrong flag, key or value (exit 2). */
export class UsageError extends ReverieError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.usage, options);
  }
}

/** The device has no room for a buffer that its limits allow (exit 2). */
export class OutOfDeviceMemory extends UsageError {}

/** No usable adapter (exit 3). */
export class GpuUnavailable extends ReverieError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.noAdapter, options);
  }
}

/** A file whose content cannot be used: wrong shape, type, checksum, NaN (exit 4). */
export class DataError extends ReverieError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.badData, options);
  }
}

/** The run directory belongs to a living process (exit 5). */
export class LockedError extends ReverieError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.locked, options);
  }
}

/** Dawn refused, the device was lost, or a known answer was wrong (exit 7). */
export class GpuError extends ReverieError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.gpu, options);
  }
}

/** The device went away; whatever it was asked afterwards is worthless (exit 7). */
export class DeviceLost extends GpuError {}

/** A shader that does not compile or does not match what the host binds (exit 7). */
export class ShaderError extends GpuError {}

/** The disk is full, or a path cannot be written (exit 8). */
export class DiskError extends ReverieError {
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.disk, options);
  }
}
