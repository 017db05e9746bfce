import { join } from "node:path";
import type { BuildOptions, BuildTools } from "../core/build/build-options.ts";
import { builtinBuilders } from "../core/build/builtin/table.ts";
import { loadBuildSettings } from "../core/build/load-build-settings.ts";
import { loadCacheSettings } from "../core/cache/load-cache-settings.ts";
import { loadDaemonSettings } from "../core/daemon/load-daemon-settings.ts";
import { loadFetchSettings } from "../core/fetch/load-fetch-settings.ts";
import type { LocalStore } from "../core/store/store.ts";
import type { CommandContext } from "./context.ts";
import { createSubstituter } from "./substituter.ts";

/** How this command builds: its flags, this machine's mirrors, and the sandbox's program, found when it is needed. */
export async function createBuildOptions(context: CommandContext, store: LocalStore, bubblewrap: BuildTools["bubblewrap"]): Promise<BuildOptions> {
  const { flags } = context;
  const settings = { ...(await loadFetchSettings({ env: context.env })), partialFolder: partialFolder(store), offline: flags.offline };
  const machines = await loadDaemonSettings({ env: context.env });
  const builders = flags.builders ?? machines.builders;
  return {
    jobs: context.jobs,
    cores: context.cores,
    keepFailed: flags.keepFailed,
    keepGoing: flags.keepGoing,
    limits: (await loadBuildSettings({ env: context.env })).limits,
    signal: context.signal,
    report: context.report,
    settings,
    substituter: await createSubstituter(context, store, await loadCacheSettings({ env: context.env }), settings),
    remoteBuilders: builders.trim() === "" || flags.offline ? undefined : (await import("./builders.ts")).openBuilders(store, { builders, useSubstitutes: machines.buildersUseSubstitutes, env: context.env, report: context.report }),
    builtins: builtinBuilders,
    tools: { bubblewrap },
    environment: context.env,
  };
}

/** Unfinished downloads: beside the store, whose locks keep two runs from fetching the same thing at once. */
export function partialFolder(store: Pick<LocalStore, "stateDir">): string {
  return join(store.stateDir, "tsos", "partial");
}
