/** What counts as coverage of each task. */
import type { MetricName } from "../metrics/table.ts";
import type { FamilyName } from "./protocol.ts";

const isPlaces = (task: FamilyName): boolean => task === "place" || task === "placeDelta";

/** Where there is a track, what lies beside it is no exploration; a box has none, only regions. */
export const coverageOf = (task: FamilyName): Extract<MetricName, "track" | "regions"> =>
  isPlaces(task) ? "regions" : "track";

export const COVERAGE_TITLES = {
  track: "track coverage (share of the maze)",
  regions: "regions visited (of 16)",
} as const;
