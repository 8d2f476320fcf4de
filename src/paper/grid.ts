/** The common grid of replays and where to find a condition in it. Pure. */
import type { Condition } from "../sweep/definition.ts";
import type { FamilyMember } from "./experiment.ts";
import type { Protocol } from "./protocol.ts";

/** A replay of the grid: λ, b_a and τ_a; without adaptation τ_a says nothing. */
export interface Cell {
  readonly friction: number;
  readonly adaptStrength: number;
  readonly adaptTau: number;
}

/** Without adaptation first (λ = 1 at the head), then every λ × b_a × τ_a. */
export function gridConditions({ replay: r }: Protocol): Condition[] {
  const plain = [...r.friction, ...r.alsoFriction].sort((a, b) => b - a);
  return [
    ...plain.map((friction) => ({ friction, adaptStrength: 0 })),
    ...r.friction.flatMap((friction) =>
      r.adaptStrength.flatMap((adaptStrength) => r.adaptTau.map((adaptTau) => ({ friction, adaptStrength, adaptTau }))),
    ),
  ];
}

const close = (a: number | undefined, b: number): boolean => a !== undefined && Math.abs(a - b) < 1e-9;

/** Index of a replay among the conditions; −1 where it is not there. */
export function conditionAt(conditions: readonly Condition[], cell: Cell): number {
  return conditions.findIndex(
    (c) =>
      close(c.friction, cell.friction) &&
      close(c.adaptStrength, cell.adaptStrength) &&
      (cell.adaptStrength === 0 || close(c.adaptTau, cell.adaptTau)),
  );
}

/** κ of the members, ascending. */
export const leaksOf = (members: readonly { readonly leak: number }[]): number[] =>
  [...new Set(members.map((m) => m.leak))].sort((a, b) => a - b);

/** Members of one κ and k, by ascending seed: cells of a grid are compared seed by seed. */
export function membersAt<M extends FamilyMember>(
  members: readonly M[],
  cell: { readonly leak: number; readonly maskEvery: number },
): M[] {
  return members
    .filter((m) => close(m.leak, cell.leak) && m.maskEvery === cell.maskEvery)
    .sort((a, b) => a.seed - b.seed);
}
