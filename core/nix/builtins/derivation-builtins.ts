import type { Derivation, DerivationOutput } from "../../derivation/derivation.ts";
import { finishDerivationIn } from "../../derivation/finish-derivation.ts";
import { HashModuloCache } from "../../derivation/hash-modulo-cache.ts";
import { inputPlaceholder, outputPlaceholder } from "../../derivation/placeholder.ts";
import type { HashAlgorithm } from "../../hash/hash-algorithm.ts";
import type { ContentAddressMethod } from "../../store-path/content-address.ts";
import type { StorePath } from "../../store-path/store-path.ts";
import type { ByteString } from "../../util/bytes.ts";
import type { Evaluator } from "../evaluator.ts";
import { formatIdentifier } from "../format-literal.ts";
import { featureDisabled, findAlgorithm, parseHashOrEmpty } from "../hash-text.ts";
import { toJson } from "../json.ts";
import { fromJson } from "../parse-json.ts";
import { NixError } from "../nix-error.ts";
import { storeNameProblem } from "../store-name.ts";
import { typeName } from "../type-name.ts";
import { Attrs, contextOf, NixString, NO_POSITION, textOf, type Slot, type Value } from "../value.ts";
import { outputOf } from "./output-of.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";

/** What one evaluation has made: the hashes of its derivations, and themselves. */
type KnownDerivations = { readonly cache: HashModuloCache; readonly derivations: Map<StorePath, Derivation> };

export function derivationBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const known: KnownDerivations = { cache: new HashModuloCache({ storeDir: e.io.storeDir, getDerivation: (path) => readDerivation(e, path) }), derivations: new Map() };
  return [
    ["placeholder", 1, ([o]) => outputPlaceholder(e.forceStringNoContext(o!, NO_POSITION, "while evaluating the first argument passed to builtins.placeholder"))],
    ["outputOf", 2, ([of, name]) => outputOf(e, of!, name!, (path) => known.derivations.get(path) ?? readDerivation(e, path))],
    ["derivationStrict", 1, ([s]) => derivationStrict(e, e.forceAttrs(s!, NO_POSITION, "while evaluating the argument passed to builtins.derivationStrict"), known)],
  ];
}

const WARNED_IN_STRUCTURED = new Set(["allowedReferences", "allowedRequisites", "disallowedReferences", "disallowedRequisites", "maxSize", "maxClosureSize"]);

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
    throw e.trace(error, `while evaluating derivation '${name}'\n  whose name attribute is located at ${at === undefined ? "\u00c2\u00abnone\u00c2\u00bb" : `${at.file}:${at.line}:${at.column}`}`);
  }
}

