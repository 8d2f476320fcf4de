import { InvalidArgumentError } from "commander";
import { UsageError } from "../../errors.ts";
import {
  addPlanKind,
  addPrecision,
  type GlobalFlags,
  gpuOptions,
  type PlanFlags,
  planOptions,
  type Verb,
} from "../flags.ts";

interface Flags extends GlobalFlags, PlanFlags {
  readonly shape: string;
  readonly batch?: number;
  readonly steps?: number;
  readonly units?: number;
  readonly inputs?: number;
  readonly outputs?: number;
  readonly networks?: number;
  readonly repeats: number;
  readonly out?: string;
  readonly trace?: string;
  readonly compare?: string;
  readonly kernel?: string;
  readonly against?: string;
  readonly tolerance: number;
  readonly scaling?: string;
  readonly plan?: boolean;
  readonly precision?: string;
  readonly peakTflops: number;
  readonly bandwidth: number;
  readonly memory: number;
}

function whole(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError("a whole number from 1 on is needed");
  return Number(text);
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value >= 0) || !Number.isFinite(value) || text.trim() === "")
    throw new InvalidArgumentError("a number from 0 on is needed");
  return value;
}

const SIZES = [
  ["networks", "S, networks trained together"],
  ["batch", "B, rows of each network"],
  ["steps", "T, time steps"],
  ["units", "N, units of a network"],
  ["inputs", "I, inputs (training)"],
  ["outputs", "O, readouts"],
] as const;

const EXAMPLES = `
Shapes: small (the presets' experiments), anchor (B = 256, T = 100, N = 128), wide (N = 512), batch (B = 2048, T = 50, N = 256),
  many (64 networks), replay (256 rows, T = 1000, N = 128).
Examples:
  reverie profile --shape anchor --out before.json --trace trace.json
  reverie profile --shape anchor --compare before.json
  reverie profile --shape anchor --kernel rnn/rollout_own_row --against mine.wgsl
  reverie profile --shape small --scaling scaling
  reverie profile --plan --peak-tflops 67 --bandwidth 4800 --memory 24`;

/** `reverie profile`. */
export const profile: Verb = (program, { perform, runs }) => {
  const command = program
    .command("profile")
    .description("time every pass of a training iteration or a replay, beside the adapter's own ceilings")
    .option("--shape <name>", "sizes to start from", "anchor");
  for (const [name, meaning] of SIZES) command.option(`--${name} <n>`, meaning, whole);
  command
    .option("--repeats <n>", "timed runs", whole, 10)
    .option("--out <file>", "write the profile as JSON, for --compare")
    .option("--trace <file>", "write a Chrome trace (chrome://tracing, Perfetto)")
    .option("--compare <file>", "tell what changed since this profile, beyond the noise of both")
    .option("--kernel <name>", "kernel to time --against a variant, such as rnn/rollout_own_row")
    .option("--against <file>", "the variant's WGSL; its results are checked first")
    .option("--tolerance <x>", "difference allowed to it, of the largest number; 0: the same bits", positive, 0)
    .option("--scaling <dir>", "draw the cost over B, T, N and S instead (CSV, SVG, PNG)")
    .option("--plan", "print what each plan would launch and hold, for a GPU that is not at hand")
    .option("--peak-tflops <x>", "its float32 peak, for --plan", positive, 67)
    .option("--bandwidth <x>", "its memory bandwidth in GB/s, for --plan", positive, 4800)
    .option("--memory <x>", "its memory in GiB, for --plan", positive, 24)
    .addHelpText("after", EXAMPLES);
  addPrecision(addPlanKind(command)).action(async () => {
    const flags = command.optsWithGlobals<Flags>();
    const { shapeNamed } = await import("../../profile/shapes.ts");
    const sizes = Object.fromEntries(
      SIZES.flatMap(([name]) => (flags[name] === undefined ? [] : [[name, flags[name]]])),
    );
    const stored = flags.precision === "f16" ? { stored: "f16" as const } : {};
    const shape = { ...shapeNamed(flags.shape), ...sizes, ...stored };
    if ((flags.kernel === undefined) !== (flags.against === undefined))
      throw new UsageError("--kernel and --against belong together: the kernel's name and the file of the variant");
    const plan = flags.plan === true ? await planOf(flags, shape, Object.keys(sizes).length > 0) : {};
    await perform((io) =>
      runs.profile(
        {
          ...gpuOptions(flags),
          ...planOptions(flags),
          ...plan,
          shape,
          repeats: flags.repeats,
          ...(flags.out === undefined ? {} : { out: flags.out }),
          ...(flags.trace === undefined ? {} : { trace: flags.trace }),
          ...(flags.compare === undefined ? {} : { compare: flags.compare }),
          ...(flags.scaling === undefined ? {} : { scaling: flags.scaling }),
          ...(flags.kernel === undefined || flags.against === undefined
            ? {}
            : { against: { kernel: flags.kernel, file: flags.against, tolerance: flags.tolerance } }),
        },
        io,
      ),
    );
  });
};

/** The shape asked for; without sizes a survey of N to 1024 and B to 8192. */
async function planOf(flags: Flags, shape: import("../../profile/shapes.ts").ProfileShape, sized: boolean) {
  const { statedGpu } = await import("../../run/profile.ts");
  const survey = [128, 256, 512, 1024].flatMap((units) =>
    [256, 2048, 8192].map((batch) => ({ ...shape, units, batch })),
  );
  return {
    plan: { shapes: sized ? [shape] : survey, gpu: statedGpu(flags.peakTflops, flags.bandwidth, flags.memory) },
  };
}
