import { TsosError } from "../error/tsos-error.ts";
import { encodeBase16 } from "../hash/base16.ts";
import { formatHash, hashByteString, type Hash } from "../hash/hash.ts";
import { formatMethodAndAlgorithm } from "../store-path/content-address.ts";
import { DEFAULT_STORE_DIR, formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { derivationOutputPath } from "./derivation-output-paths.ts";
import type { Derivation } from "./derivation.ts";
import { formatAterm } from "./format-derivation.ts";

/**
 * A derivation's identity by what it builds: fixed outputs count by their hash alone, however they are fetched.
 * - `regular`: one hash for all outputs.
 * - `fixed`: a hash for each output.
 * - `deferred`: none, because an output or an input is known only after a build.
 */
export type HashModulo =
  | { readonly kind: "regular"; readonly hash: Hash }
  | { readonly kind: "fixed"; readonly hashes: ReadonlyMap<string, Hash> }
  | { readonly kind: "deferred" };

const DEFERRED: HashModulo = { kind: "deferred" };

/**
 * @param lookup the hash modulo of an input, as `HashModuloCache.get`
 * @param maskOutputs whether the outputs' own paths are left out: so for the paths themselves, and not for
 *   what the users of this derivation hash
 */
export function hashDerivationModulo(
  derivation: Derivation,
  lookup: (path: StorePath) => HashModulo,
  options: { readonly maskOutputs: boolean; readonly storeDir?: string | undefined },
): HashModulo {
  // Nix: libstore/derivations.cc, hashDerivationModulo.
  const { maskOutputs, storeDir = DEFAULT_STORE_DIR } = options;
  const { name, outputs } = derivation;
  const kinds = new Set([...outputs.values()].map((output) => output.kind));
  if (kinds.has("floating") || kinds.has("impure")) return DEFERRED;
  if (kinds.has("fixed")) {
    const hashes = new Map<string, Hash>();
    for (const [outputName, output] of outputs) {
      if (output.kind !== "fixed") throw mixedOutputs(name);
      const { method, hash } = output.contentAddress;
      const path = formatStorePath(derivationOutputPath(name, outputName, output, storeDir)!, storeDir);
      const inner = `fixed:out:${formatMethodAndAlgorithm(method, hash.algorithm)}:${formatHash(hash, "base16")}:${path}`;
      hashes.set(outputName, hashByteString("sha256", inner));
    }
    return { kind: "fixed", hashes };
  }
  // A derivation whose outputs are left to compute is hashed all the same when they are masked; otherwise its
  // text would be hashed without paths that it will have.
  if (!maskOutputs && kinds.has("deferred")) return DEFERRED;
  if (derivation.dynamicInputs !== undefined && derivation.dynamicInputs.size > 0) return DEFERRED;

  // Inputs that are the same modulo fixed outputs fall together.
  const inputs = new Map<string, Set<string>>();
  for (const [path, outputNames] of derivation.inputDerivations) {
    const input = lookup(path);
    if (input.kind === "deferred") return DEFERRED;
    for (const outputName of outputNames) {
      const hash = input.kind === "regular" ? input.hash : input.hashes.get(outputName);
      if (hash === undefined) {
        throw new TsosError({
          code: "derivation.unknown-output",
          message: `derivation "${name}" uses the output "${outputName}" of "${path}", which has no such output`,
          data: { derivation: name, input: path, output: outputName },
        });
      }
      const key = encodeBase16(hash.digest);
      const known = inputs.get(key);
      if (known === undefined) inputs.set(key, new Set([outputName]));
      else known.add(outputName);
    }
  }
  const sorted = [...inputs].sort((a, b) => compareByteStrings(a[0], b[0]));
  return { kind: "regular", hash: hashByteString("sha256", formatAterm(derivation, sorted, storeDir, maskOutputs)) };
}

function mixedOutputs(name: string): TsosError {
  return new TsosError({
    code: "derivation.mixed-outputs",
    message: `derivation "${name}" has outputs of several kinds, expected all fixed, all floating, or all input-addressed`,
    data: { derivation: name },
  });
}
