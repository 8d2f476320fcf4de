/**
 * The protocol of the reproduction: which networks, which grid of replays and which thresholds. It is fixed before
 * anything runs; its digest goes into the manifest, so that nobody can choose after looking.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { presets } from "../config/presets/index.ts";
import { canonicalJson } from "../io/json.ts";
import { ACTIVATIONS } from "../model/dynamics.ts";

export const FAMILY_NAMES = ["ou", "tmaze", "triangle", "place", "placeDelta", "tanh", "leakyRelu", "unseen"] as const;
export type FamilyName = (typeof FAMILY_NAMES)[number];

const count = z.number().int().min(1);
const fraction = z.number().min(0).max(1);
const numbers = z.array(z.number()).min(1);
const family = z.enum(FAMILY_NAMES);
/** First, last, how many. */
const range = z.tuple([z.number(), z.number(), count]);

const seeds = z.strictObject({ first: z.number().int().min(0), count });

const familySchema = z.strictObject({
  preset: z.enum(presets().map((p) => p.name)),
  iterations: count,
  seeds: seeds.optional(),
  leaks: numbers.optional(),
  maskEvery: z.array(count).optional(),
  rnn: z.strictObject({ activation: z.enum(ACTIVATIONS) }).optional(),
  task: z.strictObject({ input: z.enum(["displacement", "codeDelta"]) }).optional(),
});
export type FamilyProtocol = z.infer<typeof familySchema>;

/** Where a claim's figure is quoted, beside the share of the grid. */
const named = z.strictObject({
  leak: z.number(),
  maskEvery: count,
  friction: z.number(),
  adaptStrength: z.number(),
  adaptTau: z.number(),
});
export type NamedCell = z.infer<typeof named>;

