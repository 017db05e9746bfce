// The process in which a configuration is evaluated, so that an engine that gives up takes nothing with it but the
// evaluation. Its one other thread evaluates and talks to the program on its own; here its time and memory are watched.
import { writeSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { IsolateData, IsolateNotice, IsolateProcessData, ThreadState } from "./isolate-messages.ts";
import { sampleStack } from "./sample-stack.ts";

const WATCH_MILLISECONDS = 20;
const MEGABYTE = 1024 * 1024;
/** Buffers are not in the heap that the engine limits. */
const BUFFER_MEGABYTES = 512;

const { limits, ...data } = JSON.parse(process.argv[2] as string) as IsolateProcessData;
const worker = new Worker(join(data.folder, "isolate-worker.cjs"), {
  workerData: data satisfies IsolateData,
  resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes, maxYoungGenerationSizeMb: limits.youngMegabytes, stackSizeMb: limits.stackMegabytes },
  // Not even the host's side of the thread sees the environment or the program's arguments.
  env: {},
  argv: [],
  execArgv: [],
  stdin: false,
});

/** What it ran when its memory had grown. */
let frames: readonly string[] = [];

function tell(notice: IsolateNotice): void {
  writeSync(1, `${JSON.stringify(notice)}\n`);
}

/** At once: an orderly end waits for the thread. */
function end(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("unreachable");
}

function giveUp(kind: "out-of-memory" | "too-slow", sampled: readonly string[]): never {
  tell({ kind, frames: sampled });
  end();
}

// The program holds the other end for as long as it lives.
process.stdin.on("end", end).on("error", end).resume();
// It has a session of its own, and ends when the program does.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);

worker.once("error", (error) => {
  if ("code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") giveUp("out-of-memory", frames);
  writeSync(2, `${error.stack ?? error.message}\n`);
  end();
});
worker.once("exit", end);

let watch: NodeJS.Timeout | undefined;
worker.on("message", (state: ThreadState) => {
  clearInterval(watch);
  if (state === "evaluates") watch = watchEvaluation();
});

function watchEvaluation(): NodeJS.Timeout {
  const began = process.cpuUsage();
  const before = process.memoryUsage.rss();
  let sampledAt = 0;
  let isOver = false;
  return setInterval(() => {
    if (isOver) return;
    const grown = process.memoryUsage.rss() - before;
    const limit = limits.heapMegabytes * MEGABYTE;
    if (grown > limit + BUFFER_MEGABYTES * MEGABYTE) giveUp("out-of-memory", frames);
    if (grown > limit * 0.1 && grown > sampledAt * 1.5) {
      sampledAt = grown;
      void sampleStack(worker).then((sampled) => {
        if (sampled.length > 0) tell({ kind: "sampled", frames: (frames = sampled) });
      });
    }
    const { user, system } = process.cpuUsage(began);
    if (user + system > limits.cpuSeconds * 1e6) {
      isOver = true;
      void sampleStack(worker).then((sampled) => giveUp("too-slow", sampled));
    }
  }, WATCH_MILLISECONDS);
}
