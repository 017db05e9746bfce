import { TsosError } from "../error/tsos-error.ts";
import { makeOutputPath } from "../store-path/make-store-path.ts";
import { DEFAULT_STORE_DIR, formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { derivationOutputPath } from "./derivation-output-paths.ts";
import type { Derivation } from "./derivation.ts";
import { hashDerivationModulo, type HashModulo } from "./hash-derivation-modulo.ts";

/**
 * Whether a derivation that came from elsewhere states the paths that it must have: those of its outputs, and
 * the variables named for them. To be called before such a derivation is written to a store.
 *
 * @throws TsosError `derivation.wrong-output-path`, `derivation.wrong-output-variable` naming the output, what was
 *   expected and what stands there.
 */
export function checkDerivation(derivation: Derivation, lookup: (path: StorePath) => HashModulo, storeDir: string = DEFAULT_STORE_DIR): void {
  // Nix: libstore/derivations.cc, Derivation::checkInvariants.
  const { name, env } = derivation;
  let hash: HashModulo | undefined;
  for (const [outputName, output] of derivation.outputs) {
    let path = derivationOutputPath(name, outputName, output, storeDir);
    if (output.kind === "input-addressed" || output.kind === "deferred") {
      hash ??= hashDerivationModulo(derivation, lookup, { maskOutputs: true, storeDir });
      const expected = hash.kind === "regular" ? makeOutputPath({ derivationHash: hash.base16, outputName, name, storeDir }) : undefined;
      if (path !== expected) {
        const show = (it: StorePath | undefined): string => (it === undefined ? "none before its inputs are built" : `"${formatStorePath(it, storeDir)}"`);
        throw new TsosError({
          code: "derivation.wrong-output-path",
          message: `derivation "${name}" states the path ${path === undefined ? "none" : show(path)} for its output "${outputName}", expected ${show(expected)}`,
          data: { name, output: outputName, expected, got: path },
        });
      }
      path = expected;
    }
    const variable = env.get(outputName);
    if (path !== undefined && variable !== undefined && variable !== formatStorePath(path, storeDir)) {
      throw new TsosError({
        code: "derivation.wrong-output-variable",
        message: `derivation "${name}" has the variable "${outputName}" = "${variable}", expected the output's path "${formatStorePath(path, storeDir)}"`,
        data: { name, output: outputName, expected: path, got: variable },
      });
    }
  }
}
