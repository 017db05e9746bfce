import { TsosError } from "../error/tsos-error.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";

/** For `check`: a path without a trusted signature ends the copy. */
export function untrusted(path: StorePath, storeDir: string): TsosError {
  const text = formatStorePath(path, storeDir);
  return new TsosError({ code: "cache.untrusted", message: `no trusted key signed "${text}"`, hint: "add the cache's key to the trusted public keys, or copy with --no-check-signatures", data: { path: text } });
}
