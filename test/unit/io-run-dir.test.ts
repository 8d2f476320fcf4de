import { spawn } from "node:child_process";
import fs from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DataError, DiskError, LockedError, UsageError } from "../../src/errors.ts";
import { disk, temporaryName } from "../../src/io/disk.ts";
import { DirectoryLock } from "../../src/io/lock.ts";
import { isAlive, startMark } from "../../src/io/process.ts";
import { openRunDirectory, readManifest } from "../../src/io/run-dir.ts";
import { type Child, compileSources, scratch, startChild, systemError, thrownBy, withFault } from "./io-helpers.ts";

const folder = scratch();

/** A run as a finished process leaves it. */
function finishedRun(): string {
  const path = join(folder(), "runs", "tmaze");
  const run = openRunDirectory(path);
  run.writeManifest({ name: "tmaze", outcome: "running" });
  run.writeConfig({ seed: 1 });
  const log = run.trainLog();
  log.append({ iteration: 0 });
  log.close();
  fs.writeFileSync(run.file("checkpoints", "iteration-000000.npz"), "x");
  run.updateManifest({ outcome: "completed" });
  run.close();
  return path;
}

describe("a run directory", () => {
  it("is created with its parents and holds what was written", () => {
    const path = finishedRun();
    expect(fs.readdirSync(path).sort()).toEqual(["checkpoints", "config.json", "manifest.json", "train.jsonl"]);
    expect(readManifest(path)).toEqual({ format: "reverie-run", name: "tmaze", outcome: "completed" });
    const run = openRunDirectory(path, { resume: true });
    expect(run.readConfig()).toEqual({ seed: 1 });
    const log = run.trainLog(1);
    expect(log.lines).toBe(1);
    log.close();
    run.close();
  });

  it("may hold other people's files", () => {
    const path = folder();
    fs.writeFileSync(join(path, "notes.txt"), "mine");
    openRunDirectory(path).close();
    expect(fs.readdirSync(path)).toEqual(["notes.txt"]);
  });

  it("is not overwritten without being told to", () => {
    const path = finishedRun();
    const error = thrownBy(() => openRunDirectory(path));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(`${path}: holds a run (checkpoints, train.jsonl, config.json, manifest.json)`);
    expect(error.message).toContain("--resume");
    expect(error.message).toContain("--force");
    expect(fs.existsSync(join(path, "run.lock"))).toBe(false);
  });

  it("loses its run, and nothing else, with force", () => {
    const path = finishedRun();
    fs.writeFileSync(join(path, "notes.txt"), "mine");
    openRunDirectory(path, { force: true }).close();
    expect(fs.readdirSync(path)).toEqual(["notes.txt"]);
  });

  it("does not delete what is not a run, not even with force", () => {
    const path = folder();
    fs.mkdirSync(join(path, "report"));
    fs.writeFileSync(join(path, "report", "thesis.tex"), "years of work");
    const error = thrownBy(() => openRunDirectory(path, { force: true }));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain("--force deletes only runs");
    fs.writeFileSync(join(path, "manifest.json"), "{}");
    expect(thrownBy(() => openRunDirectory(path, { force: true }))).toBeInstanceOf(UsageError);
    expect(fs.existsSync(join(path, "report", "thesis.tex"))).toBe(true);
  });

  it("is still a run after a removal that was cut short", () => {
    const calls = 30;
    for (let n = 1; n <= calls; n++) {
      const path = finishedRun();
      const failed = withFault(n, "EIO", true, () => {
        try {
          openRunDirectory(path, { force: true });
        } catch (error) {
          expect([DiskError, LockedError]).toContain((error as Error).constructor);
        }
      });
      fs.rmSync(join(path, "run.lock"), { force: true });
      const left = fs.readdirSync(path).filter((name) => !name.includes(".tmp-"));
      if (left.length > 0) expect(left).toContain("manifest.json");
      if (failed === null) return;
    }
    throw new Error(`more than ${calls} calls`);
  });

  it("needs a run to resume", () => {
    const missing = join(folder(), "absent");
    expect(thrownBy(() => openRunDirectory(missing, { resume: true })).message).toBe(
      `${missing}: no run to resume (nothing is there); check the path or leave out --resume`,
    );
    expect(fs.existsSync(missing)).toBe(false);
    const other = folder();
    fs.writeFileSync(join(other, "notes.txt"), "mine");
    const error = thrownBy(() => openRunDirectory(other, { resume: true }));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toContain("found notes.txt");
    expect(thrownBy(() => openRunDirectory(other, { resume: true, force: true }))).toBeInstanceOf(UsageError);
  });

  it("must be writable", () => {
    const file = join(folder(), "file");
    fs.writeFileSync(file, "");
    expect(thrownBy(() => openRunDirectory(file))).toBeInstanceOf(DiskError);
    expect(thrownBy(() => openRunDirectory(join(file, "run")))).toBeInstanceOf(DiskError);
    // Where even root may not: Node's own recursive mkdir would never return here.
    expect(thrownBy(() => openRunDirectory("/proc/run/x"))).toBeInstanceOf(DiskError);
    const path = folder();
    for (const code of ["EACCES", "EROFS", "ENOSPC"]) {
      const open = disk.open;
      disk.open = () => {
        throw systemError(code, "open");
      };
      try {
        expect(thrownBy(() => openRunDirectory(path)).message).toMatch(new RegExp(`^${path}: .*\\(${code}\\)$`));
      } finally {
        disk.open = open;
      }
    }
    expect(fs.readdirSync(path)).toEqual([]);
  });

  it("is freed of what killed processes left, and only of that", async () => {
    const path = finishedRun();
    const dead = startChild(folder(), "console.log(process.pid)");
    const pid = await dead.firstLine;
    await dead.gone;
    const abandoned = [`manifest.json.tmp-${pid}-0123abcd`, `checkpoints/iteration-000010.npz.tmp-${pid}-0123abcd`];
    abandoned.push("run.lock.after-0123456789abcdef", temporaryName("config.json"));
    // The parent of this process lives and may be writing.
    const others = [`x.npz.tmp-${process.ppid}-0123abcd`, "data.tmp-backup", "checkpoints/old.tmp-1"];
    for (const name of [...abandoned, ...others]) fs.writeFileSync(join(path, name), "");
    openRunDirectory(path, { resume: true }).close();
    for (const name of abandoned) expect(fs.existsSync(join(path, name)), name).toBe(false);
    for (const name of others) expect(fs.existsSync(join(path, name)), name).toBe(true);
  });
});

