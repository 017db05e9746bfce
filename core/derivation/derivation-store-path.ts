import { makeTextPath } from "../store-path/make-store-path.ts";
import { DEFAULT_STORE_DIR, type StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";
import type { Derivation } from "./derivation.ts";
import { formatDerivation } from "./format-derivation.ts";

/** What the `.drv` file refers to: its input sources and the `.drv` files of its inputs. */
export function derivationReferences(derivation: Derivation): ReadonlySet<StorePath> {
  return new Set([...derivation.inputSources, ...derivation.inputDerivations.keys()]);
}

/** The path of the `.drv` file itself; `contents` is its text, where the caller has it already. */
export function derivationStorePath(
  derivation: Derivation,
  storeDir: string = DEFAULT_STORE_DIR,
  contents: ByteString = formatDerivation(derivation, storeDir),
): StorePath {
  return makeTextPath({ name: `${derivation.name}.drv`, contents, references: derivationReferences(derivation), storeDir });
}
