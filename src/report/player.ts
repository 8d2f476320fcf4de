import type { Environment } from "./environment.ts";
import { section } from "./page.ts";
import { type Film, packFilms } from "./player-data.ts";
import { escapeXml } from "./svg.ts";
import { BASE, PALETTES, RAMP } from "./theme.ts";

/** Replays that move: the section of a page that `client-player.ts` brings to life. */

export interface PlayerInput {
  readonly environment: Environment;
  readonly films: readonly Film[];
  /** "network 0, seed 7", one per network. */
  readonly networks: readonly string[];
  /** How many films are shown side by side, the first ones; a selection shows the others. */
  readonly sideBySide?: number;
  /** Plain text. */
  readonly caption: string;
}

/** More panels are too small to see. */
export const SIDE_BY_SIDE = 8;
const TRAILS: readonly (readonly [steps: string, label: string])[] = [
  ["0", "none"],
  ["20", "20 steps"],
  ["60", "60 steps"],
  ["200", "200 steps"],
  ["all", "whole path"],
];
const SPEEDS = [10, 30, 60, 120, 240];

/** Nothing inside may end the element that holds it. */
const embedded = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");

const option = (value: string | number, label: string, chosen = false): string =>
  `<option value="${value}"${chosen ? " selected" : ""}>${escapeXml(label)}</option>`;

const choice = (name: string, label: string, options: readonly string[]): string =>
  `<label>${label} <select class="${name}">${options.join("")}</select></label>`;

export function playerSection({ environment, films, networks, sideBySide, caption }: PlayerInput): string {
  const sound = films.filter((f) => f.tensor.data.length > 0);
  if (sound.length === 0) return "";
  const { view } = environment;
  const { films: packed, base64, ...rest } = packFilms(sound, view);
  const end = Math.max(1, ...packed.map((f) => f.first + (f.samples - 1) * f.pitch));
  const data = {
    view,
    tracks: environment.tracks,
    trackWidth: environment.trackWidth,
    walls: environment.walls,
    discs: environment.discs.map(({ x, y, radius }) => ({ x, y, radius })),
    centres: environment.centres,
    end,
    sideBySide: Math.min(SIDE_BY_SIDE, sideBySide ?? SIDE_BY_SIDE),
    ramp: RAMP,
    base: BASE,
    films: packed,
    ...rest,
    numbers: base64,
  };
  // Early enough that conditions differ, late enough that there is something to see.
  const start = Math.min(60, Math.ceil(end / 2));
  const conditions = [
    ...(packed.length > 1 ? [option("all", "side by side", true)] : []),
    ...packed.map((f, i) => option(i, [f.label, f.detail].filter((s) => s !== "").join(": "))),
  ];
  const shown = rest.networks.map((n) => option(n, networks[n] ?? `network ${n}`));
  const rows = Array.from({ length: rest.rows }, (_, i) => option(i, `${i + 1} of ${rest.rows}`));
  const body = `<div class="player" role="group" aria-label="Animated replay">
<canvas tabindex="0" role="img" aria-label="Positions of the chosen replays at the chosen step. Space plays and pauses, arrow keys move one step.">An animation of the replays above.</canvas>
<div class="transport"><button type="button" class="play">Play</button>
<div class="time"><input type="range" class="seek" min="0" max="${end}" step="1" value="${start}" aria-label="Step"><div class="ends" aria-hidden="true"><span>0</span><span>time in steps, and its colour</span><span>${end}</span></div></div>
<output class="clock">step ${start} of ${end}</output></div>
<div class="choices">${choice("condition", "Condition", conditions)}
${choice("network", "Network", [...(shown.length > 1 ? [option("all", "all")] : []), ...shown.map((o, i) => (i === 0 ? o.replace("<option", "<option selected") : o))])}
${choice("row", "Replay", [option("all", `all ${rest.rows}`, true), ...rows])}
${choice(
  "trail",
  "Trail",
  TRAILS.map(([v, l]) => option(v, l, v === "20")),
)}
${choice(
  "speed",
  "Speed",
  SPEEDS.map((v) => option(v, `${v} steps/s`, v === 60)),
)}</div>
<script type="application/json">${embedded(data)}</script>
</div>
<p class="scriptless">The animation needs a browser that runs this page's own script.</p>
<p class="note">${escapeXml(`${caption} ${PALETTES}`)}</p>`;
  return section("animation", "Replay in motion", body);
}
