/** How much faster than experience replays run: the scale of each network and condition, calibrated on its awake paths. */
import { pathTask } from "../../config/resolve.ts";
import { offPathDistance } from "../../metrics/exploration.ts";
import { type Geometry, geometryOf } from "../../metrics/geometry.ts";
import { soundRows } from "../../metrics/motion.ts";
import { reachTimes } from "../../metrics/reach.ts";
import { trajectoriesOf } from "../../metrics/trajectories.ts";
import type { ReplayResult } from "../../replay/replay.ts";
import type { Family, FamilyMember, Lab } from "../experiment.ts";
import type { FamilyName, Protocol } from "../protocol.ts";
import { type AwakePaths, awakeMembers, replayMembers } from "../replays.ts";
import { type Calibration, calibrate, calibrated, type Fit, fitScale } from "./calibrate.ts";
import { components, minus, pathsOf, projected, rowsOf } from "./paths.ts";
import { type AwakeLibrary, awakeLibrary, logScales, type Paths } from "./time-scale.ts";

/** One network under one condition. */
export interface CompressionPoint {
  readonly friction: number;
  readonly adaptStrength: number;
  /** Awake steps per step of replay; NaN where nothing moves or most replays diverged. */
  readonly factor: number;
  /** Share of pieces that move and so say something. */
  readonly moving: number;
  /** Root mean square distance to the awake pieces, metres, up to a shift. */
  readonly distance: number;
  /** Mean distance from the maze, metres; NaN in a box. */
  readonly offPath: number;
  /** Share of replays. */
  readonly diverged: number;
  /** The same factor from the activity of place cells; null where it was not measured. */
  readonly codeFactor: number | null;
}

export interface CompressionMember extends FamilyMember {
  readonly calibration: Calibration;
  readonly codeCalibration: Calibration | null;
  readonly points: readonly CompressionPoint[];
}

export interface CompressionTask {
  readonly task: FamilyName;
  readonly adaptTau: number;
  readonly members: readonly CompressionMember[];
}

/** On an open maze a replay travels until it has arrived: what it does at the end is no piece of a path. */
function travelled(p: Paths, geometry: Geometry): Paths {
  if (geometry.kind !== "open") return p;
  const times = reachTimes({ positions: p.values, rows: p.rows, steps: p.steps }, geometry);
  return { ...p, until: Array.from(times, (at) => Math.min(at, p.steps)) };
}

type Settings = Protocol["compression"];

/** What replays of one network are laid along, and what a scale found there stands for. */
interface Ruler {
  readonly library: AwakeLibrary;
  readonly calibration: Calibration;
}

function rulerOf(awake: Paths, heldOut: Paths, error: Paths | null, c: Settings): Ruler {
  const library = awakeLibrary(awake, c.segment, logScales(c.scales));
  return { library, calibration: calibrate(heldOut, error, library, c, c.calibration) };
}

function positionRuler(awake: AwakePaths, network: number, geometry: Geometry, c: Settings): Ruler {
  const { rows, steps } = awake;
  const decoded = (from: number, to: number) =>
    rowsOf(awake.readout, { network, steps, rows, dimensions: 2 }, from, to);
  const heldOut = decoded(c.awake, 2 * c.awake);
  // Where a readout is a position its errors come step by step, whatever the speed. Those of a decoder of place cells
  // belong to the place: they run with the path.
  if (awake.code !== null) return rulerOf(decoded(0, c.awake), heldOut, null, c);
  const truth = rowsOf(awake.positions, { network, steps: steps + 1, rows, dimensions: 2 }, c.awake, 2 * c.awake, 1);
  return rulerOf(decoded(0, c.awake), travelled(truth, geometry), minus(heldOut, truth), c);
}

interface CodeRuler extends Ruler {
  readonly directions: Float64Array;
}

function codeRuler(awake: AwakePaths, network: number, c: Settings): CodeRuler | null {
  if (awake.code === null) return null;
  const { rows, steps } = awake;
  const dimensions = awake.code.length / (awake.readout.length / 2);
  const own = (from: number, to: number) =>
    rowsOf(awake.code as Float32Array, { network, steps, rows, dimensions }, from, to);
  const directions = components(own(0, c.awake), c.codeComponents);
  // Nobody knows the activity without the network's errors: they run as fast as the path here.
  const ruler = rulerOf(
    projected(own(0, c.awake), directions),
    projected(own(c.awake, 2 * c.awake), directions),
    null,
    c,
  );
  return { ...ruler, directions };
}

