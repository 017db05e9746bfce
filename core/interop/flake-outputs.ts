import type { Evaluator } from "../nix/evaluator.ts";
import { describeDerivation } from "../nix/find-derivations.ts";
import { NixError } from "../nix/nix-error.ts";
import { showType } from "../nix/type-name.ts";
import { Attrs, NixPath, NixString, NO_POSITION, textOf, type Slot, type Value } from "../nix/value.ts";
import type { ByteString } from "../util/bytes.ts";
import type { FoundDerivation, FoundProgram } from "./evaluation-protocol.ts";

/** The value at a path of names in a set; undefined where there is none. */
export function findAttribute(e: Evaluator, from: Slot, names: readonly ByteString[]): Slot | undefined {
  let at: Slot | undefined = from;
  for (const name of names) {
    if (at === undefined) return undefined;
    const set: Value = e.force(at);
    at = set instanceof Attrs ? set.get(name) : undefined;
  }
  return at;
}

/** The interactive bash of the `nixpkgs` that a flake has as its input, as a derivation; undefined where it has none. */
export function findFlakeBash(e: Evaluator, flake: Value, system: ByteString): FoundDerivation | undefined {
  try {
    const found = findAttribute(e, flake, ["inputs", "nixpkgs", "legacyPackages", system, "bashInteractive"]);
    const set = found === undefined ? undefined : e.force(found);
    return set instanceof Attrs && e.isDerivation(set) ? { ...describeDerivation(e, set), outputName: "out", isShell: true } : undefined;
  } catch (error) {
    // Then the shell is the machine's own bash, as it is for a flake without nixpkgs.
    if (error instanceof NixError) return undefined;
    throw error;
  }
}

/** What running a value means: an app's program, or a package's main program. Nix: src/libcmd/installables, src/nix/app.cc */
export function describeProgram(e: Evaluator, slot: Slot, shown: string, isOfFlake = false): FoundProgram {
  const set = e.force(slot);
  if (!(set instanceof Attrs)) throw isOfFlake ? e.error("missing", `attribute '${shown}.type' does not exist`) : e.error("type", `${shown} is ${showType(set)} while an app or a derivation was expected`);
  const text = (from: Attrs, name: ByteString): ByteString | undefined => {
    const found = from.get(name);
    return found === undefined ? undefined : textOf(e.forceString(found, NO_POSITION, `while evaluating the attribute '${name}' of ${shown}`));
  };
  const type = text(set, "type");
  if (type === undefined) throw e.error("missing", `attribute '${shown}.type' does not exist`);
  // Nix: src/nix/app.cc
  const expected = /^(apps|defaultApp)\./.test(shown) ? "app" : "derivation";
  if (isOfFlake ? type !== expected : type !== "app" && type !== "derivation") throw e.error("type", `attribute '${shown}' should have type '${expected}'`);
  if (type === "app") {
    const program = set.get("program");
    if (program === undefined) throw e.error("missing", `attribute '${shown}.program' does not exist`);
    const context = new Set<ByteString>();
    const kind = e.force(program);
    if (isOfFlake && !(typeof kind === "string" || kind instanceof NixString || kind instanceof NixPath)) throw e.error("type", `'${shown}.program' is not a string but ${showType(kind)}`);
    const path = e.coerceToString(program, NO_POSITION, context, `while evaluating the program of ${shown}`, false, false);
    if (isOfFlake && !path.startsWith(`${e.io.storeDir}/`)) throw e.error("eval", `app program '${path}' is not in the Nix store`);
    const needs: FoundDerivation[] = [];
    const sources: ByteString[] = [];
    for (const element of context) {
      // `!out!drv`, `=drv`, or a path.
      const output = /^!([^!]*)!(.*)$/s.exec(element);
      if (output !== null) needs.push({ drvPath: `${e.io.storeDir}/${output[2]!}`, outputName: output[1]! });
      else if (!element.startsWith("=")) sources.push(element);
    }
    return { program: path, needs, sources };
  }
  const found = describeDerivation(e, set);
  const meta = set.get("meta");
  const described = meta === undefined ? undefined : e.force(meta);
  const main = described instanceof Attrs ? text(described, "mainProgram") : undefined;
  const name = text(set, "pname") ?? (text(set, "name") ?? "").replace(/-[0-9].*$/s, "");
  const outPath = textOf(e.forceString(set.get("outPath")!, NO_POSITION, `while evaluating the path of ${shown}`));
  return { program: `${outPath}/bin/${main ?? name}`, needs: [found], sources: [] };
}

/** What building an attribute of a flake means: a derivation, or a text that one output of a derivation made. Nix: src/libcmd/installable-flake.cc */
export function describeFlakeOutput(e: Evaluator, slot: Slot, path: string): FoundDerivation {
  const value = e.force(slot);
  if (value instanceof Attrs && e.isDerivation(value)) return describeDerivation(e, value);
  const context = new Set<ByteString>();
  if (typeof value === "string" || value instanceof NixString) {
    void e.coerceToString(slot, NO_POSITION, context, "", false, false);
    const [one, ...others] = context;
    const output = one === undefined || others.length > 0 ? null : /^!([^!]*)!(.*)$/s.exec(one);
    if (output !== null) return { drvPath: `${e.io.storeDir}/${output[2]!}`, outputName: output[1]! };
  }
  throw e.error("type", `expected flake output attribute '${path}' to be a derivation or path but found ${e.describe(value)}`);
}
