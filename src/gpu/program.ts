/**
 * A plan made ready to run: buffers allocated, kernels compiled, bind groups and uniforms made once. Encoding an
 * iteration is then only `setPipeline`, `setBindGroup`, `dispatch`.
 */
import { OutOfDeviceMemory, ShaderError } from "../errors.ts";
import type { DeviceBuffer, Gpu } from "./context.ts";
import { BUFFER_USAGE } from "./context.ts";
import { CLOCK_GROUP, type Kernel } from "./kernel.ts";
import type { FieldValues } from "./pack.ts";
import {
  type BufferSpec,
  type BufferView,
  type DispatchPass,
  formatBytes,
  type Pass,
  type Plan,
  planBytes,
} from "./plan.ts";

const UNIFORM_ALIGNMENT = 256;
/** Command buffers beyond some tens of thousands of dispatches crash software adapters. */
export const MAX_DISPATCHES = 2000;
/** Under a signal: passes of the first submit, and how long the later ones should take. */
const FIRST_SUBMIT = 4;
const SUBMIT_MS = 200;

/** Work of a submit: systems reset a GPU over a whole one that takes seconds, and this is one on a small GPU. */
const SUBMIT_FLOPS = 5e10;

/** Where a submit that begins with pass `from` ends: after so many dispatches or FLOP, and one pass at least. */
export function submitEnd(passes: readonly Pass[], from: number, flops: number, dispatches = MAX_DISPATCHES): number {
  let to = from;
  let done = 0;
  while (to < passes.length && to - from < dispatches) {
    const p = passes[to] as Pass;
    done += p.kind === "dispatch" ? (p.flops ?? 0) : 0;
    if (to > from && done > flops) break;
    to++;
  }
  return to;
}

/** The submits of all passes. */
export function submitsOf(passes: readonly Pass[], flops: number): { readonly from: number; readonly to: number }[] {
  const out: { from: number; to: number }[] = [];
  for (let from = 0; from < passes.length; ) {
    const to = submitEnd(passes, from, flops);
    out.push({ from, to });
    from = to;
  }
  return out;
}

function nextSubmit(passes: number, ms: number): number {
  const ideal = Math.round((passes * SUBMIT_MS) / Math.max(ms, 0.1));
  return Math.max(1, Math.min(ideal, 4 * passes, MAX_DISPATCHES));
}

interface ReadyDispatch {
  readonly kind: "dispatch";
  readonly label: string;
  readonly kernel: Kernel;
  readonly group: GPUBindGroup;
  readonly clocked: boolean;
  readonly groups: readonly [number, number, number];
}
interface ReadyCopy {
  readonly kind: "copy";
  readonly label: string;
  readonly from: DeviceBuffer;
  readonly to: DeviceBuffer;
  readonly bytes: number;
}
export type ReadyPass = ReadyDispatch | ReadyCopy;

/** Collects uniform blocks, equal ones once, into a single buffer. */
class UniformArena {
  readonly #blocks: Uint8Array[] = [];
  readonly #seen = new Map<string, number>();

  add(block: Uint8Array): number {
    const key = Array.from(new Uint32Array(block.buffer, block.byteOffset, block.byteLength / 4)).join(" ");
    const known = this.#seen.get(key);
    if (known !== undefined) return known;
    this.#blocks.push(block);
    const index = this.#offsets();
    this.#seen.set(key, index);
    return index;
  }

  #size = 0;
  #offsets(): number {
    const at = this.#size;
    const last = this.#blocks[this.#blocks.length - 1] as Uint8Array;
    this.#size = at + Math.ceil(last.byteLength / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
    return at;
  }

  upload(gpu: Gpu, label: string): DeviceBuffer {
    const bytes = new Uint8Array(Math.max(this.#size, UNIFORM_ALIGNMENT));
    let at = 0;
    for (const b of this.#blocks) {
      bytes.set(b, at);
      at += Math.ceil(b.byteLength / UNIFORM_ALIGNMENT) * UNIFORM_ALIGNMENT;
    }
    const buffer = gpu.createBuffer(label, bytes.byteLength, BUFFER_USAGE.uniform);
    gpu.write(buffer, bytes);
    return buffer;
  }
}

/** What `work` comes to, or null where the signal stopped it. */
export async function unlessAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return null;
    throw error;
  }
}

