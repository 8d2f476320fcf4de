import { addPlanKind, type GlobalFlags, gpuOptions, type PlanFlags, planOptions, type Verb } from "../flags.ts";

const SETTINGS = [
  ["leak", "--leak", "share of r lost per step (default: 0.5)"],
  ["gain", "--gain", "gain of the drive per step (default: 1)"],
  ["friction", "--friction", "friction of the momentum, in (0, 1] (default: 1, none)"],
  ["adaptStrength", "--adapt-strength", "strength of the adaptation (default: 0, none)"],
  ["adaptTau", "--adapt-tau", "time constant of the adaptation, steps (default: 100)"],
  ["activation", "--activation", "relu, leakyRelu, tanh or identity (default: relu)"],
  ["leakySlope", "--leaky-slope", "slope of leakyRelu below 0 (default: 0.01)"],
  ["l2Activity", "--l2-activity", "weight of the mean squared activity in the loss (default: 0)"],
] as const;

interface Flags extends GlobalFlags, PlanFlags, Partial<Record<string, unknown>> {
  readonly case: string;
  readonly out: string;
}

/** `reverie evaluate`. */
export const evaluate: Verb = (program, { perform, runs }) => {
  const command = program
    .command("evaluate")
    .description("run the model and its gradients on tensors of your own")
    .requiredOption("--case <file>", "the .npz with weights, inputs, targets and, perhaps, noise")
    .requiredOption("--out <file>", "the .npz to write: states, readout, loss, gradients")
    .addHelpText("after", "\nExample:\n  reverie evaluate --case case.npz --leak 0.2 --friction 0.6 --out result.npz");
  for (const [, flag, meaning] of SETTINGS) command.option(`${flag} <value>`, meaning);
  addPlanKind(command).action(async () => {
    const flags = command.optsWithGlobals<Flags>();
    const { parseEvaluation, parseValue } = await import("../../config/load.ts");
    const given = SETTINGS.filter(([key]) => flags[key] !== undefined);
    const settings = parseEvaluation(
      Object.fromEntries(given.map(([key]) => [key, parseValue(flags[key] as string)])),
      Object.fromEntries(given.map(([key, flag]) => [key, flag])),
    );
    await perform((io) =>
      runs.evaluate({ ...gpuOptions(flags), ...planOptions(flags), case: flags.case, out: flags.out, settings }, io),
    );
  });
};
