import { encodeBase16 } from "../hash/base16.ts";
import { formatMethodAndAlgorithm } from "../store-path/content-address.ts";
import { DEFAULT_STORE_DIR } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { unreachable } from "../util/unreachable.ts";
import { derivationOutputPath } from "./derivation-output-paths.ts";
import type { Derivation, DerivationOutput, DynamicInput } from "./derivation.ts";

// Nix: libstore/derivations.cc, Derivation::unparse. Lists are sorted by bytes; only text that a user wrote is escaped.

/**
 * The bytes of the `.drv` file, in the one form that Nix writes.
 *
 */
export function formatDerivation(derivation: Derivation, storeDir: string = DEFAULT_STORE_DIR): ByteString {
  const inputs = sortedEntries(derivation.inputDerivations).map(([path, outputs]): AtermInput => {
    return [`${storeDir}/${path}`, outputs, derivation.dynamicInputs?.get(path)];
  });
  return formatAterm(derivation, inputs, storeDir, false);
}

/** What stands for an input: its path (or, in hashing, its hash), its outputs and what is used of those. */
export type AtermInput = readonly [key: string, outputs: ReadonlySet<string>, dynamicOutputs?: ReadonlyMap<string, DynamicInput> | undefined];

/**
 * The text with other inputs, and with `maskOutputs` without the outputs' paths: the form that is hashed.
 * `inputs` must be sorted.
 */
export function formatAterm(derivation: Derivation, inputs: readonly AtermInput[], storeDir: string, maskOutputs: boolean): ByteString {
  const { name, outputs, env } = derivation;
  const dynamic = inputs.some(([, , dynamicOutputs]) => dynamicOutputs !== undefined && dynamicOutputs.size > 0);
  let text = dynamic ? 'DrvWithVersion("xp-dyn-drv",[' : "Derive([";

  let separator = "";
  for (const [outputName, output] of sortedEntries(outputs)) {
    text += `${separator}("${outputName}",${formatOutput(name, outputName, output, storeDir, maskOutputs)})`;
    separator = ",";
  }

  text += "],[";
  separator = "";
  for (const [key, outputNames, dynamicOutputs] of inputs) {
    text += `${separator}("${key}",${formatInput(outputNames, dynamicOutputs)})`;
    separator = ",";
  }

  text += "],[";
  separator = "";
  for (const path of sortedValues(derivation.inputSources)) {
    text += `${separator}"${storeDir}/${path}"`;
    separator = ",";
  }

  text += `],${quote(derivation.platform)},${quote(derivation.builder)},[`;
  separator = "";
  for (const argument of derivation.args) {
    text += separator + quote(argument);
    separator = ",";
  }

  text += "],[";
  separator = "";
  for (const [key, value] of sortedEntries(env)) {
    text += `${separator}(${quote(key)},${maskOutputs && outputs.has(key) ? '""' : quote(value)})`;
    separator = ",";
  }
  return `${text}])`;
}

function formatOutput(name: string, outputName: string, output: DerivationOutput, storeDir: string, mask: boolean): string {
  const path = mask ? undefined : derivationOutputPath(name, outputName, output, storeDir);
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
  const names = outputs.size === 0 ? "[]" : `["${sortedValues(outputs).join('","')}"]`;
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

function sortedValues<T extends string>(set: ReadonlySet<T>): readonly T[] {
  const values = [...set];
  for (let i = 1; i < values.length; i++) {
    if (values[i - 1]! > values[i]!) return values.sort(compareByteStrings);
  }
  return values;
}
