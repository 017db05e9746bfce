import type { Derivation, DerivationOutput } from "../../derivation/derivation.ts";
import { finishDerivation } from "../../derivation/finish-derivation.ts";
import { HashModuloCache } from "../../derivation/hash-modulo-cache.ts";
import { inputPlaceholder, outputPlaceholder } from "../../derivation/placeholder.ts";
import { parseHash, parseSriHash, type Hash } from "../../hash/hash.ts";
import { isHashAlgorithm, type HashAlgorithm } from "../../hash/hash-algorithm.ts";
import { parseContentAddressMethod } from "../../store-path/content-address.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import { NO_POSITION, type Evaluator } from "../evaluator.ts";
import { toJson } from "../json.ts";
import { Attrs, NixString, type Slot, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-table.ts";

/** What one evaluation has made: the hashes of its derivations and their outputs' names. */
type KnownDerivations = { readonly cache: HashModuloCache; readonly outputs: Map<StorePath, readonly string[]> };

export function derivationBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const known: KnownDerivations = { cache: new HashModuloCache({ storeDir: e.io.storeDir, getDerivation: (path) => readDerivation(e, path) }), outputs: new Map() };
  return [
    ["placeholder", 1, ([o]) => outputPlaceholder(e.forceStringNoContext(o!, NO_POSITION, "while evaluating the first argument passed to builtins.placeholder"))],
    ["derivationStrict", 1, ([s]) => derivationStrict(e, e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to builtins.derivationStrict"), known)],
    ["derivation", 1, ([s]) => derivation(e, e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to 'derivation'"))],
  ];
}

/** The set that stands for a derivation: its attributes, and one such set for each output, made when asked for. */
function derivation(e: Evaluator, attributes: Attrs): Value {
  const outputsSlot = attributes.get("outputs");
  const outputs = outputsSlot === undefined ? ["out"] : e.forceList(outputsSlot, NO_POSITION, "").map((name) => e.forceStringNoContext(name, NO_POSITION, ""));
  const strict = e.lazy(() => e.call(e.force(e.globals.get("derivationStrict")!), [attributes], NO_POSITION));
  const field = (name: ByteString): Slot => e.lazy(() => e.force((e.force(strict) as Attrs).get(name)!));
  const all: Slot[] = [];
  const common = e.mergeSets(attributes, e.makeSet([...outputs.map((name, index): [ByteString, Slot] => [name, e.lazy(() => e.force(all[index]!))]), ["all", all], ["drvAttrs", attributes]]));
  for (const name of outputs) {
    all.push(e.mergeSets(common, e.makeSet([["outPath", field(name)], ["drvPath", field("drvPath")], ["type", "derivation"], ["outputName", name]])));
  }
  return e.force(all[0]!);
}

const NOT_IN_STRUCTURED = new Set(["args", "__structuredAttrs", "__ignoreNulls", "__contentAddressed", "__impure"]);

function derivationStrict(e: Evaluator, attributes: Attrs, known: KnownDerivations): Value {
  const nameSlot = attributes.get("name");
  if (nameSlot === undefined) throw e.trace(e.error("type", "attribute 'name' missing"), "in the attrset passed as argument to builtins.derivationStrict");
  const name = e.forceStringNoContext(nameSlot, NO_POSITION, "while evaluating the `name` attribute passed to builtins.derivationStrict");
  try {
    return strictly(e, name, attributes, known);
  } catch (error) {
    throw e.trace(error, `while evaluating derivation '${name}'`, e.placeOf(attributes.places, attributes.shape.slotOf("name")));
  }
}

function strictly(e: Evaluator, name: ByteString, attributes: Attrs, known: KnownDerivations): Value {
  const flag = (key: string): boolean => {
    const slot = attributes.get(key);
    return slot !== undefined && e.forceBool(slot, NO_POSITION, `while evaluating the \`${key}\` attribute passed to builtins.derivationStrict`);
  };
  const ignoreNulls = flag("__ignoreNulls");
  const structured = flag("__structuredAttrs");
  const context = new Set<ByteString>();
  const env = new Map<ByteString, ByteString>();
  const json: [ByteString, ByteString][] = [];
  let builder = "";
  let platform = "";
  let args: ByteString[] = [];
  let outputNames: ByteString[] = ["out"];
  let outputHash: ByteString | undefined;
  let outputHashAlgo: ByteString | undefined;
  let outputHashMode: ByteString | undefined;
  let contentAddressed = false;
  let impure = false;

  attributes.shape.names.forEach((key, index) => {
    const slot = attributes.values[index]!;
    if (key === "__ignoreNulls") return;
    try {
      if (ignoreNulls && e.force(slot) === null) return;
      if (key === "__contentAddressed") {
        contentAddressed = e.forceBool(slot, NO_POSITION, "");
        if (contentAddressed) return;
      }
      if (key === "__impure") {
        impure = e.forceBool(slot, NO_POSITION, "");
        if (impure) return;
      }
      if (key === "args") {
        args = e.forceList(slot, NO_POSITION, "").map((argument) => e.coerceToString(argument, NO_POSITION, context, "while evaluating an element of the argument list", true, true));
        return;
      }
      if (structured) {
        if (key === "__structuredAttrs") return;
        if (!NOT_IN_STRUCTURED.has(key)) json.push([key, toJson(e, slot, context, true)]);
        if (key === "builder") builder = e.coerceToString(slot, NO_POSITION, context, "", true, true);
        else if (key === "system") platform = e.forceStringNoContext(slot, NO_POSITION, "");
        else if (key === "outputHash") outputHash = e.forceStringNoContext(slot, NO_POSITION, "");
        else if (key === "outputHashAlgo") outputHashAlgo = e.force(slot) === null ? undefined : e.forceStringNoContext(slot, NO_POSITION, "");
        else if (key === "outputHashMode") outputHashMode = e.forceStringNoContext(slot, NO_POSITION, "");
        else if (key === "outputs") outputNames = e.forceList(slot, NO_POSITION, "").map((output) => e.forceStringNoContext(output, NO_POSITION, ""));
        return;
      }
      const text = e.coerceToString(slot, NO_POSITION, context, "", true, true);
      if (key === "builder") builder = text;
      else if (key === "system") platform = text;
      else if (key === "outputHash") outputHash = text;
      else if (key === "outputHashAlgo") outputHashAlgo = text === "" ? undefined : text;
      else if (key === "outputHashMode") outputHashMode = text;
      else if (key === "outputs") outputNames = text.split(/[ \t\n\r]+/).filter((output) => output !== "");
      env.set(key, text);
    } catch (error) {
      throw e.trace(error, `while evaluating attribute '${key}' of derivation '${name}'`, e.placeOf(attributes.places, index));
    }
  });
  if (structured) env.set("__json", `{${json.map(([key, value]) => `${toJson(e, key, new Set(), true)}:${value}`).join(",")}}`);
  if (builder === "") throw e.error("eval", "required attribute 'builder' missing");
  if (platform === "") throw e.error("eval", "required attribute 'system' missing");
  if (name.endsWith(".drv") && !(contentAddressed && outputHashMode === "text")) {
    throw e.error("eval", "derivation names are allowed to end in '.drv' only if they produce a single derivation file");
  }
  const seen = new Set<ByteString>();
  for (const output of outputNames) {
    if (seen.has(output)) throw e.error("eval", `duplicate derivation output '${output}'`);
    if (output === "drv" || output === "drvPath") throw e.error("eval", `invalid derivation output name '${output}'`);
    seen.add(output);
  }
  if (outputNames.length === 0) throw e.error("eval", "derivation cannot have an empty set of outputs");

  const inputDerivations = new Map<StorePath, Set<string>>();
  const inputSources = new Set<StorePath>();
  const addInput = (path: StorePath, output: string): void => {
    const outputs = inputDerivations.get(path);
    if (outputs === undefined) inputDerivations.set(path, new Set([output]));
    else outputs.add(output);
  };
  for (const element of context) {
    if (element.startsWith("=")) {
      // The derivation itself and all that it makes.
      const path = element.slice(1) as StorePath;
      inputSources.add(path);
      for (const output of known.outputs.get(path) ?? e.io.readDerivation?.(path)?.outputs.keys() ?? []) addInput(path, output);
    } else if (element.startsWith("!")) {
      const [, output, path] = /^!(.*)!([^!]*)$/.exec(element)!;
      addInput(path as StorePath, output!);
    } else inputSources.add(element as StorePath);
  }

  const outputs = new Map<string, DerivationOutput>();
  if (outputHash !== undefined) {
    if (outputNames.length !== 1 || outputNames[0] !== "out") throw e.error("eval", "multiple outputs are not supported in fixed-output derivations");
    const method = parseContentAddressMethod(outputHashMode === undefined ? "flat" : outputHashMode === "recursive" ? "nar" : outputHashMode);
    outputs.set("out", { kind: "fixed", contentAddress: { method, hash: fixedHash(outputHash, outputHashAlgo) } });
  } else if (contentAddressed || impure) {
    const method = parseContentAddressMethod(outputHashMode === undefined || outputHashMode === "recursive" ? "nar" : outputHashMode);
    const algorithm: HashAlgorithm = outputHashAlgo !== undefined && isHashAlgorithm(outputHashAlgo) ? outputHashAlgo : "sha256";
    for (const output of outputNames) outputs.set(output, { kind: impure ? "impure" : "floating", method, algorithm });
  } else {
    for (const output of outputNames) outputs.set(output, { kind: "deferred" });
  }
  const unfinished: Derivation = { name, outputs, inputDerivations, inputSources, platform, builder, args, env };
  const finished = finishDerivation(unfinished, known.cache, e.io.storeDir);
  known.outputs.set(finished.path, outputNames);
  e.io.addDerivation(finished.path, finished.contents, finished.derivation);
  const result: [ByteString, Slot][] = [["drvPath", new NixString(`${e.io.storeDir}/${finished.path}`, new Set([`=${finished.path}`]))]];
  for (const [output, path] of finished.outputPaths) {
    const text = path === undefined ? inputPlaceholder(finished.path, output) : `${e.io.storeDir}/${path}`;
    result.push([output, new NixString(text, new Set([`!${output}!${finished.path}`]))]);
  }
  return e.makeSet(result);
}



function fixedHash(text: ByteString, algorithm: ByteString | undefined): Hash {
  const known = algorithm !== undefined && isHashAlgorithm(algorithm) ? algorithm : undefined;
  return known === undefined && text.includes("-") ? parseSriHash(text) : parseHash(text, known);
}

function readDerivation(e: Evaluator, path: StorePath): Derivation {
  const found = e.io.readDerivation?.(path);
  if (found === undefined) throw e.error("eval", `path '${e.io.storeDir}/${path}' is not valid`);
  return found;
}
