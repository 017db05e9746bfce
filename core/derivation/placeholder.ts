import { compressHash } from "../hash/compress-hash.ts";
import { hashByteString } from "../hash/hash.ts";
import { decodeNix32, encodeNix32 } from "../hash/nix32.ts";
import { outputPathName } from "../store-path/make-store-path.ts";
import { storePathHash, storePathName, type StorePath } from "../store-path/store-path.ts";

// Nix: libstore/derivations.cc (hashPlaceholder) and libstore/downstream-placeholder.cc.

/** What stands in a derivation for the path of its own output, while that is not known: `/<52 characters>`. */
export function outputPlaceholder(outputName: string): string {
  return `/${encodeNix32(hashByteString("sha256", `nix-output:${outputName}`).digest)}`;
}

/** What stands in a derivation for a floating output of one of its inputs. */
export function inputPlaceholder(derivationPath: StorePath, outputName: string): string {
  const name = storePathName(derivationPath).replace(/\.drv$/, "");
  return `/${encodeNix32(hashByteString("sha256", `nix-upstream-output:${storePathHash(derivationPath)}:${outputPathName(name, outputName)}`).digest)}`;
}

/** What stands for an output of the derivation that `placeholder`, itself one of `inputPlaceholder`, will be. */
export function dynamicInputPlaceholder(placeholder: string, outputName: string): string {
  const compressed = encodeNix32(compressHash(decodeNix32(placeholder.slice(1)), 20));
  return `/${encodeNix32(hashByteString("sha256", `nix-computed-output:${compressed}:${outputName}`).digest)}`;
}
