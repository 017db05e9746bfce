import { TsosError } from "../../core/error/tsos-error.ts";
import type { Instantiation } from "../../core/derivation/instantiation.ts";
import type { ErrorData, EvaluationRequest, EvaluationResult, HostCall, HostReply, IsolateReply } from "../../core/config/protocol.ts";
import type { DeclaredInput, InputTree } from "../../core/option/declared-input.ts";
import type { ParsedSourceCall } from "../../core/config/parsed-sources.ts";
import { RAW_ANSWER, type SourceCall } from "../../core/config/source-files.ts";
import { impureNames } from "../../core/config/impure-names.ts";
import { lockRealm } from "./lock-realm.ts";
import { printed } from "./prelude.ts";

/**
 * What an evaluation may ask of the machine. Paths are relative to `folder`, which is relative to the project, or to
 * the tree of `input`.
 */
export type EvaluationHost = {
  readFile(folder: string, path: string, input?: string): string;
  readFolder(folder: string, path: string, input?: string): readonly { readonly name: string; readonly kind: "file" | "folder" | "symlink" }[];
  /** @returns the file's path relative to the project, its name, and its NAR hash as `sha256:` and base-16. */
  hashPath(folder: string, path: string, input?: string): { readonly file: string; readonly name: string; readonly narHash: string };
  fetchInput(input: DeclaredInput): InputTree;
  /** @throws TsosError always: the evaluation is started again with the module */
  demandModule(input: string, path: string): never;
  /** The activator's program text. */
  activator(): string;
  /** A file of an input that was fetched, for a Nix expression. */
  source(call: SourceCall): string;
  /** The same, parsed. */
  parsed(call: ParsedSourceCall): string;
};

/** What the isolate runs. */
export type RuntimeParts = {
  /** What `"tsos"` exports. */
  readonly api: Readonly<Record<string, unknown>>;
  /** Begins the isolate's one evaluation, before the configuration's own files run. */
  readonly open: (host: EvaluationHost, request: EvaluationRequest) => OpenEvaluation;
};

export type OpenEvaluation = {
  /** The exports of `"tsos"` that depend on the folder of the importing file, and on the input that it is of. */
  readonly inFolder: (folder: string, input?: string) => Readonly<Record<string, unknown>>;
  /** Where the bundle puts modules of inputs, by `moduleKey`. */
  readonly modules: Map<string, unknown>;
  readonly evaluate: (
    definition: unknown,
    request: EvaluationRequest,
  ) => { readonly result: EvaluationResult; readonly instantiation: Instantiation; readonly warnings: readonly string[]; readonly inputs: readonly DeclaredInput[] };
};

type CallHost = (request: string) => string;
type BundleFunction = (tsos: { readonly api: RuntimeParts["api"]; readonly in: OpenEvaluation["inFolder"]; readonly modules: OpenEvaluation["modules"] }) => unknown;

/**
 * The function that the host gets as the value of the runtime's script. It and what it returns take and give
 * nothing but texts and objects of this realm.
 */
export function createStart(parts: RuntimeParts): (call: CallHost) => (bundle: BundleFunction, request: string) => string {
  return (call) => {
    const checkRealm = lockRealm();
    const host = createHost(guard(call));
    return (bundle, text) => {
      let reply: IsolateReply;
      printed.length = 0;
      try {
        const request = JSON.parse(text) as EvaluationRequest;
        const evaluation = parts.open(host, request);
        const definition = bundle({ api: parts.api, in: evaluation.inFolder, modules: evaluation.modules });
        const outcome = evaluation.evaluate(definition, request);
        const changed = checkRealm();
        if (changed !== undefined) throw changed;
        reply = { ok: true, ...outcome, printed };
      } catch (thrown) {
        const error: unknown = checkRealm() ?? thrown;
        reply = { ok: false, errors: flatten(error).map((e) => describeError(e, 0)), printed };
      }
      try {
        return JSON.stringify(reply);
      } catch (error) {
        const failed: IsolateReply = { ok: false, errors: [describeError(error, 0)], printed: [] };
        return JSON.stringify(failed);
      }
    };
  };
}

/** What the host's function throws, such as an overflow of the stack at its very door, belongs to the host's realm. */
function guard(call: CallHost): CallHost {
  return (request) => {
    try {
      return call(request);
    } catch {
      throw new RangeError("Maximum call stack size exceeded while the host was asked");
    }
  };
}

function createHost(call: CallHost): EvaluationHost {
  const ask = <O extends HostReply["op"]>(request: Extract<HostCall, { readonly op: O }>): Extract<HostReply, { readonly op: O }> => {
    if ("path" in request && typeof request.path !== "string") throw new TsosError({ code: "config.bad-path", message: `a path must be a string, got ${typeof request.path}` });
    const reply = JSON.parse(call(JSON.stringify(request))) as HostReply;
    if (reply.op === "error") throw new TsosError({ code: reply.code, message: reply.message, hint: reply.hint, at: reply.at, data: reply.data });
    return reply as Extract<HostReply, { readonly op: O }>;
  };
  return {
    readFile: (folder, path, input) => ask({ op: "read-file", folder, path, input }).text,
    readFolder: (folder, path, input) => ask({ op: "read-folder", folder, path, input }).entries,
    hashPath: (folder, path, input) => {
      const { file, name, narHash } = ask({ op: "hash-path", folder, path, input });
      return { file, name, narHash };
    },
    fetchInput: (declared) => ask({ op: "fetch-input", declared }).tree,
    demandModule: (input, path) => {
      ask({ op: "demand-module", input, path });
      throw new TsosError({ code: "config.read-failed", message: `the module "${path}" of the input "${input}" was not there when it was asked for` });
    },
    activator: () => ask({ op: "activator" }).text,
    parsed: (request) => call(JSON.stringify(request)),
    source: (request) => {
      const answer = call(JSON.stringify(request));
      if (answer.startsWith(RAW_ANSWER)) return answer.slice(RAW_ANSWER.length);
      if (answer.startsWith('{"op":"error"')) throw new TsosError({ code: "config.read-failed", message: `"${request.path}" of the input "${request.input}" cannot be read` });
      return answer;
    },
  };
}

