/** A profile as a JSON document, and reading one back. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { DataError } from "../errors.ts";
import type { Profile } from "./profile.ts";

export const PROFILE_FORMAT = "reverie-profile-1";

export interface ProfileDocument {
  readonly format: typeof PROFILE_FORMAT;
  readonly adapter: string;
  readonly driver: string;
  readonly software: boolean;
  readonly versions: Readonly<Record<string, string>>;
  readonly date: string;
  readonly profile: Omit<Profile, "sample">;
}

const spread = z.object({ median: z.number(), lower: z.number(), upper: z.number(), count: z.number() });
const document = z.object({
  format: z.literal(PROFILE_FORMAT),
  adapter: z.string(),
  driver: z.string(),
  profile: z.looseObject({
    shape: z.record(z.string(), z.union([z.string(), z.number()])),
    whole: z.looseObject({ wall: spread, cpu: spread.nullable() }),
    passes: z.array(z.looseObject({ label: z.string(), gpu: spread.nullable(), cpu: spread.nullable() })),
  }),
});

/** @throws DataError where the file is no profile */
export function readProfile(path: string): ProfileDocument {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new DataError(`${path}: ${(cause as Error).message.split("\n")[0]}; write one with reverie profile --json`, {
      cause,
    });
  }
  const parsed = document.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new DataError(
      `${path}: no profile of this version (${issue?.path.join(".")}: ${issue?.message}); make it anew with reverie profile --json`,
    );
  }
  return parsed.data as unknown as ProfileDocument;
}