/** One clock record per iteration in flight, so that many iterations share a submit. */
export class Clock {
  readonly buffer: DeviceBuffer;
  readonly slots: number;
  readonly #gpu: Gpu;
  readonly #groups = new Map<Kernel, GPUBindGroup>();

  constructor(gpu: Gpu, slots: number) {
    this.#gpu = gpu;
    this.slots = slots;
    this.buffer = gpu.createBuffer("clock", slots * UNIFORM_ALIGNMENT, BUFFER_USAGE.uniform);
  }

  /** Sets the record of a slot; every kernel with a clock declares the same struct. */
  set(slot: number, kernel: Kernel, values: FieldValues): void {
    this.#gpu.write(this.buffer, kernel.packUniform("clock", values), slot * UNIFORM_ALIGNMENT);
  }

  groupOf(kernel: Kernel): GPUBindGroup {
    let group = this.#groups.get(kernel);
    if (!group) {
      group = kernel.bindGroup(this.#gpu, { clock: this.buffer }, `${kernel.name} clock`, CLOCK_GROUP);
      this.#groups.set(kernel, group);
    }
    return group;
  }

  /** Where in the buffer a slot's record begins. */
  offsetOf(slot: number): number {
    return slot * UNIFORM_ALIGNMENT;
  }

  destroy(): void {
    this.#gpu.destroyBuffer(this.buffer);
  }
}

/** Buffers of a plan by name, constants written, all or none: a GPU does not tell how much memory is free, but says when there is too little. */
export async function makeBuffers(
  gpu: Gpu,
  name: string,
  specs: readonly BufferSpec[],
): Promise<ReadonlyMap<string, DeviceBuffer>> {
  gpu.device.pushErrorScope("out-of-memory");
  const made = specs.map((spec) => gpu.createBuffer(spec.name, spec.bytes));
  const error = await gpu.device.popErrorScope();
  if (!error) {
    specs.forEach((spec, i) => {
      if (spec.contents) gpu.write(made[i] as DeviceBuffer, spec.contents());
    });
    return new Map(specs.map((spec, i) => [spec.name, made[i] as DeviceBuffer]));
  }
  for (const b of made) gpu.destroyBuffer(b);
  const bytes = specs.reduce((sum, b) => sum + b.bytes, 0);
  throw new OutOfDeviceMemory(
    `${name} needs ${formatBytes(bytes)} and ${gpu.adapter.name} has no room for it: use a smaller batch, fewer steps or fewer networks, or close what else uses the GPU`,
  );
}

export class Program {
  readonly plan: Plan;
  readonly passes: readonly ReadyPass[];
  readonly #gpu: Gpu;
  readonly #buffers: ReadonlyMap<string, DeviceBuffer>;
  readonly #own: readonly DeviceBuffer[];

  private constructor(
    gpu: Gpu,
    plan: Plan,
    passes: ReadyPass[],
    buffers: Map<string, DeviceBuffer>,
    own: DeviceBuffer[],
  ) {
    this.#gpu = gpu;
    this.plan = plan;
    this.passes = passes;
    this.#buffers = buffers;
    this.#own = own;
  }