const protocolSchema = z.strictObject({
  formatVersion: z.literal(1),
  /** Root seed of every random stream. */
  seed: z.number().int().min(0),
  seeds,
  /** Trajectories of one iteration. */
  batch: count,
  /** κ and k of every family, unless it names its own. */
  leaks: numbers,
  maskEvery: z.array(count).min(1),
  families: z.record(family, familySchema),
  /** The common grid of replays: friction × (no adaptation, and adaptStrength × adaptTau). */
  replay: z.strictObject({
    repeats: count,
    steps: z.record(family, count),
    friction: numbers,
    adaptStrength: numbers,
    adaptTau: numbers,
    /** λ that only replays without adaptation take. */
    alsoFriction: z.array(z.number()),
  }),
  named: z.partialRecord(family, named),
  statistics: z.strictObject({ confidence: fraction }),
  /** Shares of the grid from which a claim holds, and holds partly. */
  verdict: z.strictObject({ holdsFrom: fraction, partlyFrom: fraction }),
  leakage: z.strictObject({
    tasks: z.array(family),
    /** κ whose median final error, times `passedAt`, is what learning is timed by. */
    reference: z.number(),
    passedAt: z.number(),
    /** Iterations that training loss is averaged over. */
    smoothOver: count,
    /** Share of the iterations within which a network with a leak passes the final error of those without. */
    passesWithin: fraction,
  }),
  score: z.strictObject({
    maskEvery: z.array(count),
    times: z.array(count),
    states: count,
    named: z.strictObject({ leak: z.number(), maskEvery: count, time: count }),
    /** Decay off the readout plane: of κ, and at κ = 0. */
    offReadoutWithin: fraction,
    offReadoutUnleaked: fraction,
    /** (largest − smallest gain over t) / largest from which it varies. */
    gainVariation: fraction,
  }),
  estimation: z.strictObject({
    dimensions: z.array(count),
    samples: z.array(count),
    times: z.array(count),
    repeats: count,
    /** Of the states' noise; the readout's rows are orthogonal and this long. */
    noiseStd: z.number(),
    readoutScale: z.number(),
    /** Relative error at which samples are counted. */
    error: fraction,
    /** Power laws are fitted from so many samples per dimension. */
    samplesPerDimension: count,
    sampleExponentWithin: fraction,
    dimensionExponentWithin: fraction,
    /** Factor by which a given leak must lower the excess loss. */
    leakSaves: z.number(),
    /** Lengths of paths for which one gain has to do, and the excess loss from which that matters. */
    horizons: z.array(count),
    constantExcess: fraction,
  }),
  /** Where the plain replay is a replay: means over the networks of a κ and k; without a least share none is asked for. */
  usable: z.strictObject({ divergedAtMost: fraction, reachFractionFrom: z.partialRecord(family, fraction) }),
  adaptation: z.strictObject({ tasks: z.array(family) }),
  markov: z.strictObject({
    tasks: z.array(family),
    /** Forks of a network and rollouts of each; how far they are followed, steps. */
    states: count,
    draws: count,
    horizon: count,
    /** Steps between two visits that a replay offers as places to fork. */
    visitEvery: count,
    /** Another visit counts as the same r up to this share of the spread. */
    neighbours: z.number(),
    /** Conditional mutual information: at these k, of so many rollouts of so many steps. */
    memoryMaskEvery: z.array(count),
    memoryRepeats: count,
    memorySteps: count,
  }),
  momentum: z.strictObject({
    tasks: z.array(family),
    /** Share of 1/λ that a ratio of reach times may be away from it. */
    withinOfPredicted: fraction,
    /** The median reach time at λ = 1 over that at `friction`, κ by κ and k by k. */
    half: z.strictObject({ task: family, friction: fraction, from: z.number(), to: z.number() }),
    /** Long replays, of whose second half every n-th step is kept. */
    law: z.strictObject({
      tasks: z.array(family),
      maskEvery: count,
      friction: z.array(fraction),
      repeats: count,
      steps: count,
      keepEvery: count,
      /** Of the distance between λ = 1 and λ < 1 beyond that of two clouds at λ = 1, in standard deviations of a cloud. */
      excessAtMost: z.number(),
    }),
  }),
  compression: z.strictObject({
    tasks: z.array(family),
    maskEvery: count,
    /** Steps of a piece of replay that is laid along awake paths, and the scales tried (even in their logarithm). */
    segment: count,
    scales: range,
    /** Known factors at which held-out awake paths are passed off as replays. */
    calibration: numbers,
    /** At most, of a network and condition. */
    pieces: count,
    steps: count,
    repeats: count,
    /** Awake paths to lie along, and as many held out. */
    awake: count,
    /** A piece that goes less than this share of an awake walk stands. */
    standing: fraction,
    /** Principal components of place cells' activity. */
    codeComponents: count,
    /** Off-path distance over that of λ = 1. */
    offPathAtMost: z.number(),
    /** What animals' replays are compressed by. */
    animal: z.tuple([z.number(), z.number()]),
  }),
  stability: z.strictObject({
    tasks: z.array(family),
    /** Of replays at λ = 1, over which the drift's Jacobian is averaged. */
    states: count,
    agreement: fraction,
    /** Pairs of network and λ closer than this to the predicted boundary have no say. */
    awayFromBoundary: fraction,
    /** Share of replays from which a network has diverged. */
    diverged: fraction,
    /** Where the paper's limit is looked for: the vanilla network diverges, the leaky one does not. */
    leak: z.strictObject({
      task: family,
      maskEvery: count,
      friction: fraction,
      vanilla: z.number(),
      leaky: z.number(),
    }),
  }),
  activations: z.strictObject({
    /** Families of other activation functions. */
    families: z.array(family),
    /** The task whose grid answers for no masking (k = 1) and for small friction. */
    task: family,
    /** Share of replays that must arrive for a network to replay paths at all. */
    arrivesFrom: fraction,
    smallFriction: numbers,
    /** Share of rollouts that may diverge where replay is stable. */
    divergedAtMost: fraction,
  }),
  balance: z.strictObject({
    task: family,
    friction: range,
    adaptStrength: range,
    adaptTau: z.number(),
    repeats: count,
    /** The rule that chooses a mix: off-path over plain replay's at most this, and this many times as fast. */
    offPathAtMost: z.number(),
    fasterBy: z.number(),
  }),
});
export type Protocol = z.infer<typeof protocolSchema>;

export interface LoadedProtocol {
  readonly protocol: Protocol;
  /** SHA-256 of the protocol as it is used, keys in order, hexadecimal: the quick part says nothing about the full run. */
  readonly digest: string;
  readonly quick: boolean;
}

type Json = { readonly [key: string]: unknown };
const isObject = (x: unknown): x is Json => typeof x === "object" && x !== null && !Array.isArray(x);

/** `over` wins; objects are merged key by key, arrays replaced. */
function merged(base: Json, over: Json): Json {
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const own = out[key];
    out[key] = isObject(own) && isObject(value) ? merged(own, value) : value;
  }
  return out;
}

/** The committed protocol; with `quick` its own smaller one: fewer seeds, a smaller grid, the same thresholds. */
export function loadProtocol(quick: boolean): LoadedProtocol {
  // The one file, whether this runs compiled or not.
  const bytes = fs.readFileSync(fileURLToPath(new URL("../../src/paper/protocol.json", import.meta.url)));
  const { quick: smaller, ...full } = JSON.parse(bytes.toString("utf8")) as Json;
  const value = quick ? merged(full, smaller as Json) : full;
  const protocol = protocolSchema.parse(value);
  return { protocol, digest: createHash("sha256").update(canonicalJson(protocol)).digest("hex"), quick };
}
