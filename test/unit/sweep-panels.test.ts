/** Small multiples of a sweep: what lies over their paths can be read. */
import { expect, test } from "vitest";
import { geometryOf } from "../../src/metrics/geometry.ts";
import { environmentIn } from "../../src/report/input.ts";
import { panelLayout } from "../../src/report/sweep-panels.ts";
import { isDiverged, sweepTable } from "../../src/report/sweep-table.ts";
import { figureTrajectories } from "../../src/report/sweep-trajectories.ts";
import { tmazeTask } from "../../src/task/paths.ts";
import { linear, syntheticSweep } from "./sweep-synthetic.ts";

test("where most diverge, the word lies over the paths on a ground of its own", () => {
  const axes = { friction: linear(0.1, 1, 10), adaptStrength: linear(0, 0.3, 7) };
  const table = sweepTable(syntheticSweep({ axes, networks: 1 }));
  const layout = panelLayout(table);
  const tensor = { data: Float32Array.from({ length: 80 }, (_, i) => Math.sin(i)), shape: [1, 20, 2, 2] };
  const positions = new Map(table.conditions.map((c) => [c.name, tensor]));
  const { body } = figureTrajectories(layout, environmentIn({ geometry: geometryOf(tmazeTask()) }), positions, 1);
  const words = [...body.matchAll(/(.{120})<text[^>]*>diverged<\/text>/gs)];
  expect(words).toHaveLength(layout.cells.filter(({ condition }) => isDiverged(condition)).length);
  expect(words.length).toBeGreaterThan(0);
  for (const [, before] of words) expect(before).toMatch(/<rect [^>]*fill="#ffffff"\/>$/);
  expect(body.indexOf(">diverged<")).toBeGreaterThan(body.lastIndexOf("<svg "));
});
