import { TsosError } from "../error/tsos-error.ts";
import { DEFAULT_STORE_DIR } from "../store-path/store-path.ts";

/** What a cache says of itself: its `nix-cache-info`. */
export type CacheInfo = {
  readonly storeDir: string;
  readonly priority: number;
  readonly wantMassQuery: boolean;
};

/** What a cache has where it says nothing else: Nix's default. */
const DEFAULT_PRIORITY = 50;

/** @throws TsosError `cache.malformed` */
export function parseCacheInfo(text: string): CacheInfo {
  const fields = new Map(text.split("\n").flatMap((line) => {
    const colon = line.indexOf(":");
    return colon < 0 ? [] : [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const];
  }));
  const priority = fields.get("Priority");
  if (priority !== undefined && !/^-?\d+$/.test(priority)) throw new TsosError({ code: "cache.malformed", message: `a cache's priority is "${priority}", expected a whole number` });
  return { storeDir: fields.get("StoreDir") ?? DEFAULT_STORE_DIR, priority: priority === undefined ? DEFAULT_PRIORITY : Number(priority), wantMassQuery: fields.get("WantMassQuery") === "1" };
}