/** Several errors thrown as one are told one by one; of those of `core/option` the first carries the others in its data. */
function flatten(error: unknown): readonly unknown[] {
  try {
    if (error instanceof TsosError && Array.isArray(error.data["others"])) return [error, ...(error.data["others"] as readonly unknown[])];
    if (error instanceof Error && "errors" in error && Array.isArray(error.errors) && error.errors.length > 0) return error.errors.flatMap(flatten);
  } catch {
    // A proxy that throws when looked at is told as it is.
  }
  return [error];
}

const MAX_CAUSES = 8;
const TOO_LARGE = /^(Invalid (string|array|typed array|array buffer) length|Array buffer allocation failed|(Map|Set) maximum size exceeded|Invalid count value)/;
const CHANGED = /^Cannot (add property|assign to read only property|delete property|define property|redefine property)/;
const FRAME = /^ {4}at (?:.*\()?(tsos:\w+:\d+:\d+)\)?$/gm;

function describeError(error: unknown, depth: number): ErrorData {
  try {
    const isTsosError = error instanceof TsosError || isCarried(error);
    const stack = error instanceof Error || isTsosError ? String(error.stack ?? "") : "";
    const frames = [...stack.matchAll(FRAME)].map((match) => match[1]!);
    const cause = (error instanceof Error || isTsosError) && error.cause !== undefined && depth < MAX_CAUSES ? describeError(error.cause, depth + 1) : undefined;
    if (isTsosError) {
      const { code, message, hint, at, related } = error;
      const { others: _, ...data } = error.data;
      return { kind: "tsos", code, message, hint, at, related, data: plain(data), frames, stack, cause };
    }
    return { ...describeThrown(error, frames), frames, stack, cause };
  } catch {
    return { kind: "thrown", code: "config.threw", message: "the configuration threw a value that cannot be looked at", frames: [], stack: "" };
  }
}

/** One of the others: what a `TsosError` has, without being one. */
function isCarried(error: unknown): error is Pick<TsosError, "code" | "message" | "hint" | "at" | "related" | "data" | "stack" | "cause"> {
  return typeof error === "object" && error !== null && !(error instanceof Error) && "code" in error && "message" in error && "data" in error && "stack" in error;
}

function describeThrown(error: unknown, frames: readonly string[]): Pick<ErrorData, "kind" | "code" | "message" | "hint" | "data"> {
  if (!(error instanceof Error)) {
    return { kind: "thrown", code: "config.threw", message: `the configuration threw ${JSON.stringify(error) ?? String(error)}`, hint: 'throw new Error("…"), which knows its place' };
  }
  const missing = error instanceof ReferenceError ? /^(\S+) is not defined$/.exec(error.message)?.[1] : undefined;
  const instead = missing === undefined ? undefined : impureNames.get(missing);
  if (missing !== undefined && instead !== undefined) {
    return { kind: "tsos", code: "config.impure", message: `"${missing}" is not available in a configuration`, hint: instead, data: { name: missing } };
  }
  if (error instanceof EvalError && error.message.includes("Code generation from strings")) {
    return { kind: "tsos", code: "config.impure", message: '"eval" and "new Function" are not available in a configuration', hint: "write the code itself" };
  }
  if (error instanceof RangeError && error.message.startsWith("Maximum call stack")) {
    return { kind: "tsos", code: "config.too-deep", message: "the configuration calls itself without an end", hint: "look for a function that calls itself, or an option that is made from itself" };
  }
  if (error instanceof RangeError && TOO_LARGE.test(error.message)) {
    return { kind: "tsos", code: "config.too-large", message: `a value is too large: ${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`, hint: "a text has at most 512 MB; put large files into the project and name them with path(\"./file\")" };
  }
  if (error instanceof TypeError && CHANGED.test(error.message) && frames[0]?.startsWith("tsos:config") === true) {
    return { kind: "tsos", code: "option.changed-input", message: `the configuration tried to change what it was given: ${error.message}`, hint: "copy what you want to change: [...list, value] or { ...object, name: value }" };
  }
  // Code of tsos that fails with no code of the user on the stack is a bug of tsos.
  const isBug = frames.length > 0 && !frames.some((frame) => frame.startsWith("tsos:config"));
  return isBug ? { kind: "bug", code: "bug", message: `${error.name}: ${error.message}` } : { kind: "thrown", code: "config.threw", message: error.message === "" ? error.name : error.message, data: { name: error.name } };
}

/** `data` as JSON, without what JSON cannot hold. */
function plain(data: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(JSON.stringify(data, (_, value: unknown) => (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol" ? String(value) : value))) as Record<string, unknown>;
  } catch {
    return {};
  }
}
