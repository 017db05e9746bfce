import { parentPort } from "node:worker_threads";
import { TsosError } from "../../error/tsos-error.ts";
import type { TsosErrorInit } from "../../error/tsos-error.ts";
import { runBuiltinTask } from "./worker/builtin-task.ts";
import type { BuiltinTask } from "./worker/builtin-task.ts";

/** What a worker answers: a `TsosError` as its parts, since a message carries no class of ours. */
export type UnpackWorkerAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: TsosErrorInit }
  | { readonly kind: "crashed"; readonly stack: string };

// The entry of a worker thread: one task after the other.
parentPort?.on("message", (task: BuiltinTask) => {
  runBuiltinTask(task).then(
    () => answer({ kind: "done" }),
    (error: unknown) => answer(describe(error)),
  );
});

function answer(message: UnpackWorkerAnswer): void {
  parentPort?.postMessage(message);
}

function describe(error: unknown): UnpackWorkerAnswer {
  if (error instanceof TsosError) {
    const { code, message, hint, data } = error;
    return { kind: "failed", error: { code, message, hint, data } };
  }
  return { kind: "crashed", stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
