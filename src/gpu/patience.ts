/**
 * Waiting for the GPU without burning a core. While a promise of theirs is open, Dawn's Node bindings ask for its result
 * at every turn of the event loop and keep it turning: one core all the time, which under a software adapter is one of
 * those that compute. So each turn sleeps a little; browsers need none of this.
 */
const LONGEST_MS = 1;
/** Shorter sleeps take longer than they say. */
const SHORTEST_MS = 0.05;
/** A result is found out late by this part of the time it took, at most. */
const SHARE = 1 / 20;

const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let turning = false;
let since = 0;

function turn(): void {
  turning = waiting > 0;
  if (!turning) return;
  const ms = Math.min(LONGEST_MS, SHARE * (performance.now() - since));
  if (ms >= SHORTEST_MS) Atomics.wait(nobodyWakes, 0, 0, ms);
  setImmediate(turn);
}

/** The promise's own outcome; until then every turn of the event loop sleeps up to a millisecond. */
export async function patiently<T>(promise: Promise<T>): Promise<T> {
  waiting++;
  since = performance.now();
  if (!turning) {
    turning = true;
    setImmediate(turn);
  }
  try {
    return await promise;
  } finally {
    waiting--;
  }
}
