import { describe, expect, test } from "vitest";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { presets } from "../../src/config/presets/index.ts";
import { pathTask } from "../../src/config/resolve.ts";
import { configJsonSchema } from "../../src/config/schema.ts";
import { boxTask, PREDECESSOR } from "../../src/task/box.ts";
import { ouTask, tmazeTask, triangleTask } from "../../src/task/paths.ts";

describe("presets", () => {
  test.each(presets().map((p) => [p.name]))("%s says every value itself", (preset) => {
    // A preset is the record of an experiment: it must not change when a default does.
    const { config, provenance } = loadConfig({ preset });
    expect(config.name).toBe(preset);
    expect(Object.entries(provenance).filter(([, origin]) => origin === "default")).toEqual([]);
  });

  test("the defaults are the T-maze but for its name", () => {
    expect(parseConfig({ name: "tmaze" })).toEqual(loadConfig({ preset: "tmaze" }).config);
  });

  test("paths are those of src/task/paths.ts", () => {
    const task = (preset: string) => loadConfig({ preset }).config.task;
    const { stepLength, speedStd, jitterStd, jitterTau } = tmazeTask();
    expect(task("tmaze")).toMatchObject({ stepLength, speedStd, jitterStd, jitterTau });
    const lap = triangleTask("twoWay");
    expect(task("triangle")).toMatchObject({ stepLength: lap.stepLength, speedStd: lap.speedStd });
    expect(task("ou")).toMatchObject(ouTask());
  });

  test("what the recommended settings are", () => {
    const { rnn, task, train, replay } = loadConfig({ preset: "tmaze" }).config;
    expect(rnn).toEqual({
      units: 64,
      activation: "relu",
      leakySlope: 0.01,
      leak: 0.5,
      gain: 1,
      noiseStd: 0.05,
      initialGain: null,
    });
    expect(task).toMatchObject({ steps: 60, maskEvery: 5, maskOffset: "random" });
    expect(train).toMatchObject({ batch: 48, iterations: 1400, learningRate: 1e-3, finalLearningRate: 1e-4 });
    expect(replay).toMatchObject({ steps: 500, repeats: 96, noiseScale: Math.SQRT2, noiseFriction: true });
    const triangle = loadConfig({ preset: "triangle" }).config;
    expect(triangle.task).toMatchObject({ directions: "twoWay" });
    expect(triangle.replay.conditions.both).toEqual({ friction: 0.5, adaptStrength: 0.05, adaptTau: 60 });
    expect(triangle.replay.steps).toBe(240);
  });
});

describe("a whole configuration", () => {
  test.each(presets().map((p) => [p.name]))("%s survives JSON and a second parse unchanged", (preset) => {
    const { config } = loadConfig({ preset });
    expect(parseConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
  });

  test("polylines: corners, closed routes, starts", () => {
    const square = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 1],
    ];
    const task = { kind: "polyline", routes: [square], stepLength: 0.1 };
    expect(parseConfig({ task: { ...task, closed: true, starts: 4 } }).task).toMatchObject({ starts: 4 });
    expect(() => parseConfig({ task: { ...task, starts: 4 } })).toThrow("task.starts is 4: must be 1 unless");
    expect(() => parseConfig({ task: { ...task, routes: [square, square.slice(1)] } })).toThrow(
      "must have as many corners as the first route, 4",
    );
    const back = { ...task, routes: [[...square, [0, 0]]] };
    expect(parseConfig({ task: back }).task.kind).toBe("polyline");
    expect(() => parseConfig({ task: { ...back, closed: true } })).toThrow("must not have corner 4 on the next one");
    expect(() => parseConfig({ task: { ...task, routes: [[[0, 0]]] } })).toThrow("a list of 2 to 8 corners");
    expect(() => parseConfig({ task: { ...task, routes: [[[0, 0], [1]]] } })).toThrow("must be a point [x, y]");
  });

  test("boxes: what null stands for, and what no motion could do", () => {
    const rat = parseConfig({ task: { kind: "box" } });
    expect(pathTask(rat)).toEqual(boxTask());
    const task = { kind: "box", motion: "predecessor", width: 2.2, height: 2.2, drift: 0.05 };
    expect(pathTask(parseConfig({ task }))).toMatchObject({ ...PREDECESSOR, drift: 0.05, anchor: [1.1, 1.1] });
    const refused = (own: object) => () => parseConfig({ task: { kind: "box", ...own } });
    expect(refused({ anchor: [0.5, 1.5] })).toThrow("must lie in the box, from [0, 0] to [1, 1]");
    expect(refused({ dt: 0.2 })).toThrow(
      "task.dt is 0.2: must keep a substep, dt/substeps = 0.1 s, below turnTau = 0.08 s",
    );
    expect(refused({ dt: 0.2, substeps: 4 })).not.toThrow();
    expect(refused({ dt: 0.2, motion: "predecessor" })).not.toThrow();
  });

  test("undefined is no value", () => {
    expect(() => parseConfig({ replay: { conditions: { a: { leak: undefined } } } })).toThrow(
      "replay.conditions.a.leak is missing: it must be a number",
    );
  });

  test("every size from 1 up is allowed", () => {
    for (const units of [1, 2, 63, 64, 65, 257]) expect(parseConfig({ rnn: { units } }).rnn.units).toBe(units);
  });
});

describe("JSON Schema", () => {
  type Node = { description?: string; properties?: Record<string, Node>; oneOf?: Node[]; const?: unknown };
  const schema = configJsonSchema() as Node & { additionalProperties: boolean };

  test("is strict, yet lets a file name its schema", () => {
    expect(schema.additionalProperties).toBe(false);
    expect(Object.keys(schema.properties ?? {})).toEqual([
      "$schema",
      "name",
      "seed",
      "seeds",
      "networks",
      "rnn",
      "task",
      "train",
      "test",
      "replay",
    ]);
    expect(schema.properties?.rnn?.properties?.units).toMatchObject({ type: "integer", minimum: 1, default: 64 });
  });

  test("every option says what it means", () => {
    const mute: string[] = [];
    const visit = (node: Node, path: string) => {
      if (node.description === undefined && node.const === undefined) mute.push(path);
      for (const [key, next] of Object.entries(node.properties ?? {})) visit(next, `${path}.${key}`);
      for (const option of node.oneOf ?? []) visit(option, path);
    };
    for (const [key, node] of Object.entries(schema.properties ?? {})) visit(node, key);
    expect(mute).toEqual([]);
  });
});
