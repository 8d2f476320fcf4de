import type { Tensor } from "../metrics/trajectories.ts";
import type { View } from "./environment.ts";

/** Trajectories small enough for a page: a few rows of each network, 16 bits a coordinate, base64. */

export interface Film {
  readonly label: string;
  /** A second line: its parameters. */
  readonly detail?: string;
  /** Its colour on a light and on a dark page. */
  readonly colour: readonly [light: string, dark: string];
  /** (network, time, row, 2), metres. */
  readonly tensor: Tensor;
  /** Step of slot 0 and steps between slots. */
  readonly firstStep: number;
  readonly every: number;
}

export interface PackedFilm {
  readonly label: string;
  readonly detail: string;
  readonly colour: readonly [string, string];
  /** Step of sample 0, steps between samples, samples of a row. */
  readonly first: number;
  readonly pitch: number;
  readonly samples: number;
  /** Where its numbers begin: (network, row, sample, 2). */
  readonly offset: number;
}

export interface Packed {
  readonly films: readonly PackedFilm[];
  /** Networks and rows of each that are there, the same in every film. */
  readonly networks: readonly number[];
  readonly rows: number;
  /** Number q stands for origin + q · unit; 65535: no position from here on. Metres. */
  readonly origin: readonly [number, number];
  readonly unit: number;
  readonly base64: string;
}

const NOTHING = 65535;
const MOST_ROWS = 24;
const MOST_NETWORKS = 12;
const MOST_SAMPLES = 600;
/** Bytes of all numbers together, before base64 makes them a third longer. */
const BUDGET = 760_000;

const samplesOf = (film: Film, stride: number): number => Math.ceil((film.tensor.shape[1] ?? 0) / stride);

/** Rows and strides that fit the budget. */
function plan(films: readonly Film[], networks: number): { rows: number; strides: number[] } {
  const available = Math.min(MOST_ROWS, ...films.map((f) => f.tensor.shape[2] ?? 0));
  let finest = MOST_SAMPLES;
  for (;;) {
    const strides = films.map((f) => Math.max(1, Math.ceil((f.tensor.shape[1] ?? 0) / finest)));
    const bytes = films.reduce((sum, f, i) => sum + samplesOf(f, strides[i] as number) * networks * 4, 0);
    const rows = Math.min(available, Math.floor(BUDGET / Math.max(1, bytes)));
    if (rows >= Math.min(available, 4) || finest <= 50)
      return { rows: Math.max(Math.min(1, available), rows), strides };
    finest = Math.floor(finest / 1.5);
  }
}

/**
 * Row k of a network is the same repeat in every film whose tensors have as many rows: with shared noise, the same
 * start and the same noise.
 */
export function packFilms(films: readonly Film[], view: View): Packed {
  const all = Math.min(...films.map((f) => f.tensor.shape[0] ?? 0));
  const networks = Array.from({ length: Math.min(MOST_NETWORKS, all) }, (_, i) => i);
  const { rows, strides } = plan(films, networks.length);
  // Room for stray steps: a view's size on every side.
  const size = Math.max(view.width, view.height);
  const origin = [view.x - size, view.y - size] as const;
  const unit = (3 * size) / (NOTHING - 1);
  const quantised = (v: number, from: number): number => {
    const q = Math.round((v - from) / unit);
    return q >= 0 && q < NOTHING ? q : NOTHING;
  };
  const packed: PackedFilm[] = [];
  const total = films.reduce((sum, f, i) => sum + samplesOf(f, strides[i] as number) * networks.length * rows * 2, 0);
  const numbers = new Uint16Array(total);
  let at = 0;
  films.forEach((film, i) => {
    const stride = strides[i] as number;
    const samples = samplesOf(film, stride);
    const [, T = 0, R = 0] = film.tensor.shape;
    const { label, detail = "", colour, firstStep, every } = film;
    // The last step is there; so is a start at step 0, from which all moves.
    const skip = firstStep === 0 ? 0 : Math.max(0, T - 1) % stride;
    const first = firstStep + skip * every;
    packed.push({ label, detail, colour, first, pitch: stride * every, samples, offset: at });
    for (const network of networks) {
      for (let k = 0; k < rows; k++) {
        const row = Math.floor((k * R) / rows);
        let gone = false;
        for (let s = 0; s < samples; s++) {
          const from = ((network * T + skip + s * stride) * R + row) * 2;
          const x = quantised(film.tensor.data[from] as number, origin[0]);
          const y = quantised(film.tensor.data[from + 1] as number, origin[1]);
          gone ||= x === NOTHING || y === NOTHING;
          numbers[at++] = gone ? NOTHING : x;
          numbers[at++] = gone ? NOTHING : y;
        }
      }
    }
  });
  return { films: packed, networks, rows, origin, unit, base64: littleEndian(numbers) };
}

function littleEndian(numbers: Uint16Array): string {
  const bytes = Buffer.alloc(numbers.length * 2);
  for (let i = 0; i < numbers.length; i++) bytes.writeUInt16LE(numbers[i] as number, 2 * i);
  return bytes.toString("base64");
}
