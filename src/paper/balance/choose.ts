/** Speed against coverage: which mixes nothing else beats, and which one the protocol's rule chooses. Pure. */
import { mean } from "../../metrics/statistics.ts";
import type { Cell } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import type { Plane, ReplayedMember } from "./measure.ts";

/** Of one condition, means over networks. */
export interface Point {
  /** Index among the conditions. */
  readonly index: number;
  readonly cell: Cell;
  /** Reach time of plain replay over this one's, of the means. */
  readonly speed: number;
  readonly track: number;
  /** Over plain replay's. */
  readonly offpath: number;
  /** Largest share of diverged rollouts of any network. */
  readonly diverged: number;
}

export const isPlain = ({ friction, adaptStrength }: Cell): boolean => friction === 1 && adaptStrength === 0;
export const isMix = ({ friction, adaptStrength }: Cell): boolean => friction < 1 && adaptStrength > 0;

/** @throws Error where plain replay is not among the conditions */
export function plainIndex({ conditions }: Plane): number {
  const found = conditions.findIndex(isPlain);
  if (found < 0) throw new Error("the plane of friction and adaptation strength lacks plain replay");
  return found;
}

export function pointsOf(plane: Plane, members: readonly ReplayedMember[]): Point[] {
  const plain = plainIndex(plane);
  const over = (name: "reach" | "track" | "offpath", c: number): number =>
    mean(members.map((m) => m[name][c] as number));
  return plane.conditions.map((cell, index) => ({
    index,
    cell,
    speed: over("reach", plain) / over("reach", index),
    track: over("track", index),
    offpath: over("offpath", index) / over("offpath", plain),
    diverged: Math.max(...members.map((m) => m.diverged[index] as number)),
  }));
}

const isSound = (p: Point): boolean => p.diverged === 0 && Number.isFinite(p.speed) && Number.isFinite(p.track);

/** Points that no sound one beats in speed and coverage at once, slowest first. */
export function paretoFront(points: readonly Point[]): Point[] {
  const sound = points.filter(isSound);
  const beats = (a: Point, b: Point): boolean =>
    a.speed >= b.speed && a.track >= b.track && (a.speed > b.speed || a.track > b.track);
  return sound.filter((p) => !sound.some((q) => beats(q, p))).sort((a, b) => a.speed - b.speed || a.index - b.index);
}

/**
 * The protocol's rule: of the mixes without diverged rollouts, at most `offPathAtMost` times as far from the maze as
 * plain replay and at least `fasterBy` times as fast, the one that covers most; undefined where there is none.
 */
export function chooseMix(points: readonly Point[], { balance: b }: Protocol): Point | undefined {
  return points
    .filter((p) => isMix(p.cell) && isSound(p) && p.offpath <= b.offPathAtMost && p.speed >= b.fasterBy)
    .reduce<Point | undefined>((best, p) => (best === undefined || p.track > best.track ? p : best), undefined);
}

/** What a single knob, momentum or adaptation alone, covers at most at this speed; undefined where none is as fast. */
export function bestSingle(points: readonly Point[], speed: number): Point | undefined {
  return points
    .filter((p) => !isMix(p.cell) && isSound(p) && p.speed >= speed)
    .reduce<Point | undefined>((best, p) => (best === undefined || p.track > best.track ? p : best), undefined);
}
