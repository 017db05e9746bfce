import { narInfoFingerprint } from "../narinfo/narinfo.ts";
import { parseSignature, verifySignature, type PublicKey } from "../narinfo/signature.ts";
import type { NewPathInfo } from "../store/path-info.ts";
import { makeContentAddressedPath } from "../store-path/make-store-path.ts";
import { storePathName, type StorePath } from "../store-path/store-path.ts";

/** Whose word counts. */
export type Trust = {
  readonly publicKeys: readonly PublicKey[];
  /** Off: every path is taken as it is described. */
  readonly requireSignatures: boolean;
};

/**
 * Whether a path may be taken from somebody: its name follows from its contents (then `addNarToStore` proves the
 * rest), or somebody trusted signed what is said of it. Nix: libstore/local-store.cc, pathInfoIsUntrusted.
 */
export function isTrusted(info: NewPathInfo, { publicKeys, requireSignatures }: Trust, storeDir: string): boolean {
  if (!requireSignatures || isContentAddressed(info, storeDir)) return true;
  const fingerprint = narInfoFingerprint(info, storeDir);
  return (info.signatures ?? []).some((signature) => verifySignature(fingerprint, parseSignature(signature), publicKeys));
}

function isContentAddressed({ path, contentAddress, references }: NewPathInfo, storeDir: string): boolean {
  if (contentAddress === undefined) return false;
  const others = references.filter((reference: StorePath) => reference !== path);
  return makeContentAddressedPath(storePathName(path), contentAddress, { others, self: others.length < references.length }, storeDir) === path;
}
