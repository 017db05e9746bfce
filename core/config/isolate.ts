import { join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { TsosError } from "../error/tsos-error.ts";
import type { EvaluationRequest, HostCall, HostReply, IsolateReply } from "./protocol.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";

export type IsolateLimits = {
  /** Of the evaluation's heap. */
  readonly heapMegabytes: number;
  readonly stackMegabytes: number;
};

export const defaultLimits: IsolateLimits = { heapMegabytes: 2048, stackMegabytes: 64 };

/** What the isolate's thread is started with. */
export type IsolateData = {
  readonly folder: string;
  readonly hash: string;
  /** Where the thread waits for the answer to a host call. */
  readonly bell: SharedArrayBuffer;
};

export type ToIsolate = { readonly kind: "evaluate"; readonly request: EvaluationRequest; readonly code: string };
export type FromIsolate =
  | { readonly kind: "call"; readonly call: HostCall }
  | { readonly kind: "reply"; readonly reply: string }
  /** The bundle's script itself did not parse in this engine. */
  | { readonly kind: "broken"; readonly stack: string };

/** An isolate that has loaded, or is loading, the runtime. One evaluation runs in it, then it is disposed of. */
export type Isolate = AsyncDisposable & {
  /**
   * Evaluates a bundle. `answer` is asked for each host call; the isolate waits for it.
   * @throws TsosError `config.out-of-memory`, or the signal's reason.
   */
  evaluate(request: EvaluationRequest, code: string, answer: (call: HostCall) => Promise<HostReply>): Promise<IsolateReply>;
};

const WATCH_MILLISECONDS = 100;
const MEGABYTE = 1024 * 1024;

/** Starts the thread at once, so that it loads the runtime while the caller still bundles. */
export function openIsolate(runtime: RuntimeFolder, options: { readonly limits?: IsolateLimits | undefined; readonly signal?: AbortSignal | undefined } = {}): Isolate {
  const limits = options.limits ?? defaultLimits;
  const { signal } = options;
  const bell = new SharedArrayBuffer(4);
  const channel = new MessageChannel();
  const data: IsolateData = { folder: runtime.folder, hash: runtime.hash, bell };
  const worker = new Worker(join(runtime.folder, "isolate-worker.cjs"), {
    workerData: { ...data, port: channel.port2 },
    transferList: [channel.port2],
    resourceLimits: { maxOldGenerationSizeMb: limits.heapMegabytes, stackSizeMb: limits.stackMegabytes },
    // Not even the host's side of the thread sees the environment or the program's arguments.
    env: {},
    argv: [],
    execArgv: [],
    stdin: false,
  });
  const { port1: port } = channel;
  const failure = new Promise<never>((_, reject) => {
    worker.once("error", (error) => reject(toIsolateError(error, limits)));
    worker.once("exit", (code) => reject(new Error(`the isolate ended with code ${code}`)));
  });
  failure.catch(() => undefined);
  // A worker that is not needed any more must not keep the program alive.
  worker.unref();
  port.unref();

  return {
    async evaluate(request, code, answer) {
      signal?.throwIfAborted();
      worker.ref();
      port.ref();
      let settle: (reply: IsolateReply) => void = () => undefined;
      let fail: (error: unknown) => void = () => undefined;
      const outcome = new Promise<IsolateReply>((resolve, reject) => {
        settle = resolve;
        fail = reject;
      });
      const onAbort = (): void => fail(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      // Buffers are not in the heap that the engine limits.
      const before = process.memoryUsage.rss();
      const watch = setInterval(() => {
        if (process.memoryUsage.rss() - before > (limits.heapMegabytes + 512) * MEGABYTE) fail(outOfMemory(limits));
      }, WATCH_MILLISECONDS);
      port.on("message", (message: FromIsolate) => {
        switch (message.kind) {
          case "call":
            void answer(message.call)
              .catch((error: unknown): HostReply => (error instanceof TsosError ? { op: "error", code: error.code, message: error.message, hint: error.hint } : { op: "error", code: "config.read-failed", message: String(error) }))
              .then((reply) => {
                port.postMessage(JSON.stringify(reply));
                const cell = new Int32Array(bell);
                Atomics.store(cell, 0, 1);
                Atomics.notify(cell, 0);
              });
            break;
          case "reply":
            settle(JSON.parse(message.reply) as IsolateReply);
            break;
          case "broken":
            fail(new Error(`the bundle is not a script: ${message.stack}`));
            break;
        }
      });
      try {
        const message: ToIsolate = { kind: "evaluate", request, code };
        port.postMessage(message);
        return await Promise.race([outcome, failure]);
      } finally {
        clearInterval(watch);
        signal?.removeEventListener("abort", onAbort);
      }
    },
    async [Symbol.asyncDispose]() {
      port.close();
      await worker.terminate();
    },
  };
}

function toIsolateError(error: unknown, limits: IsolateLimits): unknown {
  return error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY" ? outOfMemory(limits) : error;
}

function outOfMemory(limits: IsolateLimits): TsosError {
  return new TsosError({
    code: "config.out-of-memory",
    message: `the evaluation needs more than ${limits.heapMegabytes} MB of memory`,
    hint: "look for a list or a string that grows in a loop",
    data: { limitMegabytes: limits.heapMegabytes },
  });
}