describe("a process mark", () => {
  it("tells the living from the dead, and from a later process with the same id", async () => {
    const mark = startMark(process.pid);
    expect(mark).not.toBeNull();
    expect(isAlive(process.pid, mark as string)).toBe(true);
    if (mark !== "") expect(isAlive(process.pid, `${mark}1`)).toBe(false);
    const child = startChild(folder(), "console.log(1)");
    await child.firstLine;
    await child.gone;
    expect(startMark(child.process.pid as number)).toBeNull();
  });

  it("takes the remains of a process that nobody has reaped for dead", async ({ skip }) => {
    skip(!fs.existsSync("/proc/self/stat"), "this system has no /proc");
    // The shell becomes a program that never waits for the child it had started.
    const parent = spawn("sh", ["-c", "sleep 0.05 & echo $!; exec sleep 20"], { stdio: ["ignore", "pipe", "ignore"] });
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    expect(startMark(pid)).not.toBeNull();
    const state = () => fs.readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.[0];
    while (state() !== "Z") await new Promise((resolve) => setTimeout(resolve, 10));
    expect(startMark(pid)).toBeNull();
    parent.kill("SIGKILL");
  });
});

describe("the lock", () => {
  it("names its holder: process and start", () => {
    const path = folder();
    const run = openRunDirectory(path);
    const error = thrownBy(() => openRunDirectory(path));
    expect(error).toBeInstanceOf(LockedError);
    expect(error.message).toMatch(
      new RegExp(`^${path}: in use by process ${process.pid}, started \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z; wait for it or`),
    );
    run.close();
    openRunDirectory(path).close();
    expect(fs.readdirSync(path)).toEqual([]);
  });

  /** `run.lock` as another process would have written it. */
  function plant(path: string, changes: Record<string, unknown>, name = "run.lock"): string {
    const id = Math.abs(Object.keys(changes).length + 1)
      .toString(16)
      .padStart(16, "a");
    const holder = { id, pid: 2 ** 22 + 1, mark: "", host: hostname(), since: "2026-01-01T00:00:00.000Z", ...changes };
    fs.writeFileSync(join(path, name), JSON.stringify(holder));
    return holder.id;
  }

  it("is taken from a dead holder, also where its successor died on the way, twice over", () => {
    for (const depth of [0, 1, 2, 3]) {
      const path = folder();
      let name = "run.lock";
      for (let i = 0; i <= depth; i++) {
        const id = plant(path, { id: String(i).repeat(16) }, name);
        name += `.after-${id}`;
      }
      const lock = new DirectoryLock(path);
      expect(JSON.parse(fs.readFileSync(join(path, "run.lock"), "utf8")).pid).toBe(process.pid);
      lock.release();
      expect(fs.existsSync(join(path, "run.lock"))).toBe(false);
    }
  });

  it("is not taken from a process whose successor lives", () => {
    const path = folder();
    const id = plant(path, {});
    plant(path, { pid: process.ppid }, `run.lock.after-${id}`);
    expect(thrownBy(() => new DirectoryLock(path)).message).toContain(`in use by process ${process.ppid}`);
  });

  it("has one holder, whatever another process does between any two steps of a takeover", () => {
    const others: Record<string, (path: string) => DirectoryLock | null> = {
      "takes it": (path) => new DirectoryLock(path),
      "takes it and releases it": (path) => {
        new DirectoryLock(path).release();
        return null;
      },
      "takes it, releases it, and another one takes it": (path) => {
        new DirectoryLock(path).release();
        return new DirectoryLock(path);
      },
    };
    for (const [what, act] of Object.entries(others)) {
      for (let n = 1; ; n++) {
        const path = folder();
        plant(path, {});
        let holds: DirectoryLock | null = null;
        const interrupted = beforeCall(n, () => {
          try {
            holds = act(path);
          } catch (error) {
            expect(error).toBeInstanceOf(LockedError);
          }
        });
        let mine: DirectoryLock | null = null;
        try {
          mine = new DirectoryLock(path);
        } catch (error) {
          expect(error).toBeInstanceOf(LockedError);
        } finally {
          interrupted.restore();
        }
        if (!interrupted.happened()) break;
        const holders = [holds, mine].filter((lock) => lock !== null) as DirectoryLock[];
        const found = JSON.parse(fs.readFileSync(join(path, "run.lock"), "utf8")).id;
        expect(
          holders.map(({ holder }) => holder.id),
          `${what} before call ${n}`,
        ).toEqual([found]);
      }
    }
  });

  /** Runs `action` once, just before the n-th call of `disk`. */
  function beforeCall(n: number, action: () => void): { restore: () => void; happened: () => boolean } {
    const real = { ...disk };
    let calls = 0;
    for (const name of Object.keys(real) as (keyof typeof disk)[]) {
      const call = real[name] as (...args: unknown[]) => unknown;
      Object.assign(disk, {
        [name]: (...args: unknown[]) => {
          if (++calls === n) action();
          return call(...args);
        },
      });
    }
    return { restore: () => Object.assign(disk, real), happened: () => calls >= n };
  }

  it("does not believe a process id that was used again", () => {
    const path = folder();
    if (startMark(process.ppid) === "") return;
    plant(path, { pid: process.ppid, mark: "another boot 12345" });
    new DirectoryLock(path).release();
  });

  it("of another machine is respected, for nobody here can tell", () => {
    const path = folder();
    plant(path, { host: "node17" });
    expect(thrownBy(() => new DirectoryLock(path)).message).toContain(
      `on node17, started 2026-01-01T00:00:00.000Z; if it is gone, delete ${join(path, "run.lock")}`,
    );
  });

  it("that cannot be read is respected", () => {
    for (const text of ["", "{}", '{"id":"../../etc","pid":1,"mark":"","host":"","since":""}']) {
      const path = folder();
      fs.writeFileSync(join(path, "run.lock"), text);
      expect(thrownBy(() => new DirectoryLock(path))).toBeInstanceOf(LockedError);
    }
  });

  it("needs hard links, and says so", () => {
    const link = disk.link;
    disk.link = () => {
      throw systemError("EPERM", "link");
    };
    try {
      const error = thrownBy(() => new DirectoryLock(folder()));
      expect(error).toBeInstanceOf(DiskError);
      expect(error.message).toContain("this file system has no hard links (EPERM)");
    } finally {
      disk.link = link;
    }
  });

  it("that is not ours is not released", () => {
    const path = folder();
    const lock = new DirectoryLock(path);
    plant(path, {});
    lock.release();
    expect(fs.existsSync(join(path, "run.lock"))).toBe(true);
  });
});

