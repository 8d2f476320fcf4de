/** Whether the claims' directions survive another activation function, no masking, and small friction. Pure. */

import { plainIndex } from "../balance/choose.ts";
import { compare } from "../balance/judge.ts";
import type { Plane, ReplayedMember } from "../balance/measure.ts";
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import { type Cell, membersAt } from "../grid.ts";
import type { FamilyName, NamedCell, Protocol } from "../protocol.ts";
import { estimateMean, verdictOf } from "../statistics.ts";
import { quoted, TASK_WORDS } from "../words.ts";

export interface Activations {
  /** Of the other activation functions. */
  readonly families: readonly { readonly family: FamilyName; readonly plane: Plane }[];
  /** ReLU, every κ × k. */
  readonly relu: Plane;
}

interface Comparison {
  readonly cell: Cell;
  readonly speed: Estimate;
  readonly track: Estimate;
}

const cellText = ({ friction, adaptStrength, adaptTau }: Cell): string =>
  [
    ...(friction < 1 ? [`λ = ${friction}`] : []),
    ...(adaptStrength > 0 ? [`b_a = ${adaptStrength}, τ_a = ${adaptTau}`] : []),
  ].join(", ");

/** Each condition against another one of its own. */
function comparisons(
  plane: Plane,
  members: readonly ReplayedMember[],
  protocol: Protocol,
  isWanted: (c: Cell) => boolean,
  otherOf: (c: Cell) => number,
): Comparison[] {
  return plane.conditions.flatMap((cell, index) =>
    isWanted(cell) ? [{ cell, ...compare(members, index, otherOf(cell), protocol) }] : [],
  );
}

const DIRECTIONS = {
  momentum: {
    claim: "momentum speeds replay up",
    predicted: "reach time of plain replay over that with λ < 1 above 1",
    unit: "×",
  },
  explores: {
    claim: "adaptation explores",
    predicted: "track coverage above plain replay's (difference above 0)",
    unit: "",
  },
  slows: {
    claim: "adaptation slows",
    predicted: "reach time of plain replay over that with adaptation below 1",
    unit: "×",
  },
  both: {
    claim: "with momentum, adaptation is faster than without and covers more than plain replay",
    predicted: "coverage above plain replay's (difference above 0), and faster than adaptation alone",
    unit: "",
  },
} as const;
type Direction = keyof typeof DIRECTIONS;

/** Every place of the grid where a direction can be tested in these networks. */
function directionCells(
  direction: Direction,
  plane: Plane,
  members: readonly ReplayedMember[],
  protocol: Protocol,
  prefix = "",
): ClaimCell[] {
  const plain = plainIndex(plane);
  const toPlain = (isWanted: (c: Cell) => boolean): Comparison[] =>
    comparisons(plane, members, protocol, isWanted, () => plain);
  const cells = (
    all: readonly Comparison[],
    estimate: (c: Comparison) => Estimate,
    holds: (c: Comparison) => boolean,
  ): ClaimCell[] => all.map((c) => ({ where: `${prefix}${cellText(c.cell)}`, estimate: estimate(c), holds: holds(c) }));
  const isAdapted = (c: Cell): boolean => c.friction === 1 && c.adaptStrength > 0;
  switch (direction) {
    case "momentum":
      return cells(
        toPlain((c) => c.friction < 1 && c.adaptStrength === 0),
        (c) => c.speed,
        (c) => c.speed.low > 1,
      );
    case "explores":
      return cells(
        toPlain(isAdapted),
        (c) => c.track,
        (c) => c.track.low > 0,
      );
    case "slows":
      return cells(
        toPlain(isAdapted),
        (c) => c.speed,
        (c) => c.speed.high < 1,
      );
    case "both": {
      const isBoth = (c: Cell): boolean => c.friction < 1 && c.adaptStrength > 0;
      const alone = (c: Cell): number =>
        plane.conditions.findIndex(
          (o) => o.friction === 1 && o.adaptStrength === c.adaptStrength && o.adaptTau === c.adaptTau,
        );
      const faster = comparisons(plane, members, protocol, isBoth, alone);
      return cells(
        toPlain(isBoth),
        (c) => c.track,
        (c) => {
          const same = faster.find((f) => f.cell === c.cell);
          return c.track.low > 0 && same !== undefined && same.speed.low > 1;
        },
      );
    }
  }
}

/** The named place's conditions that a direction quotes. */
function namedText(direction: Direction, n: NamedCell): string {
  const adapted = { adaptStrength: n.adaptStrength, adaptTau: n.adaptTau };
  if (direction === "momentum") return cellText({ friction: n.friction, adaptStrength: 0, adaptTau: n.adaptTau });
  return cellText({ friction: direction === "both" ? n.friction : 1, ...adapted });
}

