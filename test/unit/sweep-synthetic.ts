import type { SweepRecord } from "../../src/report/sweep-table.ts";

/** Results that look like those of a sweep, made without one: smooth functions of the parameters, and some divergence. */

export interface SyntheticGrid {
  readonly axes: Readonly<Record<string, readonly number[]>>;
  readonly networks: number;
}

export const linear = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((from + ((to - from) * i) / (count - 1)).toPrecision(6)));

const OTHERS = { leak: 0.5, gain: 1, noiseStd: 0.05, noiseScale: Math.SQRT2, noiseFriction: 1 };

function result(p: Readonly<Record<string, number>>, network: number, reference: number): Record<string, number> {
  const [friction, strength] = [p.friction ?? 1, p.adaptStrength ?? 0];
  // Deterministic and different for every network and condition.
  const wobble = (k: number): number => Math.sin(997 * friction + 131 * strength + 17 * network + 5 * k) * 0.02;
  const own = 1 + 0.08 * Math.sin(2 * network + 1);
  const diverges = 1 / (1 + Math.exp((friction - 0.16 - 0.35 * strength) * 60));
  const reach = own * (70 + 90 * friction + 160 * strength ** 1.2) * (1 + wobble(1));
  const track = Math.min(1, 0.62 + 0.9 * Math.sqrt(strength) * (1.2 - 0.4 * friction) + wobble(2));
  return {
    diverged: Math.round(diverges * 32) / 32,
    reach_rmean: Math.min(400, reach),
    reach_median: reach > 300 ? Number.POSITIVE_INFINITY : reach,
    compression_reference: reach > 300 ? Number.NaN : reference / reach,
    track,
    offpath: (0.08 + 0.05 * strength + 0.5 * Math.exp(-friction * 14)) * (1 + wobble(3)),
    speed5: 0.03 / friction ** 0.4,
  };
}

/** By condition name, as `sweepTable` takes them. */
export function syntheticSweep({ axes, networks }: SyntheticGrid): Map<string, SweepRecord[]> {
  let conditions: Record<string, number>[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    conditions = conditions.flatMap((c) => values.map((v) => ({ ...c, [name]: v })));
  }
  return new Map(
    conditions.map((own, i) => [
      String(i),
      Array.from({ length: networks }, (_, network) => {
        const parameters = { ...OTHERS, friction: 1, adaptStrength: 0, adaptTau: 200, ...own };
        const reference = result({ friction: 1, adaptStrength: 0 }, network, 1).reach_median as number;
        return { network, parameters, values: result(parameters, network, reference) };
      }),
    ]),
  );
}
