/**
 * The one definition of every option: its type, unit, range and default. The editor's JSON Schema, the messages of
 * `load.ts` and the type `ExperimentConfig` are derived from here. Defaults are the T-maze of model.md section 10.
 */
import * as z from "zod";
import { ACTIVATIONS, defaultInitialGain } from "../model/dynamics.ts";
import { STORED_AS } from "../model/stored.ts";
import { TEST_EPOCH } from "../model/streams.ts";
import { PREDECESSOR, RAT_IN_A_BOX } from "../task/box.ts";
import { codeContradictions } from "./code-schema.ts";
import {
  allOptional,
  boolean,
  choice,
  integer,
  LARGE,
  listOf,
  number,
  positive,
  record,
  seed,
  typed,
} from "./fields.ts";
import { COMMON_TASK, maskEvery, taskSchema } from "./task-schema.ts";

/** Every step parameter of the cell, once; `rnn`, `train`, `replay`, its conditions and `evaluate` share them. */
const STEP = {
  leak: number(0, LARGE, "Leak κ: share of r lost per step; 0 = no leak, 1 = r is replaced (vanilla network)."),
  gain: number(0, LARGE, "Gain γ of the drive φ(…) per step."),
  noiseStd: number(0, LARGE, "Noise σ: standard deviation per step and unit, before noiseScale."),
  noiseScale: number(0, LARGE, "Factor on noiseStd: 1 awake, √2 in replay (Langevin at the trained temperature)."),
  noiseFriction: boolean("Multiply the noise by √friction (fluctuation–dissipation), so that momentum adds no heat."),
  friction: positive(1, "Friction λ of the momentum: 1 = overdamped (no momentum), towards 0 = strong momentum."),
  adaptStrength: number(0, LARGE, "Adaptation strength b_a; 0 = no adaptation."),
  adaptTau: number(1, 1e9, "Adaptation time constant τ_a, steps."),
};

const activation = choice(ACTIVATIONS, "Nonlinearity φ of the hidden units.");
const leakySlope = number(0, 1, "Slope of leakyRelu below 0; unused by the other nonlinearities.");
const l2Activity = number(0, LARGE, "Weight λ_2 of the mean squared activity in the loss.");

const initialGain = number(0, LARGE, "")
  .nullable()
  .describe("W_rec starts as N(0, initialGain²/units); null: max(0.05, leak/gain).");
const learningRate = positive(100, "Adam's learning rate at the first iteration.");
const finalLearningRate = number(0, 100, "Adam's learning rate at the last iteration, reached linearly.");

/** What one network may have otherwise than the others. */
const NETWORK = {
  leak: STEP.leak,
  gain: STEP.gain,
  noiseStd: STEP.noiseStd,
  maskEvery,
  learningRate,
  finalLearningRate,
  initialGain,
};

const CONDITION_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,47}$/;

const conditionSchema = record(allOptional(STEP), "Step parameters that differ from the awake network's.");

