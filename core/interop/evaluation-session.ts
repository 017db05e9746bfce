import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { totalmem } from "node:os";
import { MessageChannel, Worker, type MessagePort } from "node:worker_threads";
import type { EvaluationJob, EvaluationSettings, EvaluationReads, FoundDerivation, FoundProgram, FoundSource, FromEvaluation, StoreCall, StoreObject, StoreReply } from "./evaluation-protocol.ts";
import { TsosError } from "../error/tsos-error.ts";
import { prepareEnd } from "../util/end-process.ts";
import { evaluationKey, hasEvaluation } from "./evaluation-key.ts";
import { evaluatorFile, programOf } from "./evaluation-program.ts";
import type { FlakeReport } from "./flake-report.ts";

/** Who writes to the store and builds for an evaluation; opened when it is first needed. */
export type EvaluationStore = {
  /** Begins to write; what goes wrong is told by `settle`. */
  put(objects: readonly StoreObject[]): void;
  /** After it, all that was put is valid. */
  settle(): Promise<void>;
  answer(call: StoreCall): Promise<StoreReply>;
};

export type EvaluationEnd = { readonly status: number; readonly error: string | undefined; readonly isUsage: boolean; readonly source: FoundSource | undefined; readonly reads: EvaluationReads | undefined; readonly program: FoundProgram | undefined; readonly report: FlakeReport | undefined };

/** A thread that is ready, or getting ready, to evaluate once. */
export type EvaluationSession = AsyncDisposable & {
  /** `found` is called for each derivation in turn, after all that it needs is in the store. */
  run(settings: EvaluationSettings, job: EvaluationJob, store: () => Promise<EvaluationStore>, found: (derivation: FoundDerivation) => Promise<void>): Promise<EvaluationEnd>;
};

/** Calls of the language are calls of the machine: 10,000 deep, as the reference allows. */
const STACK_MEGABYTES = 256;
/** Half of what an evaluation makes lives on: the less often the young are copied, the fewer of them are copied twice. */
const YOUNG_MEGABYTES = 128;
const MEGABYTE = 1024 * 1024;

/** After so many milliseconds there is a heap that is not worth taking apart, and time for what avoids it. */
const LONG = 250;

const NOTHING_FOUND: EvaluationEnd = { status: 0, error: undefined, isUsage: false, source: undefined, reads: undefined, program: undefined, report: undefined };

/** How much an evaluation may keep: most of the machine's memory, unless who starts this process says less. */
function heapMegabytes(): number {
  const said = Number(process.env["TSOS_NIX_MEGABYTES"]);
  return Number.isInteger(said) && said >= 64 ? said : Math.floor((totalmem() / MEGABYTE) * 0.8);
}

/**
 * A session of the thread of `worker`, beside which its program stands. The thread starts when there is something to
 * evaluate: what was evaluated before is not evaluated again (`replay-evaluation.ts`).
 *
 * @param statusOf the exit status of an evaluation that ends because the store failed so
 */
export function openEvaluation(worker: URL, statusOf?: (error: unknown) => number): EvaluationSession {
  const folder = dirname(fileURLToPath(worker));
  let started: EvaluationThread | undefined;
  return {
    async run(settings, job, openStore, found) {
      let store: Promise<EvaluationStore> | undefined;
      const needStore = (): Promise<EvaluationStore> => (store ??= openStore());
      // Each message is done with before the next one is begun.
      let work: Promise<void> = Promise.resolve();
      const answer = async (call: StoreCall): Promise<StoreReply> => {
        try {
          return await (await needStore()).answer(call);
        } catch (error) {
          return { op: "error", message: error instanceof Error ? error.message : String(error), status: statusOf?.(error) };
        }
      };
      const { cacheFolder } = settings;
      const key = cacheFolder === undefined ? undefined : evaluationKey(settings, job, programOf(readFileSync(evaluatorFile(folder))));
      if (cacheFolder !== undefined && key !== undefined && hasEvaluation(cacheFolder, key)) {
        const { replayEvaluation } = await import("./replay-evaluation.ts");
        const observations = await replayEvaluation(cacheFolder, key, settings, { answer, found });
        if (observations !== undefined) return { ...NOTHING_FOUND, reads: { observations, isRepeatable: true, calls: [] } };
      }
      const { port, bell, failure } = (started = startThread(worker, folder));
      const end = new Promise<EvaluationEnd>((resolve, reject) => {
        const handle = async (message: FromEvaluation): Promise<void> => {
          switch (message.kind) {
            case "store":
              (await needStore()).put(message.objects);
              break;
            case "call":
              port.postMessage(await answer(message.call));
              Atomics.store(new Int32Array(bell), 0, 1);
              Atomics.notify(new Int32Array(bell), 0);
              break;
            case "derivation":
              await (await store)?.settle();
              await found(message.found);
              break;
            case "end":
              await (await store)?.settle();
              resolve({ status: message.status, error: message.error, isUsage: message.isUsage === true, source: message.source, reads: message.reads, program: message.program, report: message.report });
              break;
          }
        };
        port.on("message", (message: FromEvaluation) => void (work = work.then(() => handle(message)).catch(reject)));
      });
      port.postMessage({ kind: "run", settings, job });
      return await Promise.race([end, failure]);
    },
    async [Symbol.asyncDispose]() {
      if (started === undefined) return;
      started.port.close();
      clearTimeout(started.timer);
      // Nobody need wait until its heap is gone.
      void started.thread.terminate();
    },
  };
}

type EvaluationThread = { readonly thread: Worker; readonly port: MessagePort; readonly bell: SharedArrayBuffer; readonly failure: Promise<never>; readonly timer: NodeJS.Timeout };

function startThread(worker: URL, folder: string): EvaluationThread {
  const bell = new SharedArrayBuffer(4);
  const channel = new MessageChannel();
  const thread = new Worker(worker, {
    workerData: { port: channel.port2, bell, folder },
    transferList: [channel.port2],
    resourceLimits: { stackSizeMb: STACK_MEGABYTES, maxYoungGenerationSizeMb: YOUNG_MEGABYTES, maxOldGenerationSizeMb: heapMegabytes() },
    env: {},
    argv: [],
    execArgv: [],
    trackUnmanagedFds: false,
  });
  const failure = new Promise<never>((_, reject) => {
    thread.once("error", (error) => reject(describeFailure(error)));
    thread.once("exit", (code) => reject(new Error(`the evaluation ended with code ${code}`)));
  });
  failure.catch(() => undefined);
  return { thread, port: channel.port1, bell, failure, timer: setTimeout(prepareEnd, LONG).unref() };
}

function describeFailure(error: unknown): unknown {
  if (!(error instanceof Error && "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY")) return error;
  return new TsosError({ code: "nix.out-of-memory", message: "the evaluation needs more memory than this machine has", hint: "look for a list or a string that grows without end" });
}
