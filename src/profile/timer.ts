/** Times segments of a program: on the GPU by timestamps, on the host by clocks. */
import type { Gpu } from "../gpu/context.ts";
import type { Job } from "./jobs.ts";
import type { Segment } from "./segments.ts";

/** Seconds. */
export interface SegmentTime {
  /** When the segment began, after the first one began. */
  readonly begin: number;
  readonly seconds: number;
}

export interface RunTime {
  /** From the first call of the host to the moment it knows that the GPU is done. */
  readonly wall: number;
  /** The host's encoding and submitting. */
  readonly host: number;
  /** Null where the adapter has no timestamps. Copies have none, either: their time is among the gaps. */
  readonly segments: readonly (SegmentTime | null)[];
  /** From the first timestamp to the last. */
  readonly span: number;
  /** CPU seconds of this process, the driver's threads included: on a software adapter, all of the work. */
  readonly cpu: number;
}

const QUERY_RESOLVE = 0x200;
const COPY_SRC = 0x4;
const COPY_DST = 0x8;
const MAP_READ = 0x1;
/** Of a query set, in WebGPU. */
const MOST_QUERIES = 4096;

export class Timer {
  readonly #gpu: Gpu;
  readonly #job: Job;
  readonly #segments: readonly Segment[];
  /** Whether the GPU's own clock is read: it has one, and the segments are not too many. */
  readonly timed: boolean;
  readonly #queries: GPUQuerySet | null;
  readonly #resolved: GPUBuffer | null;
  readonly #staging: GPUBuffer | null;

  constructor(gpu: Gpu, job: Job, segments: readonly Segment[]) {
    this.#gpu = gpu;
    this.#job = job;
    this.#segments = segments;
    const { device } = gpu;
    const count = 2 * segments.length;
    const timed = gpu.features.has("timestamp-query") && count <= MOST_QUERIES;
    this.timed = timed;
    this.#queries = timed ? device.createQuerySet({ type: "timestamp", count }) : null;
    const buffer = (label: string, usage: number) => device.createBuffer({ label, size: 8 * count, usage });
    this.#resolved = timed ? buffer("timestamps", QUERY_RESOLVE | COPY_SRC) : null;
    this.#staging = timed ? buffer("timestamps read", MAP_READ | COPY_DST) : null;
  }

  /** Runs every segment once, in order, in one submit. */
  async run(): Promise<RunTime> {
    const { program, clock } = this.#job;
    const cpu = process.cpuUsage();
    const start = performance.now();
    const encoder = this.#gpu.device.createCommandEncoder({ label: "profile" });
    this.#segments.forEach((s, i) => {
      const writes = this.#queries
        ? { querySet: this.#queries, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 }
        : undefined;
      program.encode(encoder, s.label, clock, 0, s.from, s.to, writes);
    });
    if (this.#queries && this.#resolved && this.#staging) {
      encoder.resolveQuerySet(this.#queries, 0, 2 * this.#segments.length, this.#resolved, 0);
      encoder.copyBufferToBuffer(this.#resolved, 0, this.#staging, 0, 16 * this.#segments.length);
    }
    this.#gpu.device.queue.submit([encoder.finish()]);
    const encoded = performance.now();
    await this.#gpu.idle();
    const end = performance.now();
    const used = process.cpuUsage(cpu);
    const { times, span } = await this.#read();
    return {
      wall: (end - start) / 1000,
      host: (encoded - start) / 1000,
      segments: times,
      span,
      cpu: (used.user + used.system) / 1e6,
    };
  }

  async #read(): Promise<{ times: (SegmentTime | null)[]; span: number }> {
    if (!this.#staging) return { times: this.#segments.map(() => null), span: 0 };
    await this.#gpu.wait(this.#staging.mapAsync(MAP_READ));
    const stamps = new BigUint64Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    const dispatches = this.#segments.map((s) => s.kernel !== "copy");
    const own = (i: number) => stamps[i] as bigint;
    const first = dispatches.indexOf(true);
    if (first < 0) return { times: this.#segments.map(() => null), span: 0 };
    const origin = own(2 * first);
    const times = this.#segments.map((_, i) =>
      dispatches[i]
        ? { begin: Number(own(2 * i) - origin) / 1e9, seconds: Number(own(2 * i + 1) - own(2 * i)) / 1e9 }
        : null,
    );
    const last = dispatches.lastIndexOf(true);
    return { times, span: Number(own(2 * last + 1) - origin) / 1e9 };
  }

  /** CPU seconds of segment `index` alone, run `times` times: what a software adapter really spends on it. */
  async cpuSeconds(index: number, times: number): Promise<number> {
    const cpu = process.cpuUsage();
    await this.#alone(index, times);
    const used = process.cpuUsage(cpu);
    return (used.user + used.system) / 1e6 / times;
  }

  /** Seconds of segment `index` alone by the wall, run `times` times in one submit: for adapters without timestamps. */
  async wallSeconds(index: number, times: number): Promise<number> {
    const start = performance.now();
    await this.#alone(index, times);
    return (performance.now() - start) / 1000 / times;
  }

  async #alone(index: number, times: number): Promise<void> {
    const s = this.#segments[index] as Segment;
    const encoder = this.#gpu.device.createCommandEncoder({ label: s.label });
    for (let i = 0; i < times; i++) this.#job.program.encode(encoder, s.label, this.#job.clock, 0, s.from, s.to);
    this.#gpu.device.queue.submit([encoder.finish()]);
    await this.#gpu.idle();
  }

  destroy(): void {
    this.#queries?.destroy();
    this.#resolved?.destroy();
    this.#staging?.destroy();
  }
}
