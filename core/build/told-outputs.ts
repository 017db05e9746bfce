import { derivationOutputPath } from "../derivation/derivation-output-paths.ts";
import type { Derivation } from "../derivation/derivation.ts";
import { outputPlaceholder } from "../derivation/placeholder.ts";
import { rewriteText } from "../derivation/resolve-derivation.ts";
import { makeStorePath, outputPathName } from "../store-path/make-store-path.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";

const NO_HASH = { algorithm: "sha256", digest: new Uint8Array(32) } as const;

/**
 * The path that a builder is told for each output: its own, or for a floating one a path that nothing else ever has, which
 * becomes the final one when the contents are hashed. Nix: libstore/unix/build/derivation-builder.cc, makeFallbackPath.
 */
export function toldOutputPaths(path: StorePath, derivation: Derivation, storeDir: string): ReadonlyMap<string, StorePath> {
  const told = new Map<string, StorePath>();
  for (const [name, output] of derivation.outputs) {
    const known = derivationOutputPath(derivation.name, name, output, storeDir);
    told.set(name, known ?? makeStorePath(`rewrite:${path}:name:${name}`, NO_HASH, outputPathName(derivation.name, name), storeDir));
  }
  return told;
}

/** The derivation with paths where it has placeholders of its own outputs. */
export function fillPlaceholders(derivation: Derivation, told: ReadonlyMap<string, StorePath>, storeDir: string): Derivation {
  const rewrites = new Map([...told].map(([name, path]) => [outputPlaceholder(name), formatStorePath(path, storeDir)]));
  return { ...derivation, args: derivation.args.map((text) => rewriteText(text, rewrites)), env: new Map([...derivation.env].map(([name, value]) => [name, rewriteText(value, rewrites)])) };
}
