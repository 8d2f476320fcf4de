import { describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { networkSettings, networkShape, pathTask, replayConditions } from "../../src/config/resolve.ts";
import { ouTask, tmazeTask, triangleTask } from "../../src/task/paths.ts";

describe("networkSettings", () => {
  test("one entry per seed; a network's own values win over the common ones", () => {
    const config = parseConfig({
      seeds: [7, 3],
      networks: [{}, { leak: 0.2, gain: 2, noiseStd: 0.3, maskEvery: 20, learningRate: 0.01, finalLearningRate: 0 }],
      rnn: { leak: 0.5, gain: 1, noiseStd: 0.05 },
      task: { kind: "tmaze", maskEvery: 4 },
      train: { friction: 0.9, adaptStrength: 0.1, adaptTau: 30 },
    });
    const common = { noiseScale: 1, noiseFriction: false, friction: 0.9, adaptStrength: 0.1, adaptTau: 30 };
    expect(networkSettings(config)).toEqual([
      {
        seed: 7,
        step: { leak: 0.5, gain: 1, noiseStd: 0.05, ...common },
        maskEvery: 4,
        learningRate: 1e-3,
        finalLearningRate: 1e-4,
        initialGain: 0.5,
      },
      {
        seed: 3,
        step: { leak: 0.2, gain: 2, noiseStd: 0.3, ...common },
        maskEvery: 20,
        learningRate: 0.01,
        finalLearningRate: 0,
        initialGain: 0.1,
      },
    ]);
  });

  test("initial gain: the network's, else the common one, else from leak and gain, never below 0.05", () => {
    const gains = (rnn: object, networks: object[]) =>
      networkSettings(parseConfig({ seeds: [0, 1], rnn, networks })).map((n) => n.initialGain);
    expect(gains({ leak: 0 }, [])).toEqual([0.05, 0.05]);
    expect(gains({ initialGain: 1.5 }, [{ initialGain: 0 }, { initialGain: null }])).toEqual([0, 0.5]);
    expect(gains({ gain: 0, initialGain: 1 }, [{}, { gain: 5 }])).toEqual([1, 1]);
  });
});

describe("replayConditions", () => {
  test("the trained network with the noise of replay, then what the condition changes", () => {
    const config = parseConfig({
      seeds: [0, 1],
      networks: [{}, { leak: 0.2 }],
      train: { adaptTau: 30 },
      replay: { conditions: { plain: {}, cold: { noiseScale: 0, noiseFriction: false, leak: 0.7 } } },
    });
    const base = { gain: 1, noiseStd: 0.05, friction: 1, adaptStrength: 0, adaptTau: 30 };
    const replay = { noiseScale: Math.SQRT2, noiseFriction: true };
    const cold = { ...base, noiseScale: 0, noiseFriction: false, leak: 0.7 };
    expect(replayConditions(config)).toEqual([
      [
        { name: "plain", step: { ...base, ...replay, leak: 0.5 } },
        { name: "cold", step: cold },
      ],
      [
        { name: "plain", step: { ...base, ...replay, leak: 0.2 } },
        { name: "cold", step: cold },
      ],
    ]);
  });
});

describe("pathTask and networkShape", () => {
  test("defaults give the tasks of src/task/paths.ts", () => {
    const task = (kind: string, more = {}) => pathTask(parseConfig({ task: { kind, ...more } }));
    expect(task("tmaze")).toEqual(tmazeTask());
    expect(task("triangle")).toEqual(triangleTask("twoWay"));
    expect(task("triangle", { directions: "oneWay" })).toEqual(triangleTask("oneWay"));
    expect(task("ou")).toEqual(ouTask());
  });

  test("overrides reach the task", () => {
    const task = { kind: "tmaze", stepLength: 0.1, jitterStd: 0 };
    expect(pathTask(parseConfig({ task }))).toEqual({ ...tmazeTask(), stepLength: 0.1, jitterStd: 0 });
    const routes = [
      [
        [0, 0],
        [2, 0],
      ],
    ];
    expect(pathTask(parseConfig({ task: { kind: "polyline", routes, stepLength: 0.1 } }))).toEqual({
      kind: "polyline",
      routes,
      closed: false,
      starts: 1,
      stepLength: 0.1,
      speedStd: 0.1,
      jitterStd: 0.03,
      jitterTau: 10,
    });
  });

  test("a path in the plane in and out", () => {
    const shape = networkShape(parseConfig({ rnn: { units: 65 } }));
    expect(shape).toEqual({ units: 65, inputs: 2, outputs: 2, encoderInputs: 2 });
  });
});
