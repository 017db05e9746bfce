import { DEFAULT_STORE_DIR, formatStorePath, type StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";
import type { Derivation, DynamicInput } from "./derivation.ts";
import { fillOutputPaths } from "./fill-output-paths.ts";
import { HashModuloCache } from "./hash-modulo-cache.ts";
import { dynamicInputPlaceholder, inputPlaceholder } from "./placeholder.ts";

/** Whether an output's path is known only after the inputs, or the derivation itself, are built. */
export function hasUnknownOutputs({ outputs }: Derivation): boolean {
  for (const { kind } of outputs.values()) if (kind === "floating" || kind === "deferred") return true;
  return false;
}

/**
 * The derivation with the outputs that its inputs turned out to be, in place of the inputs: what stood for their paths is
 * rewritten, and outputs that waited for them get their own. Two that differ only in how their inputs came about are
 * the same then. Nix: libstore/derivations.cc, tryResolve.
 *
 * @param outputOf the path of an input's output, once it is built, and of what such an output itself is a derivation of
 */
export function resolveDerivation(derivation: Derivation, outputOf: (input: StorePath, output: string) => StorePath, storeDir: string = DEFAULT_STORE_DIR): Derivation {
  const inputSources = new Set(derivation.inputSources);
  const rewrites = new Map<string, string>();
  const use = (path: StorePath, placeholder: string): void => {
    inputSources.add(path);
    rewrites.set(placeholder, formatStorePath(path, storeDir));
  };
  for (const [input, outputs] of derivation.inputDerivations) for (const output of outputs) use(outputOf(input, output), inputPlaceholder(input, output));
  const useMade = (made: StorePath, placeholder: string, { outputs, dynamicOutputs }: DynamicInput): void => {
    for (const output of outputs) use(outputOf(made, output), dynamicInputPlaceholder(placeholder, output));
    for (const [output, further] of dynamicOutputs) useMade(outputOf(made, output), dynamicInputPlaceholder(placeholder, output), further);
  };
  for (const [input, made] of derivation.dynamicInputs ?? []) for (const [output, further] of made) useMade(outputOf(input, output), inputPlaceholder(input, output), further);
  const rewrite = (text: ByteString): ByteString => rewriteText(text, rewrites);
  const resolved: Derivation = {
    ...derivation,
    inputDerivations: new Map(),
    dynamicInputs: undefined,
    inputSources,
    builder: rewrite(derivation.builder),
    args: derivation.args.map(rewrite),
    env: new Map([...derivation.env].map(([name, value]) => [rewrite(name), rewrite(value)])),
  };
  return fillOutputPaths(resolved, new HashModuloCache({ storeDir }), storeDir).derivation;
}

/** Each key of `rewrites` becomes its value. */
export function rewriteText(text: ByteString, rewrites: ReadonlyMap<string, string>): ByteString {
  let result = text;
  for (const [from, to] of rewrites) if (result.includes(from)) result = result.replaceAll(from, () => to);
  return result;
}