describe("the lock among processes", () => {
  const compiled = compileSources(folder());
  const CONTENDER = (path: string, startAt: number) => `
    import { DirectoryLock } from "./src/io/lock.js";
    while (Date.now() < ${startAt});
    try {
      new DirectoryLock(${JSON.stringify(path)});
      console.log("won");
      process.stdin.resume();
    } catch (error) {
      console.log(error.name);
    }`;

  async function contend(path: string, starters: number): Promise<{ results: string[]; children: Child[] }> {
    // They all wait for the same moment, so that none has won before the others start.
    const startAt = Date.now() + 400;
    const children = Array.from({ length: starters }, () => startChild(compiled, CONTENDER(path, startAt)));
    return { results: await Promise.all(children.map((child) => child.firstLine)), children };
  }

  it("goes to one of four starters, and from each killed holder to one again", async () => {
    const path = folder();
    for (let round = 0; round < 5; round++) {
      const { results, children } = await contend(path, 4);
      expect(results.sort(), `round ${round}`).toEqual(["LockedError", "LockedError", "LockedError", "won"]);
      for (const child of children) child.process.kill("SIGKILL");
      await Promise.all(children.map((child) => child.gone));
      expect(fs.existsSync(join(path, "run.lock"))).toBe(true);
    }
    openRunDirectory(path).close();
    expect(fs.readdirSync(path)).toEqual([]);
  });

  it("is never held twice while many take it, release it and die", async () => {
    const path = folder();
    // A holder creates a file exclusively and removes it again: two at once would collide. Every other time it does
    // not release the lock but leaves it to a dead process, so that the others race for the succession.
    const code = `
      import { randomBytes } from "node:crypto";
      import fs from "node:fs";
      import { DirectoryLock } from "./src/io/lock.js";
      let held = 0;
      const end = Date.now() + 800;
      while (Date.now() < end) {
        let lock;
        try {
          lock = new DirectoryLock(${JSON.stringify(path)});
        } catch (error) {
          if (error.name !== "LockedError") throw error;
          continue;
        }
        fs.closeSync(fs.openSync(${JSON.stringify(join(path, "inside"))}, "wx"));
        fs.unlinkSync(${JSON.stringify(join(path, "inside"))});
        if (held++ % 2 === 0) {
          lock.release();
          continue;
        }
        const corpse = ${JSON.stringify(path)} + "/corpse" + process.pid;
        const id = randomBytes(8).toString("hex");
        fs.writeFileSync(corpse, JSON.stringify({ ...lock.holder, id, pid: 2 ** 22 + 1 }));
        fs.renameSync(corpse, ${JSON.stringify(join(path, "run.lock"))});
      }
      console.log("held " + held);`;
    const children = Array.from({ length: 3 }, () => startChild(compiled, code));
    const lines = await Promise.all(children.map((child) => child.firstLine));
    for (const line of lines) expect(line).toMatch(/^held [1-9]/);
  });
});
