/** Our answers: evaluates each case by itself, in a worker with the stack that the language needs. */
import { parentPort } from "node:worker_threads";
import { installBuiltins } from "../../core/nix/builtins/builtin-table.ts";
import { Evaluator } from "../../core/nix/evaluator.ts";
import { formatNixErrorBytes, NixError } from "../../core/nix/nix-error.ts";
import { createHostIo } from "../core/nix/host-io.ts";
import { NORMALISE, readResults, wrapCase, type CaseResult } from "./normalise.ts";

export type SubjectRequest = {
  readonly expressions: readonly string[];
  /** Folders of the expressions and where they really are. */
  readonly maps: readonly (readonly [string, string])[];
};

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

function evaluateAll({ expressions, maps }: SubjectRequest, post: (result: CaseResult) => void): void {
  const map = (path: string): string => {
    for (const [from, to] of maps) if (path === from || path.startsWith(`${from}/`)) return to + path.slice(from.length);
    return path;
  };
  const io = createHostIo({ home: "/root", searchPath: [], environment: {}, map });
  const evaluator = new Evaluator({ io });
  installBuiltins(evaluator);
  const normalise = evaluator.load(NORMALISE, "/normalise", "/");
  for (const expression of expressions) {
    const text = latin1(wrapCase(expression));
    io.messages.length = 0;
    io.messages.push("trace: @@0@@");
    try {
      evaluator.force(evaluator.load(text, latin1("«string»"), "/", { names: ["normalise"], values: [normalise] }));
    } catch (error) {
      if (error instanceof NixError) io.messages.push(formatNixErrorBytes(error, { showTrace: false }));
      else if (error instanceof RangeError) io.messages.push(`error: stack overflow (${error.message})`);
      else io.messages.push(`error: BUG ${error instanceof Error ? error.stack?.split("\n").slice(0, 4).join(" ") : String(error)}`);
    }
    post(readResults(io.messages.flatMap((message) => message.split("\n")), 1)[0]!);
  }
}

parentPort?.on("message", (request: SubjectRequest) => evaluateAll(request, (result) => parentPort!.postMessage(result)));
