/**
 * The one GPU of the process. It owns the object from `create()`, the adapter and the device for life: any of the
 * three being garbage-collected kills the process. It is also the one funnel for errors: an uncaptured error
 * or a lost device makes every later result an error.
 */
import { DeviceLost, GpuError, UsageError } from "../errors.ts";
import { type AdapterFacts, adapterFacts, type Limits, negotiate } from "./adapter.ts";
import { Kernel } from "./kernel.ts";
import { formatBytes } from "./plan.ts";
import type { ShaderReader, Tune } from "./shader-source.ts";

export interface GpuOptions {
  readonly readShader: ShaderReader;
  /** Bytes that may be allocated on the device; on software adapters that is the machine's free memory. */
  readonly memoryBudget?: () => number;
  /** How a promise of the device is waited for; as any other by default. */
  readonly wait?: <T>(promise: Promise<T>) => Promise<T>;
  /** Called with an error nobody was waiting for; the default throws it. */
  readonly onStrayError?: (error: GpuError) => void;
  /** Fill fresh buffers with NaN and keep guard words around them (tests). */
  readonly poison?: boolean;
}

/** A device buffer, or the part of one that lies between two guard zones. */
export interface DeviceBuffer {
  readonly name: string;
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly bytes: number;
  /**
   * Bytes of guard words right behind, 0 without. They are bound along with the buffer, so that a kernel that runs over
   * the end meets them: the adapter itself would give it 0 and drop what it writes.
   */
  readonly guard: number;
}

export const POISON = 0x7fc0dead;
// As a float, NaN: what is read beyond a buffer does not pass for a number.
const GUARD = 0x7fedface;
const GUARD_BYTES = 256;

const USAGE = { mapRead: 0x1, copySrc: 0x4, copyDst: 0x8, uniform: 0x40, storage: 0x80 };
export const BUFFER_USAGE = {
  storage: USAGE.storage | USAGE.copySrc | USAGE.copyDst,
  uniform: USAGE.uniform | USAGE.copyDst,
  readback: USAGE.mapRead | USAGE.copyDst,
};

// Reachable from the global object as well, so that no collector ever sees the native objects as garbage.
const pinned: unknown[] = [];
(globalThis as Record<string, unknown>).reverieGpu = pinned;

export class Gpu {
  readonly adapter: AdapterFacts;
  readonly device: GPUDevice;
  readonly limits: Limits;
  readonly features: ReadonlySet<string>;
  readonly givenUp: readonly string[];
  readonly options: GpuOptions;
  #failure: GpuError | null = null;
  /** Whether somebody was told. */
  #told = false;
  #closing = false;
  #allocated = 0;
  readonly #kernels = new Map<string, Promise<Kernel>>();
  readonly #buffers = new Set<DeviceBuffer>();
  /** Guard words of buffers that are gone, until somebody checks them. */
  readonly #guardsLeft: GPUBuffer[] = [];

