import type { BuildOptions } from "../core/build/build-options.ts";
import { realise } from "../core/build/realise.ts";
import type { DerivationResult } from "../core/config/protocol.ts";
import type { Instantiation } from "../core/derivation/instantiation.ts";
import { instantiate } from "../core/store/instantiate.ts";
import type { LocalStore } from "../core/store/store.ts";
import { parseStorePath, type StorePath } from "../core/store-path/store-path.ts";
import { createBuildOptions } from "./build-options.ts";
import type { CommandContext } from "./context.ts";
import { findSandboxTool } from "./tools.ts";

export type RealiseRequest = {
  readonly instantiation: Instantiation;
  readonly targets: readonly DerivationResult[];
  /** Build again and compare. */
  readonly check?: boolean;
};

/** Makes outputs that an evaluation asked for valid, and keeps them while this process lives. */
export async function realiseResults(context: CommandContext, store: LocalStore, request: RealiseRequest): Promise<void> {
  const outputs = request.targets.map(({ outPath }) => parseStorePath(outPath, store.storeDir));
  await store.addTemporaryRoot(...outputs);
  if (request.check !== true) {
    const valid = await store.queryValidPaths(outputs);
    if (outputs.every((path) => valid.has(path))) return;
  }
  await instantiate(store, request.instantiation, context.signal);
  await realise(
    store,
    request.targets.map(({ drvPath, outputName }) => ({ drvPath: parseStorePath(drvPath, store.storeDir), outputs: [outputName] })),
    { ...(await buildOptions(context, store, request.instantiation)), check: request.check ?? false },
  );
}

/** Realises all outputs of derivations that are in the store. */
export async function realiseDerivationPaths(context: CommandContext, store: LocalStore, drvPaths: readonly StorePath[]): Promise<StorePath[]> {
  const outputs = await realise(
    store,
    drvPaths.map((drvPath) => ({ drvPath })),
    await buildOptions(context, store),
  );
  return [...outputs.values()].flatMap((paths) => [...paths.values()]);
}

function buildOptions(context: CommandContext, store: LocalStore, instantiation?: Instantiation): Promise<BuildOptions> {
  return createBuildOptions(context, store, () => findSandboxTool(context, store), instantiation);
}
