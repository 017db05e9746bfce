import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { readBuildGraph } from "../../core/build/build-graph.ts";
import { loadCacheSettings, type CacheSettings } from "../../core/cache/load-cache-settings.ts";
import type { Trust } from "../../core/cache/trust.ts";
import type { FetchSettings } from "../../core/fetch/fetch-settings.ts";
import { derivationOutputPaths } from "../../core/derivation/derivation-output-paths.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parsePublicKey } from "../../core/narinfo/signature.ts";
import { wantsColours } from "../../core/nix/colour-report.ts";
import type { Substituter } from "../../core/store/substituter.ts";
import { formatStorePath, storePathName } from "../../core/store-path/store-path.ts";
import { compareUtf8 } from "../../core/util/ordering.ts";
import type { ProgressEvent, ProgressListener } from "../../core/util/progress.ts";
import { findPlaces } from "../places.ts";
import type { BuildOptions } from "../../core/build/build-options.ts";
import { isOff, machinePaths } from "../../core/build/machine-paths.ts";
import { parseSandboxPath } from "../../core/build/parse-sandbox-path.ts";
import { builtinBuilders } from "../../core/build/builtin/table.ts";
import { realise } from "../../core/build/realise.ts";
import { serviceOptions } from "../../core/build/service-options.ts";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";
import { clientSettings } from "../../core/interop/client-settings.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import type { MissingPaths } from "../../core/store/build-service.ts";
import type { LocalStore } from "../../core/store/store.ts";
import type { StorePath } from "../../core/store-path/store-path.ts";
import { partialFolder } from "../build-options.ts";
import { withBuildWords } from "./build-words.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import { filterEscapes } from "./filter-escapes.ts";
import { findOnPath, findProgram } from "./find-on-path.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { postBuildHook } from "./post-build-hook.ts";
import { lookupLifetimes, spaceLimits, withTransferSettings } from "./transfer-settings.ts";

/**
 * Builds outputs with the settings of a classic command; the result is their paths, in the same order.
 *
 * @param known what `nixBuildOptions` gave before: caches that it found to be broken are not asked, nor complained of, again
 */
export async function buildTargets(environment: NixEnvironment, options: ClassicOptions, store: LocalStore, targets: readonly { readonly drvPath: StorePath; readonly output: string }[], check = false, known?: BuildOptions): Promise<readonly StorePath[]> {
  const wanted = new Map<StorePath, Set<string>>();
  for (const { drvPath, output } of targets) wanted.set(drvPath, (wanted.get(drvPath) ?? new Set()).add(output));
  const buildOptions = known ?? (await nixBuildOptions(environment, options, store));
  const outputs = await environment
    .whileBuilding(() =>
      realise(
        store,
        [...wanted].map(([drvPath, names]) => ({ drvPath, outputs: [...names] })),
        { ...buildOptions, check, report: check ? (event) => (event.kind === "start" && event.activity === "build" ? options.verbosity >= 0 && environment.say(`checking outputs of '${event.path ?? event.subject}'...`) : buildOptions.report?.(event)) : buildOptions.report },
      ),
    )
    .catch((error: unknown) => {
      const { settings, showsBuildOutput } = options;
      throw withBuildWords(error, { showsOutput: showsBuildOutput, logLines: settings.int("log-lines", 25), hasNixLog: settings.list("experimental-features").includes("nix-command") }, environment.say);
    });
  return targets.map(({ drvPath, output }) => outputs.get(drvPath)!.get(output)!);
}

/** What an evaluation that may write nothing reads must have been built before. Nix: libstore/build/substitution-goal.cc */
export async function requireBuilt(store: LocalStore, targets: readonly { readonly drvPath: StorePath; readonly output: string }[]): Promise<readonly StorePath[]> {
  return Promise.all(
    targets.map(async ({ drvPath, output }) => {
      const derivation = parseDerivation(await readFile(store.realPath(drvPath)), storePathName(drvPath).slice(0, -".drv".length), store.storeDir);
      const path = derivationOutputPaths(derivation, store.storeDir).get(output);
      if (path === undefined) throw new TsosError({ code: "nix.unknown-output", message: `derivation '${formatStorePath(drvPath, store.storeDir)}' does not have wanted outputs '${output}'` });
      await store.addTemporaryRoot(path);
      if (!(await store.isValidPath(path))) throw new TsosError({ code: "nix.read-only", message: `cannot substitute path '${formatStorePath(path, store.storeDir)}' - no write access to the Nix store` });
      return path;
    }),
  );
}

