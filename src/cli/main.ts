#!/usr/bin/env node
/** Entry of the command line: checks Node before anything newer is loaded, and ends the process on purpose. */
import { EXIT } from "../errors.ts";
import { failureOf, stackOf } from "./failure.ts";

function fail(error: unknown): never {
  const { line, exitCode } = failureOf(error);
  process.stderr.write(`reverie: ${line}\n`);
  if (process.argv.includes("--debug")) process.stderr.write(`${stackOf(error)}\n`);
  process.exit(exitCode);
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`reverie: needs Node 20.19 or newer, this is ${process.versions.node}\n`);
  process.exit(EXIT.noAdapter);
}

// Dawn reports through an event, and what is thrown there reaches nobody else.
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
// `reverie … | head` is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  fail(error);
});

try {
  const { main } = await import("./program.ts");
  const exitCode = await main(process.argv.slice(2));
  // A pipe may still be taking the result.
  await new Promise<void>((resolve) => process.stdout.write("", () => resolve()));
  // The GPU's threads would keep the process alive.
  process.exit(exitCode);
} catch (error) {
  fail(error);
}
