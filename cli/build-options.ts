import { join } from "node:path";
import type { BuildOptions, BuildTools } from "../core/build/build-options.ts";
import { builtinBuilders } from "../core/build/builtin/table.ts";
import { loadBuildSettings } from "../core/build/load-build-settings.ts";
import { loadCacheSettings } from "../core/cache/load-cache-settings.ts";
import { loadDaemonSettings } from "../core/daemon/load-daemon-settings.ts";
import { loadFetchSettings } from "../core/fetch/load-fetch-settings.ts";
import { createScopedSubstituter } from "../core/cache/scoped-substituter.ts";
import { derivationOutputPaths } from "../core/derivation/derivation-output-paths.ts";
import type { Instantiation } from "../core/derivation/instantiation.ts";
import { parseDerivation } from "../core/derivation/parse-derivation.ts";
import type { FetchSettings } from "../core/fetch/fetch-settings.ts";
import { parsePublicKey } from "../core/narinfo/signature.ts";
import { parseStorePath, storePathName, type StorePath } from "../core/store-path/store-path.ts";
import type { Substituter } from "../core/store/substituter.ts";
import type { LocalStore } from "../core/store/store.ts";
import type { CommandContext } from "./context.ts";
import { findProgram } from "./nix/find-on-path.ts";
import { createSubstituter } from "./substituter.ts";

/** How this command builds: its flags, this machine's mirrors, and the sandbox's program, found when it is needed. */
export async function createBuildOptions(context: CommandContext, store: LocalStore, bubblewrap: BuildTools["bubblewrap"], instantiation?: Instantiation): Promise<BuildOptions> {
  const { flags } = context;
  const settings = { ...(await loadFetchSettings({ env: context.env })), partialFolder: partialFolder(store), offline: flags.offline };
  const { limits, space } = await loadBuildSettings({ env: context.env });
  const machines = await loadDaemonSettings({ env: context.env });
  const builders = flags.builders ?? machines.builders;
  // What builders of nixpkgs expect to be there, and no package of tsos sees: as for the classic commands.
  const sandboxShell = instantiation?.collections === undefined ? undefined : findProgram(context.env, "busybox");
  return {
    jobs: context.jobs,
    cores: context.cores,
    keepFailed: flags.keepFailed,
    keepGoing: flags.keepGoing,
    limits,
    space,
    signal: context.signal,
    report: context.report,
    settings,
    ...(store.builds !== undefined && !flags.offline ? { substituterUrls: await namedCaches(context, instantiation) } : {}),
    substituter: store.builds === undefined ? await chooseSubstituter(context, store, settings, instantiation) : undefined,
    remoteBuilders: store.builds !== undefined || builders.trim() === "" || flags.offline ? undefined : (await import("./builders.ts")).openBuilders(store, { builders, useSubstitutes: machines.buildersUseSubstitutes, env: context.env, report: context.report }),
    contentAddressed: machines.experimentalFeatures.includes("ca-derivations"),
    builtins: builtinBuilders,
    tools: { bubblewrap },
    ...(sandboxShell === undefined ? {} : { sandboxShell }),
    environment: context.env,
  };
}

/** What a daemon is asked to ask; whether it does is for its own settings to say. */
async function namedCaches(context: CommandContext, instantiation: Instantiation | undefined): Promise<readonly string[]> {
  const { substituters } = await loadCacheSettings({ env: context.env });
  return [...new Set([...substituters, ...(instantiation?.collections?.substituters ?? [])])];
}

/** The caches of this machine's settings for everything, those of collections for what comes from them. */
async function chooseSubstituter(context: CommandContext, store: LocalStore, settings: FetchSettings, instantiation: Instantiation | undefined): Promise<Substituter | undefined> {
  const own = await createSubstituter(context, store, await loadCacheSettings({ env: context.env }), settings);
  const collections = instantiation?.collections;
  if (instantiation === undefined || collections === undefined) return own;
  const trust = { publicKeys: collections.trustedPublicKeys.map(parsePublicKey), requireSignatures: true };
  const theirs = await createSubstituter(context, store, { substituters: collections.substituters, trust }, settings);
  return theirs === undefined ? own : createScopedSubstituter(own, theirs, outputsOf(instantiation, new Set(collections.derivations), store.storeDir));
}

function outputsOf({ derivations }: Instantiation, wanted: ReadonlySet<string>, storeDir: string): ReadonlySet<StorePath> {
  const outputs = new Set<StorePath>();
  for (const { path, contents } of derivations) {
    if (!wanted.has(path)) continue;
    for (const output of derivationOutputPaths(parseDerivation(contents, storePathName(parseStorePath(path, storeDir)).replace(/\.drv$/, ""), storeDir), storeDir).values()) if (output !== undefined) outputs.add(output);
  }
  return outputs;
}

/** Unfinished downloads: beside the store, whose locks keep two runs from fetching the same thing at once. */
export function partialFolder(store: Pick<LocalStore, "stateDir">): string {
  return join(store.stateDir, "tsos", "partial");
}
