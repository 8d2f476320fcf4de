/** How a sweep ended. A condition that diverges is a result: it is counted, and what can be done about it is said. Pure. */
import { type RolloutsEnded, rolloutsEnded } from "../model/outcome.ts";
import { AWAKE, type ResultRecord } from "./results.ts";

/** @param goOn the command line that resumes */
export function sweepOutcome(
  kind: "completed" | "interrupted",
  records: readonly ResultRecord[],
  goOn: string,
): RolloutsEnded {
  const shares = records.filter((r) => r.condition !== AWAKE).map((r) => r.values.diverged ?? 0);
  return rolloutsEnded(kind, shares, goOn);
}
