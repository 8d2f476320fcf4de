/** Sizes that a profile is taken at. */
import { UsageError } from "../errors.ts";
import type { StoredAs } from "../model/stored.ts";

/** What is timed, and at which size. */
export interface ProfileShape {
  /** A whole training iteration, or a rollout without input, with momentum and adaptation. */
  readonly work: "train" | "replay";
  /** S */
  readonly networks: number;
  /** B: rows of each network. */
  readonly batch: number;
  /** T */
  readonly steps: number;
  /** N */
  readonly units: number;
  /** I */
  readonly inputs: number;
  /** O */
  readonly outputs: number;
  /** How training stores activations; float32 unless said otherwise. */
  readonly stored?: StoredAs;
}

const anchor = { work: "train", networks: 1, inputs: 4, outputs: 32 } as const;

/** Those of performance.md's benchmarks, and the experiments of the presets. */
export const PROFILE_SHAPES: Readonly<Record<string, ProfileShape>> = {
  small: { work: "train", networks: 3, batch: 48, steps: 60, units: 64, inputs: 2, outputs: 2 },
  anchor: { ...anchor, batch: 256, steps: 100, units: 128 },
  wide: { ...anchor, batch: 256, steps: 100, units: 512 },
  batch: { ...anchor, batch: 2048, steps: 50, units: 256 },
  many: { ...anchor, networks: 64, batch: 48, steps: 60, units: 64 },
  replay: { work: "replay", networks: 1, batch: 256, steps: 1000, units: 128, inputs: 4, outputs: 32 },
};

export function shapeNamed(name: string): ProfileShape {
  const shape = PROFILE_SHAPES[name];
  if (!shape)
    throw new UsageError(`no shape ${JSON.stringify(name)}: use one of ${Object.keys(PROFILE_SHAPES).join(", ")}`);
  return shape;
}

export function describeShape(s: ProfileShape): string {
  const inputs = s.work === "train" ? `, I = ${s.inputs}` : "";
  return `${s.work === "train" ? "training iteration" : "replay"} of ${s.networks} network${s.networks === 1 ? "" : "s"} × ${s.batch} rows, T = ${s.steps}, N = ${s.units}${inputs}, O = ${s.outputs}${s.stored === "f16" ? ", stored as float16" : ""}`;
}
