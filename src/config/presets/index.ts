/** Experiments that come with reverie, by name. */
import type { ConfigInput } from "../schema.ts";
import { headDirection } from "./head-direction.ts";
import { ou } from "./ou.ts";
import { place } from "./place.ts";
import { placeLarge } from "./place-large.ts";
import { tiny } from "./tiny.ts";
import { tmaze } from "./tmaze.ts";
import { triangle } from "./triangle.ts";
import { triangleOneWay } from "./triangle-one-way.ts";

/** An experiment by name; its configuration may leave out what has a default. */
export interface Preset {
  readonly name: string;
  /** What it is for, in one line. */
  readonly purpose: string;
  readonly config: ConfigInput;
}

const PRESETS: readonly Preset[] = [
  {
    name: "tmaze",
    purpose: "T-maze: momentum compresses time, adaptation explores both arms",
    config: tmaze,
  },
  {
    name: "triangle",
    purpose: "triangle walked both ways: adaptation explores, momentum speeds up",
    config: triangle,
  },
  {
    name: "triangle-one-way",
    purpose: "triangle walked one way: laps show the compression 1/friction, and where it diverges",
    config: triangleOneWay,
  },
  {
    name: "ou",
    purpose: "Ornstein–Uhlenbeck path: the learnt drift against the score in closed form",
    config: ou,
  },
  {
    name: "head-direction",
    purpose: "head direction: angular velocity in, cells on a ring out; adaptation goes round it",
    config: headDirection,
  },
  {
    name: "place",
    purpose: "rat in a box, 64 place cells: adaptation frees replay, momentum speeds it up",
    config: place,
  },
  {
    name: "place-large",
    purpose: "the same with 512 units and 512 place cells: the size of the paper",
    config: placeLarge,
  },
  {
    name: "tiny",
    purpose: "a T-maze of 8 units and 20 iterations, to try the tool within seconds",
    config: tiny,
  },
];

/** All experiments that come with reverie. */
export function presets(): readonly Preset[] {
  return PRESETS;
}
