import { TsosError } from "../error/tsos-error.ts";
import { formatHash, hashToBase16 } from "../hash/hash.ts";
import { formatMethodAndAlgorithm } from "../store-path/content-address.ts";
import { DEFAULT_STORE_DIR, formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import type { Derivation } from "./derivation.ts";
import { formatAterm, formatInputs, sharedOutputPath, type SharedText } from "./format-derivation.ts";

/**
 * A derivation's identity by what it builds: fixed outputs count by their hash alone, however they are fetched.
 * - `regular`: one SHA-256 for all outputs.
 * - `fixed`: a hash for each output.
 * - `deferred`: an output or an input is known only after a build. The hash makes no path; it is the name of what will be
 *   built, under which realisations are kept. None where it is built anew each time, or an input is made during the build.
 *
 * `base16` is what the users' texts hold.
 */
export type HashModulo =
  | { readonly kind: "regular"; readonly base16: string }
  | { readonly kind: "fixed"; readonly base16: ReadonlyMap<string, string> }
  | { readonly kind: "deferred"; readonly base16: string | undefined };

const UNNAMED: HashModulo = { kind: "deferred", base16: undefined };

/**
 * @param lookup the hash modulo of an input, as `HashModuloCache.get`
 * @param maskOutputs whether the outputs' own paths are left out: so for the paths themselves, and not for
 *   what the users of this derivation hash
 */
export function hashDerivationModulo(
  derivation: Derivation,
  lookup: (path: StorePath) => HashModulo,
  options: { readonly maskOutputs: boolean; readonly storeDir?: string | undefined; readonly shared?: SharedText | undefined },
): HashModulo {
  // Nix: libstore/derivations.cc, hashDerivationModulo.
  const { maskOutputs, storeDir = DEFAULT_STORE_DIR, shared = {} } = options;
  const { name, outputs } = derivation;
  const kinds = new Set<string>();
  for (const output of outputs.values()) kinds.add(output.kind);
  if (kinds.has("impure")) return UNNAMED;
  if (kinds.has("fixed")) {
    if (shared.fixedHashes !== undefined) return { kind: "fixed", base16: shared.fixedHashes };
    const base16 = new Map<string, string>();
    for (const [outputName, output] of outputs) {
      if (output.kind !== "fixed") throw mixedOutputs(name);
      const { method, hash } = output.contentAddress;
      const path = formatStorePath(sharedOutputPath(shared, name, outputName, output, storeDir)!, storeDir);
      const inner = `fixed:out:${formatMethodAndAlgorithm(method, hash.algorithm)}:${formatHash(hash, "base16")}:${path}`;
      base16.set(outputName, hashToBase16("sha256", inner));
    }
    shared.fixedHashes = base16;
    return { kind: "fixed", base16 };
  }
  // What an input turns out to be a derivation of counts only by what the text has for it.
  const dynamic = derivation.dynamicInputs !== undefined && derivation.dynamicInputs.size > 0;
  const inputs = (shared.hashedInputs ??= formatHashedInputs(derivation, lookup));
  if (inputs === undefined) return UNNAMED;
  const base16 = hashToBase16("sha256", formatAterm(derivation, inputs.text, storeDir, { maskOutputs, dynamic, shared }));
  // A derivation whose outputs are left to compute is hashed all the same when they are masked; otherwise its
  // text is hashed without paths that it will have.
  const deferred = dynamic || inputs.deferred || kinds.has("floating") || (!maskOutputs && kinds.has("deferred"));
  return deferred ? { kind: "deferred", base16 } : { kind: "regular", base16 };
}

/** Undefined where an input has no hash. */
function formatHashedInputs(derivation: Derivation, lookup: (path: StorePath) => HashModulo): SharedText["hashedInputs"] {
  // Inputs that are the same modulo fixed outputs fall together.
  const inputs = new Map<string, ReadonlySet<string>>();
  const add = (key: string, names: ReadonlySet<string>): void => {
    const known = inputs.get(key);
    inputs.set(key, known === undefined ? names : new Set([...known, ...names]));
  };
  let deferred = false;
  for (const [path, outputNames] of derivation.inputDerivations) {
    const input = lookup(path);
    const { base16 } = input;
    if (base16 === undefined) return undefined;
    if (input.kind === "deferred") deferred = true;
    if (typeof base16 === "string") {
      if (outputNames.size > 0) add(base16, outputNames);
      continue;
    }
    for (const outputName of outputNames) {
      const key = base16.get(outputName);
      if (key === undefined) {
        throw new TsosError({
          code: "derivation.unknown-output",
          message: `derivation "${derivation.name}" uses the output "${outputName}" of "${path}", which has no such output`,
          data: { derivation: derivation.name, input: path, output: outputName },
        });
      }
      add(key, outputNames.size === 1 ? outputNames : new Set([outputName]));
    }
  }
  return { text: formatInputs([...inputs].sort((a, b) => compareByteStrings(a[0], b[0]))), deferred };
}

function mixedOutputs(name: string): TsosError {
  return new TsosError({
    code: "derivation.mixed-outputs",
    message: `derivation "${name}" has outputs of several kinds, expected all fixed, all floating, or all input-addressed`,
    data: { derivation: name },
  });
}
