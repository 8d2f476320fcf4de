import { type Figure, standaloneSvg } from "./svg.ts";

export interface PngResult {
  readonly png: Uint8Array | null;
  /** Why there is none, in words for a reader. */
  readonly reason: string | null;
}

type Resvg = typeof import("@resvg/resvg-js").Resvg;

async function loadResvg(): Promise<Resvg | null> {
  try {
    return (await import("@resvg/resvg-js")).Resvg;
  } catch {
    // An optional dependency: its binaries do not exist for every platform.
    return null;
  }
}

const FONTS = { loadSystemFonts: true, defaultFontFamily: "DejaVu Sans" } as const;

/** Without any font the rasteriser leaves texts out and says nothing. */
function canDrawText(Resvg: Resvg): boolean {
  const probe = `<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="15" font-family="sans-serif">x</text></svg>`;
  return new Resvg(probe, { font: FONTS }).getBBox() !== undefined;
}

/** Light PNGs of figures at `scale` pixels per unit, where the optional rasteriser and a font are installed. */
export async function renderPngs(figures: readonly Figure[], scale = 2): Promise<PngResult[]> {
  const Resvg = await loadResvg();
  const none = (reason: string): PngResult[] => figures.map(() => ({ png: null, reason }));
  if (Resvg === null) return none("@resvg/resvg-js is not installed; npm install @resvg/resvg-js adds PNG files");
  if (!canDrawText(Resvg)) return none("no font is installed; any sans-serif font adds PNG files");
  return figures.map((figure) => {
    const image = new Resvg(standaloneSvg(figure), { font: FONTS, fitTo: { mode: "zoom", value: scale } });
    return { png: image.render().asPng(), reason: null };
  });
}
