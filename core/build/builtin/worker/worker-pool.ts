import { Worker } from "node:worker_threads";
import { TsosError } from "../../../error/tsos-error.ts";
import type { BuiltinTask } from "./builtin-task.ts";
import type { UnpackWorkerAnswer } from "../unpack-worker.ts";

/** Runs tasks in threads, as many at once as it has. Idle threads do not keep the process alive. */
export type WorkerPool = {
  /** @throws what the task throws; an aborted task's thread is ended at once. */
  run(task: BuiltinTask, signal?: AbortSignal): Promise<void>;
};

export type WorkerPoolOptions = {
  /** The worker's code: `unpack-worker.ts`, or its bundle. */
  readonly entry: URL;
  readonly threads: number;
};

type Waiting = { readonly start: (worker: Worker) => void };

/** Threads start when there is work for them. */
export function createWorkerPool({ entry, threads }: WorkerPoolOptions): WorkerPool {
  const idle: Worker[] = [];
  const queue: Waiting[] = [];
  let alive = 0;

  const next = (): void => {
    while (queue.length > 0) {
      const worker = idle.pop() ?? (alive < threads ? startWorker() : undefined);
      if (worker === undefined) return;
      queue.shift()!.start(worker);
    }
  };

  const startWorker = (): Worker => {
    alive++;
    // Descriptors of the store are opened and closed by system calls, of which Node does not know.
    const worker = new Worker(loadableEntry(entry), { trackUnmanagedFds: false });
    worker.unref();
    worker.once("exit", () => {
      alive--;
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
      next();
    });
    return worker;
  };

  const run = async (task: BuiltinTask, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    const worker = await new Promise<Worker>((resolve, reject) => {
      const waiting: Waiting = {
        start: (given) => {
          signal?.removeEventListener("abort", leave);
          resolve(given);
        },
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", leave, { once: true });
      queue.push(waiting);
      next();
    });
    if (signal?.aborted === true) {
      idle.push(worker);
      next();
      throw signal.reason;
    }
    // Referenced while it works, so that the process waits for it.
    worker.ref();
    const { answered, outcome } = await runOn(worker, task, signal);
    if (answered) {
      worker.unref();
      idle.push(worker);
      next();
    } else await worker.terminate();
    outcome();
  };

  return { run };
}

/** From its source, a thread needs the loader that the main thread already has; a bundle needs nothing. */
function loadableEntry(entry: URL): URL {
  if (!entry.href.endsWith(".ts")) return entry;
  const loader = import.meta.resolve("tsx/esm/api");
  const code = `import { register } from ${JSON.stringify(loader)}; register(); await import(${JSON.stringify(entry.href)});`;
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`);
}

type Run = {
  /** Whether the thread is done with the task and ready for another. */
  readonly answered: boolean;
  /** Throws what went wrong, if anything did. */
  readonly outcome: () => void;
};

function runOn(worker: Worker, task: BuiltinTask, signal: AbortSignal | undefined): Promise<Run> {
  return new Promise((resolve) => {
    const finish = (answered: boolean, error?: unknown): void => {
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
      signal?.removeEventListener("abort", onAbort);
      resolve({
        answered,
        outcome: () => {
          if (error !== undefined) throw error;
        },
      });
    };
    const onMessage = (answer: UnpackWorkerAnswer): void => {
      if (answer.kind === "done") finish(true);
      else if (answer.kind === "failed") finish(true, new TsosError(answer.error));
      else finish(true, new Error(`a build worker failed: ${answer.stack}`));
    };
    const onError = (error: unknown): void => finish(false, error);
    const onExit = (code: number): void => finish(false, new Error(`a build worker ended with code ${code}`));
    const onAbort = (): void => finish(false, signal?.reason);
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.on("exit", onExit);
    signal?.addEventListener("abort", onAbort, { once: true });
    worker.postMessage(task);
  });
}
