/** Which known name a mistyped one was meant to be. */

/** What users of other tools, and readers of the papers, call our keys. */
const SYNONYMS: readonly (readonly [string, string])[] = [
  ["hidden", "units"],
  ["hiddensize", "units"],
  ["hiddenunits", "units"],
  ["neurons", "units"],
  ["nunits", "units"],
  ["size", "units"],
  ["nonlinearity", "activation"],
  ["phi", "activation"],
  ["slope", "leakySlope"],
  ["kappa", "leak"],
  ["alpha", "leak"],
  ["leakage", "leak"],
  ["leakrate", "leak"],
  ["gamma", "gain"],
  ["sigma", "noiseStd"],
  ["noise", "noiseStd"],
  ["recurrentnoise", "noiseStd"],
  ["noisemult", "noiseScale"],
  ["lambda", "friction"],
  ["momentum", "friction"],
  ["damping", "friction"],
  ["adaptation", "adaptStrength"],
  ["adaptationstrength", "adaptStrength"],
  ["ba", "adaptStrength"],
  ["adaptationtau", "adaptTau"],
  ["taua", "adaptTau"],
  ["tau", "adaptTau"],
  ["mask", "maskEvery"],
  ["lr", "learningRate"],
  ["batchsize", "batch"],
  ["epochs", "iterations"],
  ["clip", "clipNorm"],
  ["weightdecay", "l2Activity"],
  ["length", "steps"],
  ["timesteps", "steps"],
  ["networkseeds", "seeds"],
  ["model", "rnn"],
  ["network", "rnn"],
  ["training", "train"],
  ["sleep", "replay"],
];

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Insertions, deletions, substitutions and swaps of neighbours that lead from one word to the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const substitution = (last[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      let best = Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, substitution);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] as number) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length] as number;
}

function closest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  // A third of the word may be wrong: more, and any short word would resemble any other.
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, plain(candidate));
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** The candidate that `name` was meant to be, or undefined where none is near. */
export function suggest(name: string, candidates: readonly string[]): string | undefined {
  // Nobody means a name of this length; and the distance costs its length each time.
  if (name.length > 64) return undefined;
  const word = plain(name);
  if (word === "") return undefined;
  const same = candidates.find((c) => plain(c) === word);
  if (same !== undefined) return same;
  const synonyms = SYNONYMS.filter(([, key]) => candidates.includes(key));
  const synonym = synonyms.find(([other]) => other === word);
  if (synonym) return synonym[1];
  const near = closest(word, candidates);
  if (near !== undefined) return near;
  const nearSynonym = synonyms.find(([other]) => other.length > 3 && editDistance(word, other) <= 1);
  if (nearSynonym) return nearSynonym[1];
  return word.length >= 3 ? candidates.find((c) => plain(c).startsWith(word)) : undefined;
}
