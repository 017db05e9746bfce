import { availableParallelism } from "node:os";
import type { BuildOptions } from "../../core/build/build-options.ts";
import { builtinBuilders } from "../../core/build/builtin/table.ts";
import { realise } from "../../core/build/realise.ts";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";
import type { LocalStore } from "../../core/store/store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import { partialFolder } from "../build-options.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import type { NixEnvironment } from "./nix-environment.ts";

/** Builds outputs with the settings of a classic command; the result is their paths, in the same order. */
export async function buildTargets(environment: NixEnvironment, options: ClassicOptions, store: LocalStore, targets: readonly { readonly drvPath: StorePath; readonly output: string }[], check = false): Promise<readonly StorePath[]> {
  const wanted = new Map<StorePath, Set<string>>();
  for (const { drvPath, output } of targets) wanted.set(drvPath, (wanted.get(drvPath) ?? new Set()).add(output));
  const buildOptions = await nixBuildOptions(environment, options, store);
  const outputs = await environment.whileBuilding(() =>
    realise(
      store,
      [...wanted].map(([drvPath, names]) => ({ drvPath, outputs: [...names] })),
      { ...buildOptions, check },
    ),
  );
  return targets.map(({ drvPath, output }) => outputs.get(drvPath)!.get(output)!);
}

async function nixBuildOptions(environment: NixEnvironment, { settings, verbosity }: ClassicOptions, store: LocalStore): Promise<BuildOptions> {
  const jobs = settings.find("max-jobs") ?? "1";
  return {
    jobs: jobs === "auto" ? availableParallelism() : Number(jobs),
    cores: settings.int("cores", 0),
    keepFailed: settings.bool("keep-failed", false),
    keepGoing: settings.bool("keep-going", false),
    signal: environment.signal,
    report: (event) => {
      if (verbosity < 0) return;
      if (event.kind === "log") environment.say(event.line);
      else if (event.kind === "start" && event.activity !== "realise") environment.say(`building '${event.subject}'...`);
      else if (event.kind === "message") environment.say(event.text);
    },
    settings: { ...(await loadFetchSettings({ env: environment.env })), partialFolder: partialFolder(store) },
    builtins: builtinBuilders,
    tools: {
      bubblewrap: async () => {
        const { findOnPath } = await import("./find-on-path.ts");
        return findOnPath(environment.env, "bwrap");
      },
    },
    extraPlatforms: settings.list("extra-platforms"),
    environment: environment.env,
  };
}