/** How builds are done by the settings of a classic command; `substituters` take the place of those of the settings. */
export async function nixBuildOptions(environment: NixEnvironment, { settings, verbosity, showsBuildOutput, namesBuildOutput = false }: ClassicOptions, store: LocalStore, substituters?: readonly string[]): Promise<BuildOptions> {
  const jobs = settings.find("max-jobs") ?? "1";
  const names = new Map<number, string>();
  const keepsColours = wantsColours(process.stderr.isTTY, environment.env);
  const report = (event: ProgressEvent): void => {
    if (environment.logEvent(event)) return;
    if (event.kind === "log") {
      if (showsBuildOutput && (verbosity >= 0 || namesBuildOutput)) environment.say(`${namesBuildOutput ? `${names.get(event.id) ?? ""}> ` : ""}${filterEscapes(event.line, { keepsColours })}`);
      return;
    }
    if (event.kind === "start" && event.activity === "build" && namesBuildOutput) names.set(event.id, event.subject);
    if (verbosity < 0 && !(event.kind === "message" && event.level === "warning")) return;
    if (event.kind === "start" && event.activity !== "realise") environment.say(`${event.activity === "substitute" ? "copying path" : "building"} '${event.path ?? event.subject}'${event.machine === undefined ? "" : ` on '${event.machine}'`}...`);
    else if (event.kind === "message") environment.say(event.level === "warning" ? `warning: ${event.text}` : event.text);
  };
  const fetchSettings = { ...withTransferSettings(await loadFetchSettings({ env: environment.env }), settings), partialFolder: partialFolder(store) };
  const sayLine = (line: string): void => {
    if (showsBuildOutput && verbosity >= 0) environment.say(line);
  };
  const substituter = store.builds !== undefined ? undefined : await nixSubstituter(environment, settings, store, report, fetchSettings, substituters);
  return {
    jobs: jobs === "auto" ? availableParallelism() : Number(jobs),
    cores: settings.int("cores", 0),
    keepFailed: settings.bool("keep-failed", false),
    keepGoing: settings.bool("keep-going", false),
    limits: { timeout: settings.int("timeout", 0), maxSilentTime: settings.int("max-silent-time", 0), maxLogSize: settings.int("max-build-log-size", 0) },
    signal: environment.signal,
    report,
    afterBuild: postBuildHook(settings, environment.env, store.storeDir, sayLine),
    settings: fetchSettings,
    space: spaceLimits(settings),
    ...(substituter === undefined ? {} : { substituter }),
    ...(store.builds === undefined ? {} : { clientSettings: clientSettingsWithLimits(settings), clientSubstitutes: settings.bool("substitute", true) }),
    remoteBuilders: store.builds !== undefined ? undefined : (await import("../builders.ts")).openBuilders(store, { builders: settings.find("builders") ?? "@/etc/nix/machines", useSubstitutes: settings.bool("builders-use-substitutes", false), env: environment.env, report }),
    builtins: builtinBuilders,
    tools: {
      bubblewrap: async () => findOnPath(environment.env, "bwrap"),
    },
    ...sandboxOf(environment, settings),
    extraPlatforms: settings.list("extra-platforms"),
    ...(settings.find("system-features") === undefined ? {} : { systemFeatures: settings.list("system-features") }),
    contentAddressed: settings.list("experimental-features").includes("ca-derivations"),
    environment: environment.env,
  };
}

/** The protocol's place for silence is not used, as the setting says the same. */
function clientSettingsWithLimits(settings: NixConfiguration): ReadonlyMap<string, string> {
  const silence = settings.int("max-silent-time", 0);
  return new Map([...clientSettings(settings), ...(silence === 0 ? [] : [["max-silent-time", String(silence)] as const])]);
}

/**
 * The settings `sandbox` and `sandbox-paths`. Builds always run in namespaces of their own; `sandbox = false` shows them
 * the machine's files, read-only, and its network.
 */
