/** Whether the eigenvalues of a network tell where momentum makes it diverge. Pure. */
import { mean } from "../../metrics/statistics.ts";
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import { membersAt } from "../grid.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean, formatEstimate, verdictOf } from "../statistics.ts";
import { placesOf } from "../usable.ts";
import { TASK_WORDS, whereText } from "../words.ts";
import type { StabilityMember, StabilityTask } from "./measure.ts";

/** A network at a λ < 1. */
export interface Trial {
  readonly member: StabilityMember;
  readonly friction: number;
  readonly predicted: boolean;
  readonly diverged: boolean;
  /** |λ − predicted boundary| */
  readonly away: number;
}

/** A network that diverges without momentum, or of which nothing is predicted, is no trial. */
export function trialsOf(t: StabilityTask, { diverged: from }: Protocol["stability"]): Trial[] {
  return t.members
    .filter((m) => Number.isFinite(m.critical) && (m.diverged[0] as number) < from)
    .flatMap((member) =>
      t.frictions.flatMap((friction, i) =>
        friction === 1
          ? []
          : [
              {
                member,
                friction,
                predicted: friction < member.critical,
                diverged: (member.diverged[i] as number) >= from,
                away: Math.abs(friction - member.critical),
              },
            ],
      ),
    );
}

const agrees = (t: Trial): boolean => t.predicted === t.diverged;
const share = (trials: readonly Trial[], of: (t: Trial) => boolean): number => mean(trials.map((t) => (of(t) ? 1 : 0)));

/** Share of a network's λ that agree, then the mean over networks: λ of one network are no independent trials. */
function agreementAt(
  trials: readonly Trial[],
  members: readonly { readonly index: number }[],
  protocol: Protocol,
): Estimate {
  const own = members.map((m) =>
    share(
      trials.filter((t) => t.member.index === m.index),
      agrees,
    ),
  );
  const e = estimateMean(own, protocol.statistics);
  return { ...e, low: Math.max(0, e.low), high: Math.min(1, e.high) };
}

const percent = (x: number): string => (Number.isNaN(x) ? "none" : `${(100 * x).toFixed(1)} %`);

export const farTrials = (t: StabilityTask, { stability }: Protocol): Trial[] =>
  // A hundredth of a per cent, so that a border that is a decimal number lies outside.
  trialsOf(t, stability).filter((trial) => trial.away > stability.awayFromBoundary + 1e-6);

function agreementClaim(t: StabilityTask, protocol: Protocol): ClaimResult {
  const { agreement, awayFromBoundary, diverged } = protocol.stability;
  const [all, far] = [trialsOf(t, protocol.stability), farTrials(t, protocol)];
  const cells: ClaimCell[] = placesOf(t.members)
    .map((place) => ({ where: whereText(place), estimate: agreementAt(far, membersAt(t.members, place), protocol) }))
    .filter((c) => c.estimate.n > 0)
    .map((c) => ({ ...c, holds: c.estimate.value >= agreement }));
  const whole = share(far, agrees);
  const [unstable, stable] = [far.filter((x) => x.diverged), far.filter((x) => !x.diverged)];
  const constant = Math.max(unstable.length, stable.length) / far.length;
  const kept = new Set(all.map((x) => x.member.index)).size;
  return {
    id: `stability-agreement-${t.task}`,
    part: 3,
    claim: `Eigenvalues at λ = 1 tell where momentum diverges (${TASK_WORDS[t.task]})`,
    predicted: `|z| < 1 for every mode of the mean Jacobian ⇔ fewer than ${100 * diverged} % of the replays diverge, in ≥ ${100 * agreement} % of networks × λ farther than ${awayFromBoundary} from the predicted boundary`,
    measured: `${percent(whole)} of ${far.length} networks × λ agree: ${percent(share(unstable, agrees))} of ${unstable.length} that diverge, ${percent(share(stable, agrees))} of ${stable.length} that do not`,
    over: `${protocol.seeds.count} seeds`,
    cells,
    verdict: Number.isNaN(whole) ? "undecided" : whole >= agreement ? "holds" : "fails",
    why: `the better of always and never would agree in ${percent(constant)}; with the boundary's neighbourhood ${percent(share(all, agrees))} of ${all.length}; ${t.members.length - kept} of ${t.members.length} networks diverge without momentum or have no modes, and are left out`,
  };
}

