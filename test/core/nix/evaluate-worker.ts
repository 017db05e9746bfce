/** Evaluates in a worker with a large stack: the language's recursion is the machine's. One answer a request. */
import { parentPort } from "node:worker_threads";
import { installBuiltins } from "../../../core/nix/builtins/builtin-table.ts";
import { Evaluator } from "../../../core/nix/evaluator.ts";
import { formatSyntax } from "../../../core/nix/format-syntax.ts";
import { formatValue } from "../../../core/nix/format-value.ts";
import { toJson } from "../../../core/nix/json.ts";
import { formatNixError, formatNixErrorBytes, NixError } from "../../../core/nix/nix-error.ts";
import { parseNix } from "../../../core/nix/parse.ts";
import { compileNix } from "../../../core/nix/compile.ts";
import { toXml } from "../../../core/nix/xml.ts";
import { Attrs, Closure, NO_POSITION, type Slot, type Value } from "../../../core/nix/value.ts";
import type { NixIo } from "../../../core/nix/nix-io.ts";
import type { NixSettings } from "../../../core/nix/nix-settings.ts";
import { createHostIo } from "./host-io.ts";

export type EvaluateRequest = {
  readonly text: string;
  readonly file: string;
  readonly basePath: string;
  readonly mode: "parse" | "strict" | "lazy" | "json" | "xml" | "xml-locations" | "drvPath";
  readonly home?: string;
  readonly searchPath?: NixIo["searchPath"];
  readonly environment?: Readonly<Record<string, string>>;
  /** A prefix of paths and where it really is. */
  readonly map?: readonly [string, string];
  readonly attribute?: readonly string[];
  /** What a function at the top is called with: texts of expressions, or strings. */
  readonly arguments?: Readonly<Record<string, { readonly expression: string } | { readonly string: string }>>;
  readonly settings?: NixSettings;
  /** True unless it is said. */
  readonly showTrace?: boolean;
};
/** `out`: the value, or the error; `report`: the error's bytes. `messages`: traces and warnings before it. */
export type EvaluateAnswer = { readonly ok: boolean; readonly out: string; readonly report?: string; readonly messages: readonly string[]; readonly milliseconds: number };

export function evaluateRequest(request: EvaluateRequest): EvaluateAnswer {
  const start = performance.now();
  const { map } = request;
  const io = createHostIo({
    home: request.home ?? "/root",
    searchPath: request.searchPath ?? [],
    environment: request.environment ?? {},
    ...(map === undefined ? {} : { map: (path: string) => (path.startsWith(map[0]) ? map[1] + path.slice(map[0].length) : path) }),
  });
  const answer = (ok: boolean, out: string): EvaluateAnswer => ({ ok, out, messages: io.messages, milliseconds: performance.now() - start });
  try {
    const evaluator = new Evaluator({ io, settings: request.settings });
    installBuiltins(evaluator);
    if (request.mode === "parse") {
      const parsed = parseNix(request.text, request.file, { basePath: request.basePath, home: io.home, settings: request.settings, warn: (warning) => io.log(warning) });
      compileNix(parsed, new Set(evaluator.globals.keys()));
      return answer(true, formatSyntax(parsed.expression));
    }
    const given = Object.entries(request.arguments ?? {}).map(([name, value]): [string, Slot] => [
      name,
      "string" in value ? value.string : evaluator.load(value.expression, "\u00c2\u00abstring\u00c2\u00bb", request.basePath),
    ]);
    let value = evaluator.force(evaluator.load(request.text, request.file, request.basePath));
    for (const name of request.attribute ?? []) {
      const set = evaluator.forceAttrs(autoCall(evaluator, given, value), NO_POSITION, "");
      value = evaluator.force(set.get(name)!);
    }
    value = autoCall(evaluator, given, value);
    if (request.mode === "drvPath") {
      if (!(value instanceof Attrs)) throw new TypeError("no derivation");
      return answer(true, evaluator.coerceToString(value.get("drvPath")!, NO_POSITION, new Set(), "", false, false));
    }
    if (request.mode === "json") return answer(true, toJson(evaluator, value, new Set(), false));
    if (request.mode === "xml" || request.mode === "xml-locations") {
      evaluator.forceDeep(value);
      return answer(true, toXml(evaluator, value, new Set(), { locations: request.mode === "xml-locations" }).replace(/\n$/, ""));
    }
    if (request.mode === "strict") evaluator.forceDeep(value);
    return answer(true, formatValue(evaluator, value, request.mode === "lazy"));
  } catch (error) {
    if (error instanceof NixError) return { ...answer(false, formatNixError(error, { showTrace: request.showTrace ?? true })), report: formatNixErrorBytes(error, { showTrace: request.showTrace ?? true }) };
    if (error instanceof RangeError) return answer(false, `error: stack overflow (${error.message})`);
    return answer(false, `BUG ${error instanceof Error ? error.stack : String(error)}`);
  }
}

/** Calls a function that takes a set with those of the arguments that it names. */
function autoCall(evaluator: Evaluator, given: readonly [string, Slot][], value: Value): Value {
  if (value instanceof Attrs) {
    const functor = value.get("__functor");
    return functor === undefined ? value : autoCall(evaluator, given, evaluator.call(evaluator.force(functor), [value], NO_POSITION));
  }
  if (!(value instanceof Closure) || !evaluator.lambdaInfo(value).hasFormals) return value;
  const formals = new Set(evaluator.formalsOf(value).map((formal) => formal.name));
  const all = evaluator.lambdaInfo(value).ellipsis;
  return evaluator.call(value, [evaluator.makeSet(given.filter(([name]) => all || formals.has(name)))], NO_POSITION);
}

parentPort?.on("message", (request: EvaluateRequest) => parentPort!.postMessage(evaluateRequest(request)));
