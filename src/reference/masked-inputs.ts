/**
 * What every task does with its positions: masked displacements in, encoded starts, mask offsets (model.md section 2);
 * witness of `shaders/lib/paths.wgsl`.
 */
import { STREAM } from "../model/streams.ts";
import { DEFAULT_ROUNDS, drawWords, type Key, type Stream } from "./rng.ts";

/** Which trajectories: the rows are `trajectory0`, `trajectory0` + 1, … of one epoch of one stream. */
export interface PathRequest {
  readonly T: number;
  readonly B: number;
  readonly key: Key;
  /** trainPaths, testPaths or replayStarts. */
  readonly stream: Stream;
  readonly epoch: number;
  readonly trajectory0: number;
  /** k ≥ 1: one of k inputs is visible. */
  readonly maskEvery: number;
  readonly maskOffset: "random" | "fixed";
  readonly rounds?: number;
}

export interface AwakePaths {
  /** (T+1, B, 2), s_0..s_T, metres; from slot 1 on these are the targets. */
  readonly positions: Float64Array;
  /** (T, B, 2), m_t (s_{t+1} − s_t) / u_scale. */
  readonly u: Float64Array;
  /** (B, 2), s_0. */
  readonly e0: Float64Array;
  /** (B), mask offsets o < k. */
  readonly offsets: Uint32Array;
}

/** Whether the input of step t is seen, 0 ≤ o < k. */
export function isVisibleReference(t: number, maskEvery: number, offset: number): boolean {
  return (t + maskEvery - offset) % maskEvery === 0;
}

export function maskOffsetsReference(request: PathRequest): Uint32Array {
  const { B, key, epoch, trajectory0, maskEvery, maskOffset, rounds = DEFAULT_ROUNDS } = request;
  const offsets = new Uint32Array(B);
  if (maskOffset === "fixed") return offsets;
  for (let b = 0; b < B; b++) {
    offsets[b] = drawWords(0, 0, trajectory0 + b, STREAM.masks, epoch, key, rounds)[0] % maskEvery;
  }
  return offsets;
}

/** Completes positions (T+1, B, 2) to what a network is trained on; `scale` is u_scale. */
export function maskedInputsReference(positions: Float64Array, scale: number, request: PathRequest): AwakePaths {
  const { T, B, maskEvery } = request;
  const offsets = maskOffsetsReference(request);
  const u = new Float64Array(T * B * 2);
  for (let t = 0; t < T; t++) {
    for (let b = 0; b < B; b++) {
      if (!isVisibleReference(t, maskEvery, offsets[b] as number)) continue;
      for (let axis = 0; axis < 2; axis++) {
        const at = (t * B + b) * 2 + axis;
        u[at] = ((positions[at + B * 2] as number) - (positions[at] as number)) / scale;
      }
    }
  }
  return { positions, u, e0: positions.slice(0, B * 2), offsets };
}
