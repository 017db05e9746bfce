// The thread in which a configuration is evaluated. It reads the runtime's script and makes a realm that has
// the language and nothing else; all that a configuration asks of the machine goes to the main thread as text.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Script, constants, createContext } from "node:vm";
import { receiveMessageOnPort, workerData, type MessagePort } from "node:worker_threads";
import { loadCachedScript } from "./cached-script.ts";
import { answerSourceCall } from "./folder-files.ts";
import type { FromIsolate, IsolateData, ToIsolate } from "./isolate.ts";
import { CONFIG_SCRIPT, RUNTIME_SCRIPT, type HostCall, type HostReply } from "./protocol.ts";

const { folder, hash, bell, port } = workerData as IsolateData & { readonly port: MessagePort };
const cell = new Int32Array(bell);

// Should an object of this realm ever reach the configuration, its constructors lead nowhere.
for (const f of [() => undefined, async () => undefined, function* () {}, async function* () {}]) {
  Object.defineProperty(Object.getPrototypeOf(f), "constructor", { value: undefined, writable: false, configurable: false });
}

// A promise of the configuration that fails has nobody to tell: evaluations are synchronous, and it is not looked at.
process.on("unhandledRejection", () => undefined);

const realm = createContext(constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false }, name: "configuration" });
const runtime = loadCachedScript(readFileSync(join(folder, "runtime.js"), "utf8"), join(folder, "runtime.cache"), hash, { filename: RUNTIME_SCRIPT });
type Enter = (bundle: unknown, request: string) => unknown;
type Start = (call: (request: string) => string) => Enter;
const start = runtime.script.runInContext(realm) as Start;
const enter = start(callHost);
const inputRoots = new Map<string, string>();

port.on("message", (message: ToIsolate) => {
  let reply: FromIsolate;
  let bundleScript: Script;
  try {
    bundleScript = new Script(message.code, { filename: CONFIG_SCRIPT });
  } catch (error) {
    // Thrown in this realm, by the engine's parser.
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    port.postMessage({ kind: "unparsed", name: error instanceof Error ? error.name : "", message: error instanceof Error ? error.message : stack, line: Number(/^tsos:config:(\d+)/.exec(stack)?.[1] ?? 0) } satisfies FromIsolate);
    return;
  }
  try {
    const bundle: unknown = bundleScript.runInContext(realm);
    const text = enter(bundle, JSON.stringify(message.request));
    reply = typeof text === "string" ? { kind: "reply", reply: text } : { kind: "broken", stack: "the runtime gave no text" };
  } catch {
    // What was thrown comes from the other realm: nothing of it may be looked at here.
    reply = { kind: "broken", stack: "the runtime did not catch an error" };
  }
  // After an evaluation the cache holds what was compiled lazily, too; as a rule this thread is ended after the reply.
  runtime.save();
  port.postMessage(reply);
});

/** Asks the main thread and waits. Texts only: an object would carry this realm with it. */
function callHost(request: string): string {
  try {
    const call = JSON.parse(request) as HostCall;
    const root = call.op === "source" && call.input !== undefined ? inputRoots.get(call.input) : undefined;
    // A Nix expression reads thousands of files; a locked tree does not change, so nobody has to note them.
    if (call.op === "source" && root !== undefined) return answerSourceCall(root, call);
    const message: FromIsolate = { kind: "call", call };
    Atomics.store(cell, 0, 0);
    port.postMessage(message);
    Atomics.wait(cell, 0, 0);
    const answer = receiveMessageOnPort(port) as { readonly message: string } | undefined;
    if (answer !== undefined) return call.op === "fetch-input" ? keepRoot(call.declared.name, answer.message) : call.op === "source" ? unwrap(answer.message) : answer.message;
  } catch {
    // Told below, as text: an error of this realm must not be thrown into the other.
  }
  const failed: HostReply = { op: "error", code: "config.read-failed", message: "the host did not answer" };
  return JSON.stringify(failed);
}

/** Answers about sources are texts of their own form. */
function unwrap(answer: string): string {
  const reply = JSON.parse(answer) as HostReply;
  return reply.op === "source" ? reply.answer : answer;
}

/** Where an input's files are is known here, and not told further. */
function keepRoot(name: string, answer: string): string {
  const reply = JSON.parse(answer) as HostReply;
  if (reply.op !== "fetch-input" || reply.root === undefined) return answer;
  const { root, ...rest } = reply;
  inputRoots.set(name, root);
  return JSON.stringify(rest);
}
