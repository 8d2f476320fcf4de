/** Verdicts on how hard the score is to estimate: over every dimension, time and number of samples. Pure. */
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean, exactly, formatEstimate, pairedRatio, verdictOf } from "../statistics.ts";
import { cellAt, type EstimationResult, inCell, type Measure } from "./result.ts";
import { dimensionExponents, type SampleLaw, sampleLaw } from "./scaling.ts";

const round = (x: number): string => Number(x.toPrecision(3)).toLocaleString("en");
const percent = (x: number): string => `${Number((100 * x).toPrecision(2))} %`;

const inside = ({ low, high }: Estimate, centre: number, within: number): boolean =>
  low >= centre - within && high <= centre + within;

const precision: Measure = (e) => e.precision;

export function estimationClaims(result: EstimationResult, protocol: Protocol): ClaimResult[] {
  const { dimensions, times, samples, repeats, ...p } = protocol.estimation;
  const claim = (of: Omit<ClaimResult, "part" | "over" | "verdict">, over = `${repeats} repeats`): ClaimResult => ({
    ...of,
    part: 1,
    over,
    verdict: verdictOf(of.cells, protocol.verdict),
  });
  const over = (values: readonly number[]) => estimateMean(values, protocol.statistics);
  const lawAt = (dimension: number, time: number): SampleLaw => sampleLaw(result, { dimension, time }, precision, p);
  const [first, last] = [times[0] as number, times[times.length - 1] as number];
  const widest = dimensions[dimensions.length - 1] as number;
  const ratioAt = (
    [time, measure]: readonly [number, Measure],
    [otherTime, other]: readonly [number, Measure],
    at: { dimension: number; samples: number },
  ): Estimate =>
    pairedRatio(
      inCell(cellAt(result, { ...at, time }), measure),
      inCell(cellAt(result, { ...at, time: otherTime }), other),
      protocol.statistics,
    );
  /** Where so many samples determine a covariance at all. */
  const estimable = dimensions.flatMap((dimension) =>
    samples
      .filter((n) => (cellAt(result, { dimension, time: first, samples: n })?.errors.precision.length ?? 0) > 0)
      .map((n) => ({ dimension, samples: n })),
  );

  const exponents = dimensions.flatMap((dimension) =>
    times.map((time): ClaimCell => {
      const estimate = over(lawAt(dimension, time).exponents);
      return {
        where: `H = ${dimension}, t = ${time}`,
        estimate,
        holds: inside(estimate, -0.5, p.sampleExponentWithin),
      };
    }),
  );
  const growth = times.map((time): ClaimCell => {
    const estimate = over(
      dimensionExponents(dimensions.map((dimension) => ({ dimension, law: lawAt(dimension, time) }))),
    );
    return { where: `t = ${time}`, estimate, holds: inside(estimate, 1, p.dimensionExponentWithin) };
  });
  const gainError: Measure = (e) => e.gain.whole;
  const earlyAt = (at: { dimension: number; samples: number }): ClaimCell => {
    const estimate = ratioAt([first, gainError], [last, gainError], at);
    return { where: `H = ${at.dimension}, ${at.samples} samples`, estimate, holds: estimate.low > 1 };
  };
  const saved = estimable
    .filter((at) => at.dimension > result.pathDimension)
    .flatMap((at) =>
      times.map((time): ClaimCell => {
        const estimate = ratioAt([time, (e) => e.excess.whole], [time, (e) => e.excess.leakGiven], at);
        const where = `H = ${at.dimension}, ${at.samples} samples, t = ${time}`;
        return { where, estimate, holds: estimate.low > p.leakSaves };
      }),
    );
  const constant = result.constant.map(
    ({ steps, excess }): ClaimCell => ({
      where: `paths of ${steps} steps`,
      estimate: exactly(excess),
      holds: excess > p.constantExcess,
    }),
  );
  const unleaked = result.constant.flatMap(({ steps, excess, withoutLeak }) =>
    withoutLeak
      .filter(({ dimension }) => dimension > result.pathDimension)
      .map((w): ClaimCell => {
        const ratio = w.excess / excess;
        return {
          where: `H = ${w.dimension}, paths of ${steps} steps`,
          estimate: exactly(ratio),
          holds: ratio > p.leakSaves,
        };
      }),
  );

  const neededAt = (dimension: number): string => {
    const { value, low, high } = over(lawAt(dimension, last).needed);
    return `${round(value)} [${round(low)}, ${round(high)}] samples for H = ${dimension}`;
  };
  const named = { dimension: widest, time: last, samples: samples.findLast((n) => n <= 20 * widest) ?? 0 };
  /** Times the least loss. */
  const excessAt = (measure: Measure) => {
    const values = inCell(cellAt(result, named), measure);
    const ones = values.map(() => 1);
    return formatEstimate(pairedRatio(values, ones, protocol.statistics));
  };
  const whole = result.constant[result.constant.length - 1];
  return [
    claim({
      id: "estimation-samples",
      claim: "The score is hard to estimate: the error of Σ_t⁻¹ falls only as the root of the samples",
      predicted: `relative error ∝ n^−½, exponent within ${p.sampleExponentWithin} of it`,
      measured: `H = ${widest}, t = ${last}: exponent ${formatEstimate(over(lawAt(widest, last).exponents))}`,
      cells: exponents,
    }),
    claim({
      id: "estimation-dimension",
      claim: "… and the samples that it takes grow in proportion to the number of units",
      predicted: `samples for an error of ${percent(p.error)} ∝ H, exponent within ${p.dimensionExponentWithin} of 1`,
      measured: `t = ${last}: ${dimensions.map(neededAt).join(", ")}`,
      cells: growth,
    }),
    claim({
      id: "estimation-early",
      claim: "The gain K_t is hardest to estimate early in a path",
      predicted: `the relative error of K̂_t is greater at t = ${first} than at t = ${last}, since K_t is small there`,
      measured: `H = ${widest}, ${named.samples.toLocaleString("en")} samples: ${formatEstimate(ratioAt([first, (e) => e.gain.whole], [last, (e) => e.gain.whole], named))} times`,
      cells: estimable.map(earlyAt),
      why: "the same draws serve all times, so that the ratio is that of (1 − K_t)/K_t whatever n and H: its places are one finding, not many",
    }),
    claim({
      id: "estimation-leak",
      claim: "A given leak leaves little to estimate: a recurrent term of rank d",
      predicted: `excess loss of the whole map at least ${p.leakSaves} times that with −I given; ∝ H²/n against d²/n`,
      measured: `H = ${widest}, t = ${last}, ${named.samples.toLocaleString("en")} samples: ${excessAt((e) => e.excess.whole)} times the least loss, with the leak ${excessAt((e) => e.excess.leakGiven)}`,
      cells: saved,
      why: "where H = d there is nothing off the readout's plane",
    }),
    claim(
      {
        id: "estimation-constant",
        claim: "One gain for all times, all that constant weights can hold, loses to K_t",
        predicted: `more than ${percent(p.constantExcess)} above the loss with K_t`,
        measured: result.constant.map((c) => `${percent(c.excess)} over ${c.steps} steps`).join(", "),
        cells: constant,
        ...(whole === undefined
          ? {}
          : {
              why: `K_t is ${(result.gains[0] as number).toPrecision(2)} at t = 0 and ${(result.gains[result.gains.length - 1] as number).toPrecision(2)} at the end; the best constant for ${whole.steps} steps is ${whole.gain.toPrecision(2)}`,
            }),
      },
      "closed form",
    ),
    claim(
      {
        id: "estimation-constant-leak",
        claim: "… and loses far more where no leak is given, and the same rank has to do for the decay as well",
        predicted: `a constant map of rank d = ${result.pathDimension} loses at least ${p.leakSaves} times what it loses beside a leak, however many samples there are`,
        measured: `paths of ${whole?.steps ?? 0} steps: ${(whole?.withoutLeak ?? []).map((w) => `${round(w.excess)} times the least loss for H = ${w.dimension}`).join(", ")}; with the leak ${percent(whole?.excess ?? Number.NaN)} of it`,
        cells: unleaked,
      },
      "closed form",
    ),
  ];
}
