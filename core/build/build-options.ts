import type { FetchSettings } from "../fetch/fetch-settings.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { Substituter } from "../store/substituter.ts";
import type { ProgressListener } from "../util/progress.ts";
import type { RemoteBuilders } from "./remote-builders.ts";
import type { SandboxPath } from "./sandbox.ts";
import type { BuildLimits } from "./build-limits.ts";
import type { BuiltinBuilder } from "./builtin-builder.ts";
import type { SpaceLimits } from "./space-keeper.ts";
import type { Tool } from "./tool.ts";

/** Programs that building needs, found or brought only when a build needs one. */
export type BuildTools = {
  /** The machine's own, or a seed's. @throws TsosError when there is none */
  bubblewrap(): Promise<Tool>;
};

export type BuiltDerivation = { readonly drvPath: StorePath; readonly outputs: readonly StorePath[]; readonly signal: AbortSignal };

export type BuildOptions = {
  /** How many builders run at once; 0: none here, other machines build. */
  readonly jobs: number;
  /** Machines that are asked before this one builds; default: none. */
  readonly remoteBuilders?: RemoteBuilders | undefined;
  /** What `NIX_BUILD_CORES` tells a builder; 0 means all. */
  readonly cores: number;
  /** How many builtin builders run at once, which mostly wait for the network; default 16. */
  readonly builtinJobs?: number;
  /** What it has is not built; default: everything is built. */
  readonly substituter?: Substituter | undefined;
  /** Caches that the daemon of the store is asked to ask too, where it builds for this process. */
  readonly substituterUrls?: readonly string[] | undefined;
  /** What the daemon of the store is told where it builds for this process, by Nix's names; default: limits, platforms and features of these options. */
  readonly clientSettings?: ReadonlyMap<string, string> | undefined;
  /** Whether that daemon is to ask caches; default true. */
  readonly clientSubstitutes?: boolean | undefined;
  /** How many paths are substituted at once; default 16. */
  readonly substitutionJobs?: number;
  /** After a failure, still build all that does not need what failed; default false. */
  readonly keepGoing?: boolean;
  /** Keep the build folder of a failed build, and say where. */
  readonly keepFailed?: boolean;
  /** Build targets that are valid again and compare. */
  readonly check?: boolean;
  /** Build targets that are valid again and put the outputs that are damaged right. */
  readonly repair?: boolean;
  /** Build derivations whose outputs' paths follow from their contents; default false, as Nix's feature `ca-derivations`. */
  readonly contentAddressed?: boolean | undefined;
  /** When a builder is killed; builtin builders have limits of their own. */
  readonly limits?: BuildLimits | undefined;
  /** When garbage is collected to have room for what is made; default: never. */
  readonly space?: SpaceLimits | undefined;
  readonly signal?: AbortSignal;
  readonly report?: ProgressListener;
  /** Called for each derivation that was built, or compared, here or elsewhere, once its outputs are valid. A failure ends the run. */
  readonly afterBuild?: ((built: BuiltDerivation) => Promise<void>) | undefined;
  readonly settings: FetchSettings;
  readonly builtins: ReadonlyMap<string, BuiltinBuilder>;
  readonly tools: BuildTools;
  /** A statically linked shell of the machine, shown as `/bin/sh` where a derivation has no build root. */
  readonly sandboxShell?: string | undefined;
  /** Files and folders of the machine that each sandbox shows, read-only. What a build makes of them is not reproducible. */
  readonly sandboxPaths?: readonly SandboxPath[];
  /** Every build may use the network, not only fixed outputs: for who turns the sandbox off. */
  readonly networkForAll?: boolean;
  /** What `requiredSystemFeatures` may name; default: what Nix has on such a machine. */
  readonly systemFeatures?: readonly string[] | undefined;
  /** Platforms built for besides the machine's own. */
  readonly extraPlatforms?: readonly string[];
  /** Whether `builtin:fetchurl` reads `file:` URLs of a derivation; default true, false where builds are somebody else's. */
  readonly localFiles?: boolean | undefined;
  /** Where a fixed output's `impureEnvVars` are read; default: none are set. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
};
