import { TsosError } from "../error/tsos-error.ts";
import type { BuiltOutput, LocalStore } from "../store/store.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";
import { notDeterministic } from "./compare-outputs.ts";
import { compareTrees } from "./compare-trees.ts";
import { BUILTIN_PREFIX, type DerivationBuild } from "./derivation-build.ts";
import { recordFetch } from "./fetched-sources.ts";
import { checkOutputs, discardsReferences } from "./reference-checks.ts";

export async function registerOutputs(
  store: LocalStore,
  build: DerivationBuild,
  outputs: ReadonlyMap<string, string>,
  inputs: ReadonlySet<StorePath>,
  repair?: boolean,
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
    repair,
    async check(infos, folders) {
      for (const [name, { path }] of infos) {
        const before = build.check ? build.realised?.get(name) : undefined;
        if (before !== undefined && before !== path) throw await differentPath(store, name, { before, path, folder: folders.get(name)! });
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

async function differentPath(store: LocalStore, output: string, { before, path, folder }: { readonly before: StorePath; readonly path: StorePath; readonly folder: string }): Promise<TsosError> {
  const [registered, rebuilt] = [before, path].map((one) => formatStorePath(one, store.storeDir)) as [string, string];
  const message = `building again gave "${rebuilt}" as the output "${output}", expected "${registered}"`;
  if (!(await store.isValidPath(before))) return notDeterministic(message, { output });
  const files = await compareTrees(store.realPath(before), folder);
  return notDeterministic(`${message}; these files differ:${files.map((file) => `\n  ${output}: ${file}`).join("")}`, { different: [{ output, files, registered, rebuilt }] });
}
