/** What the command line hands to the work behind a verb, and what the work may use to speak. */
import type { LoadedConfig } from "../config/load.ts";
import type { EvaluationSettings, ExperimentConfig } from "../config/schema.ts";
import type { ExitCode } from "../errors.ts";
import type { PlanKind } from "../gpu/plan.ts";

/** Long work told on stderr: one status line on a terminal, a plain line now and then elsewhere. */
export interface Progress {
  /**
   * A new piece of work; what was under way ends.
   * @param total steps of the whole; without it there is neither share nor time left
   * @param unit what is counted, such as `iterations`
   */
  start(label: string, total?: number, unit?: string): void;
  /** @param done steps so far, those of an earlier session included; `detail`: the latest loss, say */
  update(done: number, detail?: string): void;
  /** Ends the piece of work; the summary stays on the screen. */
  done(summary?: string): void;
  /** A line of its own that does not tear the status line. */
  note(line: string): void;
}

export interface Io {
  readonly progress: Progress;
  /** Results, on stdout; a line break is added where the text has none at its end. With `json`: called once. */
  readonly out: (text: string) => void;
  /** A line for people, on stderr; silent under `--quiet`. */
  readonly note: (line: string) => void;
  /** The user asked for one JSON document on stdout. */
  readonly json: boolean;
  /** Aborted by the first Ctrl-C or SIGTERM: finish the chunk, save, return. */
  readonly signal: AbortSignal;
}

/** The work of a verb. It throws a ReverieError, or returns an exit code: a diverged network is a result (6). */
export type Run<Options> = (options: Options, io: Io) => Promise<ExitCode>;

/** Which adapter, and how to lay work out on it. */
export interface GpuOptions {
  /** Part of the adapter's name. */
  readonly adapter?: string;
  /** Refuse a software adapter. */
  readonly requireGpu: boolean;
}

export interface PlanOptions {
  readonly planKind?: PlanKind;
}

/** Train, replay every condition, measure, report. */
export interface StartOptions extends GpuOptions, PlanOptions {
  readonly config: LoadedConfig;
  /** Run directory. */
  readonly out: string;
  /** Delete the run that is there. */
  readonly force: boolean;
}

export interface TrainOptions extends StartOptions {
  /** Go on with the run in `out`; `config` is then the run's, with the changes that the user asked for. */
  readonly resume: boolean;
  /** Begin a new run with the networks of this run or checkpoint. */
  readonly fork?: string;
  /** Print the plan and its bytes instead of running it. */
  readonly plan: boolean;
}

export interface ReplayOptions extends GpuOptions, PlanOptions {
  /** Run directory with a checkpoint. */
  readonly run: string;
  /** The run's configuration with the replay that the user asked for. */
  readonly config: LoadedConfig;
  /** The .npz to write. */
  readonly out: string;
  readonly plan: boolean;
}

export interface PathsOptions extends GpuOptions {
  readonly config: LoadedConfig;
  /** Trajectories per network. */
  readonly batch: number;
  readonly stream: "train" | "test";
  /** The .npz to write. */
  readonly out: string;
}

/** Runs the model and its gradients on somebody else's tensors. */
export interface EvaluateOptions extends GpuOptions, PlanOptions {
  /** The .npz with weights, inputs, targets and, perhaps, noise. */
  readonly case: string;
  /** The .npz to write. */
  readonly out: string;
  readonly settings: EvaluationSettings;
}

export interface DoctorOptions extends GpuOptions {
  /** Also compare every gradient with the float64 reference. */
  readonly gradcheck: boolean;
}

export interface ReportOptions {
  /** Directory of a run or a sweep. */
  readonly run: string;
  /** Directory to write the report to. */
  readonly out: string;
  /** Of a sweep: metrics to draw, by their names in metrics.csv. */
  readonly metrics?: readonly string[];
}

/** Measures positions that reverie need not have made. */
export interface MetricsOptions {
  /** .npz files with `positions` (rows, T, 2) and, perhaps, `awake` (rows, T, 2) `states` (rows, T, N), `activity` (rows, T, cells). */
  readonly files: readonly string[];
  /** Where the maze comes from. */
  readonly config: ExperimentConfig;
  /** Steps between two samples of a replay. */
  readonly every: number;
  /** The .csv to write. */
  readonly out?: string;
}

/** Writes tensors of a run for other programs. */
export interface DumpOptions extends GpuOptions, PlanOptions {
  readonly run: string;
  readonly config: LoadedConfig;
  /** The .npz or .safetensors to write. */
  readonly out: string;
  readonly format: "npz" | "safetensors";
  /** Bytes of the largest file of a dump in several; the zip format's limit where it is left out. */
  readonly shardBytes?: number;
  readonly dtype: "float32" | "float16";
  /** A checkpoint's file; the newest of the run where none is given. */
  readonly checkpoint?: string;
  /** Networks as initialised, at iteration 0, in place of a checkpoint's. */
  readonly fresh: boolean;
  /** Training steps whose batches are dumped, one after another. */
  readonly iterations: number;
  /** Names with `*`, separated by commas; all where none is given. */
  readonly include?: string;
  readonly networks?: readonly number[];
  readonly conditions?: readonly string[];
  /** Rows [from, to) of every rollout. */
  readonly rows?: readonly [number, number];
  readonly from?: number;
  readonly to?: number;
  readonly every?: number;
}

/** Makes a run of networks that another program trained. */
export interface ImportOptions {
  /** The networks' noise was this times a uniform number from 0 to 1. */
  readonly uniformNoise?: number;
  /** .npz or .safetensors, one network or several stacked in each. */
  readonly files: readonly string[];
  readonly config: LoadedConfig;
  /** JSON file: where each tensor comes from. */
  readonly map?: string;
  readonly out: string;
  readonly force: boolean;
}