const experiment = record(
  {
    name: z
      .string({ error: "must be text" })
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
        error: "must be 1 to 64 letters, digits, dots, dashes or underscores",
      })
      .describe("Name of the experiment; names its run directory.")
      .default("experiment"),
    seed: seed("Root seed of every random number.").default(1),
    seeds: listOf(
      seed("Seed of one network."),
      1,
      4096,
      "different seeds",
      "One independently initialised network each.",
    ).default([0, 1, 2]),
    networks: listOf(
      record(allOptional(NETWORK), "What this network has otherwise than the others."),
      0,
      4096,
      "records, one per seed",
      "Empty, or one record of overrides per entry of seeds.",
    ).default([]),
    rnn: record(
      {
        units: integer(1, 16384, "N: hidden units.").default(64),
        activation: activation.default("relu"),
        leakySlope: leakySlope.default(0.01),
        leak: STEP.leak.default(0.5),
        gain: STEP.gain.default(1),
        noiseStd: STEP.noiseStd.default(0.05),
        initialGain: initialGain.default(null),
      },
      "The recurrent network.",
    ).prefault({}),
    task: taskSchema.prefault({ kind: "tmaze" }),
    train: record(
      {
        batch: integer(1, 2 ** 20, "Trajectories per network and iteration.").default(48),
        iterations: integer(1, TEST_EPOCH - 1, "Optimiser steps, each on a fresh batch.").default(1400),
        learningRate: learningRate.default(1e-3),
        finalLearningRate: finalLearningRate.default(1e-4),
        clipNorm: positive(LARGE, "Largest global norm of a network's gradient.").default(1),
        l2Activity: l2Activity.default(0),
        friction: STEP.friction.default(1),
        adaptStrength: STEP.adaptStrength.default(0),
        adaptTau: STEP.adaptTau.default(100),
        noiseRounds: choice([7, 10], "Rounds of Philox-4x32 behind every draw.").default(7),
        precision: choice(
          STORED_AS,
          "How activations are stored between passes of training; arithmetic is float32 either way.",
        ).default("f32"),
      },
      "Training.",
    ).prefault({}),
    test: record(
      {
        trajectories: integer(1, 2 ** 20, "Fresh trajectories per network for the test error.").default(1024),
      },
      "The test after training.",
    ).prefault({}),
    replay: record(
      {
        steps: integer(1, 10_000_000, "Steps of a replay.").default(500),
        repeats: integer(1, 2 ** 20, "Replays per network and condition.").default(96),
        start: choice(
          ["encoded", "awakeEnd"],
          "From encoded start positions, or from the states at the end of test trajectories.",
        ).default("encoded"),
        noiseScale: STEP.noiseScale.default(Math.SQRT2),
        noiseFriction: STEP.noiseFriction.default(true),
        pairedNoise: boolean("All conditions see the same noise, so that they are compared pair by pair.").default(
          true,
        ),
        saveEvery: integer(1, 10_000_000, "Keep every n-th decoded position.").default(1),
        saveStates: boolean("Also keep the hidden states r (large).").default(false),
        saveCode: boolean("Also keep the decoded activity of every place cell (large).").default(false),
        conditions: z
          .record(
            z.string().regex(CONDITION_NAME, {
              error: "must be named by a letter, then up to 47 letters, digits, dashes or underscores",
            }),
            conditionSchema,
            typed("must be an object that maps a name to step parameters"),
          )
          .describe("Named settings to replay; each lists what differs from the awake network.")
          .default({
            plain: {},
            adaptation: { adaptStrength: 0.05, adaptTau: 200 },
            momentum: { friction: 0.6 },
            both: { friction: 0.6, adaptStrength: 0.05, adaptTau: 200 },
          }),
      },
      "Replay without input.",
    ).prefault({}),
  },
  "An experiment of reverie.",
);

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** A complete configuration: every default filled in, every range and relation checked. */
export type ExperimentConfig = DeepReadonly<z.output<typeof experiment>>;

/** What a preset or a file may say: any part of it. */
export type ConfigInput = DeepReadonly<z.input<typeof experiment>>;

export type TaskConfig = ExperimentConfig["task"];
export type PolylineConfig = Extract<TaskConfig, { kind: "polyline" }>;
type BoxConfig = Extract<TaskConfig, { kind: "box" }>;
export type ConditionOverrides = ExperimentConfig["replay"]["conditions"][string];

/** Keys that every kind of task has; the others belong to one kind and fall away when the kind changes. */
export const COMMON_TASK_KEYS: readonly string[] = Object.keys(COMMON_TASK);

interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const SHORTEST_SEGMENT = 1e-6;

function polylineContradictions(task: PolylineConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const corners = task.routes[0]?.length ?? 0;
  for (const [i, route] of task.routes.entries()) {
    const path = ["task", "routes", i];
    if (route.length !== corners) {
      found.push({
        path,
        message: `must have as many corners as the first route, ${corners}`,
      });
    }
    const legs = task.closed ? route.length : route.length - 1;
    for (let j = 0; j < legs; j++) {
      const [from, to] = [route[j], route[(j + 1) % route.length]];
      if (from && to && Math.hypot(to[0] - from[0], to[1] - from[1]) < SHORTEST_SEGMENT) {
        found.push({
          path,
          message: `must not have corner ${j} on the next one (shorter than ${SHORTEST_SEGMENT} m)`,
        });
      }
    }
  }
  if (task.starts > 1 && !task.closed) {
    found.push({
      path: ["task", "starts"],
      message: "must be 1 unless task.closed is true",
    });
  }
  return found;
}

