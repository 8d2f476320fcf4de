/** Two profiles of the same shape: what changed beyond the noise of both. Pure. */
import { DataError } from "../errors.ts";
import type { ProfileDocument } from "./document.ts";
import { relativeError, type Spread } from "./statistics.ts";

export interface Change {
  readonly what: string;
  readonly before: number;
  readonly after: number;
  /** after / before − 1 */
  readonly change: number;
  /** Change below which nothing is said: three standard errors of the quotient, and never less than 3 %. */
  readonly noise: number;
  readonly verdict: "slower" | "faster" | "same";
}

const LEAST = 0.03;
const SIGMAS = 3;

function changeOf(what: string, before: Spread, after: Spread): Change {
  const noise = Math.max(LEAST, SIGMAS * Math.hypot(relativeError(before), relativeError(after)));
  const change = after.median / before.median - 1;
  const verdict = change > noise ? "slower" : change < -noise ? "faster" : "same";
  return { what, before: before.median, after: after.median, change, noise, verdict };
}

/** GPU seconds; on a software adapter CPU seconds, which other programs disturb less. */
function secondsOf(p: { readonly gpu: Spread | null; readonly cpu: Spread | null }): Spread | null {
  return p.cpu ?? p.gpu;
}

/** @throws DataError where the two cannot be compared */
export function compareProfiles(before: ProfileDocument, after: ProfileDocument): Change[] {
  const [a, b] = [before.profile, after.profile];
  const different = [
    ...(["adapter", "driver"] as const).filter((key) => before[key] !== after[key]),
    ...(JSON.stringify(a.shape) === JSON.stringify(b.shape) ? [] : ["shape"]),
    ...(a.planKind === b.planKind ? [] : ["plan"]),
  ];
  if (different.length > 0) {
    throw new DataError(
      `the profiles differ in ${different.join(" and ")}: profile the same shape and --plan-kind on the same adapter`,
    );
  }
  const out = [changeOf("whole", a.whole.cpu ?? a.whole.wall, b.whole.cpu ?? b.whole.wall)];
  for (const p of b.passes) {
    const old = a.passes.find((q) => q.label === p.label);
    const [was, is] = [old ? secondsOf(old) : null, secondsOf(p)];
    if (was && is && was.median > 0) out.push(changeOf(p.label, was, is));
  }
  return out;
}
