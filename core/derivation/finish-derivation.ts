import { TsosError } from "../error/tsos-error.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "../store-path/store-path.ts";
import { checkStorePathName } from "../store-path/store-path-name.ts";
import type { ByteString } from "../util/bytes.ts";
import { derivationStorePath } from "./derivation-store-path.ts";
import type { Derivation, DerivationOutput } from "./derivation.ts";
import { fillOutputPathsInto } from "./fill-output-paths.ts";
import { formatDerivation, type SharedText } from "./format-derivation.ts";
import type { HashModuloCache } from "./hash-modulo-cache.ts";

/** A derivation with all that can be computed of it. */
export type FinishedDerivation = {
  readonly derivation: Derivation;
  /** The path of its `.drv` file. */
  readonly path: StorePath;
  /** The bytes of its `.drv` file. */
  readonly contents: ByteString;
  /** By output name; undefined for one that is known only after a build. */
  readonly outputPaths: ReadonlyMap<string, StorePath | undefined>;
};

/**
 * Completes a derivation that an evaluation describes: its `deferred` outputs become input-addressed (or stay
 * deferred, when an input's output is floating), and the variable named for each output becomes the output's
 * path, a floating one's placeholder, or for a deferred one empty. The result is added to `cache`, to which its
 * inputs must have been added before.
 *
 * @throws TsosError `derivation.no-outputs`, `derivation.bad-output-name`, `derivation.mixed-outputs`,
 *   `store-path.bad-name`.
 * @example
 * const cache = new HashModuloCache();
 * const { path, outputPaths } = finishDerivation({
 *   name: "hello", outputs: new Map([["out", { kind: "deferred" }]]), inputDerivations: new Map(), inputSources: new Set(),
 *   platform: "x86_64-linux", builder: "/bin/sh", args: ["-c", "echo > $out"], env: new Map([["name", "hello"]]),
 * }, cache);
 */
export function finishDerivation(unfinished: Derivation, cache: HashModuloCache, storeDir: string = DEFAULT_STORE_DIR): FinishedDerivation {
  return finishDerivationIn(new Map(unfinished.env), unfinished, cache, storeDir);
}

/** The same; `env`, which has the variables of `unfinished`, becomes those of the result. */
export function finishDerivationIn(env: Map<ByteString, ByteString>, unfinished: Derivation, cache: HashModuloCache, storeDir: string): FinishedDerivation {
  checkNames(unfinished);
  // The text is hashed with these variables there but empty, so each must exist before.
  for (const outputName of unfinished.outputs.keys()) env.set(outputName, "");
  const shared: SharedText = {};
  const { derivation, outputPaths } = fillOutputPathsInto(env, { ...unfinished, env }, cache, storeDir, shared);
  const contents = formatDerivation(derivation, storeDir, shared);
  const path = derivationStorePath(derivation, storeDir, contents);
  cache.add(path, derivation, shared);
  return { derivation, path, contents, outputPaths };
}

function isText(output: DerivationOutput): boolean {
  return (output.kind === "fixed" && output.contentAddress.method === "text") || (output.kind === "floating" && output.method === "text");
}

function checkNames({ name, outputs }: Derivation): void {
  checkStorePathName(name);
  if (name.endsWith(".drv") && ![...outputs.values()].some(isText)) {
    throw new TsosError({ code: "derivation.bad-name", message: `a derivation must not be named "${name}": ".drv" is added to its name`, data: { name } });
  }
  if (outputs.size === 0) {
    throw new TsosError({ code: "derivation.no-outputs", message: `derivation "${name}" has no outputs, expected at least "out"`, data: { name } });
  }
  for (const outputName of outputs.keys()) {
    checkStorePathName(outputName);
    // The set of a derivation has an attribute of that name. Nix: libexpr/primops.cc, derivationStrict.
    if (outputName === "drvPath") {
      throw new TsosError({ code: "derivation.bad-output-name", message: `derivation "${name}" has an output named "drvPath", which no output may be`, data: { name, output: outputName } });
    }
  }
  const kinds = new Set<DerivationOutput["kind"]>();
  for (const output of outputs.values()) kinds.add(output.kind);
  if (kinds.size > 1) {
    throw new TsosError({
      code: "derivation.mixed-outputs",
      message: `derivation "${name}" has outputs of several kinds (${[...kinds].join(", ")}), expected one`,
      data: { name },
    });
  }
  if (kinds.has("fixed") && (outputs.size !== 1 || !outputs.has("out"))) {
    throw new TsosError({
      code: "derivation.bad-output-name",
      message: `the fixed-output derivation "${name}" has the outputs ${[...outputs.keys()].map((key) => `"${key}"`).join(", ")}, expected only "out"`,
      data: { name },
    });
  }
}
