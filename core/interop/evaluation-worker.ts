// What runs in the thread in which Nix expressions are evaluated. It reads files and prints by itself; what concerns the
// store it asks of the thread that started it, and waits.
import { readFileSync } from "node:fs";
import { receiveMessageOnPort, type MessagePort } from "node:worker_threads";
import { toByteString } from "../util/bytes.ts";
import { NixError } from "../nix/nix-error.ts";
import type { FromEvaluation, StoreCall, StoreObject, StoreReply, ToEvaluation } from "./evaluation-protocol.ts";
import { runEvaluation } from "./run-evaluation.ts";

/** So many derivations go to the store at once: a message a piece costs more than its contents. */
const BATCH = 64;

export type EvaluationThread = {
  readonly port: MessagePort;
  /** Rung when an answer is there. */
  readonly bell: SharedArrayBuffer;
  /** What tells this evaluator from any other: what it remembers on disk is for itself only. */
  readonly program: string;
  /** Called when all is evaluated, before that is told. */
  readonly beforeEnd: () => void;
};

/** Evaluates what comes over the port. */
export function serveEvaluations({ port, bell, program, beforeEnd }: EvaluationThread): void {
  const cell = new Int32Array(bell);
  let objects: StoreObject[] = [];
  /** Of errors that came from the store. */
  const statuses = new WeakMap<NixError, number>();

  const flush = (): void => {
    if (objects.length === 0) return;
    const message: FromEvaluation = { kind: "store", objects };
    objects = [];
    port.postMessage(message);
  };
  const send = (message: FromEvaluation): void => {
    flush();
    port.postMessage(message);
  };
  const call = (request: StoreCall): StoreReply => {
    Atomics.store(cell, 0, 0);
    send({ kind: "call", call: request });
    Atomics.wait(cell, 0, 0);
    const answer = receiveMessageOnPort(port) as { readonly message: StoreReply } | undefined;
    if (answer === undefined) throw new Error("the store did not answer");
    return answer.message;
  };

  port.on("message", ({ settings, job }: ToEvaluation) => {
    const end = runEvaluation(settings, job, {
      program,
      put: (object) => {
        objects.push(object);
        if (objects.length >= BATCH) flush();
      },
      call: <Op extends StoreCall["op"]>(request: StoreCall & { readonly op: Op }) => {
        const reply = call(request);
        if (reply.op === "error") {
          const error = new NixError("eval", toByteString(reply.message));
          if (reply.status !== undefined) statuses.set(error, reply.status);
          throw error;
        }
        return reply as StoreReply & { readonly op: Op };
      },
      found: (derivation) => send({ kind: "derivation", found: derivation }),
      statusOf: (error) => statuses.get(error) ?? 1,
      readStandardInput: () => readFileSync(0, "latin1"),
    });
    beforeEnd();
    send({ kind: "end", ...end });
  });
}
