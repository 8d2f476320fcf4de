/**
 * Memory or inhibition: feedback of adaptation's strength without its memory, c = b_a r, is the network with
 * W_rec − b_a I in place of W_rec. Where it slows as adaptation does, inhibition slows; where it does not, memory does.
 */
import { pathTask } from "../../config/resolve.ts";
import { regionVisits, trackCoverage } from "../../metrics/exploration.ts";
import { type Geometry, geometryOf } from "../../metrics/geometry.ts";
import { divergedFraction, soundRows } from "../../metrics/motion.ts";
import { arrivalTimes, summariseReach } from "../../metrics/reach.ts";
import { mean } from "../../metrics/statistics.ts";
import { trajectoriesOf } from "../../metrics/trajectories.ts";
import type { NetworkTensors } from "../../model/parameters.ts";
import type { ReplayResult } from "../../replay/replay.ts";
import type { Family, Lab } from "../experiment.ts";
import type { FamilyName, NamedCell } from "../protocol.ts";
import { replayMembers } from "../replays.ts";

/** (1) of model.md section 2 with c = b_a r: a = (W_rec − b_a I) r + b. */
export function withFeedback(weights: NetworkTensors, strength: number): NetworkTensors {
  const W_rec = weights.W_rec.slice();
  const units = Math.sqrt(W_rec.length);
  for (let i = 0; i < units; i++) W_rec[i * (units + 1)] = (W_rec[i * (units + 1)] as number) - strength;
  return { ...weights, W_rec };
}

export interface Measured {
  readonly reach: number;
  readonly reachFraction: number;
  /** Share of the track; of a box, regions. */
  readonly coverage: number;
  readonly diverged: number;
}

export const CONTROLS = ["plain", "adaptation", "memoryless"] as const;
export type Control = (typeof CONTROLS)[number];

/** [member] of each. */
export type Controls = Readonly<Record<Control, readonly Measured[]>>;

function measured(result: ReplayResult, networks: number, repeats: number, geometry: Geometry): Measured[] {
  const saved = result.readout.length / (networks * repeats * 2);
  const tensor = { data: result.readout, shape: [networks, saved, repeats, 2] };
  return Array.from({ length: networks }, (_, s) => {
    const t = trajectoriesOf(tensor, s);
    const sound = soundRows(t, geometry);
    const reach = summariseReach(arrivalTimes(t, geometry), t);
    const isTrack = geometry.bins.length > 0;
    return {
      reach: reach.restrictedMean,
      reachFraction: reach.fraction,
      coverage: isTrack ? mean(trackCoverage(sound, geometry)) : regionVisits(sound, geometry).distinct,
      diverged: divergedFraction(t, geometry),
    };
  });
}

/** Every member's plain and adapting replays, and those with memoryless feedback, under the same noise. */
export async function measureControls(lab: Lab, family: Family, task: FamilyName, named: NamedCell): Promise<Controls> {
  const { adaptStrength, adaptTau } = named;
  const geometry = geometryOf(pathTask(family.config));
  const steps = lab.protocol.replay.steps[task];
  const { repeats } = lab.protocol.replay;
  const { members } = family;
  const plain = { friction: 1, adaptStrength: 0 };
  const own = await replayMembers(lab, family, members, {
    conditions: [plain, { friction: 1, adaptStrength, adaptTau }],
    ...{ repeats, steps },
  });
  const [memoryless] = await replayMembers(lab, family, members, {
    conditions: [plain],
    ...{ repeats, steps },
    weights: members.map((m) => withFeedback(family.weights[m.index] as NetworkTensors, adaptStrength)),
  });
  const of = (result: ReplayResult | undefined) => measured(result as ReplayResult, members.length, repeats, geometry);
  return { plain: of(own[0]), adaptation: of(own[1]), memoryless: of(memoryless) };
}
