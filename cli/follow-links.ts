import { readlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { TsosError } from "../core/error/tsos-error.ts";
import type { LocalStore } from "../core/store/store.ts";
import { parseStorePath, type StorePath } from "../core/store-path/store-path.ts";

/** The store path that a path, or a link, is in. @throws TsosError where it leads elsewhere */
export function toStorePath(opened: LocalStore, path: string): StorePath {
  const full = path.startsWith("/") ? path : resolve(path);
  const text = full.startsWith(`${opened.storeDir}/`) ? full : readLinkInto(full, opened.storeDir);
  const [base] = text.slice(opened.storeDir.length + 1).split("/");
  return parseStorePath(`${opened.storeDir}/${base}`, opened.storeDir);
}

/** What a link outside of the store, or above the path, makes of it. @throws TsosError where none leads into the store */
export function readLinkInto(path: string, storeDir: string): string {
  // A result link of a store elsewhere does not resolve on this machine, so it is read, not followed.
  for (let link = path; dirname(link) !== link; link = dirname(link)) {
    try {
      const target = readlinkSync(link);
      if (target.startsWith(`${storeDir}/`)) return target + path.slice(link.length);
    } catch {
      // No link; one above it may be.
    }
  }
  throw new TsosError({ code: "cli.not-a-store-path", message: `"${path}" is not in the store "${storeDir}" and no link into it`, data: { path, storeDir } });
}
