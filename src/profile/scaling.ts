/** What an iteration costs as B, T, N and S grow, one at a time. */
import * as Plot from "@observablehq/plot";
import type { Gpu } from "../gpu/context.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { chart, xAxis, yAxis } from "../report/chart.ts";
import { legend } from "../report/legend.ts";
import { type Figure, text } from "../report/svg.ts";
import { bindingsOf } from "./ceilings.ts";
import { makeJob } from "./jobs.ts";
import { segmentsOf } from "./segments.ts";
import type { ProfileShape } from "./shapes.ts";
import { type Spread, spread } from "./statistics.ts";
import { Timer } from "./timer.ts";

export const SCALING_AXES = ["batch", "steps", "units", "networks"] as const;
export type ScalingAxis = (typeof SCALING_AXES)[number];

const LETTER: Record<ScalingAxis, string> = { batch: "B", steps: "T", units: "N", networks: "S" };

export interface ScalingPoint {
  readonly axis: ScalingAxis;
  readonly value: number;
  readonly shape: ProfileShape;
  readonly planKind: PlanKind;
  /** Seconds of one iteration: wall, and CPU on a software adapter. */
  readonly wall: Spread;
  readonly cpu: Spread | null;
  readonly flops: number;
}

/** A quarter, half, once, twice and four times the shape, along each axis by itself; each shape once. */
export function scalingShapes(shape: ProfileShape): { axis: ScalingAxis; value: number; shape: ProfileShape }[] {
  return SCALING_AXES.flatMap((axis) => {
    const values = [0.25, 0.5, 1, 2, 4].map((f) => Math.round(f * shape[axis])).filter((v) => v >= 1);
    return [...new Set(values)].map((value) => ({ axis, value, shape: { ...shape, [axis]: value } }));
  });
}

export async function measureScaling(
  gpu: Gpu,
  shape: ProfileShape,
  kindOf: (shape: ProfileShape) => PlanKind,
  repeats: number,
  onPoint: (done: number, of: number) => void,
): Promise<ScalingPoint[]> {
  const all = scalingShapes(shape);
  const out: ScalingPoint[] = [];
  for (const p of all) {
    const planKind = kindOf(p.shape);
    const job = await makeJob(gpu, p.shape, planKind);
    const segments = segmentsOf(job.plan, (i) => bindingsOf(job.program, i));
    const timer = new Timer(gpu, job, segments);
    await timer.run();
    const runs = [];
    for (let i = 0; i < repeats; i++) runs.push(await timer.run());
    timer.destroy();
    job.destroy();
    out.push({
      ...p,
      planKind,
      wall: spread(runs.map((r) => r.wall)),
      cpu: gpu.adapter.software ? spread(runs.map((r) => r.cpu)) : null,
      flops: segments.reduce((sum, s) => sum + s.flops, 0),
    });
    onPoint(out.length, all.length);
  }
  return out;
}

export function scalingCsv(points: readonly ScalingPoint[]): string {
  const head = "axis,value,networks,batch,steps,units,plan,wall_s,wall_lower_s,wall_upper_s,cpu_s,flop";
  const lines = points.map(({ axis, value, shape: s, planKind, wall, cpu, flops }) =>
    [
      axis,
      value,
      s.networks,
      s.batch,
      s.steps,
      s.units,
      planKind,
      wall.median,
      wall.lower,
      wall.upper,
      cpu?.median ?? "",
      flops,
    ].join(","),
  );
  return `${[head, ...lines].join("\n")}\n`;
}

const PANEL = { width: 330, height: 240 };

/** One panel an axis, both scales logarithmic; the dashed line is cost in proportion to work. */
export function scalingFigure(points: readonly ScalingPoint[], title: string): Figure {
  const panels = SCALING_AXES.map((axis, i) => {
    const own = points
      .filter((p) => p.axis === axis)
      .map((p) => ({
        x: p.value,
        ms: 1e3 * p.wall.median,
        low: 1e3 * p.wall.lower,
        high: 1e3 * p.wall.upper,
        flops: p.flops,
      }));
    const middle = own[own.length >> 1] as (typeof own)[number];
    const ideal = own.map((p) => ({ x: p.x, ms: (middle.ms * p.flops) / middle.flops }));
    const marks = [
      ...xAxis({ label: `${LETTER[axis]} (${axis})`, ticks: own.map((p) => p.x), format: (v) => String(v) }),
      ...yAxis({ label: "wall, ms", ticks: 5 }),
      Plot.line(ideal, { x: "x", y: "ms", stroke: "#8c8c8c", strokeDasharray: "4 3" }),
      Plot.ruleX(own, { x: "x", y1: "low", y2: "high", stroke: "#0072b2" }),
      Plot.line(own, { x: "x", y: "ms", stroke: "#0072b2", strokeWidth: 1.8 }),
      Plot.dot(own, { x: "x", y: "ms", fill: "#0072b2", r: 3 }),
    ];
    const options = {
      ...PANEL,
      x: { type: "log" as const, axis: null },
      y: { type: "log" as const, axis: null },
      marks,
    };
    return chart(options, (i % 2) * PANEL.width, 28 + Math.floor(i / 2) * PANEL.height);
  });
  const width = 2 * PANEL.width;
  const top = 28 + 2 * PANEL.height;
  const names = legend(
    [
      { label: "median, with quartiles", colour: "#0072b2" },
      { label: "in proportion to the work, from the middle point", colour: "#8c8c8c", dash: "4 3" },
    ],
    10,
    top + 10,
    width - 20,
  );
  return {
    name: "scaling",
    width,
    height: top + 10 + names.height,
    body: text(10, 18, title, { size: 12.5, weight: 600 }) + panels.join("") + names.body,
    description: `${title}: milliseconds of one iteration against B, T, N and S, each by itself`,
  };
}
