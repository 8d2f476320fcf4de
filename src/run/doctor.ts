/** `reverie doctor`: the truth about this machine, and whether its adapter computes gradients. */
import { EXIT, type ExitCode } from "../errors.ts";
import type { Gpu } from "../gpu/context.ts";
import { formatBytes, PLAN_KINDS } from "../gpu/plan.ts";
import { adapterSpec, choosePlanKind } from "../kernels/spec.ts";
import { gpuFacts, versions } from "./manifest.ts";
import { openForVerb } from "./open.ts";
import type { DoctorOptions, Io } from "./types.ts";

const ENVIRONMENT = [
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "VK_ADD_DRIVER_FILES",
  "LD_LIBRARY_PATH",
  "MESA_SHADER_CACHE_DIR",
  "LP_NUM_THREADS",
  "LP_NATIVE_VECTOR_WIDTH",
  "REVERIE_ADAPTER",
];

/** What a user could do for speed or room, given what was found. */
function hints(gpu: Gpu): string[] {
  const out: string[] = [];
  if (gpu.adapter.software)
    out.push("software adapter: right, but slow; install your GPU's Vulkan driver to use the GPU");
  const adapter = adapterSpec(gpu);
  if (gpu.adapter.software && !adapter.lanes) {
    out.push(
      "subgroups are narrower than 8 lanes, so the plan for CPUs cannot run; on x86-64 set LP_NATIVE_VECTOR_WIDTH=256",
    );
  }
  return out;
}

function describeLimits(gpu: Gpu): string[] {
  const l = gpu.limits;
  const s = gpu.adapter.subgroup;
  return [
    `largest buffer ${formatBytes(l.maxBufferSize)}, largest binding ${formatBytes(l.maxStorageBufferBindingSize)}`,
    `workgroups: ${l.maxComputeInvocationsPerWorkgroup} invocations, ${formatBytes(l.maxComputeWorkgroupStorageSize)} of shared memory`,
    `subgroups: ${s ? `${s.min}${s.max === s.min ? "" : `–${s.max}`} lanes` : "none"}; features: ${[...gpu.features].join(", ") || "none"}`,
  ];
}

async function check(gpu: Gpu, io: Io): Promise<{ passed: boolean; lines: string[]; result: unknown }> {
  // Only here does the program touch the float64 reference: it is the witness, never the product.
  const { gradcheck } = await import("./gradcheck.ts");
  const cases = 24;
  const kinds = PLAN_KINDS.filter((kind) => kind !== "own-row" || adapterSpec(gpu).lanes);
  io.progress.start("checking gradients", cases, "cases");
  let done = 0;
  const result = await gradcheck(gpu, { cases, seed: 1, kinds, onCase: () => io.progress.update(++done) });
  io.progress.done();
  const passed = result.failures.length === 0;
  return {
    passed,
    result,
    lines: [
      `gradcheck: ${result.cases} random networks under ${kinds.join(", ")} against float64: ${passed ? "all agree" : `${result.failures.length} differ`}`,
      ...Object.entries(result.worst).map(
        ([what, share]) => `  ${what}: at worst ${(100 * Number(share)).toFixed(0)} % of its tolerance`,
      ),
      `  ${result.maskDifferences.count} of ${result.maskDifferences.of} units within rounding of their kink lay on its other side`,
      ...result.failures.map((f) => `  ${f.message}`),
      ...(result.suspects.length > 0 ? [`  what all failures have in common: ${result.suspects.join(", ")}`] : []),
    ],
  };
}

export async function runDoctor(options: DoctorOptions, io: Io): Promise<ExitCode> {
  // The adapter is the result here, not a remark beside it.
  const gpu = await openForVerb(options, { ...io, note: () => undefined });
  try {
    const environment = Object.fromEntries(
      ENVIRONMENT.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]),
    );
    const gradients = options.gradcheck ? await check(gpu, io) : null;
    const kind = choosePlanKind(adapterSpec(gpu), { units: 64, rows: 192 });
    if (io.json) {
      io.out(
        JSON.stringify({
          versions: versions(),
          ...gpuFacts(gpu),
          subgroup: gpu.adapter.subgroup,
          features: [...gpu.features],
          planKind: kind,
          hints: hints(gpu),
          environment,
          gradcheck: gradients?.result ?? null,
        }),
      );
    } else {
      io.out(
        [
          gpu.describe(),
          ...describeLimits(gpu),
          `known answer: right; plan of a small network: ${kind}`,
          ...gpu.givenUp.map((l) => `given up: ${l}`),
          ...hints(gpu).map((h) => `hint: ${h}`),
          `versions: ${Object.entries(versions())
            .map(([k, v]) => `${k} ${v}`)
            .join(", ")}`,
          ...Object.entries(environment).map(([k, v]) => `${k}=${v}`),
          ...(gradients?.lines ?? []),
        ].join("\n"),
      );
    }
    return gradients && !gradients.passed ? EXIT.gpu : EXIT.ok;
  } finally {
    await gpu.close();
  }
}
