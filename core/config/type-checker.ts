import { realpathSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { TypeCheckData, TypeCheckReply } from "./type-check.ts";

/** A thread that checks one configuration as often as it is asked, each time with what it knows from before. */
export type TypeChecker = AsyncDisposable & { check(inputModules: readonly string[]): Promise<TypeCheckReply> };

export function openTypeChecker(options: { readonly file: string; readonly installation: string }): TypeChecker {
  const data: TypeCheckData = { file: realpathSync(options.file), inputModules: [], installation: options.installation, isWatching: true };
  const worker = new Worker(join(options.installation, "dist", "type-check-worker.js"), { workerData: data, stdin: false, execArgv: [] });
  let running: Promise<unknown> = Promise.resolve();
  const ended = new Promise<never>((_resolve, reject) => {
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the type checker ended with code ${code}`)));
  });
  ended.catch(() => undefined);
  return {
    check(inputModules) {
      // One at a time, so that an answer is the last question's.
      const next = running.then(() => {
        const reply = new Promise<TypeCheckReply>((resolve) => worker.once("message", resolve));
        worker.postMessage(inputModules);
        return Promise.race([reply, ended]);
      });
      running = next.catch(() => undefined);
      return next;
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate();
    },
  };
}
