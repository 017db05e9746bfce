import { makeFixedOutputPath, outputPathName } from "../store-path/make-store-path.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "../store-path/store-path.ts";
import { unreachable } from "../util/unreachable.ts";
import type { Derivation, DerivationOutput } from "./derivation.ts";

/** The path of one output, undefined where it is known only after a build. */
export function derivationOutputPath(
  name: string,
  outputName: string,
  output: DerivationOutput,
  storeDir: string = DEFAULT_STORE_DIR,
): StorePath | undefined {
  switch (output.kind) {
    case "input-addressed":
      return output.path;
    case "fixed":
      return makeFixedOutputPath({ name: outputPathName(name, outputName), ...output.contentAddress, storeDir });
    case "floating":
    case "impure":
    case "deferred":
      return undefined;
    default:
      return unreachable(output);
  }
}

/** By output name: as the derivation states them or, for fixed outputs, as their hash makes them. */
export function derivationOutputPaths(derivation: Derivation, storeDir: string = DEFAULT_STORE_DIR): ReadonlyMap<string, StorePath | undefined> {
  const paths = new Map<string, StorePath | undefined>();
  for (const [outputName, output] of derivation.outputs) {
    paths.set(outputName, derivationOutputPath(derivation.name, outputName, output, storeDir));
  }
  return paths;
}
