import type { Derivation, DerivationOutput } from "../../derivation/derivation.ts";
import { finishDerivation } from "../../derivation/finish-derivation.ts";
import { HashModuloCache } from "../../derivation/hash-modulo-cache.ts";
import { inputPlaceholder, outputPlaceholder } from "../../derivation/placeholder.ts";
import { parseHash, parseSriHash, type Hash } from "../../hash/hash.ts";
import { isHashAlgorithm, type HashAlgorithm } from "../../hash/hash-algorithm.ts";
import { parseContentAddressMethod } from "../../store-path/content-address.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import { contextOf, NO_POSITION, textOf, type Evaluator } from "../evaluator.ts";
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
  ];
}

const HASH_MODES = new Set(["recursive", "nar", "flat", "text", "git"]);

function derivationStrict(e: Evaluator, attributes: Attrs, known: KnownDerivations): Value {
  const nameSlot = attributes.get("name");
  if (nameSlot === undefined) throw e.trace(e.error("type", "attribute 'name' missing"), "in the attrset passed as argument to builtins.derivationStrict");
  const place = e.placeOf(attributes.places, attributes.shape.slotOf("name"));
  let name: ByteString;
  try {
    name = e.forceStringNoContext(nameSlot, NO_POSITION, "while evaluating the `name` attribute passed to builtins.derivationStrict");
  } catch (error) {
    throw e.trace(error, "while evaluating the derivation attribute 'name'", place);
  }
  try {
    return strictly(e, name, attributes, known);
  } catch (error) {
    const at = e.positionAt(place);
    // In words: its code says nothing.
    throw e.trace(error, `while evaluating derivation '${name}'\n  whose name attribute is located at ${at === undefined ? "\u00c2\u00abnone\u00c2\u00bb" : `${at.file}:${at.line}:${at.column}`}`);
  }
}

/** Attributes that say nothing to a builder of structured attributes. */
const WITHOUT_EFFECT = new Set(["allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites", "maxSize", "maxClosureSize"]);

/** The reference's words of a name that no store path can have. */
function nameMistake(name: ByteString): string | undefined {
  if (name === "") return "name must not be empty";
  if (name.length > 211) return `name '${name}' must be no longer than 211 characters`;
  if (name === "." || name === "..") return `name '${name}' is not valid`;
  if (name.startsWith(".-")) return `name '${name}' is not valid: first dash-separated component must not be '.'`;
  if (name.startsWith("..-")) return `name '${name}' is not valid: first dash-separated component must not be '..'`;
  const illegal = /[^0-9a-zA-Z+\-._?=]/.exec(name);
  return illegal === null ? undefined : `name '${name}' contains illegal character '${illegal[0]}'`;
}

function strictly(e: Evaluator, name: ByteString, attributes: Attrs, known: KnownDerivations): Value {
  const flag = (key: string): boolean => {
    const slot = attributes.get(key);
    return slot !== undefined && e.forceBool(slot, NO_POSITION, `while evaluating the \`${key}\` attribute passed to builtins.derivationStrict`);
  };
  const mistake = nameMistake(name);
  if (mistake !== undefined) throw e.error("eval", `invalid derivation name: ${mistake}. Please pass a different 'name'.`);
  const structured = flag("__structuredAttrs");
  const ignoreNulls = flag("__ignoreNulls");
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

  const hashMode = (text: ByteString): ByteString => {
    if (!HASH_MODES.has(text)) throw e.error("eval", `invalid value '${text}' for 'outputHashMode' attribute`);
    return text;
  };
  const checkedOutputs = (names: ByteString[]): ByteString[] => {
    names.forEach((output, index) => {
      if (names.indexOf(output) < index) throw e.error("eval", `duplicate derivation output '${output}'`);
      if (output === "drvPath") throw e.error("eval", "invalid derivation output name 'drvPath'");
    });
    if (names.length === 0) throw e.error("eval", "derivation cannot have an empty set of outputs");
    return names;
  };

  attributes.shape.names.forEach((key, index) => {
    const slot = attributes.values[index]!;
    if (key === "__ignoreNulls") return;
    try {
      if (ignoreNulls && e.force(slot) === null) return;
      if (key === "__contentAddressed") {
        contentAddressed = e.forceBool(slot, NO_POSITION, "");
        return;
      }
      if (key === "__impure") {
        impure = e.forceBool(slot, NO_POSITION, "");
        return;
      }
      if (key === "args") {
        args = e.forceList(slot, NO_POSITION, "").map((argument) => e.coerceToString(argument, NO_POSITION, context, "while evaluating an element of the argument list", true, true));
        return;
      }
      if (structured) {
        if (key === "__structuredAttrs") return;
        json.push([key, toJson(e, slot, context, true)]);
        if (key === "builder") {
          const text = e.forceString(slot, NO_POSITION, "");
          for (const element of contextOf(text)) context.add(element);
          builder = textOf(text);
        }
        else if (key === "system") platform = e.forceStringNoContext(slot, NO_POSITION, "");
        else if (key === "outputHash") outputHash = e.forceStringNoContext(slot, NO_POSITION, "");
        else if (key === "outputHashAlgo") outputHashAlgo = e.forceStringNoContext(slot, NO_POSITION, "");
        else if (key === "outputHashMode") outputHashMode = hashMode(e.forceStringNoContext(slot, NO_POSITION, ""));
        else if (key === "outputs") outputNames = checkedOutputs(e.forceList(slot, NO_POSITION, "").map((output) => e.forceStringNoContext(output, NO_POSITION, "")));
        if (WITHOUT_EFFECT.has(key)) {
          e.io.log(`warning: In a derivation named '${name}', 'structuredAttrs' disables the effect of the derivation attribute '${key}'; use 'outputChecks.<output>.${key}' instead`);
        }
        return;
      }
      const text = e.coerceToString(slot, NO_POSITION, context, "", true, true);
      if (key === "builder") builder = text;
      else if (key === "system") platform = text;
      else if (key === "outputHash") outputHash = text;
      else if (key === "outputHashAlgo") outputHashAlgo = text === "" ? undefined : text;
      else if (key === "outputHashMode") outputHashMode = hashMode(text);
      else if (key === "outputs") outputNames = checkedOutputs(text.split(/[ \t\n\r]+/).filter((output) => output !== ""));
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