/** Nothing is said of replays that mostly diverged. */
const fitted = (paths: Paths, sound: boolean, { library }: Ruler, c: Settings): Fit =>
  sound ? fitScale(paths, library, c) : { scale: Number.NaN, distance: Number.NaN, moving: Number.NaN };

function pointOf(
  result: ReplayResult,
  at: { readonly network: number; readonly networks: number },
  rulers: { readonly position: Ruler; readonly code: CodeRuler | null },
  geometry: Geometry,
  c: Settings,
): Omit<CompressionPoint, "friction" | "adaptStrength"> {
  const shape = [at.networks, c.steps, c.repeats, 2];
  const all = trajectoriesOf({ data: result.readout, shape }, at.network);
  const own = soundRows(all, geometry);
  const isSound = own.rows * 2 > all.rows;
  const position = fitted(travelled(pathsOf(own), geometry), isSound, rulers.position, c);
  let codeFactor: number | null = null;
  // Activity is bounded where positions are: whole replays are taken only where all of them are sound.
  if (rulers.code && result.code && own.rows === all.rows) {
    const dimensions = result.code.length / (result.readout.length / 2);
    const code = rowsOf(
      result.code,
      { network: at.network, steps: c.steps, rows: c.repeats, dimensions },
      0,
      c.repeats,
    );
    const fit = fitScale(projected(code, rulers.code.directions), rulers.code.library, c);
    codeFactor = calibrated(fit.scale, rulers.code.calibration);
  }
  return {
    factor: calibrated(position.scale, rulers.position.calibration),
    moving: position.moving,
    distance: position.distance,
    offPath: isSound ? offPathDistance(own, geometry) : Number.NaN,
    diverged: 1 - own.rows / all.rows,
    codeFactor,
  };
}

/** Some members under some conditions. */
async function measureMembers(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  strengths: readonly number[],
  adaptTau: number,
  withCode: boolean,
): Promise<CompressionMember[]> {
  if (members.length === 0) return [];
  const { compression: c, replay } = lab.protocol;
  const geometry = geometryOf(pathTask(family.config));
  const conditions = strengths.flatMap((adaptStrength) =>
    replay.friction.map((friction) => ({ friction, adaptStrength, adaptTau })),
  );
  const awake = await awakeMembers(lab, family, members, 2 * c.awake);
  const results = await replayMembers(lab, family, members, {
    ...{ conditions, repeats: c.repeats, steps: c.steps },
    codeEvery: withCode ? 1 : 0,
  });
  const networks = members.length;
  return members.map((m, network) => {
    const position = positionRuler(awake, network, geometry, c);
    const code = withCode ? codeRuler(awake, network, c) : null;
    const points = conditions.map(({ friction, adaptStrength }, i) => ({
      friction,
      adaptStrength,
      ...pointOf(
        results[i] as ReplayResult,
        { network, networks },
        // Activity costs several times as much: along λ only.
        { position, code: adaptStrength === 0 ? code : null },
        geometry,
        c,
      ),
    }));
    return { ...m, calibration: position.calibration, codeCalibration: code?.calibration ?? null, points };
  });
}

/** λ for every κ of the protocol's k; λ × b_a, and the activity of place cells, at the named κ. */
export async function measureCompression(lab: Lab, task: FamilyName): Promise<CompressionTask> {
  const { compression: c, named, replay } = lab.protocol;
  const family = await lab.family(task);
  const own = family.members.filter((m) => m.maskEvery === c.maskEvery && !family.diverged[m.index]);
  const at = named[task];
  const adaptTau = at?.adaptTau ?? (replay.adaptTau[0] as number);
  const isNamed = (m: FamilyMember): boolean => m.leak === at?.leak;
  lab.io.note(`time scales of ${task}: ${own.length} networks`);
  const members = [
    ...(await measureMembers(
      lab,
      family,
      own.filter(isNamed),
      [0, ...replay.adaptStrength],
      adaptTau,
      family.config.task.cells !== null,
    )),
    ...(await measureMembers(
      lab,
      family,
      own.filter((m) => !isNamed(m)),
      [0],
      adaptTau,
      false,
    )),
  ];
  return { task, adaptTau, members: members.sort((a, b) => a.index - b.index) };
}
