/** `reverie profile`: where the time of an iteration goes, and how near that is to what the adapter can do. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { EXIT, type ExitCode, UsageError } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { readShaderFile } from "../gpu/open-node.ts";
import type { PlanKind } from "../gpu/plan.ts";
import { reflectKernel } from "../gpu/reflect.ts";
import { assembleShader } from "../gpu/shader-source.ts";
import { writeFileAtomically } from "../io/atomic-file.ts";
import { recordLayouts } from "../kernels/records.ts";
import { type AdapterSpec, GPU_RATE, type LaunchSize } from "../kernels/spec.ts";
import { paddedRows } from "../model/rows.ts";
import { profileAgainst } from "../profile/against.ts";
import { type Change, compareProfiles } from "../profile/compare.ts";
import { PROFILE_FORMAT, type ProfileDocument, readProfile } from "../profile/document.ts";
import { makeJob } from "../profile/jobs.ts";
import { plannedRows, plannedTable, type StatedGpu } from "../profile/plan-table.ts";
import { type Profile, profileShape } from "../profile/profile.ts";
import { measureScaling, scalingCsv, scalingFigure } from "../profile/scaling.ts";
import { describeShape, type ProfileShape } from "../profile/shapes.ts";
import { formatSeconds, profileTable } from "../profile/table.ts";
import { chromeTrace } from "../profile/trace.ts";
import { alignColumns } from "../report/columns.ts";
import { renderPngs } from "../report/png.ts";
import { standaloneSvg } from "../report/svg.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { compiling, openForVerb, planKindFor } from "./open.ts";
import { prepareOutput } from "./output.ts";
import { whyPlan } from "./plan-timing.ts";
import type { GpuOptions, Io, PlanOptions } from "./types.ts";

export interface ProfileVerbOptions extends GpuOptions, PlanOptions {
  readonly shape: ProfileShape;
  readonly repeats: number;
  /** The profile as JSON, for --compare. */
  readonly out?: string;
  /** Chrome trace. */
  readonly trace?: string;
  /** An earlier profile. */
  readonly compare?: string;
  readonly against?: { readonly kernel: string; readonly file: string; readonly tolerance: number };
  /** Directory for scaling.csv, .svg and .png. */
  readonly scaling?: string;
  /** Print plans instead: sizes and the GPU that they are meant for. */
  readonly plan?: { readonly shapes: readonly ProfileShape[]; readonly gpu: StatedGpu };
}

const sizeOf = ({ units, networks, batch }: ProfileShape): LaunchSize => ({
  units,
  rows: networks * paddedRows(batch),
  networks,
});

const kindFor = (gpu: Gpu, options: PlanOptions, shape: ProfileShape): PlanKind =>
  planKindFor(gpu, options, sizeOf(shape));

/** Under this name the GPU's reader gives the user's file. */
const VARIANT = "user/variant";

function variantReader(file: string): (path: string) => string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`--against ${file}: ${(cause as Error).message.split("\n")[0]}`, { cause });
  }
  return (path) => (path === `${VARIANT}.wgsl` ? text : readShaderFile(path));
}

function printPlans(plan: NonNullable<ProfileVerbOptions["plan"]>, io: Io): ExitCode {
  const known = new Map<string, ReturnType<typeof reflectKernel>["bindings"]>();
  const bindings = (kernel: string) => {
    let found = known.get(kernel);
    if (!found) {
      const source = assembleShader(`${kernel}.wgsl`, readShaderFile);
      found = reflectKernel(source.file, source.code).bindings;
      known.set(kernel, found);
    }
    return found;
  };
  const rows = plannedRows(plan.shapes, plan.gpu, recordLayouts(readShaderFile), bindings);
  io.out(io.json ? JSON.stringify(rows) : plannedTable(rows));
  return EXIT.ok;
}

function changeLines(changes: readonly Change[]): string[] {
  const signed = (x: number) => `${x >= 0 ? "+" : "−"}${Math.abs(100 * x).toFixed(1)} %`;
  const rows = changes.map((c) => [
    c.what,
    formatSeconds(c.before),
    formatSeconds(c.after),
    signed(c.change),
    `±${(100 * c.noise).toFixed(1)} %`,
    c.verdict,
  ]);
  return alignColumns([["pass", "before", "now", "change", "noise", ""], ...rows], new Set([0, 5]));
}