function directionClaim(
  id: string,
  subject: string,
  direction: Direction,
  cells: readonly ClaimCell[],
  named: string,
  over: string,
  protocol: Protocol,
): ClaimResult {
  const { claim, predicted, unit } = DIRECTIONS[direction];
  return {
    id: `${id}-${direction}`,
    part: 4,
    claim: `${subject}: ${claim}`,
    predicted,
    measured: quoted(cells, named, unit),
    over,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
  };
}

function otherActivation({ family, plane }: Activations["families"][number], protocol: Protocol): ClaimResult[] {
  const named = protocol.named[protocol.activations.task] as NamedCell;
  const members = membersAt(plane.members, named) as ReplayedMember[];
  return (Object.keys(DIRECTIONS) as Direction[]).map((direction) =>
    directionClaim(
      `activation-${family}`,
      TASK_WORDS[family],
      direction,
      directionCells(direction, plane, members, protocol),
      namedText(direction, named),
      `${members.length} seeds`,
      protocol,
    ),
  );
}

/** k = 1: whether networks that always saw their input replay at all, and whether the directions hold in them. */
function unmasked(plane: Plane, protocol: Protocol): ClaimResult[] {
  if (!protocol.maskEvery.includes(1)) return [];
  const groups = protocol.leaks
    .map((leak) => ({ leak, members: membersAt(plane.members, { leak, maskEvery: 1 }) as ReplayedMember[] }))
    .filter(({ members }) => members.length > 0);
  const named = protocol.named[protocol.activations.task] as NamedCell;
  const over = `${protocol.seeds.count} seeds`;
  const plain = plainIndex(plane);
  const arrives = groups.map(({ leak, members }): ClaimCell => {
    const estimate = estimateMean(
      members.map((m) => m.arrives[plain] as number),
      protocol.statistics,
    );
    return { where: `κ = ${leak}`, estimate, holds: estimate.low > protocol.activations.arrivesFrom };
  });
  const follows: ClaimResult = {
    id: "unmasked-arrives",
    part: 4,
    claim: "T-maze without masking (k = 1): replay still runs to the ends of the maze",
    predicted: "no: in a prototype networks trained without masking rarely or never reach an end in 150 steps",
    measured: `share that arrives, ${quoted(arrives, `κ = ${named.leak}`)}`,
    over,
    cells: arrives,
    verdict: verdictOf(arrives, protocol.verdict),
  };
  const directions = (["momentum", "explores", "both"] as const).map((direction) => {
    const cells = groups.flatMap(({ leak, members }) =>
      directionCells(direction, plane, members, protocol, `κ = ${leak}, `),
    );
    return directionClaim(
      "unmasked",
      "T-maze without masking (k = 1)",
      direction,
      cells,
      `κ = ${named.leak}, ${namedText(direction, named)}`,
      over,
      protocol,
    );
  });
  return [follows, ...directions];
}

/** Where replay with a small λ stays finite. */
function smallFriction(plane: Plane, protocol: Protocol): ClaimResult {
  const { smallFriction: frictions, divergedAtMost } = protocol.activations;
  const cells = protocol.leaks.flatMap((leak) =>
    protocol.maskEvery.flatMap((maskEvery) => {
      const members = membersAt(plane.members, { leak, maskEvery }) as ReplayedMember[];
      if (members.length === 0) return [];
      return frictions.flatMap((friction): ClaimCell[] => {
        const index = plane.conditions.findIndex((c) => c.friction === friction && c.adaptStrength === 0);
        if (index < 0) return [];
        const shares = members.map((m) => m.diverged[index] as number);
        const estimate = estimateMean(shares, protocol.statistics);
        // An interval of a share that is mostly 0 says little: no network may have more than the threshold.
        const holds = shares.every((x) => x <= divergedAtMost);
        return [{ where: `κ = ${leak}, k = ${maskEvery}, λ = ${friction}`, estimate, holds }];
      });
    }),
  );
  const named = protocol.named[protocol.activations.task] as NamedCell;
  return {
    id: "small-friction",
    part: 4,
    claim: `T-maze: with small friction (λ ≤ ${Math.max(...frictions)}) replay does not diverge in any network`,
    predicted:
      "only with a leak: in a prototype the vanilla network (κ = 1) diverged at λ = 0.5 in every seed, κ = 0.2 at k = 5 in none down to 0.3",
    measured: `share of diverged rollouts, ${quoted(cells, `κ = ${named.leak}, k = ${named.maskEvery}, λ = ${Math.max(...frictions)}`)}`,
    over: `${protocol.seeds.count} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
  };
}

export function judgeActivations({ families, relu }: Activations, protocol: Protocol): ClaimResult[] {
  return [
    ...families.flatMap((f) => otherActivation(f, protocol)),
    ...unmasked(relu, protocol),
    smallFriction(relu, protocol),
  ];
}
