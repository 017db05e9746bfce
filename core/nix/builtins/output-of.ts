import type { Derivation } from "../../derivation/derivation.ts";
import { derivationOutputPaths } from "../../derivation/derivation-output-paths.ts";
import { dynamicInputPlaceholder, inputPlaceholder } from "../../derivation/placeholder.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { contextOf, displayContext, NixString, NO_POSITION, textOf, type Slot, type Value } from "../value.ts";

/**
 * `builtins.outputOf`: the path of an output of what is itself made by a derivation, or what stands for it until that is
 * built. Nix: libexpr/primops.cc, libstore/downstream-placeholder.cc
 */
export function outputOf(e: Evaluator, of: Slot, name: Slot, read: (path: StorePath) => Derivation): Value {
  const where = "while evaluating the first argument to builtins.outputOf";
  const value = e.forceString(of, NO_POSITION, where);
  const text = textOf(value);
  const context = [...contextOf(value)];
  const [element] = context;
  const fail = (message: string): never => {
    throw e.trace(e.error("eval", message), where);
  };
  if (element === undefined || context.length !== 1) return fail(`string '${text}' has ${context.length} entries in its context. It should only have exactly one entry`);
  if (element.startsWith("=")) return fail(`string '${text}' has a context which refers to a complete source and binary closure. This is not supported at this time`);
  const expected = pathText(e, element, read);
  if (text !== expected) {
    const built = splitElement(element);
    if (built === undefined) fail(`path string '${text}' has context with the different path '${expected}'`);
    else fail(`string '${text}' has context with the output '${built.output}' from derivation '${displayContext(built.of, e.io.storeDir)}', but the string is not the right placeholder for this derivation output. It should be '${expected}'`);
  }
  const output = e.forceStringNoContext(name, NO_POSITION, "while evaluating the second argument to builtins.outputOf");
  // The outermost output comes first: `!out!dev!…-x.drv` is `…-x.drv^dev^out`.
  const result = `!${output}!${element.replace(/^!/, "")}`;
  return new NixString(pathText(e, result, read), new Set([result]));
}

/** What a string with this context says. */
function pathText(e: Evaluator, element: ByteString, read: (path: StorePath) => Derivation): ByteString {
  const built = splitElement(element);
  if (built === undefined) return `${e.io.storeDir}/${element}`;
  if (splitElement(built.of) !== undefined) return dynamicInputPlaceholder(pathText(e, built.of, read), built.output);
  const path = built.of as StorePath;
  const derivation = read(path);
  if (!derivation.outputs.has(built.output)) throw e.error("eval", `derivation '${displayContext(built.of, e.io.storeDir)}' does not have output '${built.output}'`);
  const known = derivationOutputPaths(derivation, e.io.storeDir).get(built.output);
  return known === undefined ? inputPlaceholder(path, built.output) : `${e.io.storeDir}/${known}`;
}

/** `!output!of`; undefined for a path alone. */
function splitElement(element: ByteString): { readonly output: string; readonly of: ByteString } | undefined {
  const match = /^!([^!]*)!(.*)$/s.exec(element);
  return match === null ? undefined : { output: match[1]!, of: match[2]!.includes("!") ? `!${match[2]!}` : match[2]! };
}