async function against(gpu: Gpu, kind: PlanKind, o: ProfileVerbOptions, io: Io): Promise<ExitCode> {
  const { kernel, file, tolerance } = o.against as NonNullable<ProfileVerbOptions["against"]>;
  const job = await makeJob(gpu, o.shape, kind);
  try {
    const r = await profileAgainst(gpu, job, { kernel, variant: VARIANT, tolerance, repeats: o.repeats });
    if (io.json)
      io.out(JSON.stringify({ ...gpuFacts(gpu), shape: o.shape, planKind: kind, file: resolve(file), ...r }));
    else
      io.out(
        [
          `${describeShape(o.shape)}; plan ${kind}; ${r.launches} launches, median of ${o.repeats} interleaved runs`,
          r.sameBits
            ? "results: the same bits"
            : `results: within ${r.difference.toExponential(1)} of the largest number`,
          ...alignColumns([
            [kernel, formatSeconds(r.ours.median), ""],
            [
              file,
              formatSeconds(r.theirs.median),
              `${r.ratio.median.toFixed(3)}× (quartiles ${r.ratio.lower.toFixed(3)}–${r.ratio.upper.toFixed(3)})`,
            ],
          ]),
        ].join("\n"),
      );
    return EXIT.ok;
  } finally {
    job.destroy();
  }
}

async function scaling(gpu: Gpu, o: ProfileVerbOptions, directory: string, io: Io): Promise<ExitCode> {
  const points = await measureScaling(
    gpu,
    o.shape,
    (shape) => kindFor(gpu, o, shape),
    o.repeats,
    (done, of) => {
      if (done === 1) io.progress.start("scaling", of, "sizes");
      io.progress.update(done);
    },
  );
  io.progress.done();
  const figure = scalingFigure(points, `${describeShape(o.shape)}, on ${gpu.adapter.name}`);
  writeFileAtomically(join(directory, "scaling.csv"), scalingCsv(points));
  writeFileAtomically(join(directory, "scaling.svg"), standaloneSvg(figure));
  const [image] = await renderPngs([figure]);
  if (image?.png) writeFileAtomically(join(directory, "scaling.png"), image.png);
  else io.note(`no scaling.png: ${image?.reason}`);
  io.out(
    io.json ? JSON.stringify({ ...gpuFacts(gpu), points }) : `wrote ${join(directory, "scaling.svg")}, .csv and .png`,
  );
  return EXIT.ok;
}

function documentOf(gpu: Gpu, profile: Profile): ProfileDocument {
  const { sample: _, ...rest } = profile;
  const { name, driver, software } = gpu.adapter;
  return {
    format: PROFILE_FORMAT,
    adapter: name,
    driver,
    software,
    versions: versions(),
    date: new Date().toISOString().slice(0, 10),
    profile: rest,
  };
}

export async function runProfile(o: ProfileVerbOptions, io: Io): Promise<ExitCode> {
  if (o.plan) return printPlans(o.plan, io);
  for (const path of [o.out, o.trace]) if (path !== undefined) prepareOutput(path);
  if (o.scaling !== undefined) prepareOutput(join(o.scaling, "scaling.csv"));
  const before = o.compare === undefined ? null : readProfile(o.compare);
  const reader = o.against ? variantReader(o.against.file) : undefined;
  const gpu = await openForVerb(o, io, reader);
  try {
    const kind = kindFor(gpu, o, o.shape);
    if (o.against) return await against(gpu, kind, o, io);
    if (o.scaling !== undefined) return await scaling(gpu, o, o.scaling, io);
    const profile = await profileShape(gpu, {
      shape: o.shape,
      kind,
      why: whyPlan(gpu, kind, sizeOf(o.shape)),
      repeats: o.repeats,
      signal: io.signal,
      onCompile: compiling(io),
      onRepeat: (done, of) => {
        if (done === 1) io.progress.start("profiling", of, "runs");
        io.progress.update(done);
      },
    });
    io.progress.done();
    const document = documentOf(gpu, profile);
    if (o.out !== undefined) writeFileAtomically(o.out, `${JSON.stringify(document, null, 2)}\n`);
    if (o.trace !== undefined) writeFileAtomically(o.trace, JSON.stringify(chromeTrace(profile, gpu.adapter.name)));
    const changes = before ? compareProfiles(before, document) : null;
    if (io.json) io.out(JSON.stringify(changes ? { ...document, changes } : document));
    else {
      const software = gpu.adapter.software ? " (software adapter: a CPU)" : "";
      io.out(
        [
          profileTable(profile, `${gpu.adapter.name}${software}`),
          ...(changes ? ["", ...changeLines(changes)] : []),
        ].join("\n"),
      );
    }
    return changes?.some((c) => c.verdict === "slower") ? EXIT.slower : EXIT.ok;
  } finally {
    await gpu.close();
  }
}

/** The adapter that `--plan` plans for: limits that every desktop GPU has. */
export function statedGpu(teraflops: number, gigabytesPerSecond: number, gibibytes: number): StatedGpu {
  const adapter: AdapterSpec = {
    maxBinding: 2 ** 31 - 4,
    maxBuffer: Math.min(gibibytes * 2 ** 30, 2 ** 32 - 2 ** 21),
    flopsPerSecond: GPU_RATE,
    workgroupStorage: 49152,
    lanes: true,
    software: false,
  };
  return { flopsPerSecond: teraflops * 1e12, bytesPerSecond: gigabytesPerSecond * 1e9, dispatchSeconds: 3e-6, adapter };
}
