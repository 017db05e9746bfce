import { TsosError } from "../error/tsos-error.ts";
import { Builtin, NixPath, type Slot, type Value } from "../nix/value.ts";
import { NixError } from "../nix/nix-error.ts";
import { findModifier, type Modifier } from "../option/modifier.ts";
import { previewValue } from "../option/preview-value.ts";
import { isNixFile } from "../package/nix-file.ts";
import { isPackage, type Package } from "../package/package.ts";
import { isSecret } from "../package/secret.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import type { Border } from "./border.ts";
import { isTooDeep } from "./nix-failures.ts";
import { parameterNames } from "./parameter-names.ts";

/** An object or list of TypeScript, looked into only when the language does. @throws TsosError `nix.not-a-value` */
export function objectToNix(border: Border, value: object): Slot {
  const { evaluator: e, texts } = border;
  if (Array.isArray(value)) return value.map((item: unknown) => border.lazily(item));
  if (isPackage(value)) return packageToNix(border, value);
  if (isSecret(value)) throw noValue("a secret", "something that may be read: a secret's contents never enter the store");
  if ("kind" in value && value.kind === "source") return texts.toNix(String(value));
  if (isNixFile(value)) return new NixPath(toByteString(value.path));
  const modifier = findModifier(value);
  if (modifier !== undefined) return modifierToNix(border, modifier);
  if (!isPlain(value)) throw noValue(`an object of ${describeClass(value)}`, "a plain object");
  return e.makeSet(
    Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([name, property]): [ByteString, Slot][] => {
      if (property.enumerable !== true || (property.get === undefined && property.value === undefined)) return [];
      if (texts.hasToken(name)) throw noValue("a name that depends on a package or value that is not known yet", "a name that is known while the module runs");
      // A getter is asked when the language wants the attribute, as it is lazy itself.
      const slot = property.get === undefined ? border.lazily(property.value) : e.lazy(() => e.force(border.callBack(() => Reflect.get(value, name))));
      return [[toByteString(name), slot]];
    }),
  );
}

/** A function of TypeScript; one that is called as a module is told what a module may see. */
export function functionToNix(border: Border, fn: (...args: readonly unknown[]) => unknown): Builtin {
  // `({ lib, stdenv }) => …` has one parameter; `(final, prev) => …` is called as `final: prev: …` is.
  const arity = Math.max(1, fn.length);
  const { evaluator: e, modules } = border;
  const formals = parameterNames(fn).map(({ name, hasDefault }) => ({ name: toByteString(name), hasDefault }));
  const run = (args: readonly Slot[]): Value => {
    const module = args.length === 1 ? modules.find(fn, args[0]!) : undefined;
    return e.force(border.callBack(() => (module === undefined ? fn(...args.map((arg) => argument(border, arg))) : modules.call(fn, module))));
  };
  return new Builtin(fn.name === "" ? "function of TypeScript" : toByteString(fn.name), arity, run, formals);
}

/**
 * What a function of TypeScript is called with. What cannot be evaluated yet (the `final` of an overlay, while the
 * overlay is being applied) or at all (an argument that fails, and that the function may ignore) is a view that is
 * evaluated when it is used.
 */
function argument(border: Border, slot: Slot): unknown {
  let value: Value;
  try {
    value = border.evaluator.force(slot);
  } catch (error) {
    // Calls that have no end would begin anew at each level.
    if (error instanceof NixError && !isTooDeep(error)) return border.pending(slot);
    throw error;
  }
  return border.show(value);
}

/** What tsos's own `lib` makes, as nixpkgs' module system knows it. Nix: lib/modules.nix */
function modifierToNix(border: Border, modifier: Modifier): Slot {
  const { evaluator: e } = border;
  const tagged = (type: string, entries: readonly (readonly [string, Slot])[]): Slot => e.makeSet([["_type", type], ...entries]);
  switch (modifier.kind) {
    case "if":
      return tagged("if", [["condition", modifier.condition], ["content", border.lazily(modifier.content)]]);
    case "merge":
      return tagged("merge", [["contents", modifier.contents.map((content) => border.lazily(content))]]);
    case "override":
      return tagged("override", [["priority", modifier.priority], ["content", border.lazily(modifier.content)]]);
    case "order":
      return tagged("order", [["priority", modifier.order], ["content", border.lazily(modifier.content)]]);
    case "assert":
      return tagged("if", [
        ["condition", e.lazy(() => {
          if (!modifier.condition) throw e.error("throw", toByteString(`\nFailed assertion: ${modifier.message}`));
          return true;
        })],
        ["content", border.lazily(modifier.content)],
      ]);
    case "forward":
      return border.lazily(modifier.content);
    case "wrong":
      return e.lazy(() => {
        throw e.error("throw", toByteString(`${modifier.expected}, got ${previewValue(modifier.got)}`));
      });
    default:
      return unreachable(modifier);
  }
}

/** A package of tsos as a derivation's set. */
function packageToNix({ evaluator: e, failures, toNix }: Border, value: Package): Slot {
  const field = (compute: () => unknown): Slot => e.lazy(() => e.force(failures.call(() => toNix(compute()))));
  const outputs = value.outputs.map((name): [ByteString, Slot] => [toByteString(name), field(() => value.output(name))]);
  return e.makeSet([
    ...outputs,
    ["type", "derivation"],
    ["name", toByteString(value.name)],
    ["pname", toByteString(value.pname)],
    ["version", toByteString(value.version)],
    ["outputs", value.outputs.map(toByteString)],
    ["outputName", toByteString(value.outputName)],
    ["outPath", field(() => value.outPath)],
    ["drvPath", field(() => value.drvPath)],
    ["meta", field(() => value.meta)],
  ]);
}

/** No instance of a class: of this realm or another. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

export function noValue(what: string, expected: string): TsosError {
  return new TsosError({ code: "nix.not-a-value", message: `${what} cannot be given to a Nix expression, expected ${expected}`, hint: "convert it first" });
}

function describeClass(value: object): string {
  const { constructor } = value as { readonly constructor?: unknown };
  return typeof constructor === "function" && constructor.name !== "" ? `the class ${constructor.name}` : "a class";
}
