/**
 * A peer is a process that gets one JSON line after another on stdin and answers each with one on stdout:
 *   {"do": "check", "out": path}  →  {"loss", "lossAfter", "noisyLoss"}, tensors in the .npz at `out`
 *   {"do": "time", "count": n}    →  {"wall", "cpu"}, seconds of n units
 * Its first line is {"about": …} when it is ready, or {"skip": reason}. Several peers live at the same time, and only the
 * one that was asked works.
 */
import { createInterface } from "node:readline";

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

/** @param open (request) → {about, check(out), run(count)}; an Error with `skip` set says why this peer is absent */
export async function serve(open) {
  const request = JSON.parse(process.argv[2]);
  let peer;
  try {
    peer = await open(request);
  } catch (error) {
    answer({ skip: error.skip ?? `${error.message}`.split("\n")[0] });
    process.exit(0);
  }
  answer({ about: peer.about });
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line);
    try {
      if (order.do === "check") answer(await peer.check(order.out));
      else answer(await timed(() => peer.run(order.count)));
    } catch (error) {
      answer({ error: `${error.stack ?? error}`.split("\n").slice(0, 3).join(" | ") });
    }
  }
  process.exit(0);
}

async function timed(work) {
  const cpu0 = process.cpuUsage();
  const start = performance.now();
  await work();
  const wall = (performance.now() - start) / 1e3;
  const { user, system } = process.cpuUsage(cpu0);
  return { wall, cpu: (user + system) / 1e6 };
}

export function skip(reason) {
  return Object.assign(new Error(reason), { skip: reason });
}
