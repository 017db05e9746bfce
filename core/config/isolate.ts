import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { TsosError } from "../error/tsos-error.ts";
import { ISOLATE_CHANNEL, createMessageReader, encodeMessage, type EvaluationOrder, type IsolateNotice, type IsolateProcessData, type UnparsedBundle } from "./isolate-messages.ts";
import { defaultLimits, type IsolateLimits } from "./isolate-limits.ts";
import { CONFIG_SCRIPT, type ErrorData, type EvaluationRequest, type HostCall, type HostReply, type IsolateReply } from "./protocol.ts";
import type { RuntimeFolder } from "./runtime-folder.ts";

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

export type IsolateOptions = {
  readonly limits?: IsolateLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where parsed files of the Nix language are kept; undefined to keep none. */
  readonly parsedFolder?: string | undefined;
};

/**
 * Starts the isolate's process at once, so that it loads the runtime while the caller still bundles. A process and no
 * mere thread, since the engine ends the process of a list or a string that outgrows it.
 */
export function openIsolate(runtime: RuntimeFolder, { limits = defaultLimits, signal, parsedFolder }: IsolateOptions = {}): Isolate {
  const data: IsolateProcessData = { folder: runtime.folder, hash: runtime.hash, parsedFolder, limits };
  // No realm of that process makes code of texts, the one around the configuration's neither.
  const child = spawn(process.execPath, ["--disallow-code-generation-from-strings", join(runtime.folder, "isolate-process.cjs"), JSON.stringify(data)], {
    cwd: "/",
    // The evaluation sees nothing of the environment; where the engine's libraries are is for the loader.
    env: process.env["LD_LIBRARY_PATH"] === undefined ? {} : { LD_LIBRARY_PATH: process.env["LD_LIBRARY_PATH"] },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
    // Ctrl-C is for the program, which then ends this.
    detached: true,
  });
  const channel = child.stdio[ISOLATE_CHANNEL] as Duplex;
  // What is written to a process that has ended is lost, and its end is told below.
  for (const stream of [child.stdin, channel]) stream.on("error", () => undefined);
  let frames: readonly string[] = [];
  let verdict: IsolateNotice["kind"] = "sampled";
  let lastWords = "";
  readLines(child.stdout, (line) => {
    const notice = JSON.parse(line) as IsolateNotice;
    verdict = notice.kind;
    frames = notice.frames;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => (lastWords = (lastWords + text).slice(-MAX_LAST_WORDS)));
  const failure = new Promise<IsolateReply>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, by) => {
      if (verdict === "too-slow") resolve(failed({ ...tooSlow(limits), frames }));
      else if (verdict === "out-of-memory" || (by !== null && MEMORY_SIGNALS.has(by) && lastWords !== "")) resolve(failed({ ...outOfMemory(limits, lastWords), frames }));
      else if (by === "SIGKILL" && lastWords === "") resolve(failed({ ...killed(), frames }));
      else reject(new Error(`the isolate ended with ${by ?? `code ${code}`}${lastWords === "" ? "" : `: ${lastWords}`}`));
    });
  });
  failure.catch(() => undefined);
  // One that is not needed any more must not keep the program alive.
  setWaiting(child, channel, false);

  return {
    async evaluate(request, code, answer) {
      signal?.throwIfAborted();
      setWaiting(child, channel, true);
      let settle: (reply: IsolateReply) => void = () => undefined;
      let fail: (error: unknown) => void = () => undefined;
      const outcome = new Promise<IsolateReply>((resolve, reject) => {
        settle = resolve;
        fail = reject;
      });
      const onAbort = (): void => fail(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      const onData = createMessageReader(({ kind, text }) => {
        if (kind === "call") void answerCall(JSON.parse(text) as HostCall, answer).then((reply) => channel.write(encodeMessage("call", JSON.stringify(reply))));
        else if (kind === "reply") settle(JSON.parse(text) as IsolateReply);
        else if (kind === "unparsed") settle(failed(unparsed(JSON.parse(text) as UnparsedBundle)));
        else fail(new Error(`the isolate failed: ${text}`));
      });
      channel.on("data", onData);
      try {
        channel.write(encodeMessage("evaluate", JSON.stringify({ request, code } satisfies EvaluationOrder)));
        return await Promise.race([outcome, failure]);
      } finally {
        channel.off("data", onData);
        signal?.removeEventListener("abort", onAbort);
        setWaiting(child, channel, false);
      }
    },
    [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      channel.destroy();
      return Promise.resolve();
    },
  };
}

/** By these an engine ends that has no memory. */
const MEMORY_SIGNALS: ReadonlySet<NodeJS.Signals> = new Set(["SIGABRT", "SIGTRAP", "SIGILL"]);
const MAX_LAST_WORDS = 65_536;

/** Whether the program is kept alive by the isolate. */
function setWaiting(child: ChildProcess, channel: Duplex, isWaiting: boolean): void {
  const handles = [child, child.stdin, child.stdout, child.stderr, channel] as readonly { ref?(): void; unref?(): void }[];
  for (const handle of handles) if (isWaiting) handle.ref?.(); else handle.unref?.();
}

async function answerCall(call: HostCall, answer: (call: HostCall) => Promise<HostReply>): Promise<HostReply> {
  try {
    return await answer(call);
  } catch (error) {
    if (!(error instanceof TsosError)) return { op: "error", code: "config.read-failed", message: String(error) };
    const { code, message, hint, at, data } = error;
    return { op: "error", code, message, hint, at, data };
  }
}

function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onLine);
  });
}

function failed(error: ErrorData): IsolateReply {
  return { ok: false, errors: [error], printed: [] };
}

function outOfMemory({ heapMegabytes }: IsolateLimits, lastWords = ""): ErrorData {
  const isTooLong = /invalid (size|array length)/.test(lastWords);
  return {
    kind: "tsos",
    code: "config.out-of-memory",
    message: isTooLong ? "a list of the evaluation grows longer than any can be" : `the evaluation needs more than ${heapMegabytes} MB of memory`,
    hint: "look for a list or a string that grows in a loop; TSOS_EVALUATION_MEGABYTES=N allows more",
    data: { limitMegabytes: heapMegabytes },
    frames: [],
    stack: "",
  };
}

/** It ends itself so only with a word before: this came from outside. */
function killed(): ErrorData {
  return {
    kind: "tsos",
    code: "config.out-of-memory",
    message: "the process of the evaluation was killed",
    hint: "the kernel does so where the machine runs out of memory: look for a list or a string that grows in a loop, or give the machine more",
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
function unparsed({ name, message, line }: UnparsedBundle): ErrorData {
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