/** A time constant shorter than a substep has no Euler step; an anchor outside is never reached. */
function boxContradictions(task: BoxConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const own = task.motion === "ratInABox" ? RAT_IN_A_BOX : PREDECESSOR;
  const [dt, substeps] = [task.dt ?? own.dt, task.substeps ?? own.substeps];
  if (task.motion === "ratInABox") {
    for (const key of ["turnTau", "speedTau"] as const) {
      // Where dt was left alone, the time constant is what somebody set.
      const path = ["task", task.dt === null ? key : "dt"];
      const message = `must keep a substep, dt/substeps = ${dt / substeps} s, below ${key} = ${task[key]} s: raise task.substeps`;
      if (dt / substeps > task[key]) found.push({ path, message });
    }
  }
  const [x, y] = task.anchor ?? [0, 0];
  if (x < 0 || y < 0 || x > task.width || y > task.height) {
    const message = `must lie in the box, from [0, 0] to [${task.width}, ${task.height}]`;
    found.push({ path: ["task", "anchor"], message });
  }
  return found;
}

/** A seed of two networks that would be the same. Networks that differ may share one: theirs are paired comparisons. */
function repeatedSeed({ seeds, networks }: ExperimentConfig): number | undefined {
  const seen = new Set<string>();
  return seeds.find((seed, i) => {
    const own = Object.entries(networks[i] ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const network = JSON.stringify([seed, own]);
    const known = seen.has(network);
    seen.add(network);
    return known;
  });
}

/** Relations between keys that no single range can say. */
function contradictions(config: ExperimentConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const twice = repeatedSeed(config);
  if (twice !== undefined)
    found.push({
      path: ["seeds"],
      message: `must not repeat a seed (${twice}) but for networks that differ in \`networks\``,
    });
  if (config.networks.length !== 0 && config.networks.length !== config.seeds.length) {
    found.push({
      path: ["networks"],
      message: `must be empty or have one record per seed, ${config.seeds.length}`,
    });
  }
  for (const [i, own] of (config.networks.length > 0 ? config.networks : [{}]).entries()) {
    const network = { ...config.rnn, ...own };
    if (network.initialGain === null && !(defaultInitialGain(network.leak, network.gain) <= LARGE)) {
      const path = config.networks.length > 0 ? ["networks", i] : ["rnn"];
      const key = "gain" in own ? [...path, "gain"] : ["rnn", "gain"];
      found.push({
        path: key,
        message: "must be larger, or initialGain must be set (its default is leak/gain)",
      });
    }
  }
  if (config.replay.saveEvery > config.replay.steps) {
    found.push({
      path: ["replay", "saveEvery"],
      message: `must be at most replay.steps, ${config.replay.steps}`,
    });
  }
  if (Object.keys(config.replay.conditions).length === 0) {
    found.push({
      path: ["replay", "conditions"],
      message: "must name at least one condition",
    });
  }
  found.push(...codeContradictions(config.task));
  if (config.task.kind === "polyline") found.push(...polylineContradictions(config.task));
  if (config.task.kind === "box") found.push(...boxContradictions(config.task));
  return found;
}

export const experimentSchema = experiment.superRefine((config, context) => {
  // Relations of values that are wrong by themselves would only blur the first message.
  if (context.issues.length > 0) return;
  for (const { path, message } of contradictions(config)) {
    context.addIssue({ code: "custom", path: [...path], message });
  }
});

/** Flags of `evaluate`: step parameters of somebody else's network, with the same ranges and defaults. */
export const evaluationSchema = record(
  {
    leak: STEP.leak.default(0.5),
    gain: STEP.gain.default(1),
    friction: STEP.friction.default(1),
    adaptStrength: STEP.adaptStrength.default(0),
    adaptTau: STEP.adaptTau.default(100),
    activation: activation.default("relu"),
    leakySlope: leakySlope.default(0.01),
    l2Activity: l2Activity.default(0),
  },
  "Step parameters of an evaluation.",
);

export type EvaluationSettings = DeepReadonly<z.output<typeof evaluationSchema>>;

/** JSON Schema (2020-12) of a configuration file, for editors and other programs. */
export function configJsonSchema(): z.core.JSONSchema.JSONSchema {
  const schema = z.toJSONSchema(experimentSchema, { io: "input" });
  return {
    ...schema,
    title: "reverie experiment",
    properties: {
      $schema: {
        type: "string",
        description: "Where this schema lies, for the editor.",
      },
      ...schema.properties,
    },
  };
}
