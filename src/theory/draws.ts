/** Random numbers for sampled theory, in order from a counter-based generator: the same on every machine. */
import { normals4, philox4x32, uniform } from "../model/philox.ts";

/** Beyond the streams of networks and paths (src/model/streams.ts), which end far below. */
const SAMPLES_STREAM = 255;

/** Draws one after another; those of different `which` are independent. */
export class Draws {
  readonly #key: readonly [number, number];
  readonly #which: number;
  #at = 0;
  #normals: readonly number[] = [];
  #used = 0;

  /** @param seed u32 @param which u32: a repeat, a cell of a grid */
  constructor(seed: number, which: number) {
    this.#key = [seed >>> 0, 0];
    this.#which = which >>> 0;
  }

  #words(): readonly [number, number, number, number] {
    const at = this.#at++;
    return philox4x32([at >>> 0, Math.floor(at / 2 ** 32), this.#which, (SAMPLES_STREAM << 24) >>> 0], this.#key);
  }

  /** Standard normal. */
  normal(): number {
    if (this.#used === this.#normals.length) {
      this.#normals = normals4(this.#words());
      this.#used = 0;
    }
    return this.#normals[this.#used++] as number;
  }

  /**
   * Gamma with the given shape (≥ ½) and scale 1. Marsaglia, Tsang, "A simple method for generating gamma variables",
   * ACM Transactions on Mathematical Software 26, 2000; shapes below 1 by their rule U^{1/shape}.
   */
  gamma(shape: number): number {
    if (shape < 1) return this.gamma(shape + 1) * uniform(this.#words()[0]) ** (1 / shape);
    const d = shape - 1 / 3;
    const c = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = this.normal();
      const v = (1 + c * x) ** 3;
      if (v <= 0) continue;
      if (Math.log(uniform(this.#words()[0])) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
    }
  }

  /** Chi with the given degrees of freedom: length of a standard normal vector. */
  chi(degrees: number): number {
    return Math.sqrt(2 * this.gamma(degrees / 2));
  }
}
