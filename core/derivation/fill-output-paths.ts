import { makeOutputPath } from "../store-path/make-store-path.ts";
import { DEFAULT_STORE_DIR, formatStorePath, type StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";
import type { Derivation, DerivationOutput } from "./derivation.ts";
import { sharedOutputPath, type SharedText } from "./format-derivation.ts";
import { hashDerivationModulo } from "./hash-derivation-modulo.ts";
import type { HashModuloCache } from "./hash-modulo-cache.ts";
import { outputPlaceholder } from "./placeholder.ts";

/**
 * The paths of the `deferred` outputs by the hash of the derivation as it stands, and the variables named for
 * the outputs set to them. A variable that is not there yet does not count in the hash: as `nix derivation add`
 * has it, and unlike `finishDerivation`, which is what evaluations use.
 */
export function fillOutputPaths(
  unfinished: Derivation,
  cache: HashModuloCache,
  storeDir: string = DEFAULT_STORE_DIR,
): { readonly derivation: Derivation; readonly outputPaths: ReadonlyMap<string, StorePath | undefined> } {
  return fillOutputPathsInto(new Map(unfinished.env), unfinished, cache, storeDir, {});
}

/** The same; `env`, which has the variables of `unfinished`, becomes those of the result. */
export function fillOutputPathsInto(
  env: Map<ByteString, ByteString>,
  unfinished: Derivation,
  cache: HashModuloCache,
  storeDir: string,
  shared: SharedText,
): { readonly derivation: Derivation; readonly outputPaths: ReadonlyMap<string, StorePath | undefined> } {
  const { name } = unfinished;
  const hash = hashDerivationModulo(unfinished, cache.get, { maskOutputs: true, storeDir, shared });
  const outputs = new Map<string, DerivationOutput>();
  const outputPaths = new Map<string, StorePath | undefined>();
  for (const [outputName, stated] of unfinished.outputs) {
    const output: DerivationOutput =
      stated.kind === "deferred" && hash.kind === "regular"
        ? { kind: "input-addressed", path: makeOutputPath({ derivationHash: hash.base16, outputName, name, storeDir }) }
        : stated;
    const path = sharedOutputPath(shared, name, outputName, output, storeDir);
    outputs.set(outputName, output);
    outputPaths.set(outputName, path);
    // A deferred output's variable is left alone: the derivation is completed anew once its inputs are built.
    if (path !== undefined) env.set(outputName, formatStorePath(path, storeDir));
    else if (output.kind !== "deferred") env.set(outputName, outputPlaceholder(outputName));
  }
  return { derivation: { ...unfinished, outputs, env }, outputPaths };
}
