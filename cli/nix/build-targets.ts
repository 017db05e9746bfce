import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { BuildOptions } from "../../core/build/build-options.ts";
import { builtinBuilders } from "../../core/build/builtin/table.ts";
import { realise } from "../../core/build/realise.ts";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import type { LocalStore } from "../../core/store/store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import { partialFolder } from "../build-options.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import { findOnPath, findProgram } from "./find-on-path.ts";
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
      bubblewrap: async () => findOnPath(environment.env, "bwrap"),
    },
    ...sandboxOf(environment, settings),
    extraPlatforms: settings.list("extra-platforms"),
    environment: environment.env,
  };
}

/** What of the machine a build with `sandbox = false` sees: all but what a sandbox has of its own. */
const OWN_OF_SANDBOX = new Set([
  ...["/nix", "/proc", "/dev", "/tmp", "/build", "/sys", "/etc"],
  ...["/etc/passwd", "/etc/group", "/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/services"],
]);

/**
 * The settings `sandbox` and `sandbox-paths`. Builds always run in namespaces of their own; `sandbox = false` shows them
 * the machine's files, read-only, and its network.
 */
function sandboxOf(environment: NixEnvironment, settings: NixConfiguration): Partial<BuildOptions> {
  const named = settings.list("sandbox-paths").map((entry) => {
    const optional = entry.endsWith("?");
    const [shown, real] = (optional ? entry.slice(0, -1) : entry).split("=", 2) as [string, string | undefined];
    return { shown, real: real ?? shown, optional };
  });
  if (settings.find("sandbox") === "false" || settings.find("sandbox") === "no" || settings.find("sandbox") === "0") {
    const all = [...readdirSync("/").map((name) => `/${name}`), ...readdirSync("/etc").map((name) => `/etc/${name}`)];
    return { networkForAll: true, sandboxPaths: [...all.filter((path) => !OWN_OF_SANDBOX.has(path)).map((path) => ({ shown: path, real: path, optional: true })), ...named] };
  }
  if (named.some(({ shown }) => shown === "/bin/sh")) return { sandboxPaths: named };
  const shell = findProgram(environment.env, "busybox");
  return { sandboxPaths: shell === undefined ? named : [{ shown: "/bin/sh", real: shell, optional: true }, ...named] };
}
