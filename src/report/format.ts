import type { Spread } from "../metrics/csv.ts";

const MINUS = "\u2212";
const NOT_DEFINED = "–";

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** "2026-12-01 14:05 UTC" of an ISO time; any other text as it is. */
export const timeText = (iso: string): string =>
  iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d(\.\d+)?)?Z$/, "$1 $2 UTC");

const SUBSCRIPTS: Readonly<Record<string, string>> = { a: "ₐ", t: "ₜ" };

/** "b_a" and "K_t", as plain text has them, with true subscripts; names of keys and files stay as they are. */
export const subscripts = (text: string): string =>
  text.replace(
    /(?<![\p{L}\p{M}\d_])([bτKrΣps]\u0302?)_([at])(?![\p{L}\d_])/gu,
    (_, letter: string, index: string) => letter + SUBSCRIPTS[index],
  );

/** As a person would say it: "42 s", "7 min", "2.5 h". */
export const durationText = (seconds: number): string => {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toPrecision(2)} h`;
};

/** "⁻⁷" */
export const superscript = (n: number): string =>
  (n < 0 ? "⁻" : "") + [...String(Math.abs(n))].map((d) => SUPERSCRIPTS[Number(d)]).join("");

function scientific(x: number, digits: number): string {
  const [factor, power] = x.toExponential(digits - 1).split("e");
  return `${signed(factor as string)}·10${superscript(Number(power))}`;
}

const signed = (text: string): string => text.replace("-", MINUS);

/** Decimals that show `digits` significant digits of x, between 0 and 6. */
function decimalsFor(x: number, digits: number): number {
  if (x === 0 || !Number.isFinite(x)) return 0;
  return Math.min(6, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(x)))));
}

/** Three significant digits; "∞" for never, "–" for undefined. */
export function formatNumber(x: number, digits = 3, maxDecimals = 6): string {
  if (Number.isNaN(x)) return NOT_DEFINED;
  if (!Number.isFinite(x)) return x > 0 ? "∞" : `${MINUS}∞`;
  if (x !== 0 && (Math.abs(x) < 1e-4 || Math.abs(x) >= 1e6)) return scientific(x, digits);
  if (Number.isInteger(x)) return signed(String(x));
  return signed(x.toFixed(Math.min(maxDecimals, decimalsFor(x, digits))));
}

/**
 * The standard deviation to one significant digit, two where the first is 1, and the mean to the same place:
 * "80.2 ± 1.9", "0.758 ± 0.008"; never rounded to tens. Equal values have no spread to write.
 */
export function formatSpread({ mean, sd }: Spread, maxDecimals = 6): { readonly mean: string; readonly sd: string } {
  if (!Number.isFinite(mean) || !(sd > 0)) return { mean: formatNumber(mean, 3, maxDecimals), sd: "" };
  if (Math.abs(mean) >= 1e6 || sd < 1e-6) return { mean: formatNumber(mean), sd: formatNumber(sd, 2) };
  // 0.996 is 1.0 to two digits, and so begins with 1.
  const digits = sd.toExponential(1).startsWith("1") ? 2 : 1;
  const decimals = Math.min(maxDecimals, decimalsFor(Number(sd.toPrecision(digits)), digits));
  return { mean: signed(mean.toFixed(decimals)), sd: sd.toFixed(decimals) };
}

export function spreadText(spread: Spread, maxDecimals = 6): string {
  const { mean, sd } = formatSpread(spread, maxDecimals);
  return sd === "" ? mean : `${mean} ± ${sd}`;
}
