import type { AutoArguments } from "../nix/auto-call.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import { describeDerivation, findDerivations } from "../nix/find-derivations.ts";
import { resolveSymlinks } from "../nix/resolve-path.ts";
import { Attrs, contextOf, NixString, NO_POSITION, NixPath, textOf, type Slot } from "../nix/value.ts";
import type { ByteString } from "../util/bytes.ts";

/** A derivation and names of its outputs or `*`; without any, a path of the store. */
export type InstallableOutputs = { readonly drvPath: ByteString; readonly outputName: ByteString; readonly outputs: readonly ByteString[] };

/**
 * What `nix build` builds of a value: derivations with outputs (those that `wish` names after `^`; without one those that
 * the package says are to be installed), or a path that a string or path value stands for.
 * Nix: libcmd/installable-attr-path.cc, installable-flake.cc
 *
 * @param shown the attribute, for messages
 * @param path where a flake's attribute was found; there only a derivation itself will do, not a set of them
 */
export function describeInstallable(e: Evaluator, slot: Slot, args: AutoArguments, { shown, wish, path }: { readonly shown: ByteString; readonly wish: ByteString | undefined; readonly path: ByteString | undefined }): readonly InstallableOutputs[] {
  const value = e.force(slot);
  const single = describeSinglePath(e, slot, path === undefined ? `attribute '${shown}'` : `flake output attribute '${path}'`);
  if (single !== undefined) return [single];
  if (path !== undefined && !(value instanceof Attrs && e.isDerivation(value))) {
    throw e.error("type", `expected flake output attribute '${path}' to be a derivation or path but found ${e.describe(value)}`);
  }
  const byPath = new Map<ByteString, InstallableOutputs>();
  for (const set of value instanceof Attrs && path !== undefined ? [value] : findDerivations(e, slot, args)) {
    const found = describeDerivation(e, set);
    const outputs = wish === undefined ? outputsToInstall(e, set, found.outputName, path !== undefined) : wish.split(",");
    const known = byPath.get(found.drvPath)?.outputs ?? [];
    const all = known.includes("*") || outputs.includes("*") ? ["*"] : [...new Set([...known, ...outputs])];
    byPath.set(found.drvPath, { ...found, outputs: all });
  }
  return [...byPath].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}

/** A string with one path in its context, or a path. Nix: libcmd/installable-value.cc */
function describeSinglePath(e: Evaluator, slot: Slot, shown: ByteString): InstallableOutputs | undefined {
  const value = e.force(slot);
  if (value instanceof NixPath) {
    if (e.io.fileKind(value.path) === undefined) throw e.error("eval", `path '${value.path}' does not exist`);
    const stored = e.io.addPath(resolveSymlinks(e.io, value.path), "source", "nar", {})!;
    return { drvPath: `${e.io.storeDir}/${stored}`, outputName: "", outputs: [] };
  }
  if (typeof value !== "string" && !(value instanceof NixString)) return undefined;
  const context = contextOf(value);
  const [element] = context;
  const refuse = (text: string): never => {
    throw e.trace(e.error("eval", text), `while evaluating the ${shown}`);
  };
  const text = textOf(value);
  if (element === undefined || context.size !== 1) return refuse(`string '${text}' has ${context.size} entries in its context. It should only have exactly one entry`);
  const output = /^!([^!]*)!(.*)$/s.exec(element);
  if (output !== null) return { drvPath: `${e.io.storeDir}/${output[2]!}`, outputName: output[1]!, outputs: [output[1]!] };
  if (element.startsWith("=")) return refuse(`string '${text}' has a context which refers to a complete source and binary closure. This is not supported at this time`);
  const expected = `${e.io.storeDir}/${element}`;
  if (text !== expected) refuse(`path string '${text}' has context with the different path '${expected}'`);
  return { drvPath: expected, outputName: "", outputs: [] };
}

/** Nix: libexpr/get-drvs.cc, queryOutputs */
function outputsToInstall(e: Evaluator, set: Attrs, outputName: ByteString, isOfFlake: boolean): readonly ByteString[] {
  const specified = set.get("outputSpecified");
  if (specified !== undefined && e.forceBool(specified, NO_POSITION, "while evaluating the 'outputSpecified' attribute of a derivation")) return [outputName];
  const names = (slot: Slot | undefined, context: string): readonly ByteString[] | undefined =>
    slot === undefined ? undefined : e.forceList(slot, NO_POSITION, context).map((name) => textOf(e.forceString(name, NO_POSITION, context)));
  const meta = set.get("meta");
  const described = meta === undefined ? undefined : e.force(meta);
  const wished = described instanceof Attrs ? names(described.get("outputsToInstall"), "while evaluating the 'meta.outputsToInstall' attribute of a derivation") : undefined;
  if (wished !== undefined && wished.length > 0) return wished;
  if (isOfFlake) return ["out"];
  const all = names(set.get("outputs"), "while evaluating the 'outputs' attribute of a derivation");
  return all === undefined || all.length === 0 ? ["out"] : all;
}
