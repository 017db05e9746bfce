import type { ByteString } from "../util/bytes.ts";

/** What a flake has for this system, and what is wrong with it. */
export type FlakeReport = {
  /** `packages.x86_64-linux.default` and what it is. */
  readonly outputs: readonly { readonly path: string; readonly kind: string }[];
  /** Derivations that are to be built, in full. */
  readonly checks: readonly { readonly path: string; readonly drvPath: ByteString }[];
  readonly problems: readonly { readonly path: string; readonly error: string }[];
  readonly warnings: readonly string[];
  /** Systems whose outputs were not looked at. */
  readonly omittedSystems: readonly string[];
};
