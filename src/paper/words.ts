/** Words that claims of several experiments share. Pure. */
import type { ClaimCell } from "./evidence.ts";
import type { FamilyName } from "./protocol.ts";
import { formatEstimate } from "./statistics.ts";

export const TASK_WORDS: Readonly<Record<FamilyName, string>> = {
  ou: "Ornstein–Uhlenbeck",
  tmaze: "T-maze",
  triangle: "triangle",
  place: "place cells",
  placeDelta: "place cells, input in code space",
  tanh: "T-maze, tanh",
  leakyRelu: "T-maze, leaky ReLU",
  unseen: "T-maze, unseen seeds",
};

export const whereText = ({ leak, maskEvery }: { readonly leak: number; readonly maskEvery: number }): string =>
  `κ = ${leak}, k = ${maskEvery}`;

/** A share of places; "none" where there is no place. */
export const shareText = (x: number): string => (Number.isNaN(x) ? "none" : `${Math.round(100 * x)} %`);

/** "κ = 0.5, k = 5: 1.44× [1.32, 1.57]" of the named cell; of the first where that is not in the grid. */
export function quoted(cells: readonly ClaimCell[], named: string, unit = ""): string {
  const cell = cells.find((c) => c.where === named) ?? cells[0];
  return cell === undefined ? "nothing to measure" : `${cell.where}: ${formatEstimate(cell.estimate, unit)}`;
}
