import { TsosError } from "../error/tsos-error.ts";
import type { BuiltOutput, LocalStore } from "../store/store.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { notDeterministic } from "./compare-outputs.ts";
import { BUILTIN_PREFIX, type DerivationBuild } from "./derivation-build.ts";
import { recordFetch } from "./fetched-sources.ts";
import { checkOutputs, discardsReferences } from "./reference-checks.ts";

export async function registerOutputs(
  store: LocalStore,
  build: DerivationBuild,
  outputs: ReadonlyMap<string, string>,
  inputs: ReadonlySet<StorePath>,
): Promise<ReadonlyMap<string, StorePath>> {
  const { derivation } = build;
  const built = [...outputs].map(([name, folder]): BuiltOutput => {
    const output = derivation.outputs.get(name);
    const told = build.outputPaths.get(name);
    return {
      name,
      ...(output?.kind === "floating" ? { scratchPath: told, floating: output } : { path: told }),
      folder,
      discardReferences: discardsReferences(derivation, name),
      ownFiles: derivation.builder.startsWith(BUILTIN_PREFIX),
      ...(output?.kind === "fixed" ? { contentAddress: output.contentAddress } : {}),
    };
  });
  const registered = await store.registerBuildOutputs({
    derivationPath: build.path,
    outputs: built,
    candidates: inputs,
    async check(infos) {
      for (const [name, { path }] of infos) {
        const before = build.check ? build.realised?.get(name) : undefined;
        if (before !== undefined && before !== path) throw notDeterministic(`building again gave "${formatStorePath(path, store.storeDir)}" as the output "${name}", expected "${formatStorePath(before, store.storeDir)}"`, { output: name });
      }
      await checkOutputs(store, derivation, infos);
    },
    signal: build.signal,
  }).catch((error: unknown) => {
    // Who writes down the right hash now has what this URL gave.
    if (error instanceof TsosError && error.code === "store.hash-mismatch" && error.data["kept"] !== undefined) recordFetch(store, derivation, error.data["kept"] as StorePath);
    throw error;
  });
  return new Map([...registered].map(([name, { path }]) => [name, path]));
}
