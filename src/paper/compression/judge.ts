/** Whether replays are compressed: against experience, and against replay without momentum. Pure. */
import { type Judged, judged, judgedText } from "../backing.ts";
import type { ClaimResult, Estimate } from "../evidence.ts";
import { leaksOf, membersAt } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean, pairedRatio, verdictOf } from "../statistics.ts";
import type { Place } from "../usable.ts";
import { quoted, TASK_WORDS, whereText } from "../words.ts";
import { LEAST_SLOPE } from "./calibrate.ts";
import type { CompressionMember, CompressionPoint, CompressionTask } from "./measure.ts";

export interface Condition {
  readonly friction: number;
  readonly adaptStrength: number;
}

const PLAIN: Condition = { friction: 1, adaptStrength: 0 };

const membersOf = (t: CompressionTask, place: Place): CompressionMember[] =>
  membersAt(t.members, place) as CompressionMember[];

const pointAt = (m: CompressionMember, c: Condition): CompressionPoint | undefined =>
  m.points.find((p) => p.friction === c.friction && p.adaptStrength === c.adaptStrength);

export type Quantity = (p: CompressionPoint) => number;

export const factor: Quantity = (p) => p.factor;
export const codeFactor: Quantity = (p) => p.codeFactor ?? Number.NaN;
/** A box has no path to be off: what is left of a replay when it lies along awake pieces stands for it. */
export const infidelity: Quantity = (p) => (Number.isNaN(p.offPath) ? p.distance : p.offPath);

export const seriesAt = (t: CompressionTask, place: Place, c: Condition, value: Quantity): number[] =>
  membersOf(t, place).map((m) => {
    const point = pointAt(m, c);
    return point === undefined ? Number.NaN : value(point);
  });

/** Geometric mean over networks. */
export function againstAwake(t: CompressionTask, place: Place, c: Condition, value: Quantity, p: Protocol): Estimate {
  const { value: x, low, high, n } = estimateMean(seriesAt(t, place, c, value).map(Math.log), p.statistics);
  return { value: Math.exp(x), low: Math.exp(low), high: Math.exp(high), n };
}

export const againstPlain = (t: CompressionTask, place: Place, c: Condition, value: Quantity, p: Protocol): Estimate =>
  pairedRatio(seriesAt(t, place, c, value), seriesAt(t, place, PLAIN, value), p.statistics);

export const whereAt = (place: Place, { friction, adaptStrength }: Condition): string =>
  `${whereText(place)}, λ = ${friction}${adaptStrength > 0 ? `, b_a = ${adaptStrength}` : ""}`;

/** Without adaptation, and some momentum. */
function momentumCells(
  t: CompressionTask,
  protocol: Protocol,
  estimate: (place: Place, c: Condition) => Estimate,
  holds: (e: Estimate, place: Place, c: Condition) => boolean,
  members: readonly CompressionMember[] = t.members,
): Judged {
  const { maskEvery } = protocol.compression;
  const all = leaksOf(members).flatMap((leak) =>
    protocol.replay.friction
      .filter((friction) => friction < 1)
      .map((friction) => {
        const [place, condition] = [
          { leak, maskEvery },
          { friction, adaptStrength: 0 },
        ];
        const e = estimate(place, condition);
        const diverged = seriesAt(t, place, condition, (p) => p.diverged);
        return {
          where: whereAt(place, condition),
          estimate: e,
          holds: holds(e, place, condition),
          networks: diverged.length,
          // As `measureCompression` has it.
          diverged: diverged.filter((share) => share >= 0.5).length,
        };
      }),
  );
  return judged(all);
}

const isFaithful = (t: CompressionTask, place: Place, c: Condition, protocol: Protocol): boolean =>
  againstPlain(t, place, c, infidelity, protocol).value <= protocol.compression.offPathAtMost;

function shareText(t: CompressionTask): string {
  const points = t.members.flatMap((m) => m.points).filter((p) => p.adaptStrength === 0);
  const [none, some] = [points.filter((p) => Number.isNaN(p.factor)).length, points.length];
  const blind = t.members.filter((m) => !(m.calibration.slope >= LEAST_SLOPE)).length;
  const plain = points.filter((p) => p.friction === 1 && Number.isFinite(p.moving));
  const moving = plain.reduce((s, p) => s + p.moving / plain.length, 0);
  return `${none} of ${some} networks × λ have no factor: they diverged, stood still, or belong to one of ${blind} networks of ${t.members.length} whose own awake paths show no time scale; of plain replays ${Math.round(100 * moving)} % of the pieces move, the others say nothing`;
}

function taskClaims(t: CompressionTask, protocol: Protocol): ClaimResult[] {
  const { offPathAtMost, animal, segment } = protocol.compression;
  const name = TASK_WORDS[t.task];
  const named = protocol.named[t.task];
  const namedText = named === undefined ? "" : whereAt(named, { friction: named.friction, adaptStrength: 0 });
  const fidelity = t.members.some((m) => m.points.some((p) => Number.isFinite(p.offPath)))
    ? "off-path distance"
    : "distance from the awake pieces (a box has no path to be off)";
  const claim = (id: string, text: string, predicted: string, found: Judged, why: string): ClaimResult => ({
    id: `compression-${id}-${t.task}`,
    part: 3,
    claim: `${text} (${name})`,
    predicted,
    measured: quoted(found.cells, namedText, "×"),
    over: `${protocol.seeds.count} seeds`,
    cells: found.cells,
    verdict: verdictOf(found.cells, protocol.verdict),
    why: `${why}${judgedText(found)}`,
  });
  const awake = momentumCells(
    t,
    protocol,
    (place, c) => againstAwake(t, place, c, factor, protocol),
    (e, place, c) => e.low > 1 && isFaithful(t, place, c, protocol),
  );
  const plain = momentumCells(
    t,
    protocol,
    (place, c) => againstPlain(t, place, c, factor, protocol),
    (e) => e.low > 1,
  );
  const inBand = awake.cells.filter((c) => c.estimate.value >= animal[0]).length;
  const withCode = t.members.filter((m) => m.codeCalibration !== null);
  const code = momentumCells(
    t,
    protocol,
    (place, c) => againstAwake(t, place, c, codeFactor, protocol),
    (e, place, c) => e.low > 1 && isFaithful(t, place, c, protocol),
    withCode,
  );
  return [
    claim(
      "awake",
      "Replay with momentum is temporally compressed: faster than experience",
      `the scale at which pieces of ${segment} steps lie best along awake paths above 1, at most ${offPathAtMost} times the ${fidelity} of λ = 1`,
      awake,
      `${shareText(t)}; ${inBand} of ${awake.cells.length} reach ${animal[0]}×, where animals' replays begin`,
    ),
    claim("plain", "Momentum speeds replay up against λ = 1", "ratio of the scales above 1", plain, shareText(t)),
    ...(withCode.length === 0
      ? []
      : [
          claim(
            "code",
            "Replay with momentum is temporally compressed in code space",
            `the same with the activity of the place cells, on its ${protocol.compression.codeComponents} leading components`,
            code,
            "activity is compared where no replay diverged",
          ),
        ]),
  ];
}

export const compressionClaims = (tasks: readonly CompressionTask[], protocol: Protocol): ClaimResult[] =>
  tasks.flatMap((t) => taskClaims(t, protocol));
