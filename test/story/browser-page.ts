/** What the page of browser-core.test.ts runs: training and replay by the modules that encode GPU work, without Node. */
import { Gpu, type ReplaySpec, runReplay, Trainer, type TrainSpec } from "../../src/core.ts";

declare const navigator: { readonly gpu: GPU };

export interface BrowserTask {
  readonly train: TrainSpec;
  readonly replay: ReplaySpec;
  /** By the path under shaders/. */
  readonly shaders: Readonly<Record<string, string>>;
}

export interface BrowserResult {
  readonly adapter: string;
  /** [iteration][network] */
  readonly losses: readonly (readonly number[])[];
  /** Of each condition: readouts. */
  readonly replays: readonly (readonly number[])[];
}

async function run(o: BrowserTask): Promise<BrowserResult> {
  const owner = navigator.gpu;
  const adapter = await owner.requestAdapter();
  if (!adapter) throw new Error("no adapter");
  const gpu = await Gpu.open(owner, adapter, { readShader: (path) => o.shaders[path] as string });
  const trainer = await Trainer.create(gpu, o.train);
  const losses: (readonly number[])[] = [];
  await trainer.run({ onStats: ({ loss }) => losses.push(loss) });
  const replayed = await runReplay(gpu, o.replay, trainer.buffers);
  gpu.check();
  return { adapter: gpu.describe(), losses, replays: replayed.conditions.map((c) => [...c.readout]) };
}

Object.assign(globalThis, { run });
