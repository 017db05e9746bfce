import { join } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { TsosError } from "../error/tsos-error.ts";
import { defaultLimits, type IsolateLimits } from "./isolate-limits.ts";
import { CONFIG_SCRIPT, type ErrorData, type EvaluationRequest, type HostCall, type HostReply, type IsolateReply } from "./protocol.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";
import { sampleStack } from "./sample-stack.ts";

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
  /** The bundle's script did not parse in this engine; `line` counts from 1, 0 where it is not known. */
  | { readonly kind: "unparsed"; readonly name: string; readonly message: string; readonly line: number }
  | { readonly kind: "broken"; readonly stack: string };

/**
 * An isolate that has loaded, or is loading, the runtime. One evaluation runs in it, then it is disposed of; only who
 * watches a configuration lets the next one run in the same, one after the other: the realm is locked against changes.
 */
export type Isolate = AsyncDisposable & {
  /**
   * Evaluates a bundle. `answer` is asked for each host call; the isolate waits for it. What needs too much memory
   * or time is answered with `config.out-of-memory` or `config.too-slow`, with what it ran as the frames.
   * @throws the signal's reason.
   */
  evaluate(request: EvaluationRequest, code: string, answer: (call: HostCall) => Promise<HostReply>): Promise<IsolateReply>;
};

const WATCH_MILLISECONDS = 20;
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
  /** What it ran when its memory had grown. */
  let frames: readonly string[] = [];
  const failure = new Promise<IsolateReply>((resolve, reject) => {
    worker.once("error", (error) => {
      if ("code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY") resolve(failed({ ...outOfMemory(limits), frames }));
      else reject(error);
    });
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
      const began = process.cpuUsage();
      const before = process.memoryUsage.rss();
      /** What answering took is not the evaluation's. */
      let answering = 0;
      let sampledAt = 0;
      let isOver = false;
      const watch = setInterval(() => {
        if (isOver) return;
        const grown = process.memoryUsage.rss() - before;
        const limit = limits.heapMegabytes * MEGABYTE;
        // Buffers are not in the heap that the engine limits.
        if (grown > limit + 512 * MEGABYTE) {
          isOver = true;
          settle(failed({ ...outOfMemory(limits), frames }));
        } else if (grown > limit * 0.4 && grown > sampledAt * 1.5) {
          sampledAt = grown;
          void sampleStack(worker).then((sampled) => void (frames = sampled.length > 0 ? sampled : frames));
        }
        if (cpuSince(began) - answering > limits.cpuSeconds * 1e6) {
          isOver = true;
          void sampleStack(worker).then((sampled) => settle(failed({ ...tooSlow(limits), frames: sampled })));
        }
      }, WATCH_MILLISECONDS);
      const onMessage = (message: FromIsolate): void => {
        switch (message.kind) {
          case "call": {
            const asked = process.cpuUsage();
            void answer(message.call)
              .catch((error: unknown): HostReply => (error instanceof TsosError ? { op: "error", code: error.code, message: error.message, hint: error.hint, at: error.at, data: error.data } : { op: "error", code: "config.read-failed", message: String(error) }))
              .then((reply) => {
                answering += cpuSince(asked);
                port.postMessage(JSON.stringify(reply));
                const cell = new Int32Array(bell);
                Atomics.store(cell, 0, 1);
                Atomics.notify(cell, 0);
              });
            break;
          }
          case "reply":
            settle(JSON.parse(message.reply) as IsolateReply);
            break;
          case "unparsed":
            settle(failed(unparsed(message)));
            break;
          case "broken":
            fail(new Error(`the isolate failed: ${message.stack}`));
            break;
        }
      };
      port.on("message", onMessage);
      try {
        const message: ToIsolate = { kind: "evaluate", request, code };
        port.postMessage(message);
        return await Promise.race([outcome, failure]);
      } finally {
        clearInterval(watch);
        port.off("message", onMessage);
        signal?.removeEventListener("abort", onAbort);
      }
    },
    async [Symbol.asyncDispose]() {
      port.close();
      await worker.terminate();
    },
  };
}

function cpuSince(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

function failed(error: ErrorData): IsolateReply {
  return { ok: false, errors: [error], printed: [] };
}

function outOfMemory({ heapMegabytes }: IsolateLimits): ErrorData {
  return {
    kind: "tsos",
    code: "config.out-of-memory",
    message: `the evaluation needs more than ${heapMegabytes} MB of memory`,
    hint: "look for a list or a string that grows in a loop; TSOS_EVALUATION_MEGABYTES=N allows more",
    data: { limitMegabytes: heapMegabytes },
    frames: [],
    stack: "",
  };
}

function tooSlow({ cpuSeconds }: IsolateLimits): ErrorData {
  return {
    kind: "tsos",
    code: "config.too-slow",
    message: `the evaluation takes more than ${cpuSeconds} s`,
    hint: "look for a loop that does not end; TSOS_EVALUATION_SECONDS=N allows more",
    data: { limitSeconds: cpuSeconds },
    frames: [],
    stack: "",
  };
}

/** What the bundler's parser takes and the engine's does not: code of packages that is not strict, or nested too deep. */
function unparsed({ name, message, line }: Extract<FromIsolate, { readonly kind: "unparsed" }>): ErrorData {
  const isDeep = name === "RangeError";
  return {
    kind: "tsos",
    code: isDeep ? "config.too-deep" : "config.syntax",
    message: isDeep ? "a file of the configuration is nested too deep to be read" : `${message.charAt(0).toLowerCase()}${message.slice(1)}`,
    hint: isDeep ? "look for a JSON file with thousands of levels" : "all code of a configuration is strict, that of the packages it uses too",
    frames: line === 0 ? [] : [`${CONFIG_SCRIPT}:${line}:1`],
    stack: "",
  };
}
