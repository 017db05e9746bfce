import type { NarInfo } from "../narinfo/narinfo.ts";
import { formatSignature } from "../narinfo/signature.ts";
import type { ValidPathInfo } from "../store/path-info.ts";

/** What a description says, as a store keeps it. */
export function pathInfoOf(info: NarInfo): ValidPathInfo {
  return {
    path: info.path,
    narHash: info.narHash,
    narSize: info.narSize,
    references: info.references,
    deriver: info.deriver,
    registrationTime: 0,
    signatures: info.signatures.map(formatSignature),
    contentAddress: info.contentAddress,
    ultimate: false,
  };
}
