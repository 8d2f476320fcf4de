// Draws figures of the reproduction from the results that are committed beside this file. Needs `npm run build`.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => new URL(path, import.meta.url);

/**
 * @param {string} experiment whose results: results/<experiment>.json
 * @param {RegExp} names of its figures, which go to scripts/figures/paper
 */
export async function draw(experiment, names) {
  const { EXPERIMENTS } = await import("../../dist/paper/experiments/index.js");
  const { loadProtocol } = await import("../../dist/paper/protocol.js");
  const { fromWords } = await import("../../dist/paper/result-json.js");
  const { pageFigure } = await import("../../dist/report/paper-page.js");
  const { standaloneSvg } = await import("../../dist/report/svg.js");
  const { renderPngs } = await import("../../dist/report/png.js");
  const { result, protocol } = JSON.parse(readFileSync(at(`results/${experiment}.json`), "utf8"));
  const found = EXPERIMENTS.find((e) => e.name === experiment);
  const drawn = found
    .figures(fromWords(result), loadProtocol(protocol.quick).protocol)
    .filter(({ figure }) => names.test(figure.name))
    .map((paper) => ({ ...paper, figure: pageFigure(paper).figure }));
  const folder = at("../figures/paper/");
  mkdirSync(folder, { recursive: true });
  const pngs = await renderPngs(drawn.map(({ figure }) => figure));
  drawn.forEach(({ figure, csv }, i) => {
    writeFileSync(new URL(`${figure.name}.svg`, folder), standaloneSvg(figure));
    writeFileSync(new URL(`${figure.name}.csv`, folder), csv);
    if (pngs[i].png) writeFileSync(new URL(`${figure.name}.png`, folder), pngs[i].png);
    console.log(fileURLToPath(new URL(`${figure.name}.svg`, folder)));
  });
}
