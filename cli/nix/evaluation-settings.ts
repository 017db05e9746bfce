import { homedir } from "node:os";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { EvaluationSettings } from "../../core/interop/evaluation-protocol.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import type { LintLevel } from "../../core/nix/nix-settings.ts";
import { wantsColours } from "../../core/nix/colour-report.ts";
import { toByteString } from "../../core/util/bytes.ts";
import type { LocalStoreOptions } from "../../core/store/store.ts";
import type { ClassicOptions } from "./classic-arguments.ts";
import { findPlaces } from "../places.ts";
import { realStoreDir } from "./store-location.ts";

const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64", ia32: "i686", arm: "armv7l", riscv64: "riscv64" };

/** This machine's name as derivations have it. */
export function systemName(): string {
  return `${MACHINES[process.arch] ?? process.arch}-${process.platform}`;
}

/** What an evaluation is told, from the command line, the settings and the environment. */
export function evaluationSettings(options: ClassicOptions, store: LocalStoreOptions, env: NodeJS.ProcessEnv, readOnly: boolean): EvaluationSettings {
  const { settings } = options;
  const folders = realStoreDir(store);
  const home = env["HOME"] ?? homedir();
  const restricted = settings.bool("restrict-eval", false);
  const evalSystem = settings.find("eval-system") ?? "";
  const features = settings.list("experimental-features");
  const abortOnWarn = env["NIX_ABORT_ON_WARN"];
  return {
    storeDir: toByteString(folders.storeDir),
    realStoreDir: toByteString(folders.realStoreDir),
    readOnly,
    folder: toByteString(process.cwd()),
    home: toByteString(home),
    currentSystem: evalSystem !== "" ? evalSystem : (settings.find("system") ?? systemName()),
    currentTime: Math.floor(Date.now() / 1000),
    environment: Object.fromEntries(Object.entries(env).map(([name, value]) => [toByteString(name), toByteString(value ?? "")])),
    searchPath: [...options.lookupPath, ...settings.list("nix-path"), ...(restricted ? [] : defaultSearchPath(env, home, store))].map(parseEntry),
    cacheFolder: settings.bool("eval-cache", true) ? join(findPlaces(env, process.getuid?.() ?? 0, undefined).cache, "nix") : undefined,
    registries: !settings.bool("use-registries", true) ? undefined : {
      user: join(env["XDG_CONFIG_HOME"] ?? join(home, ".config"), "nix/registry.json"),
      system: join(env["NIX_CONF_DIR"] ?? "/etc/nix", "registry.json"),
      global: settings.find("flake-registry"),
    },
    pure: settings.bool("pure-eval", false),
    restricted,
    allowedUris: settings.list("allowed-uris"),
    allowImportFromDerivation: settings.bool("allow-import-from-derivation", true),
    traceImportFromDerivation: settings.bool("trace-import-from-derivation", false),
    language: {
      abortOnWarn: settings.bool("abort-on-warn", abortOnWarn === "1" || abortOnWarn === "yes" || abortOnWarn === "true"),
      traceVerbose: settings.bool("trace-verbose", false),
      maxCallDepth: settings.int("max-call-depth", 10_000),
      pipeOperators: features.includes("pipe-operators"),
      tomlTimestamps: features.includes("parse-toml-timestamps"),
      blake3Hashes: features.includes("blake3-hashes"),
      caDerivations: features.includes("ca-derivations"),
      impureDerivations: features.includes("impure-derivations"),
      dynamicDerivations: features.includes("dynamic-derivations"),
      gitHashing: features.includes("git-hashing"),
      fetchClosure: features.includes("fetch-closure"),
      lintUrlLiterals: lint(settings, "lint-url-literals"),
      lintShortPathLiterals: lint(settings, "lint-short-path-literals"),
      lintAbsolutePathLiterals: lint(settings, "lint-absolute-path-literals"),
    },
    experimentalFeatures: features,
    showTrace: settings.bool("show-trace", false),
    colours: wantsColours(process.stderr.isTTY, env),
    logsJson: options.logsJson,
  };
}

function lint(settings: NixConfiguration, name: string): LintLevel | undefined {
  const level = settings.find(name);
  return level === "warn" || level === "fatal" ? level : undefined;
}

function parseEntry(text: string): EvaluationSettings["searchPath"][number] {
  const equals = text.indexOf("=");
  // A URL may hold an equals sign of its own only after its name.
  return { prefix: toByteString(equals < 0 ? "" : text.slice(0, equals)), path: toByteString(text.slice(equals + 1)) };
}

/** Channels, as far as they are there. */
function defaultSearchPath(env: NodeJS.ProcessEnv, home: string, store: LocalStoreOptions): readonly string[] {
  const state = store.stateDir ?? env["NIX_STATE_DIR"] ?? `${store.root ?? ""}/nix/var/nix`;
  const channels = join(state, "profiles/per-user/root/channels");
  const entries: (readonly [string, string])[] = [["", join(home, ".nix-defexpr/channels")], ["nixpkgs=", join(channels, "nixpkgs")], ["", channels]];
  return entries.filter(([, path]) => existsSync(path)).map(([prefix, path]) => prefix + path);
}

