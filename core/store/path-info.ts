import type { Hash } from "../hash/hash.ts";
import type { ContentAddress } from "../store-path/content-address.ts";
import type { StorePath } from "../store-path/store-path.ts";

/** What a store knows about one of its paths; the same facts that a narinfo carries. */
export type ValidPathInfo = {
  readonly path: StorePath;
  /** sha256 of the path's NAR. */
  readonly narHash: Hash;
  readonly narSize: number;
  /** By bytes ascending; holds the path itself where it refers to itself. */
  readonly references: readonly StorePath[];
  readonly deriver?: StorePath | undefined;
  /** Seconds since 1970. */
  readonly registrationTime: number;
  /** `name:base64` each. */
  readonly signatures: readonly string[];
  readonly contentAddress?: ContentAddress | undefined;
  /** Built here, so trusted without a signature. */
  readonly ultimate: boolean;
};

/** What an adder has to say; the store fills the rest. */
export type NewPathInfo = Pick<ValidPathInfo, "path" | "narHash" | "narSize" | "references"> &
  Partial<Pick<ValidPathInfo, "deriver" | "registrationTime" | "signatures" | "contentAddress" | "ultimate">>;
