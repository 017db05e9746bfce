import { TsosError } from "../error/tsos-error.ts";
import { formatHash, hashByteString, type Hash } from "../hash/hash.ts";
import { formatMethodAndAlgorithm } from "../store-path/content-address.ts";
import { DEFAULT_STORE_DIR, formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { derivationOutputPath } from "./derivation-output-paths.ts";
import type { Derivation } from "./derivation.ts";
import { formatAterm, formatInputs, type SharedText } from "./format-derivation.ts";

/**
 * A derivation's identity by what it builds: fixed outputs count by their hash alone, however they are fetched.
 * - `regular`: one hash for all outputs.
 * - `fixed`: a hash for each output.
 * - `deferred`: none, because an output or an input is known only after a build.
 *
 * `base16` is what the users' texts hold.
 */
export type HashModulo =
  | { readonly kind: "regular"; readonly hash: Hash; readonly base16: string }
  | { readonly kind: "fixed"; readonly base16: ReadonlyMap<string, string> }
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
  options: { readonly maskOutputs: boolean; readonly storeDir?: string | undefined; readonly shared?: SharedText | undefined },
): HashModulo {
  // Nix: libstore/derivations.cc, hashDerivationModulo.
  const { maskOutputs, storeDir = DEFAULT_STORE_DIR, shared = {} } = options;
  const { name, outputs } = derivation;
  const kinds = new Set<string>();
  for (const output of outputs.values()) kinds.add(output.kind);
  if (kinds.has("floating") || kinds.has("impure")) return DEFERRED;
  if (kinds.has("fixed")) {
    const base16 = new Map<string, string>();
    for (const [outputName, output] of outputs) {
      if (output.kind !== "fixed") throw mixedOutputs(name);
      const { method, hash } = output.contentAddress;
      const path = formatStorePath(derivationOutputPath(name, outputName, output, storeDir)!, storeDir);
      const inner = `fixed:out:${formatMethodAndAlgorithm(method, hash.algorithm)}:${formatHash(hash, "base16")}:${path}`;
      base16.set(outputName, formatHash(hashByteString("sha256", inner), "base16"));
    }
    return { kind: "fixed", base16 };
  }
  // A derivation whose outputs are left to compute is hashed all the same when they are masked; otherwise its
  // text would be hashed without paths that it will have.
  if (!maskOutputs && kinds.has("deferred")) return DEFERRED;
  if (derivation.dynamicInputs !== undefined && derivation.dynamicInputs.size > 0) return DEFERRED;

  const inputs = (shared.hashedInputs ??= formatHashedInputs(derivation, lookup));
  if (inputs === undefined) return DEFERRED;
  const hash = hashByteString("sha256", formatAterm(derivation, inputs, storeDir, { maskOutputs, dynamic: false, shared }));
  return { kind: "regular", hash, base16: formatHash(hash, "base16") };
}

/** Undefined where an input is known only after a build. */
function formatHashedInputs(derivation: Derivation, lookup: (path: StorePath) => HashModulo): string | undefined {
  // Inputs that are the same modulo fixed outputs fall together.
  const inputs = new Map<string, Set<string>>();
  for (const [path, outputNames] of derivation.inputDerivations) {
    const input = lookup(path);
    if (input.kind === "deferred") return undefined;
    for (const outputName of outputNames) {
      const key = input.kind === "regular" ? input.base16 : input.base16.get(outputName);
      if (key === undefined) {
        throw new TsosError({
          code: "derivation.unknown-output",
          message: `derivation "${derivation.name}" uses the output "${outputName}" of "${path}", which has no such output`,
          data: { derivation: derivation.name, input: path, output: outputName },
        });
      }
      const known = inputs.get(key);
      if (known === undefined) inputs.set(key, new Set([outputName]));
      else known.add(outputName);
    }
  }
  return formatInputs([...inputs].sort((a, b) => compareByteStrings(a[0], b[0])));
}

function mixedOutputs(name: string): TsosError {
  return new TsosError({
    code: "derivation.mixed-outputs",
    message: `derivation "${name}" has outputs of several kinds, expected all fixed, all floating, or all input-addressed`,
    data: { derivation: name },
  });
}