export function sandboxOf(environment: Pick<NixEnvironment, "env">, settings: NixConfiguration): Partial<BuildOptions> {
  const named = settings.list("sandbox-paths").map(parseSandboxPath);
  if (isOff(settings.find("sandbox"))) return { networkForAll: true, sandboxPaths: [...machinePaths(), ...named] };
  if (named.some(({ shown }) => shown === "/bin/sh")) return { sandboxPaths: named };
  const shell = findProgram(environment.env, "busybox");
  return { sandboxPaths: shell === undefined ? named : [{ shown: "/bin/sh", real: shell, optional: true }, ...named] };
}

/** Of nix.conf where that names binary caches, else those of tsos's own settings. */
async function nixSubstituter(environment: NixEnvironment, settings: NixConfiguration, store: LocalStore, report: ProgressListener, fetchSettings: FetchSettings, others?: readonly string[]): Promise<Substituter | undefined> {
  if (!settings.bool("substitute", true)) return undefined;
  const named = others ?? (settings.find("substituters") === undefined ? undefined : settings.list("substituters"));
  const caches: CacheSettings = named !== undefined
    ? { substituters: named, trust: await nixTrust(environment, settings) }
    : await loadCacheSettings({ env: environment.env });
  if (caches.substituters.length === 0) return undefined;
  const { createSubstituter } = await import("../substituter.ts");
  return createSubstituter({ env: environment.env, places: findPlaces(environment.env, environment.uid, undefined), report, flags: { offline: false } }, store, caches, fetchSettings, lookupLifetimes(settings));
}

/** Whose word about paths counts: the keys of nix.conf and of tsos's own settings. */
export async function nixTrust(environment: NixEnvironment, settings: NixConfiguration): Promise<Trust> {
  const own = await loadCacheSettings({ env: environment.env });
  return { publicKeys: [...settings.list("trusted-public-keys").map(parsePublicKey), ...own.trust.publicKeys], requireSignatures: settings.bool("require-sigs", true) };
}

/** What is going to be built and fetched with `buildOptions`, as lines for people. Nix: libmain/shared.cc, printMissing */
export async function describeMissing(buildOptions: BuildOptions, store: LocalStore, targets: readonly { readonly drvPath: StorePath; readonly output: string }[]): Promise<readonly string[]> {
  const { substituter } = buildOptions;
  if (store.builds !== undefined) {
    const wishes = targets.map(({ drvPath, output }) => ({ kind: "derivation", path: drvPath, outputs: [output] }) as const);
    return describePlan(store, await store.builds.findMissing(wishes, serviceOptions(buildOptions)));
  }
  const graph = await readBuildGraph(store, targets.map(({ drvPath, output }) => ({ drvPath, outputs: [output] })), {
    check: false,
    contentAddressed: buildOptions.contentAddressed,
    ...(substituter === undefined ? {} : { substituter }),
    signal: buildOptions.signal,
  }).catch((error: unknown) => {
    throw withBuildWords(error, { showsOutput: true, logLines: 0, hasNixLog: false }, () => {});
  });
  const fetched = [...graph.substitutions.values()];
  return describePlan(store, {
    build: [...graph.goals.values()].filter((goal) => goal.build).map((goal) => goal.path),
    substitute: fetched.map(({ path }) => path),
    downloadSize: fetched.reduce((sum, { source }) => sum + (source.downloadSize ?? 0), 0),
    narSize: fetched.reduce((sum, { source }) => sum + source.info.narSize, 0),
  });
}

async function describePlan(store: LocalStore, { build, substitute, downloadSize, narSize }: Omit<MissingPaths, "unknown">): Promise<readonly string[]> {
  const lines: string[] = [];
  const show = (path: StorePath): string => `  ${formatStorePath(path, store.storeDir)}`;
  if (build.length > 0) {
    lines.push(build.length === 1 ? "this derivation will be built:" : `these ${build.length} derivations will be built:`);
    // Users come first in the store's order.
    const order = await store.sortTopologically(build);
    lines.push(...order.reverse().map(show));
  }
  if (substitute.length > 0) {
    const size = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MiB`;
    const sizes = `(${size(downloadSize)} download, ${size(narSize)} unpacked)`;
    lines.push(substitute.length === 1 ? `this path will be fetched ${sizes}:` : `these ${substitute.length} paths will be fetched ${sizes}:`);
    lines.push(...[...substitute].sort((a, b) => compareUtf8(storePathName(a) + a, storePathName(b) + b)).map(show));
  }
  return lines;
}
