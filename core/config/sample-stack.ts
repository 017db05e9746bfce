import { Session } from "node:inspector";
import type { Worker } from "node:worker_threads";

type WorkerMessage = {
  readonly method?: string;
  readonly params?: {
    readonly scriptId?: string;
    readonly url?: string;
    readonly callFrames?: readonly { readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number } }[];
  };
};

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
  const urls = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  // A pause that was asked for comes, however late, and who hung up by then would leave the thread standing for ever.
  let isAsked = false;
  const hangUp = (): void => session.disconnect();
  try {
    return await new Promise<readonly string[]>((resolve) => {
      timer = setTimeout(() => resolve([]), patience);
      let id = 0;
      const send = (sessionId: string, method: string): void =>
        session.post("NodeWorker.sendMessageToWorker", { sessionId, message: JSON.stringify({ id: ++id, method }) }, (error) => {
          if (error !== null) resolve([]);
        });
      session.on("NodeWorker.attachedToWorker", ({ params }) => {
        // Its own identifier is another; the title begins with the thread's.
        if (!params.workerInfo.title.startsWith(`[worker ${worker.threadId}]`)) return;
        isAsked = true;
        worker.once("exit", hangUp);
        send(params.sessionId, "Debugger.enable");
        send(params.sessionId, "Debugger.pause");
      });
      session.on("NodeWorker.receivedMessageFromWorker", ({ params }) => {
        // The engine's own protocol.
        const message = JSON.parse(params.message) as WorkerMessage;
        if (message.method === "Debugger.scriptParsed") urls.set(message.params?.scriptId ?? "", message.params?.url ?? "");
        if (message.method !== "Debugger.paused") return;
        send(params.sessionId, "Debugger.resume");
        send(params.sessionId, "Debugger.disable");
        isAsked = false;
        worker.off("exit", hangUp);
        if (timer === undefined) setImmediate(hangUp);
        const frames = message.params?.callFrames ?? [];
        resolve(frames.map(({ location }) => `${urls.get(location.scriptId) ?? ""}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`));
      });
      session.post("NodeWorker.enable", { waitForDebuggerOnStart: false }, (error) => {
        if (error !== null) resolve([]);
      });
    });
  } finally {
    clearTimeout(timer);
    timer = undefined;
    if (!isAsked) hangUp();
  }
}
