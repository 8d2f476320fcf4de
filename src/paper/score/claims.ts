/** Verdicts on the score: from every κ, k and time of the protocol, networks paired by seed. Pure. */
import type { ClaimCell, ClaimResult, Estimate } from "../evidence.ts";
import type { Protocol } from "../protocol.ts";
import { estimateMean, formatEstimate, pairedDifference, verdictOf } from "../statistics.ts";
import { isCompared } from "./comparison.ts";
import { leaksOf, type Measure, masksOf, type ScoreResult, valuesAt } from "./result.ts";

interface Place {
  readonly leak: number;
  readonly maskEvery: number;
  readonly time: number;
}

const cosine: Measure = (c) => c.cosine;
const theoryCosine: Measure = (c) => c.theoryCosine;
const offReadout: Measure = (c) => c.offReadout;
const onReadout: Measure = (c) => c.onReadout;

const placeText = (p: Place): string => `κ = ${p.leak}, k = ${p.maskEvery}, t = ${p.time}`;

/** Everything that the claims share: the result, the protocol, and lookups in both. */
class Judge {
  readonly #result: ScoreResult;
  readonly #protocol: Protocol;
  /** κ > 0 that were measured, and every k. */
  readonly leaks: readonly number[];
  readonly masks: readonly number[];

  constructor(result: ScoreResult, protocol: Protocol) {
    this.#result = result;
    this.#protocol = protocol;
    this.leaks = leaksOf(result).filter((leak) => leak > 0);
    this.masks = masksOf(result);
  }

  get named(): Place {
    return this.#protocol.score.named;
  }