  private constructor(
    owner: GPU,
    adapter: GPUAdapter,
    device: GPUDevice,
    given: Omit<Awaited<ReturnType<typeof negotiate>>, "device">,
    options: GpuOptions,
  ) {
    this.adapter = adapterFacts(adapter);
    this.device = device;
    this.limits = given.limits;
    this.features = given.features;
    this.givenUp = given.givenUp;
    this.options = options;
    pinned.push(owner, adapter, device);
    device.addEventListener("uncapturederror", (event) => {
      const message = (event as GPUUncapturedErrorEvent).error.message.trim().split("\n")[0] ?? "";
      this.#fail(new GpuError(`${this.adapter.name}: ${message}`));
    });
    void device.lost.then((info) => {
      if (!this.#closing) {
        this.#fail(
          new DeviceLost(
            `${this.adapter.name}: the device was lost (${info.reason || "unknown"}): ${info.message}; resume from the last checkpoint`,
          ),
        );
      }
    });
  }

  /** Takes an adapter, checks that it computes, and keeps it. Throws GpuUnavailable or GpuError. */
  static async open(owner: GPU, adapter: GPUAdapter, options: GpuOptions): Promise<Gpu> {
    const { device, ...given } = await negotiate(adapter, "reverie");
    const gpu = new Gpu(owner, adapter, device, given, options);
    await gpu.#knownAnswer();
    return gpu;
  }

  /** First line of every run: what computes. */
  describe(): string {
    const a = this.adapter;
    return `adapter: ${a.name}${a.software ? " (software adapter: a CPU, 100–1000× slower than a GPU)" : ""}, ${a.driver || a.vendor}`;
  }

  /** Throws the first failure that anything on this GPU has met; call it before believing a result. */
  check(): void {
    if (!this.#failure) return;
    this.#told = true;
    throw this.#failure;
  }

  #fail(error: GpuError): void {
    this.#failure ??= error;
    if (this.options.onStrayError) this.options.onStrayError(error);
    else throw error;
  }

  /** Compiled once per file, entry and tune. Throws ShaderError with the true file and line. */
  kernel(name: string, tune: Tune = {}): Promise<Kernel> {
    const key = `${name} ${JSON.stringify(Object.entries(tune).sort())}`;
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = Kernel.compile(this, name, tune);
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  /** Bytes now held by buffers of this GPU. */
  get allocated(): number {
    return this.#allocated;
  }

  /** Refuses, before anything is allocated, what cannot fit. */
  requireBytes(what: string, total: number, largest: number): void {
    if (largest > this.limits.maxBufferSize) {
      throw new UsageError(
        `${what} needs a buffer of ${formatBytes(largest)}; this adapter allows ${formatBytes(this.limits.maxBufferSize)}: use a smaller batch, fewer steps or fewer networks`,
      );
    }
    const available = this.options.memoryBudget?.() ?? Number.POSITIVE_INFINITY;
    if (total > available) {
      throw new UsageError(
        `${what} needs ${formatBytes(total)}, ${formatBytes(available)} available: use a smaller batch, fewer steps or fewer networks`,
      );
    }
  }

  createBuffer(name: string, bytes: number, usage: number = BUFFER_USAGE.storage): DeviceBuffer {
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    const guarded = this.options.poison === true && usage === BUFFER_USAGE.storage;
    const before = guarded ? GUARD_BYTES : 0;
    const guard = guarded ? Math.ceil(size / 256) * 256 - size + GUARD_BYTES : 0;
    const buffer = this.device.createBuffer({ label: name, size: before + size + guard, usage });
    const made = { name, buffer, offset: before, bytes: size, guard };
    this.#allocated += size;
    this.#buffers.add(made);
    if (guarded) {
      const words = new Uint32Array((before + size + guard) / 4).fill(GUARD);
      words.fill(POISON, before / 4, (before + size) / 4);
      this.device.queue.writeBuffer(buffer, 0, words);
    }
    return made;
  }

  destroyBuffer(b: DeviceBuffer): void {
    if (this.#buffers.delete(b)) {
      this.#allocated -= b.bytes;
      if (b.guard > 0) this.#guardsLeft.push(this.#copyGuards(b));
      b.buffer.destroy();
    }
  }

  write(
    b: DeviceBuffer,
    data: Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>,
    offset = 0,
  ): void {
    this.device.queue.writeBuffer(b.buffer, b.offset + offset, data);
  }

  /** Copies device bytes to the host after all that was submitted. Fails if anything went wrong before. */
  async read(b: DeviceBuffer, offset = 0, bytes = b.bytes - offset): Promise<ArrayBuffer> {
    const out = new Uint8Array(bytes);
    const chunk = Math.min(bytes, 64 << 20);
    const staging = this.device.createBuffer({
      label: `read ${b.name}`,
      size: Math.max(chunk, 4),
      usage: BUFFER_USAGE.readback,
    });
    try {
      for (let at = 0; at < bytes; at += chunk) {
        const n = Math.min(chunk, bytes - at);
        const encoder = this.device.createCommandEncoder({ label: `read ${b.name}` });
        encoder.copyBufferToBuffer(b.buffer, b.offset + offset + at, staging, 0, n);
        this.device.queue.submit([encoder.finish()]);
        await this.map(staging, n);
        out.set(new Uint8Array(staging.getMappedRange(0, n)), at);
        staging.unmap();
      }
    } finally {
      staging.destroy();
    }
    this.check();
    return out.buffer;
  }

  async readF32(b: DeviceBuffer, offset = 0, bytes = b.bytes - offset): Promise<Float32Array> {
    return new Float32Array(await this.read(b, offset, bytes));
  }

  /** Waits for a promise of the device: whatever takes long on the GPU goes through here. */
  wait<T>(promise: Promise<T>): Promise<T> {
    return this.options.wait?.(promise) ?? promise;
  }

  /** mapAsync with an error that says what failed: Dawn's own is empty. */
  async map(buffer: GPUBuffer, bytes: number): Promise<void> {
    try {
      await this.wait(buffer.mapAsync(1, 0, bytes));
    } catch (cause) {
      this.check();
      throw new GpuError(`cannot read ${buffer.label} back from the device`, { cause });
    }
    this.check();
  }

  /** Waits until the queue is empty, then reports what went wrong on the way, if anything. */
  async idle(): Promise<void> {
    await this.wait(this.device.queue.onSubmittedWorkDone());
    this.check();
  }

  /** The guard words of a buffer, on their way to the host. */
  #copyGuards(b: DeviceBuffer): GPUBuffer {
    const copy = this.device.createBuffer({ label: b.name, size: b.offset + b.guard, usage: BUFFER_USAGE.readback });
    const encoder = this.device.createCommandEncoder({ label: `guards of ${b.name}` });
    encoder.copyBufferToBuffer(b.buffer, 0, copy, 0, b.offset);
    encoder.copyBufferToBuffer(b.buffer, b.offset + b.bytes, copy, b.offset, b.guard);
    this.device.queue.submit([encoder.finish()]);
    return copy;
  }

  /** Under `poison`: throws if any guard word was touched, of buffers that are gone as well. */
  async checkGuards(): Promise<void> {
    const living = [...this.#buffers].filter((b) => b.guard > 0).map((b) => this.#copyGuards(b));
    const touched = await Promise.all(
      [...this.#guardsLeft.splice(0), ...living].map(async (copy) => {
        await this.map(copy, copy.size);
        const at = new Uint32Array(copy.getMappedRange()).findIndex((w) => w !== GUARD);
        copy.destroy();
        return at < 0 ? null : `${copy.label} (${4 * at < GUARD_BYTES ? "before" : "behind"} it)`;
      }),
    );
    const first = touched.find((t) => t !== null);
    if (first) throw new GpuError(`a kernel wrote outside ${first}`);
  }

  /** An adapter that computes nothing (Dawn's null backend) or the wrong thing must not pass for one. */
  async #knownAnswer(): Promise<void> {
    const kernel = await this.kernel("gpu/known_answer");
    const out = this.createBuffer("known answer", 256);
    const group = kernel.bindGroup(this, { answer: out }, "known answer");
    const encoder = this.device.createCommandEncoder({ label: "known answer" });
    const pass = encoder.beginComputePass({ label: "known answer" });
    pass.setPipeline(kernel.pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    this.device.queue.submit([encoder.finish()]);
    const got = new Uint32Array(await this.read(out));
    this.destroyBuffer(out);
    for (let i = 0; i < 64; i++) {
      if (got[i] !== Math.imul(i + 1, 0x9e3779b1) >>> 0) {
        throw new GpuError(
          `${this.adapter.name || "the adapter"} gives wrong answers (value ${i} of a known-answer kernel); choose another with --adapter`,
        );
      }
    }
  }

  get closed(): boolean {
    return this.#closing;
  }

  /** Waits for the queue, then gives the device back. The native objects stay pinned on purpose. */
  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    await this.wait(this.device.queue.onSubmittedWorkDone()).catch(() => undefined);
    this.device.destroy();
    this.#kernels.clear();
    // An error that nobody has met so far must not be the one that nobody hears of.
    if (!this.#told) this.check();
  }
}
