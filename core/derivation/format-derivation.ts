import { encodeBase16 } from "../hash/base16.ts";
import { formatMethodAndAlgorithm } from "../store-path/content-address.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { unreachable } from "../util/unreachable.ts";
import { derivationOutputPath } from "./derivation-output-paths.ts";
import type { Derivation, DerivationOutput, DynamicInput } from "./derivation.ts";

// Nix: libstore/derivations.cc, Derivation::unparse. Lists are sorted by bytes; only text that a user wrote is escaped.

/**
 * What the texts of one derivation have in common: its file, what is hashed for its outputs' paths, and what its users
 * hash. Whoever makes several of them hands the same object to each.
 */
export type SharedText = {
  /** All that follows the inputs, cut where the value of an output's variable stands, and those outputs. */
  rest?: { readonly segments: readonly string[]; readonly outputNames: readonly string[] };
  /** The inputs by their hashes, as they stand in the text, and whether one of them is known only after a build. */
  hashedInputs?: { readonly text: string; readonly deferred: boolean };
  /** Where its fixed outputs are, and their hashes as they count for its users. */
  fixedPaths?: Map<string, StorePath>;
  fixedHashes?: ReadonlyMap<string, string>;
};

/** The same as `derivationOutputPath`, of a derivation of which this is known. */
export function sharedOutputPath(shared: SharedText, name: string, outputName: string, output: DerivationOutput, storeDir: string): StorePath | undefined {
  if (output.kind !== "fixed") return derivationOutputPath(name, outputName, output, storeDir);
  let path = shared.fixedPaths?.get(outputName);
  if (path === undefined) {
    path = derivationOutputPath(name, outputName, output, storeDir)!;
    (shared.fixedPaths ??= new Map()).set(outputName, path);
  }
  return path;
}

/** The bytes of the `.drv` file, in the one form that Nix writes. */
export function formatDerivation(derivation: Derivation, storeDir: string = DEFAULT_STORE_DIR, shared: SharedText = {}): ByteString {
  const inputs = sortedEntries(derivation.inputDerivations).map(([path, outputs]): AtermInput => {
    return [`${storeDir}/${path}`, outputs, derivation.dynamicInputs?.get(path)];
  });
  return formatAterm(derivation, formatInputs(inputs), storeDir, { maskOutputs: false, dynamic: inputs.some(isDynamic), shared });
}

/** What stands for an input: its path (or, in hashing, its hash), its outputs and what is used of those. */
export type AtermInput = readonly [key: string, outputs: ReadonlySet<string>, dynamicOutputs?: ReadonlyMap<string, DynamicInput> | undefined];

function isDynamic([, , dynamicOutputs]: AtermInput): boolean {
  return dynamicOutputs !== undefined && dynamicOutputs.size > 0;
}

/** `inputs` must be sorted. */
export function formatInputs(inputs: readonly AtermInput[]): string {
  let text = "";
  for (const [key, outputNames, dynamicOutputs] of inputs) text += `${text === "" ? "" : ","}("${key}",${formatInput(outputNames, dynamicOutputs)})`;
  return text;
}

/** The text with other inputs, and with `maskOutputs` without the outputs' paths: the form that is hashed. */
export function formatAterm(
  derivation: Derivation,
  inputs: string,
  storeDir: string,
  options: { readonly maskOutputs: boolean; readonly dynamic: boolean; readonly shared: SharedText },
): ByteString {
  const { name, outputs, env } = derivation;
  const { maskOutputs, dynamic, shared } = options;
  let text = dynamic ? 'DrvWithVersion("xp-dyn-drv",[' : "Derive([";
  let separator = "";
  for (const [outputName, output] of sortedEntries(outputs)) {
    text += `${separator}("${outputName}",${formatOutput(shared, name, outputName, output, storeDir, maskOutputs)})`;
    separator = ",";
  }
  const { segments, outputNames } = (shared.rest ??= splitRest(derivation, storeDir));
  text += `],[${inputs}${segments[0]!}`;
  for (let i = 0; i < outputNames.length; i++) text += (maskOutputs ? '""' : quote(env.get(outputNames[i]!)!)) + segments[i + 1]!;
  return text;
}

function splitRest(derivation: Derivation, storeDir: string): SharedText["rest"] & {} {
  const segments: string[] = [];
  const outputNames: string[] = [];
  let text = "],[";
  let separator = "";
  for (const path of sortedValues(derivation.inputSources)) {
    text += `${separator}"${storeDir}/${path}"`;
    separator = ",";
  }
  // The platform is taken as it is, too, though a user wrote it.
  text += `],"${derivation.platform}",${quote(derivation.builder)},[`;
  separator = "";
  for (const argument of derivation.args) {
    text += separator + quote(argument);
    separator = ",";
  }
  text += "],[";
  separator = "";
  for (const key of sortedValues(derivation.env.keys())) {
    text += `${separator}(${quote(key)},`;
    if (derivation.outputs.has(key)) {
      segments.push(text);
      outputNames.push(key);
      text = ")";
    } else text += `${quote(derivation.env.get(key)!)})`;
    separator = ",";
  }
  segments.push(`${text}])`);
  return { segments, outputNames };
}

function formatOutput(shared: SharedText, name: string, outputName: string, output: DerivationOutput, storeDir: string, mask: boolean): string {
  const path = mask ? undefined : sharedOutputPath(shared, name, outputName, output, storeDir);
  const shown = path === undefined ? '""' : `"${storeDir}/${path}"`;
  switch (output.kind) {
    case "input-addressed":
    case "deferred":
      return `${shown},"",""`;
    case "fixed": {
      const { method, hash } = output.contentAddress;
      return `${shown},"${formatMethodAndAlgorithm(method, hash.algorithm)}","${encodeBase16(hash.digest)}"`;
    }
    case "floating":
      return `"","${formatMethodAndAlgorithm(output.method, output.algorithm)}",""`;
    case "impure":
      return `"","${formatMethodAndAlgorithm(output.method, output.algorithm)}","impure"`;
    default:
      return unreachable(output);
  }
}

function formatInput(outputs: ReadonlySet<string>, dynamicOutputs: ReadonlyMap<string, DynamicInput> | undefined): string {
  // Most are used for one output.
  const names = outputs.size === 0 ? "[]" : outputs.size === 1 ? `["${outputs.values().next().value!}"]` : `["${sortedValues(outputs).join('","')}"]`;
  if (dynamicOutputs === undefined || dynamicOutputs.size === 0) return names;
  const inner = sortedEntries(dynamicOutputs).map(([outputName, node]) => `("${outputName}",${formatInput(node.outputs, node.dynamicOutputs)})`);
  return `(${names},[${inner.join(",")}])`;
}

const SPECIAL = /["\\\n\r\t]/;

function quote(text: ByteString): string {
  if (!SPECIAL.test(text)) return `"${text}"`;
  // Passes of native code over the whole are several times faster than a callback for each character.
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `"${escaped}"`;
}

/** Most maps come from a sorted text, and then need no sorting. */
function sortedEntries<K extends string, V>(map: ReadonlyMap<K, V>): readonly (readonly [K, V])[] {
  const entries = [...map];
  for (let i = 1; i < entries.length; i++) {
    if (entries[i - 1]![0] > entries[i]![0]) return entries.sort((a, b) => compareByteStrings(a[0], b[0]));
  }
  return entries;
}

function sortedValues<T extends string>(set: Iterable<T>): readonly T[] {
  const values = [...set];
  for (let i = 1; i < values.length; i++) {
    if (values[i - 1]! > values[i]!) return values.sort(compareByteStrings);
  }
  return values;
}
