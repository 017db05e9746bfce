import type { Derivation } from "../derivation/derivation.ts";
import type { LocalStore } from "../store/store.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { BuildResult, DerivationBuild } from "./derivation-build.ts";

/** A place at another machine that is held for one build. */
export type RemotePlace = {
  /** The machine, for people. */
  readonly name: string;
  /** Sends what is needed, builds, brings the outputs and makes them valid. The caller holds their locks. */
  build(store: LocalStore, build: DerivationBuild): Promise<BuildResult>;
  release(): void;
};

/** Other machines that build for this one. */
export type RemoteBuilders = {
  /**
   * The best free place for a derivation. Where no machine has one free: undefined if this machine can build it, or
   * if no machine ever could; else it waits.
   */
  take(derivation: Derivation, options: { readonly path: StorePath; readonly canBuildHere: boolean; readonly signal: AbortSignal }): Promise<RemotePlace | undefined>;
};
