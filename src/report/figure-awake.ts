import { panelHeight } from "./ground.ts";
import { environmentIn, type ReportInput } from "./input.ts";
import { choosePaths, pathPanel, type TimeScale, timeKey } from "./paths.ts";
import { type Figure, text } from "./svg.ts";
import { MUTED } from "./theme.ts";

/** Test paths of the awake animal beside what the networks decode of them from the input they see. */
export function figureAwake(input: ReportInput, awake: NonNullable<ReportInput["awake"]>): Figure {
  const environment = environmentIn(input);
  const [width, gap, head] = [230, 30, 44];
  const height = panelHeight(environment.view, width);
  const steps = awake.readout.shape[1] ?? 1;
  const time: TimeScale = { end: steps, kind: "linear" };
  const panels = (
    [
      ["True path", "s, what the animal does", awake.positions, 0],
      ["Decoded path", "y, from the input it sees", awake.readout, 1],
    ] as const
  ).map(([title, detail, tensor, firstStep], i) => {
    const x = i * (width + gap);
    return [
      text(x, 11, title, { size: 14, weight: 600 }),
      text(x, 29, detail, { size: 11, fill: MUTED }),
      pathPanel({
        environment,
        paths: choosePaths(tensor, 36),
        time,
        firstStep,
        every: 1,
        x,
        y: head,
        width,
      }),
    ].join("");
  });
  const total = 2 * width + gap;
  return {
    name: "awake",
    width: total,
    height: head + height + 32,
    body: `${panels.join("")}${timeKey(time, total - 172, head + height + 10, 160)}`,
    description: "Awake test paths, true and decoded, coloured by time.",
  };
}
