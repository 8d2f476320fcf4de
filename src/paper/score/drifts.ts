/** On the GPU: states that networks pass through awake, and where each would drift without input and without noise. */
import { networkSettings, pathTask } from "../../config/resolve.ts";
import { recordLayouts } from "../../kernels/records.ts";
import type { NetworkTensors } from "../../model/parameters.ts";
import { paddedRows } from "../../model/rows.ts";
import { runReplay } from "../../replay/replay.ts";
import { modelOf, trainSpecOf } from "../../run/experiment.ts";
import { compiling, planKindFor } from "../../run/open.ts";
import { uploadWeights } from "../../run/weights.ts";
import { testBatch } from "../../train/test-batch.ts";
import type { Family, FamilyMember, Lab } from "../experiment.ts";
import { Interrupted } from "../lab.ts";

export interface Drifts {
  /** (network, time, row, N): r_t of awake test paths, noise on. */
  readonly states: Float32Array;
  /** The same: f(r_t, 0), the step that the network itself takes from there. */
  readonly drifts: Float32Array;
}

/** Networks in the order of `members`, at the given steps t ≥ 1 of `rows` paths. @throws Interrupted */
export async function awakeDrifts(
  lab: Lab,
  family: Family,
  members: readonly FamilyMember[],
  times: readonly number[],
  rows: number,
): Promise<Drifts> {
  const { gpu } = lab;
  const { config } = family;
  const { units } = config.rnn;
  const kind = planKindFor(gpu, {}, { units, rows: members.length * paddedRows(rows) });
  const spec = trainSpecOf(config, kind);
  const settings = networkSettings(config);
  const own = members.map((m) => settings[m.index] as (typeof settings)[number]);
  const states = new Float32Array(members.length * times.length * rows * units);
  const trained = uploadWeights(
    gpu,
    spec.model,
    members.map((m) => family.weights[m.index] as NetworkTensors),
  );
  try {
    await testBatch(gpu, { ...spec, networks: own }, trained, recordLayouts(gpu.options.readShader), rows, {
      keep: true,
      onState: (network, _x, _y, all, from, t, row) => {
        const at = times.indexOf(t);
        if (at < 0) return;
        states.set(all.subarray(from, from + units), ((network * times.length + at) * rows + row) * units);
      },
      onCompile: compiling(lab.io),
      signal: lab.io.signal,
    });
    const outcome = await runReplay(
      gpu,
      {
        model: modelOf(config),
        seeds: members.map((m) => m.seed),
        conditions: own.map(({ step }) => [{ ...step, noiseStd: 0, friction: 1, adaptStrength: 0 }]),
        repeats: times.length * rows,
        steps: 1,
        saveEvery: 1,
        saveStates: false,
        pairedNoise: true,
        task: pathTask(config),
        startStates: states,
        kind,
      },
      trained,
      { signal: lab.io.signal, onCompile: compiling(lab.io) },
    );
    const next = outcome.conditions[0]?.last;
    if (outcome.kind === "interrupted" || next === undefined) throw new Interrupted();
    return { states, drifts: next.map((x, i) => x - (states[i] as number)) };
  } finally {
    for (const buffer of trained.values()) gpu.destroyBuffer(buffer);
  }
}
