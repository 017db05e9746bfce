import type { ByteString } from "../util/bytes.ts";

/** A source that goes into the store without a build. */
export type InstantiatedSource =
  | {
      readonly kind: "text";
      /** The store path, in full. */
      readonly path: string;
      readonly name: string;
      readonly contents: ByteString;
      /** Store paths in full, sorted. */
      readonly references: readonly string[];
    }
  | {
      readonly kind: "path";
      readonly path: string;
      readonly name: string;
      /** The file or folder it is copied from. */
      readonly file: string;
      /** Default `nar`; `flat`: one file, named by the hash of its bytes. */
      readonly method?: "nar" | "flat" | undefined;
      /** Paths below `file` that are left out. */
      readonly excluded?: readonly string[] | undefined;
      /** Store paths in full that the contents are said to refer to. */
      readonly references?: readonly string[] | undefined;
      /** While an evaluation runs: the input whose tree `file` is relative to; the project without one. */
      readonly input?: string;
    };

/** What an evaluation hands to the store: plain JSON, so that it can leave the isolate and be cached. */
export type Instantiation = {
  /** Inputs stand before what uses them; `contents` is the ATerm. */
  readonly derivations: readonly { readonly path: string; readonly contents: ByteString }[];
  readonly sources: readonly InstantiatedSource[];
  /** Those of the derivations that Nix expressions made, and the binary caches that may have their outputs. */
  readonly collections?: CollectionCaches | undefined;
};

/** Binary caches of collections of packages, asked for what comes from collections only. */
export type CollectionCaches = {
  readonly substituters: readonly string[];
  readonly trustedPublicKeys: readonly string[];
  /** Store paths in full. */
  readonly derivations: readonly string[];
};
