import type { OutputId, Realisation } from "../narinfo/realisation.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { NewPathInfo } from "./path-info.ts";

/** A path that can be had from elsewhere: what is said of it there. */
export type SubstitutablePath = {
  readonly info: NewPathInfo;
  /** Bytes to be transferred, where that is known. */
  readonly downloadSize?: number | undefined;
  /** Where it would come from, for people. */
  readonly from: string;
};

export type SubstituteOptions = {
  readonly signal?: AbortSignal | undefined;
  /** The caller holds the path's lock already. */
  readonly locked?: boolean | undefined;
  /** Put it in the place of the valid path that is there. */
  readonly repair?: boolean | undefined;
  /** Called when the contents are here and right, before they are registered. */
  readonly onReceived?: (() => void) | undefined;
  /** Bytes of the archive so far, of `total`. */
  readonly progress?: ((done: number, total: number) => void) | undefined;
};

/** Where paths come from that need not be built: binary caches and other stores. */
export type Substituter = {
  /** Those of `paths` that can be had and are trusted; asked in bulk. */
  query(paths: Iterable<StorePath>, signal?: AbortSignal): Promise<ReadonlyMap<StorePath, SubstitutablePath>>;
  /** Which path an output turned out to be elsewhere, in the words of somebody trusted. */
  findRealisation?(id: OutputId, signal?: AbortSignal): Promise<Realisation | undefined>;
  /**
   * Makes a path valid whose references are, or are being substituted since before.
   *
   * @throws TsosError `cache.substitution-failed` with what each place said
   */
  substitute(path: StorePath, options?: SubstituteOptions): Promise<void>;
};
