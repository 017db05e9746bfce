import type { StorePath } from "../store-path/store-path.ts";
import type { ProgressListener } from "../util/progress.ts";

/** A path as it is, or outputs (all where none are named) of a derivation. */
export type BuildWish = { readonly path: StorePath; readonly outputs?: Iterable<string> | undefined; readonly kind: "path" | "derivation" };

/** What a client says of how its wishes are fulfilled; what of it counts is for the other side to say. */
export type BuildServiceOptions = {
  readonly mode?: "normal" | "check" | "repair" | undefined;
  readonly jobs: number;
  readonly cores: number;
  readonly keepFailed?: boolean | undefined;
  readonly keepGoing?: boolean | undefined;
  /** Take from binary caches what they have; default true. */
  readonly substitute?: boolean | undefined;
  /** URLs of caches to be asked besides those of the machine, where this user may name them. */
  readonly substituters?: readonly string[] | undefined;
  /** Further settings, by the names and in the form that `nix.conf` has. */
  readonly settings?: ReadonlyMap<string, string> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly report?: ProgressListener | undefined;
};

/** What would have to be done for wishes to be fulfilled. */
export type MissingPaths = {
  readonly build: readonly StorePath[];
  readonly substitute: readonly StorePath[];
  /** Neither built nor had from elsewhere. */
  readonly unknown: readonly StorePath[];
  /** In bytes. */
  readonly downloadSize: number;
  readonly narSize: number;
};

/** Somebody else who builds and substitutes into a store that this process reads only. */
export type BuildService = {
  /** @throws TsosError `daemon.remote-error` in the other side's words */
  realise(wishes: readonly BuildWish[], options: BuildServiceOptions): Promise<void>;
  findMissing(wishes: readonly BuildWish[], options: BuildServiceOptions): Promise<MissingPaths>;
};
