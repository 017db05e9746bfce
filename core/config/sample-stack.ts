import { Session } from "node:inspector";
import type { Worker } from "node:worker_threads";
import { CONFIG_SCRIPT } from "./protocol.ts";

/** What a worker's inspector answers to `Runtime.evaluate`. */
type WorkerMessage = { readonly id?: number; readonly result?: { readonly result?: { readonly value?: unknown } } };

/**
 * A stack may have hundreds of thousands of frames: of the innermost so many those of the configuration are looked for, and
 * so many are told. (A debugger's pause would describe them all, with what is in scope in each, which takes gigabytes.)
 */
const MOST_LOOKED_AT = 20_000;
const MOST_FRAMES = 200;
const INNERMOST = 100;

/** Run in the thread on top of what it runs. */
const LOOK = `(() => {
  const { stackTraceLimit, prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = ${MOST_LOOKED_AT};
    const isTold = (site, i) => i < ${INNERMOST} || site.getFileName() === ${JSON.stringify(CONFIG_SCRIPT)};
    Error.prepareStackTrace = (_, sites) => JSON.stringify(sites.filter(isTold).slice(0, ${MOST_FRAMES}).map((site) => [site.getFileName() ?? "", site.getLineNumber(), site.getColumnNumber()]));
    return new Error().stack;
  } finally {
    Object.assign(Error, { stackTraceLimit, prepareStackTrace });
  }
})()`;

/**
 * What a thread is running now, as `file:line:column`, innermost first, while it runs on. Empty where the thread
 * does not come to a place where it can be asked within `patience` milliseconds.
 */
export async function sampleStack(worker: Worker, patience = 2000): Promise<readonly string[]> {
  const session = new Session();
  try {
    session.connect();
  } catch {
    return [];
  }
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<readonly string[]>((resolve) => {
      timer = setTimeout(() => resolve([]), patience);
      session.on("NodeWorker.attachedToWorker", ({ params }) => {
        // Its own identifier is another; the title begins with the thread's.
        if (!params.workerInfo.title.startsWith(`[worker ${worker.threadId}]`)) return;
        const message = JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression: LOOK, returnByValue: true } });
        session.post("NodeWorker.sendMessageToWorker", { sessionId: params.sessionId, message }, (error) => {
          if (error !== null) resolve([]);
        });
      });
      session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => {
        // The engine's own protocol.
        const { id, result } = JSON.parse(params.message) as WorkerMessage;
        if (id === 1) resolve(readFrames(result?.result?.value));
      });
      session.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) => {
        if (error !== null) resolve([]);
      });
    });
  } finally {
    clearTimeout(timer);
    session.disconnect();
  }
}

function readFrames(answer: unknown): readonly string[] {
  if (typeof answer !== "string") return [];
  const frames = JSON.parse(answer) as readonly (readonly [string, number, number])[];
  // What looked is in no file.
  return frames.filter(([file]) => file !== "").map(([file, line, column]) => `${file}:${line}:${column}`);
}