/** What the attributes say, each evaluated in the order of the names. Nix: libexpr/primops.cc, derivationStrictInternal. */
function strictly(e: Evaluator, name: ByteString, attributes: Attrs, known: KnownDerivations): Value {
  const problem = storeNameProblem(name);
  if (problem !== undefined) throw e.error("eval", `invalid derivation name: ${problem}. Please pass a different 'name'.`);
  const flag = (key: string): boolean => {
    const slot = attributes.get(key);
    return slot !== undefined && e.forceBool(slot, NO_POSITION, `while evaluating the \`${key}\` attribute passed to builtins.derivationStrict`);
  };
  const structured = flag("__structuredAttrs");
  const ignoreNulls = flag("__ignoreNulls");
  const context = new Set<ByteString>();
  const env = new Map<ByteString, ByteString>();
  const json: ByteString[] = [];
  let builder = "";
  let platform = "";
  let args: ByteString[] = [];
  let outputNames: readonly ByteString[] = ["out"];
  let outputHash: ByteString | undefined;
  let outputHashAlgorithm: HashAlgorithm | undefined;
  let method: ContentAddressMethod | undefined;
  let contentAddressed = false;
  let impure = false;

  const readMode = (text: ByteString): void => {
    method = MODES.get(text);
    if (method === undefined) throw e.error("eval", `invalid value '${text}' for 'outputHashMode' attribute`);
    if (method === "text" && e.settings.dynamicDerivations !== true) throw featureDisabled("dynamic-derivations", ` (text-hashed derivation '${name}', outputHashMode = "text")`);
    if (method === "git" && e.settings.gitHashing !== true) throw featureDisabled("git-hashing");
  };
  const readOutputs = (names: readonly ByteString[]): void => {
    const seen = new Set<ByteString>();
    for (const output of names) {
      if (seen.has(output)) throw e.error("eval", `duplicate derivation output '${output}'`);
      if (output === "drvPath") throw e.error("eval", "invalid derivation output name 'drvPath'");
      seen.add(output);
    }
    if (names.length === 0) throw e.error("eval", "derivation cannot have an empty set of outputs");
    outputNames = [...names].sort();
  };
  /** Of those that mean something; all strings. */
  const read = (key: ByteString, text: ByteString, list: readonly ByteString[] | undefined): void => {
    if (key === "builder") builder = text;
    else if (key === "system") platform = text;
    else if (key === "outputHash") outputHash = text;
    else if (key === "outputHashAlgo") outputHashAlgorithm = findAlgorithm(text, e.settings);
    else if (key === "outputHashMode") readMode(text);
    else if (key === "outputs") readOutputs(list ?? text.split(/[ \t\n\r]+/).filter((output) => output !== ""));
  };

  attributes.shape.names.forEach((key, index) => {
    const slot = attributes.at(index);
    if (key === "__ignoreNulls") return;
    try {
      if (ignoreNulls && e.force(slot) === null) return;
      if (key === "__contentAddressed") {
        contentAddressed = e.forceBool(slot, NO_POSITION, "");
        if (contentAddressed && e.settings.caDerivations !== true) throw featureDisabled("ca-derivations");
      } else if (key === "__impure") {
        impure = e.forceBool(slot, NO_POSITION, "");
        if (impure && e.settings.impureDerivations !== true) throw featureDisabled("impure-derivations");
      } else if (key === "args") {
        args = e.forceList(slot, NO_POSITION, "").map((argument) => e.coerceToString(argument, NO_POSITION, context, "while evaluating an element of the argument list", true, true));
      } else if (structured) {
        if (key === "__structuredAttrs") return;
        json.push(`${toJson(e, key, context, true)}:${toJson(e, slot, context, true)}`);
        if (key === "builder") {
          const value = e.forceString(slot, NO_POSITION, "");
          for (const element of contextOf(value)) context.add(element);
          builder = textOf(value);
        } else if (key === "outputs") {
          read(key, "", e.forceList(slot, NO_POSITION, "").map((output) => e.forceStringNoContext(output, NO_POSITION, "")));
        } else if (STRING_IN_STRUCTURED.has(key)) read(key, e.forceStringNoContext(slot, NO_POSITION, ""), undefined);
        if (WARNED_IN_STRUCTURED.has(key)) {
          e.io.log(`warning: In a derivation named '${name}', 'structuredAttrs' disables the effect of the derivation attribute '${key}'; use 'outputChecks.<output>.${key}' instead`);
        }
      } else {
        const text = e.coerceToString(slot, NO_POSITION, context, "", true, true);
        if (key === "__json") {
          e.io.log(`warning: In derivation '${name}': setting structured attributes via '__json' is deprecated, and may be disallowed in future versions of Nix. Set '__structuredAttrs = true' instead.`);
          env.set(key, rewriteJson(e, text));
          return;
        }
        env.set(key, text);
        if (READ.has(key)) read(key, text, undefined);
      }
    } catch (error) {
      throw e.trace(error, `while evaluating attribute '${formatIdentifier(key)}' of derivation '${name}'`, e.placeOf(attributes.places, index));
    }
  });
  if (structured) env.set("__json", `{${json.join(",")}}`);

  const inputDerivations = new Map<StorePath, Set<string>>();
  const inputSources = new Set<StorePath>();
  const dynamicInputs = addInputs(e, known, context, inputDerivations, inputSources);
  if (builder === "") throw e.error("eval", "required attribute 'builder' missing");
  if (platform === "") throw e.error("eval", "required attribute 'system' missing");
  if (name.endsWith(".drv") && !(method === "text" && outputNames.length === 1 && outputNames[0] === "out")) {
    throw e.error("eval", "derivation names are allowed to end in '.drv' only if they produce a single derivation file");
  }
  for (const [file, shown] of [[`${name}.drv`, ""], ...outputNames.map((output) => [output === "out" ? name : `${name}-${output}`, output] as const)] as const) {
    const wrong = storeNameProblem(file);
    if (wrong !== undefined) throw e.error("eval", `${shown === "" ? "path" : "output path"} '${file}' is not a valid store path: ${wrong}`);
  }

  const outputs = new Map<string, DerivationOutput>();
  if (outputHash !== undefined) {
    if (outputNames.length !== 1 || outputNames[0] !== "out") throw e.error("eval", "multiple outputs are not supported in fixed-output derivations");
    const hash = parseHashOrEmpty(outputHash, outputHashAlgorithm, e.settings, (message) => e.io.log(message));
    outputs.set("out", { kind: "fixed", contentAddress: { method: method ?? "flat", hash } });
  } else if (contentAddressed || impure) {
    if (contentAddressed && impure) throw e.error("eval", "derivation cannot be both content-addressed and impure");
    for (const output of outputNames) outputs.set(output, { kind: impure ? "impure" : "floating", method: method ?? "nar", algorithm: outputHashAlgorithm ?? "sha256" });
  } else {
    for (const output of outputNames) outputs.set(output, { kind: "deferred" });
  }
  const finished = finishDerivationIn(env, { name, outputs, inputDerivations, ...(dynamicInputs.size === 0 ? {} : { dynamicInputs }), inputSources, platform, builder, args, env }, known.cache, e.io.storeDir);
  known.derivations.set(finished.path, finished.derivation);
  e.io.addDerivation(finished.path, finished.contents, finished.derivation);
  const result: [ByteString, Slot][] = [["drvPath", new NixString(`${e.io.storeDir}/${finished.path}`, new Set([`=${finished.path}`]))]];
  for (const [output, path] of finished.outputPaths) {
    const text = path === undefined ? inputPlaceholder(finished.path, output) : `${e.io.storeDir}/${path}`;
    result.push([output, new NixString(text, new Set([`!${output}!${finished.path}`]))]);
  }
  return e.makeSet(result);
}

