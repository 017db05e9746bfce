import type { CompressionFormat } from "../compression/decompress.ts";
import { TsosError } from "../error/tsos-error.ts";
import { parseNarInfo, type NarInfo } from "../narinfo/narinfo.ts";
import { formatStorePath, type StorePath } from "../store-path/store-path.ts";

/** How the archives of caches are packed, by the names that descriptions have. */
export const ARCHIVE_FORMATS: Readonly<Record<string, CompressionFormat>> = { none: "none", "": "none", gzip: "gzip", xz: "xz", zstd: "zstd", br: "brotli", bzip2: "bzip2" };

/**
 * What the cache named `cacheName` says of `path`: of that path and no other, and of an archive that lies in the cache.
 *
 * @throws TsosError `cache.malformed`
 */
export function parseCachedNarInfo(text: string, path: StorePath, { cacheName, storeDir }: { readonly cacheName: string; readonly storeDir: string }): NarInfo {
  const wrong = (problem: string, cause?: unknown): TsosError =>
    new TsosError({ code: "cache.malformed", message: `what the cache "${cacheName}" says of "${formatStorePath(path, storeDir)}" ${problem}`, data: { url: cacheName, path }, ...(cause === undefined ? {} : { cause }) });
  let info: NarInfo;
  try {
    info = parseNarInfo(text, storeDir);
  } catch (error) {
    throw wrong(`is broken: ${error instanceof Error ? error.message : String(error)}`, error);
  }
  if (info.path !== path) throw wrong(`is about "${formatStorePath(info.path, storeDir)}"`);
  // Relative, and never out of the cache.
  if (info.url === "" || info.url.includes("\\") || /^[a-z][a-z0-9+.-]*:|^\//i.test(info.url) || info.url.split("/").some((part) => part === ".." || part === "." || part === "")) {
    throw wrong(`names the archive "${info.url}", which may be another server's file`);
  }
  if (ARCHIVE_FORMATS[info.compression] === undefined) throw wrong(`has the unknown compression "${info.compression}"`);
  return info;
}
