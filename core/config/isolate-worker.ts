// The thread in which a configuration is evaluated. It reads the runtime's script and makes a realm that has
// the language and nothing else; all that a configuration asks of the machine goes to the program as text.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";
import { Script, constants, createContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { hashToBase16 } from "../hash/hash.ts";
import { isHashAlgorithm } from "../hash/hash-algorithm.ts";
import type { IsolateDigest } from "../hash/isolate-digest.ts";
import { loadCachedScript } from "../util/cached-script.ts";
import { tuneEngine, untuneEngine } from "../util/tune-engine.ts";
import { answerSourceCall } from "./folder-files.ts";
import { ISOLATE_CHANNEL, readMessage, writeMessage, type EvaluationOrder, type IsolateData, type ThreadState, type UnparsedBundle } from "./isolate-messages.ts";
import type { ParsedSourceCall, ParsedSources, ParsedSourcesScript } from "./parsed-sources.ts";
import { CONFIG_SCRIPT, RUNTIME_SCRIPT, type HostCall, type HostReply } from "./protocol.ts";

const { folder, hash, parsedFolder } = workerData as IsolateData;

// Should an object of this realm ever reach the configuration, its constructors lead nowhere.
for (const f of [() => undefined, async () => undefined, function* () {}, async function* () {}]) {
  Object.defineProperty(Object.getPrototypeOf(f), "constructor", { value: undefined, writable: false, configurable: false });
}

const realm = createContext(constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: false }, name: "configuration" });
const runtime = loadCachedScript(readFileSync(join(folder, "runtime.js"), "utf8"), join(folder, "runtime.cache"), hash, { filename: RUNTIME_SCRIPT });
type Enter = (bundle: unknown, request: string) => unknown;
type Start = (call: (request: string) => string) => Enter;
const start = (runtime.script.runInContext(realm) as (digest: IsolateDigest) => Start)(digest);
const enter = start(callHost);
const inputRoots = new Map<string, string>();
let isTuned = false;
let parsed: ParsedSources | undefined;

// Nothing here waits for events: promises of the configuration, which nobody looks at, never go on.
for (let message = readMessage(ISOLATE_CHANNEL); message !== undefined; message = readMessage(ISOLATE_CHANNEL)) {
  tellState("evaluates");
  evaluate(JSON.parse(message.text) as EvaluationOrder);
  tellState("waits");
}

function evaluate({ request, code }: EvaluationOrder): void {
  let bundleScript: Script;
  try {
    bundleScript = new Script(code, { filename: CONFIG_SCRIPT });
  } catch (error) {
    // Thrown in this realm, by the engine's parser.
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const unparsed: UnparsedBundle = { name: error instanceof Error ? error.name : "", message: error instanceof Error ? error.message : stack, line: Number(/^tsos:config:(\d+)/.exec(stack)?.[1] ?? 0) };
    writeMessage(ISOLATE_CHANNEL, "unparsed", JSON.stringify(unparsed));
    return;
  }
  let reply: unknown;
  try {
    const bundle: unknown = bundleScript.runInContext(realm);
    reply = enter(bundle, JSON.stringify(request));
  } catch {
    // What was thrown comes from the other realm: nothing of it may be looked at here.
    writeMessage(ISOLATE_CHANNEL, "broken", "the runtime did not catch an error");
    return;
  }
  // After an evaluation the cache holds what was compiled lazily, too; as a rule this process is ended after the reply.
  runtime.save(() => {
    if (isTuned) untuneEngine();
    isTuned = false;
  });
  parsed?.save();
  if (typeof reply === "string") writeMessage(ISOLATE_CHANNEL, "reply", reply);
  else writeMessage(ISOLATE_CHANNEL, "broken", "the runtime gave no text");
}

function tellState(state: ThreadState): void {
  parentPort?.postMessage(state);
}

/** Asks the program and waits. Texts only: an object would carry this realm with it. */
function callHost(request: string): string {
  try {
    const call = JSON.parse(request) as HostCall | ParsedSourceCall;
    if (call.op === "parsed") return answerParsed(call);
    const root = call.op === "source" && call.input !== undefined ? inputRoots.get(call.input) : undefined;
    // A Nix expression reads thousands of files; a locked tree does not change, so nobody has to note them.
    if (call.op === "source" && root !== undefined) return answerSourceCall(root, call);
    writeMessage(ISOLATE_CHANNEL, "call", request);
    const answer = readMessage(ISOLATE_CHANNEL)?.text;
    if (answer !== undefined) return call.op === "fetch-input" ? keepRoot(call.declared.name, answer) : call.op === "source" ? unwrap(answer) : answer;
  } catch {
    // Told below, as text: an error of this realm must not be thrown into the other.
  }
  const failed: HostReply = { op: "error", code: "config.read-failed", message: "the host did not answer" };
  return JSON.stringify(failed);
}

/** Of texts alone: an object of the configuration would be looked at, and called, from this realm. */
function digest(algorithm: unknown, text: unknown): string {
  try {
    return typeof algorithm === "string" && isHashAlgorithm(algorithm) && typeof text === "string" ? hashToBase16(algorithm, text) : "";
  } catch {
    // An error of this realm, such as the end of the stack, must not be thrown into the other.
    return "";
  }
}

/** The first expression of an input is read: most configurations have none. */
function answerParsed(call: ParsedSourceCall): string {
  if (!isTuned) tuneEngine();
  isTuned = true;
  if (parsedFolder === undefined) return "null";
  parsed ??= (createRequire(join(folder, "isolate-worker.cjs"))("./parsed-sources.cjs") as ParsedSourcesScript).openParsedSources(parsedFolder, hash);
  return parsed.answer(call, call.ask === "file" ? inputRoots.get(call.input) : undefined);
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
