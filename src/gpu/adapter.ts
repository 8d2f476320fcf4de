/** What an adapter is, which limits and features are asked of it, and what is given up without them. */
import { GpuUnavailable } from "../errors.ts";

export interface AdapterFacts {
  /** The device's name as the driver gives it. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  readonly driver: string;
  /** A CPU pretending to be a GPU: right, but 100–1000 times slower. */
  readonly software: boolean;
  /** Lanes of a subgroup; null without the feature. */
  readonly subgroup: { readonly min: number; readonly max: number } | null;
}

type Info = GPUAdapterInfo & { isFallbackAdapter?: boolean; subgroupMinSize?: number; subgroupMaxSize?: number };

export function adapterFacts(adapter: GPUAdapter): AdapterFacts {
  const info = adapter.info as Info;
  const subgroups = adapter.features.has("subgroups" as GPUFeatureName);
  return {
    name: info.device || info.description,
    vendor: info.vendor,
    architecture: info.architecture,
    driver: info.description,
    software: info.isFallbackAdapter === true,
    subgroup: subgroups ? { min: info.subgroupMinSize ?? 4, max: info.subgroupMaxSize ?? 128 } : null,
  };
}

/** Optional features and what is lost without each. */
const WANTED_FEATURES: readonly [string, string][] = [
  ["subgroups", "no own-row plan"],
  ["timestamp-query", "no GPU times in profiles"],
];

/** Limits asked for at the adapter's maximum: the defaults are far below what large batches need. */
const WANTED_LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

export type Limits = Readonly<Record<(typeof WANTED_LIMITS)[number], number>> & {
  readonly maxComputeWorkgroupsPerDimension: number;
};

/**
 * What an adapter's own maximum is cut to. Some NVIDIA drivers take a binding of 2 GiB or more for an empty one
 * (crbug.com/435684920), and offsets within a binding are 32-bit numbers, signed in some shading languages. A buffer is
 * one allocation, for which drivers of discrete GPUs promise at most 4 GiB less a little, whatever a buffer may have; so
 * what is larger than that comes in chunks, which change no bit.
 */
const CAUTIOUS: Partial<Record<(typeof WANTED_LIMITS)[number], number>> = {
  maxStorageBufferBindingSize: 2 ** 31 - 4,
  maxBufferSize: 2 ** 32 - 2 ** 21,
};

export interface Negotiated {
  readonly device: GPUDevice;
  readonly limits: Limits;
  readonly features: ReadonlySet<string>;
  readonly givenUp: readonly string[];
}

export async function negotiate(adapter: GPUAdapter, label: string): Promise<Negotiated> {
  const givenUp: string[] = [];
  const features: string[] = [];
  for (const [feature, loss] of WANTED_FEATURES) {
    if (adapter.features.has(feature as GPUFeatureName)) features.push(feature);
    else givenUp.push(`${loss} (the adapter lacks ${feature})`);
  }
  const requiredLimits: Record<string, number> = {};
  for (const name of WANTED_LIMITS) {
    requiredLimits[name] = Math.min(adapter.limits[name], CAUTIOUS[name] ?? Number.POSITIVE_INFINITY);
  }
  let device: GPUDevice;
  try {
    device = await adapter.requestDevice({ label, requiredFeatures: features as GPUFeatureName[], requiredLimits });
  } catch (cause) {
    throw new GpuUnavailable(`${label}: the adapter gives no device: ${(cause as Error).message}`, { cause });
  }
  const limits = {
    ...Object.fromEntries(
      WANTED_LIMITS.map((name) => [name, Math.min(device.limits[name], requiredLimits[name] as number)]),
    ),
    maxComputeWorkgroupsPerDimension: device.limits.maxComputeWorkgroupsPerDimension,
  } as Limits;
  return { device, limits, features: new Set(features), givenUp };
}
