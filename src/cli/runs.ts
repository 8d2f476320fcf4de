/**
 * The work behind the verbs, loaded when it is wanted: help, schemas and mistakes must not wait for the GPU's library.
 */
import type { MergeOptions } from "../run/merge.ts";
import type { PaperOptions } from "../run/paper.ts";
import type { ProfileVerbOptions } from "../run/profile.ts";
import type { SweepOptions } from "../run/sweep.ts";
import type {
  DoctorOptions,
  DumpOptions,
  EvaluateOptions,
  ImportOptions,
  MetricsOptions,
  PathsOptions,
  ReplayOptions,
  ReportOptions,
  Run,
  StartOptions,
  TrainOptions,
} from "../run/types.ts";

export interface Runs {
  readonly start: Run<StartOptions>;
  readonly train: Run<TrainOptions>;
  readonly replay: Run<ReplayOptions>;
  readonly paths: Run<PathsOptions>;
  readonly evaluate: Run<EvaluateOptions>;
  readonly doctor: Run<DoctorOptions>;
  readonly report: Run<ReportOptions>;
  readonly sweep: Run<SweepOptions>;
  readonly merge: Run<MergeOptions>;
  readonly paper: Run<PaperOptions>;
  readonly metrics: Run<MetricsOptions>;
  readonly profile: Run<ProfileVerbOptions>;
  readonly dump: Run<DumpOptions>;
  readonly import: Run<ImportOptions>;
}

export const RUNS: Runs = {
  start: async (options, io) => (await import("../run/start.ts")).runStart(options, io),
  train: async (options, io) => (await import("../run/train.ts")).runTrain(options, io),
  replay: async (options, io) => (await import("../run/replay.ts")).runReplay(options, io),
  paths: async (options, io) => (await import("../run/paths.ts")).runPaths(options, io),
  evaluate: async (options, io) => (await import("../run/evaluate.ts")).runEvaluate(options, io),
  doctor: async (options, io) => (await import("../run/doctor.ts")).runDoctor(options, io),
  sweep: async (options, io) => (await import("../run/sweep.ts")).runSweep(options, io),
  merge: async (options, io) => (await import("../run/merge.ts")).runMerge(options, io),
  paper: async (options, io) => (await import("../run/paper.ts")).runPaper(options, io),
  report: async (options, io) => (await import("../run/report.ts")).runReport(options, io),
  metrics: async (options, io) => (await import("../run/metrics.ts")).runMetrics(options, io),
  dump: async (options, io) => (await import("../run/dump.ts")).runDump(options, io),
  import: async (options, io) => (await import("../run/import.ts")).runImport(options, io),
  profile: async (options, io) => (await import("../run/profile.ts")).runProfile(options, io),
};
