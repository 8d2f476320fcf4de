/**
 * Whether momentum leaves the law that replays settle into as it is. Clouds of positions from the second half of long
 * replays are compared by their sliced Wasserstein distance: λ < 1 against λ = 1, and, as the floor that no comparison of
 * clouds of this size can be below, λ = 1 against λ = 1. The two clouds of a comparison come from different repeats, so that
 * they share neither noise nor start.
 */

import { pathTask } from "../../config/resolve.ts";
import { geometryOf } from "../../metrics/geometry.ts";
import { soundRows } from "../../metrics/motion.ts";
import type { Trajectories } from "../../metrics/trajectories.ts";
import { slicedQuantiles, slicedWasserstein } from "../../metrics/wasserstein.ts";
import type { FamilyMember, Lab } from "../experiment.ts";
import type { FamilyName } from "../protocol.ts";
import { replayMembers } from "../replays.ts";

export interface LawMember extends FamilyMember {
  /** Between two halves of the repeats at λ = 1, metres. */
  readonly floor: number;
  /** Standard deviation of the cloud at λ = 1, metres. */
  readonly spread: number;
  /** [λ]: to the cloud at λ = 1, metres; NaN where half of the replays or more diverged. */
  readonly distances: readonly number[];
}

export interface LawTask {
  readonly task: FamilyName;
  readonly frictions: readonly number[];
  /** Positions in a cloud. */
  readonly points: number;
  readonly members: readonly LawMember[];
}

/** Standard deviation of points (n, 2) about their mean, both coordinates added. */
export function spreadOf(points: Float32Array | Float64Array): number {
  const n = points.length / 2;
  let [mx, my] = [0, 0];
  for (let i = 0; i < n; i++) {
    mx += (points[2 * i] as number) / n;
    my += (points[2 * i + 1] as number) / n;
  }
  let sum = 0;
  for (let i = 0; i < n; i++) sum += ((points[2 * i] as number) - mx) ** 2 + ((points[2 * i + 1] as number) - my) ** 2;
  return Math.sqrt(sum / n);
}

/** Clouds of the two halves of a network's repeats. */
export type Halves = readonly [Float64Array, Float64Array];

/** @param plain at λ = 1; @param others at each λ < 1, null where there is none */
export function lawDistances(plain: Halves, others: readonly (Halves | null)[]) {
  const sliced = (h: Halves) => [slicedQuantiles(h[0]), slicedQuantiles(h[1])] as const;
  const [a, b] = sliced(plain);
  return {
    floor: slicedWasserstein(a, b),
    spread: spreadOf(Float64Array.from([...plain[0], ...plain[1]])),
    distances: others.map((h) => {
      if (h === null) return Number.NaN;
      const [c, d] = sliced(h);
      return (slicedWasserstein(c, b) + slicedWasserstein(d, a)) / 2;
    }),
  };
}

/** The second half of a network's saved steps as rows. @param readout (S, saved, repeats, 2) */
function lateRows(
  readout: Float32Array,
  network: number,
  saved: number,
  repeats: number,
  rows: readonly [number, number],
) {
  const from = Math.floor(saved / 2);
  const steps = saved - from;
  const positions = new Float64Array((rows[1] - rows[0]) * steps * 2);
  for (let r = rows[0]; r < rows[1]; r++) {
    for (let t = 0; t < steps; t++) {
      const at = ((network * saved + from + t) * repeats + r) * 2;
      positions.set(readout.subarray(at, at + 2), ((r - rows[0]) * steps + t) * 2);
    }
  }
  return { positions, rows: rows[1] - rows[0], steps } satisfies Trajectories;
}

export async function measureLaw(lab: Lab, task: FamilyName): Promise<LawTask> {
  const { law } = lab.protocol.momentum;
  const family = await lab.family(task);
  const members = family.members.filter((m) => m.maskEvery === law.maskEvery);
  const conditions = [1, ...law.friction].map((friction) => ({ friction, adaptStrength: 0 }));
  const { repeats, steps, keepEvery } = law;
  lab.io.note(`long replays of ${task}: ${members.length} networks, ${conditions.length} λ, ${steps} steps`);
  const results = await replayMembers(lab, family, members, { conditions, repeats, steps, saveEvery: keepEvery });
  const geometry = geometryOf(pathTask(family.config));
  const saved = Math.floor(steps / keepEvery);
  const half = Math.floor(repeats / 2);
  const halves = (condition: number, network: number): Halves | null => {
    const clouds = (
      [
        [0, half],
        [half, 2 * half],
      ] as const
    ).map((rows) => {
      const all = lateRows(results[condition]?.readout as Float32Array, network, saved, repeats, rows);
      const sound = soundRows(all, geometry);
      return sound.rows * 2 > all.rows ? Float64Array.from(sound.positions) : null;
    });
    const [a, b] = clouds;
    return a && b ? [a, b] : null;
  };
  return {
    task,
    frictions: law.friction,
    points: half * (saved - Math.floor(saved / 2)),
    members: members.map((m, network) => {
      const plain = halves(0, network);
      if (plain === null) {
        return { ...m, floor: Number.NaN, spread: Number.NaN, distances: law.friction.map(() => Number.NaN) };
      }
      return {
        ...m,
        ...lawDistances(
          plain,
          law.friction.map((_, i) => halves(i + 1, network)),
        ),
      };
    }),
  };
}