  places(leaks: readonly number[], maskEvery: readonly number[]): Place[] {
    return leaks.flatMap((leak) =>
      maskEvery.flatMap((k) => this.#result.times.map((time) => ({ leak, maskEvery: k, time }))),
    );
  }

  mean(place: Place, measure: Measure): Estimate {
    return estimateMean(this.values(place, measure), this.#protocol.statistics);
  }

  values(place: Place, measure: Measure): number[] {
    return valuesAt(this.#result, place, place.time, measure);
  }

  /** measure here − measure there, seed by seed. */
  difference(here: readonly [Place, Measure], there: readonly [Place, Measure]): Estimate {
    return pairedDifference(this.values(...here), this.values(...there), this.#protocol.statistics);
  }

  quote(place: Place, measure: Measure): string {
    return formatEstimate(this.mean(place, measure));
  }

  cell(place: Place, estimate: Estimate, holds: boolean): ClaimCell {
    return { where: placeText(place), estimate, holds };
  }

  claim(of: Omit<ClaimResult, "part" | "over" | "verdict">): ClaimResult {
    const { networks } = this.#result;
    const left = networks.filter((n) => n.diverged || !n.comparisons.every(isCompared)).length;
    return {
      ...of,
      part: 1,
      over: `${new Set(networks.map((n) => n.seed)).size} seeds`,
      verdict: verdictOf(of.cells, this.#protocol.verdict),
      ...(left > 0 ? { why: `${left} networks diverged` } : {}),
    };
  }
}

const above = (e: Estimate, least: number): boolean => e.low > least;

/** κ > 0 against κ = 0 in the same measure, at every k and t. */
function raises(j: Judge, measure: Measure): ClaimCell[] {
  return j.places(j.leaks, j.masks).map((place) => {
    const e = j.difference([place, measure], [{ ...place, leak: 0 }, measure]);
    return j.cell(place, e, above(e, 0));
  });
}

export function scoreClaims(result: ScoreResult, protocol: Protocol): ClaimResult[] {
  const j = new Judge(result, protocol);
  const { offReadoutWithin, offReadoutUnleaked, gainVariation } = protocol.score;
  const { named } = j;
  const unleaked = { ...named, leak: 0 };
  const unmasked = { ...named, maskEvery: 1 };
  const within = (e: Estimate) => e.low >= 1 - offReadoutWithin && e.high <= 1 + offReadoutWithin;

  const decay = j.places(j.leaks, [named.maskEvery]).map((place) => {
    const e = estimateMean(
      j.values(place, (c) => c.offReadout / place.leak),
      protocol.statistics,
    );
    return j.cell(place, e, within(e));
  });
  const undecayed = j.places([0], j.masks).map((place) => {
    const e = j.mean(place, offReadout);
    return j.cell(place, e, Math.abs(e.value) < offReadoutUnleaked && e.high < offReadoutUnleaked);
  });
  const cells = leaksOf(result).flatMap((leak) => j.masks.map((k) => ({ leak, maskEvery: k })));
  const varies = cells.map((cell) => {
    const e = estimateMean(gainVariations(result, cell), protocol.statistics);
    return { where: `κ = ${cell.leak}, k = ${cell.maskEvery}`, estimate: e, holds: above(e, gainVariation) };
  });
  const readout = j.places(j.leaks, j.masks).map((place) => {
    const e = j.difference([place, offReadout], [place, onReadout]);
    return j.cell(place, e, above(e, 0));
  });
  // A quick run has masked networks only.
  const masked = j.places(j.masks.includes(1) ? leaksOf(result) : [], [named.maskEvery]).map((place) => {
    const e = j.difference([place, cosine], [{ ...place, maskEvery: 1 }, cosine]);
    return j.cell(place, e, above(e, 0));
  });
  const [first, last] = [result.times[0] as number, result.times[result.times.length - 1] as number];
  const gainAt = (time: number) => j.quote({ ...named, time }, (c) => c.gain);

  return [
    j.claim({
      id: "score-cosine",
      claim: "Leakage turns the drift towards the score",
      predicted: "the cosine with the states' own score rises with κ > 0; a prototype had .54–.62 against .12–.17",
      measured: `${placeText(named)}: ${j.quote(named, cosine)}, without leak ${j.quote(unleaked, cosine)}`,
      cells: raises(j, cosine),
    }),
    j.claim({
      id: "score-theory",
      claim:
        "Leakage turns the drift towards the score of the closed form, with K_t of the path and the trained readout",
      predicted: "the cosine with −(I − D⁺ K_t D)(r − mean) rises with κ > 0",
      measured: `${placeText(named)}: ${j.quote(named, theoryCosine)}, without leak ${j.quote(unleaked, theoryCosine)}`,
      cells: raises(j, theoryCosine),
    }),
    j.claim({
      id: "score-off-readout",
      claim: "With leakage, states off the readout's plane decay at the rate κ",
      predicted: `k_⊥ within ${100 * offReadoutWithin} % of κ at k = ${named.maskEvery}`,
      measured: `${placeText(named)}: k_⊥ = ${j.quote(named, offReadout)}`,
      cells: decay,
    }),
    j.claim({
      id: "score-no-decay",
      claim: "Without leakage, the network learns no decay off the readout's plane",
      predicted: `k_⊥ below ${offReadoutUnleaked} at κ = 0`,
      measured: `${placeText(unleaked)}: k_⊥ = ${j.quote(unleaked, offReadout)}`,
      cells: undecayed,
    }),
    j.claim({
      id: "score-time-varying",
      claim: "The score is time-varying: the drift's gain on it changes along the path",
      predicted: `a drift that followed the score would have one gain at all t; (largest − smallest) / largest above ${gainVariation}, since K_t grows with the path's uncertainty and the weights are constant`,
      measured: `κ = ${named.leak}, k = ${named.maskEvery}: gain/σ² ${gainAt(first)} at t = ${first}, ${gainAt(named.time)} at t = ${named.time}, ${gainAt(last)} at t = ${last}`,
      cells: varies,
    }),
    j.claim({
      id: "score-readout",
      claim:
        "Within the readout's plane the drift decays more slowly than off it: the theory's recurrent term of rank d",
      predicted: "k_readout = κ(1 − K_t) < k_⊥ = κ; a prototype had it the other way round for κ = 0.2 and 0.5",
      measured: `${placeText(named)}: k_readout = ${j.quote(named, onReadout)}, k_⊥ = ${j.quote(named, offReadout)}`,
      cells: readout,
    }),
    ...(masked.length === 0
      ? []
      : [
          j.claim({
            id: "score-masking",
            claim: "Masked training turns the drift towards the score",
            predicted: `the cosine at k = ${named.maskEvery} is above that at k = 1`,
            measured: `${placeText(named)}: ${j.quote(named, cosine)}, unmasked ${j.quote(unmasked, cosine)}`,
            cells: masked,
          }),
        ]),
  ];
}

/** Of each network: (largest − smallest gain over t) / largest in size; NaN where a time is missing. */
function gainVariations(result: ScoreResult, cell: { readonly leak: number; readonly maskEvery: number }): number[] {
  const byTime = result.times.map((t) => valuesAt(result, cell, t, (c) => c.gain));
  return (byTime[0] ?? []).map((_, seed) => {
    const gains = byTime.map((of) => of[seed] as number);
    return (Math.max(...gains) - Math.min(...gains)) / Math.max(...gains.map(Math.abs));
  });
}
