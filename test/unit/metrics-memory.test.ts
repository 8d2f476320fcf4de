/** Conditional mutual information beside other variables, on linear chains whose answer is known in closed form. */
import { expect, test } from "vitest";
import { conditionalMutualInformation } from "../../src/metrics/markov.ts";
import type { States } from "../../src/metrics/trajectories.ts";
import { drawWords, normals4 } from "../../src/model/philox.ts";
import { STREAM } from "../../src/model/streams.ts";

const [ROWS, STEPS] = [40, 400];

/** x' = a x + h + ξ with h' = m h + g x: x alone is not Markov where g ≠ 0, (x, h) is. One unit. */
function chain(a: number, m: number, g: number): { x: States; h: States } {
  const [x, h] = [new Float64Array(ROWS * STEPS), new Float64Array(ROWS * STEPS)];
  for (let r = 0; r < ROWS; r++) {
    let [now, hidden] = [0, 0];
    for (let t = 0; t < STEPS; t++) {
      const words = drawWords(t, 0, r, STREAM.replayNoise, 0, [7, 11]);
      const xi = normals4(words)[0] as number;
      [now, hidden] = [a * now + hidden + xi, m * hidden + g * now];
      x[r * STEPS + t] = now;
      h[r * STEPS + t] = hidden;
    }
  }
  const as = (values: Float64Array): States => ({ values, rows: ROWS, steps: STEPS, units: 1 });
  return { x: as(x), h: as(h) };
}

// Where I is 0, 2nI is χ² with one degree of freedom: beyond 15 once in 10⁴.
const ZERO = 15 / (2 * ROWS * STEPS);

test("a Markov chain tells nothing of its past", () => {
  const [one, five] = conditionalMutualInformation(chain(0.7, 0, 0).x, [1, 5]);
  expect(Math.abs(one as number)).toBeLessThan(ZERO);
  expect(Math.abs(five as number)).toBeLessThan(ZERO);
});

test("a hidden memory shows in the past of x, and no longer once the memory is known", () => {
  const { x, h } = chain(0.5, 0.9, -0.1);
  const alone = conditionalMutualInformation(x, [1, 5]);
  const beside = conditionalMutualInformation(x, [1, 5], [h]);
  for (const i of [0, 1]) {
    expect(alone[i]).toBeGreaterThan(3 * ZERO);
    expect(Math.abs(beside[i] as number)).toBeLessThan(ZERO);
  }
});

test("in closed form: x' = h + ξ, h' = g x is an AR(2) whose past tells ½ ln(1 + g²/(1 − g²))", () => {
  // x_{t+1} = g x_{t−1} + ξ: given x_t, x_{t−1} explains g² Var of it, and Var(x_{t−1} | x_t) = 1/(1 − g²).
  const g = 0.6;
  const { x } = chain(0, 0, g);
  const [one] = conditionalMutualInformation(x, [1]);
  // Over twelve other keys the standard deviation is 0.008.
  expect(Math.abs((one as number) - 0.5 * Math.log(1 + g ** 2 / (1 - g ** 2)))).toBeLessThan(4 * 0.008);
});

test("what never varies says nothing, and is no answer", () => {
  const { x } = chain(0.7, 0, 0);
  const still = { ...x, values: new Float64Array(ROWS * STEPS) };
  expect(conditionalMutualInformation(x, [1], [still])[0]).toBeNaN();
});
