import type { Derivation } from "../derivation/derivation.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";

/** A derivation that stands in the registry, whole. */
export type RecordedDerivation = {
  readonly path: StorePath;
  readonly derivation: Derivation;
  readonly contents: ByteString;
  readonly outputs: ReadonlyMap<string, StorePath>;
};
