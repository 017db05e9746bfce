import type { GarbageOptions, GarbageResult, LocalStore } from "../../store/store.ts";
import { formatStorePath } from "../../store-path/store-path.ts";
import { writePaths } from "../wire/path-codec.ts";
import type { WireReader } from "../wire/wire-reader.ts";
import type { WireWriter } from "../wire/wire-writer.ts";

/** What the collector's request says for no limit. Nix: libstore/gc-store.hh. */
const NO_LIMIT = 0xffff_ffff_ffff_ffffn;

const DELETE_ACTIONS = { "return-dead": 1, "delete-dead": 2, "delete-specific": 3 } as const;

/** Whole paths, and how many bytes. */
export type GarbageAnswer = { readonly deleted: readonly string[]; readonly freed: number };

export function garbageRequest(options: GarbageOptions, storeDir: string): { readonly write: (writer: WireWriter) => void; readonly read: (reader: WireReader) => Promise<GarbageAnswer> } {
  const action = options.dryRun === true ? "return-dead" : options.paths === undefined ? "delete-dead" : "delete-specific";
  return {
    write(writer) {
      writer.number(DELETE_ACTIONS[action]);
      writePaths(writer, options.paths ?? [], storeDir);
      writer.boolean(false).number(options.maxFreed ?? NO_LIMIT).number(0).number(0).number(0);
    },
    async read(reader) {
      const answer = { deleted: await reader.list(() => reader.text()), freed: Number(await reader.bigint()) };
      // Once the blocks that were freed.
      await reader.bigint();
      return answer;
    },
  };
}

/** What the answer does not say: how many paths are alive, and how large those are that would go. */
export async function describeCollection(store: Pick<LocalStore, "storeDir" | "queryAllValidPaths" | "findPathInfo">, options: GarbageOptions, { deleted, freed }: GarbageAnswer): Promise<GarbageResult> {
  const all = await store.queryAllValidPaths();
  if (options.dryRun !== true) return { deleted, alive: all.length, bytesFreed: freed };
  const gone = new Set(deleted);
  const dead = all.filter((path) => gone.has(formatStorePath(path, store.storeDir)));
  const sizes = await Promise.all(dead.map(async (path) => (await store.findPathInfo(path))?.narSize ?? 0));
  return { deleted, alive: all.length - dead.length, bytesFreed: sizes.reduce((sum, size) => sum + size, 0) };
}
