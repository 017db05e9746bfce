import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { NixError } from "../nix/nix-error.ts";
import { Builtin, Closure, NO_POSITION, PartialBuiltin, type Slot, type Value } from "../nix/value.ts";
import { fromByteString, type ByteString } from "../util/bytes.ts";
import type { NixFailures } from "./nix-failures.ts";

/** Calls a function with all of the arguments that TypeScript gave; of wrong ones the error says what it takes. */
export function callFromTypeScript(e: Evaluator, failures: NixFailures, fn: Value, args: readonly Slot[]): Value {
  try {
    return e.call(fn, args, NO_POSITION);
  } catch (error) {
    if (!(error instanceof NixError)) throw error;
    throw error.position === undefined && error.traces.length === 0 && /^attempt to call something which is not a function/.test(error.message)
      ? tooMany(e, fn, args, error)
      : explainArguments(e, failures, fn, args, error);
  }
}

function tooMany(e: Evaluator, fn: Value, args: readonly Slot[], error: NixError): NixError {
  let taken = 0;
  for (let value = fn; taken < args.length && isFunction(value); taken++) value = e.call(value, [args[taken]!], NO_POSITION);
  if (taken === 0 || !isFunction(fn)) return error;
  const { name, place } = describeFunction(e, fn);
  const explained = new NixError("type", `function '${name}' called with ${args.length} arguments, but it takes ${taken}`, place);
  explained.advice = "f(a, b) of TypeScript is f a b of Nix; a set of arguments is one of them: f({ a, b })";
  return explained;
}

const ABOUT_SETS = /called without required argument|called with unexpected argument|^expected a set but found/;

function explainArguments(e: Evaluator, failures: NixFailures, fn: Value, args: readonly Slot[], error: NixError): NixError {
  if (!ABOUT_SETS.test(error.message)) return error;
  const at = error.position ?? error.traces[0]?.position;
  for (let i = 0, value = fn; i < args.length && value instanceof Closure; i++) {
    const { hasFormals, ellipsis, place } = e.lambdaInfo(value);
    const own = e.positionAt(place);
    if (hasFormals && own !== undefined && own.file === at?.file && own.line === at.line && own.column === at.column) {
      const names = [...e.formalsOf(value)].sort((a, b) => Number(a.hasDefault) - Number(b.hasDefault)).map(({ name, hasDefault }) => `${fromByteString(name)}${hasDefault ? "?" : ""}`);
      return failures.advise(error, { expected: `an object { ${[...names, ...(ellipsis ? ["…"] : [])].join(", ")} }` });
    }
    try {
      value = e.call(value, [args[i]!], NO_POSITION);
    } catch {
      // It is this argument that is wrong, deeper inside.
      return error;
    }
  }
  return error;
}

function isFunction(value: Value): value is Closure | Builtin | PartialBuiltin {
  return value instanceof Closure || value instanceof Builtin || value instanceof PartialBuiltin;
}

function describeFunction(e: Evaluator, fn: Closure | Builtin | PartialBuiltin): { readonly name: ByteString; readonly place: ReturnType<Evaluator["positionAt"]> } {
  if (fn instanceof Closure) {
    const { name, place } = e.lambdaInfo(fn);
    return { name: name ?? "anonymous lambda", place: e.positionAt(place) };
  }
  return { name: fn instanceof Builtin ? fn.name : fn.builtin.name, place: undefined };
}

/** What a function of the language says where a text is wanted: mostly it was called with too few arguments. */
export function refuseText(e: Evaluator, fn: Closure | Builtin | PartialBuiltin): TsosError {
  const { name, place } = describeFunction(e, fn);
  return new TsosError({
    code: "nix.not-a-text",
    message: `the Nix function "${fromByteString(name)}" cannot be put into a text`,
    hint: "call it; what was called already lacks an argument: f(a, b) of TypeScript is f a b of Nix",
    related: place === undefined ? [] : [{ file: fromByteString(place.file), line: place.line, column: place.column, note: "in the Nix expression" }],
  });
}
