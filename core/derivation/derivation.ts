import type { HashAlgorithm } from "../hash/hash-algorithm.ts";
import type { ContentAddress, ContentAddressMethod } from "../store-path/content-address.ts";
import type { StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";

/**
 * What is known of an output before it is built.
 * - `input-addressed`: its path, computed from all inputs.
 * - `fixed`: its contents' hash, so its path too.
 * - `floating`: only how its contents will be hashed.
 * - `impure`: as `floating`, but built anew each time.
 * - `deferred`: will be input-addressed once the floating inputs are built. In a derivation that is not
 *   finished yet: an output whose path is still to be computed.
 */
export type DerivationOutput =
  | { readonly kind: "input-addressed"; readonly path: StorePath }
  | { readonly kind: "fixed"; readonly contentAddress: ContentAddress }
  | { readonly kind: "floating"; readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm }
  | { readonly kind: "impure"; readonly method: ContentAddressMethod; readonly algorithm: HashAlgorithm }
  | { readonly kind: "deferred" };

/** What is used of the derivation that an output of an input derivation turns out to be. */
export type DynamicInput = {
  readonly outputs: ReadonlySet<string>;
  readonly dynamicOutputs: ReadonlyMap<string, DynamicInput>;
};

/** One build: the contents of a `.drv` file and the name that its store path carries. */
export type Derivation = {
  /** Without `.drv`. */
  readonly name: string;
  readonly outputs: ReadonlyMap<string, DerivationOutput>;
  /** The path of each input's `.drv` and the outputs used of it. */
  readonly inputDerivations: ReadonlyMap<StorePath, ReadonlySet<string>>;
  /** By input derivation (each of them is in `inputDerivations` too) and by its output, which is a `.drv` itself. */
  readonly dynamicInputs?: ReadonlyMap<StorePath, ReadonlyMap<string, DynamicInput>> | undefined;
  readonly inputSources: ReadonlySet<StorePath>;
  /** Nix's `system`: `x86_64-linux`, `builtin`. */
  readonly platform: ByteString;
  readonly builder: ByteString;
  readonly args: readonly ByteString[];
  readonly env: ReadonlyMap<ByteString, ByteString>;
};