/** What says more than the variable that it becomes. */
const READ = new Set(["builder", "system", "outputHash", "outputHashAlgo", "outputHashMode", "outputs"]);
const MODES: ReadonlyMap<ByteString, ContentAddressMethod> = new Map([["recursive", "nar"], ["nar", "nar"], ["flat", "flat"], ["text", "text"], ["git", "git"]]);
const STRING_IN_STRUCTURED = new Set(["system", "outputHash", "outputHashAlgo", "outputHashMode"]);

type DynamicNode = { readonly outputs: Set<string>; readonly dynamicOutputs: DynamicInputs };
type DynamicInputs = Map<string, DynamicNode>;

/** All that the strings of a derivation refer to; what it returns is made by derivations that are themselves built. */
function addInputs(e: Evaluator, known: KnownDerivations, context: ReadonlySet<ByteString>, derivations: Map<StorePath, Set<string>>, sources: Set<StorePath>): Map<StorePath, DynamicInputs> {
  const dynamic = new Map<StorePath, DynamicInputs>();
  const addDynamic = (path: StorePath, outputs: readonly string[]): void => {
    const [last, ...between] = outputs;
    if (!derivations.has(path)) derivations.set(path, new Set());
    let level: DynamicInputs = dynamic.get(path) ?? new Map();
    dynamic.set(path, level);
    for (const [index, output] of between.reverse().entries()) {
      const node: DynamicNode = level.get(output) ?? { outputs: new Set(), dynamicOutputs: new Map() };
      level.set(output, node);
      if (index === between.length - 1) node.outputs.add(last!);
      level = node.dynamicOutputs;
    }
  };
  const add = (path: StorePath, output: string): void => {
    const outputs = derivations.get(path);
    if (outputs === undefined) derivations.set(path, new Set([output]));
    else outputs.add(output);
  };
  // A derivation as a whole gives access to all that it was made of, and to all that any of it makes.
  const pending: StorePath[] = [];
  for (const element of context) {
    if (element.startsWith("=")) pending.push(element.slice(1) as StorePath);
    else if (element.startsWith("!")) {
      const outputs = element.slice(1).split("!");
      const path = outputs.pop() as StorePath;
      if (outputs.length === 1) add(path, outputs[0]!);
      else addDynamic(path, outputs);
    } else sources.add(element as StorePath);
  }
  const seen = new Set<StorePath>();
  while (pending.length > 0) {
    const path = pending.pop()!;
    if (seen.has(path)) continue;
    seen.add(path);
    sources.add(path);
    if (!path.endsWith(".drv")) {
      pending.push(...e.io.references(path));
      continue;
    }
    const derivation = known.derivations.get(path) ?? readDerivation(e, path);
    for (const output of derivation.outputs.keys()) add(path, output);
    pending.push(...derivation.inputSources, ...derivation.inputDerivations.keys());
  }
  return dynamic;
}

/** Structured attributes that were given as a text, as they are written again. */
function rewriteJson(e: Evaluator, text: ByteString): ByteString {
  let value: Value;
  try {
    value = fromJson(e, text);
  } catch (error) {
    throw error instanceof NixError ? e.error("eval", `cannot process __json attribute: ${error.bytes}`) : error;
  }
  if (!(value instanceof Attrs)) {
    const kind = { null: "null", bool: "boolean", int: "number", float: "number", string: "string", list: "array" }[typeName(value)] ?? "object";
    throw e.error("eval", `cannot process __json attribute: [json.exception.type_error.302] type must be object, but is ${kind}`);
  }
  return toJson(e, value, new Set(), false);
}

function readDerivation(e: Evaluator, path: StorePath): Derivation {
  const found = e.io.readDerivation?.(path);
  if (found === undefined) throw e.error("eval", `path '${e.io.storeDir}/${path}' is not valid`);
  return found;
}