  /**
   * Allocates what the plan names and `shared` does not hold, compiles its kernels and binds everything.
   * Throws UsageError when the bytes do not fit (OutOfDeviceMemory when the device says so), ShaderError when plan and WGSL disagree.
   */
  static async create(gpu: Gpu, plan: Plan, shared: ReadonlyMap<string, DeviceBuffer> = new Map()): Promise<Program> {
    const fresh = plan.buffers.filter((b) => !shared.has(b.name));
    const total = planBytes({ ...plan, buffers: fresh });
    gpu.requireBytes(plan.name, total, Math.max(0, ...fresh.map((b) => b.bytes)));
    const made = await makeBuffers(gpu, plan.name, fresh);
    const own = [...made.values()];
    const buffers = new Map([...shared, ...made]);
    const view = (v: BufferView): DeviceBuffer => {
      const b = buffers.get(v.buffer);
      if (!b) throw new ShaderError(`plan ${plan.name} names no buffer ${v.buffer}`);
      const offset = v.offset ?? 0;
      const bytes = v.bytes ?? b.bytes - offset;
      if (offset + bytes > b.bytes)
        throw new ShaderError(`plan ${plan.name}: ${v.buffer} has ${b.bytes} bytes, a view wants ${offset} + ${bytes}`);
      // Only what ends where the buffer ends has its guard words behind it.
      return { ...b, offset: b.offset + offset, bytes, guard: offset + bytes === b.bytes ? b.guard : 0 };
    };
    const kernels = new Map<DispatchPass, Kernel>();
    for (const p of plan.passes) if (p.kind === "dispatch") kernels.set(p, await gpu.kernel(p.kernel, p.tune));
    const arena = new UniformArena();
    const blocks = plan.passes.map((p) => {
      if (p.kind === "copy") return [];
      const kernel = kernels.get(p) as Kernel;
      return Object.entries(p.uniforms).map(([name, values]) => {
        const block = kernel.packUniform(name, values);
        return { name, at: arena.add(block), bytes: block.byteLength };
      });
    });
    const uniforms = arena.upload(gpu, `${plan.name} uniforms`);
    own.push(uniforms);
    const ready = plan.passes.map((p, i): ReadyPass => {
      if (p.kind === "copy")
        return { kind: "copy", label: p.label, from: view(p.from), to: view(p.to), bytes: p.bytes };
      const kernel = kernels.get(p) as Kernel;
      const limit = gpu.limits.maxComputeWorkgroupsPerDimension;
      if (p.groups.some((g) => g > limit))
        throw new ShaderError(`${p.label}: ${p.groups.join("×")} workgroups; the limit is ${limit} per dimension`);
      const bound: Record<string, DeviceBuffer> = {};
      for (const [name, v] of Object.entries(p.bind)) bound[name] = view(v);
      for (const u of blocks[i] ?? []) bound[u.name] = { ...uniforms, offset: uniforms.offset + u.at, bytes: u.bytes };
      return {
        kind: "dispatch",
        label: p.label,
        kernel,
        group: kernel.bindGroup(gpu, bound, `${plan.name}/${p.label}`),
        clocked: kernel.interface.bindings.some((b) => b.group === CLOCK_GROUP),
        groups: p.groups,
      };
    });
    return new Program(gpu, plan, ready, buffers, own);
  }

  buffer(name: string): DeviceBuffer {
    const b = this.#buffers.get(name);
    if (!b) throw new ShaderError(`plan ${this.plan.name} has no buffer ${name}`);
    return b;
  }

  /** All buffers by name, to be shared with another program. */
  get buffers(): ReadonlyMap<string, DeviceBuffer> {
    return this.#buffers;
  }

  get dispatches(): number {
    return this.passes.filter((p) => p.kind === "dispatch").length;
  }

  /** Any kernel that declares a clock, to pack its record; null if none does. */
  get clockKernel(): Kernel | null {
    for (const p of this.passes) if (p.kind === "dispatch" && p.clocked) return p.kernel;
    return null;
  }