const criticalAt = (t: StabilityTask, place: { leak: number; maskEvery: number }): number[] =>
  (membersAt(t.members, place) as StabilityMember[]).map((m) => m.critical);

/** "A leak is what makes momentum usable": the predicted boundary is lower than the vanilla network's. */
function leakClaim(t: StabilityTask, protocol: Protocol): ClaimResult {
  const { vanilla } = protocol.stability.leak;
  const cells: ClaimCell[] = placesOf(t.members)
    .filter((p) => p.leak > 0 && p.leak < vanilla)
    .map((place) => {
      const [own, other] = [criticalAt(t, place), criticalAt(t, { ...place, leak: vanilla })];
      const estimate = estimateMean(
        other.map((x, i) => x - (own[i] as number)),
        protocol.statistics,
      );
      return { where: whereText(place), estimate, holds: estimate.low > 0 };
    })
    .filter((c) => c.estimate.n >= 2);
  const named = protocol.named[t.task];
  const at = cells.find((c) => named !== undefined && c.where === whereText(named)) ?? cells[0];
  return {
    id: `stability-leak-${t.task}`,
    part: 3,
    claim: `A leak lets momentum be stronger before it diverges (${TASK_WORDS[t.task]})`,
    predicted: `the predicted boundary of κ = ${vanilla} lies at a larger λ than that of 0 < κ < ${vanilla}`,
    measured: at === undefined ? "nothing to measure" : `${at.where}: larger by ${formatEstimate(at.estimate)} in λ`,
    over: `${protocol.seeds.count} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
  };
}

/** The vanilla network diverges where the leaky one does not: every seed counts. */
function divergenceClaim(t: StabilityTask, protocol: Protocol): ClaimResult {
  const { leak, diverged: from } = protocol.stability;
  const { friction, maskEvery, vanilla, leaky } = leak;
  const at = t.frictions.indexOf(friction);
  const shares = (kappa: number): number[] =>
    (membersAt(t.members, { leak: kappa, maskEvery }) as StabilityMember[]).map((m) =>
      (m.diverged[at] as number) >= from ? 1 : 0,
    );
  const [plain, with_] = [shares(vanilla), shares(leaky)];
  const tested = plain.length > 0 && with_.length > 0;
  const cells: ClaimCell[] = tested
    ? [
        {
          where: whereText({ leak: vanilla, maskEvery }),
          estimate: estimateMean(plain, protocol.statistics),
          holds: plain.every((x) => x === 1),
        },
        {
          where: whereText({ leak: leaky, maskEvery }),
          estimate: estimateMean(with_, protocol.statistics),
          holds: with_.every((x) => x === 0),
        },
      ]
    : [];
  const count = (x: readonly number[]): string => `${x.filter((y) => y === 1).length} of ${x.length}`;
  return {
    id: `stability-vanilla-${t.task}`,
    part: 3,
    claim: `At λ = ${friction} the vanilla network diverges and a leaky one does not (${TASK_WORDS[t.task]})`,
    predicted: `every network of κ = ${vanilla} and none of κ = ${leaky}, k = ${maskEvery}`,
    measured: tested ? `κ = ${vanilla}: ${count(plain)} networks, κ = ${leaky}: ${count(with_)}` : "nothing to measure",
    over: `${protocol.seeds.count} seeds`,
    cells,
    verdict: verdictOf(cells, protocol.verdict),
  };
}

export function stabilityClaims(tasks: readonly StabilityTask[], protocol: Protocol): ClaimResult[] {
  return tasks.flatMap((t) => [
    agreementClaim(t, protocol),
    leakClaim(t, protocol),
    ...(t.task === protocol.stability.leak.task ? [divergenceClaim(t, protocol)] : []),
  ]);
}