  /**
   * Encodes passes `from` to `to` (all by default) at one clock slot.
   * @param timestampWrites where the GPU notes when these passes began and ended; copies cannot be timed
   */
  encode(
    encoder: GPUCommandEncoder,
    label: string,
    clock: Clock | null,
    slot = 0,
    from = 0,
    to = this.passes.length,
    timestampWrites?: GPUComputePassTimestampWrites,
  ): void {
    let pass: GPUComputePassEncoder | null = null;
    // What is bound stays bound: a call saved is a microsecond, hundreds of times an iteration.
    let last: GPUComputePipeline | null = null;
    let time: GPUBindGroup | null = null;
    for (let i = from; i < to; i++) {
      const p = this.passes[i] as ReadyPass;
      if (p.kind === "copy") {
        pass?.end();
        pass = null;
        encoder.copyBufferToBuffer(p.from.buffer, p.from.offset, p.to.buffer, p.to.offset, p.bytes);
        continue;
      }
      if (!pass) {
        pass = encoder.beginComputePass({ label, ...(timestampWrites ? { timestampWrites } : {}) });
        last = null;
        time = null;
      }
      if (p.kernel.pipeline !== last) {
        pass.setPipeline(p.kernel.pipeline);
        last = p.kernel.pipeline;
      }
      pass.setBindGroup(0, p.group);
      if (p.clocked) {
        if (!clock) throw new ShaderError(`${this.plan.name}/${p.label} needs a clock`);
        const group = clock.groupOf(p.kernel);
        if (group !== time) {
          pass.setBindGroup(CLOCK_GROUP, group, [clock.offsetOf(slot)]);
          time = group;
        }
      }
      const [x, y, z] = p.groups;
      pass.dispatchWorkgroups(x, y, z);
    }
    pass?.end();
  }

  /**
   * Runs the passes once, in as many submits as the dispatch limit asks for, a distinct kernel's first dispatch
   * alone: software adapters compile there, for seconds, and the user should see it. With a signal the submits stay
   * short enough for Ctrl-C, and its reason is thrown when it comes.
   */
  async run(options: {
    label: string;
    clock?: Clock | null;
    slot?: number;
    from?: number;
    to?: number;
    onCompile?: (kernel: string, index: number, of: number) => void;
    signal?: AbortSignal;
  }): Promise<void> {
    const firsts = new Map<number, Kernel>();
    if (options.onCompile) {
      const seen = new Set<Kernel>();
      this.passes.forEach((p, i) => {
        if (p.kind === "dispatch" && !seen.has(p.kernel)) {
          seen.add(p.kernel);
          firsts.set(i, p.kernel);
        }
      });
    }
    const end = options.to ?? this.passes.length;
    let from = options.from ?? 0;
    let met = 0;
    let most = options.signal ? FIRST_SUBMIT : MAX_DISPATCHES;
    while (from < end) {
      options.signal?.throwIfAborted();
      let to = Math.min(end, submitEnd(this.plan.passes, from, SUBMIT_FLOPS, most));
      const first = firsts.get(from);
      if (first) {
        options.onCompile?.(first.name, ++met, firsts.size);
        to = from + 1;
      } else {
        for (let i = from + 1; i < to; i++) if (firsts.has(i)) to = i;
      }
      const encoder = this.#gpu.device.createCommandEncoder({ label: options.label });
      this.encode(encoder, options.label, options.clock ?? null, options.slot ?? 0, from, to);
      const began = performance.now();
      this.#gpu.device.queue.submit([encoder.finish()]);
      await this.#gpu.idle();
      if (options.signal && !first) most = nextSubmit(to - from, performance.now() - began);
      from = to;
    }
  }

  /** Fills buffers with zeros, on the device. */
  clear(...names: readonly string[]): void {
    const encoder = this.#gpu.device.createCommandEncoder({ label: "clear" });
    for (const name of names) {
      const { buffer, offset, bytes } = this.buffer(name);
      encoder.clearBuffer(buffer, offset, bytes);
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
  }

  destroy(): void {
    for (const b of this.#own) this.#gpu.destroyBuffer(b);
  }
}
