import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, unlinkSync, writevSync } from "node:fs";
import { endianness } from "node:os";
import { join } from "node:path";
import type { CompiledFile } from "../nix/compile.ts";
import type { ParsedFiles } from "../nix/parsed-files.ts";
import { encodeParsedPack, ParsedPack } from "./parsed-pack.ts";

export type ParsedFileCache = ParsedFiles & {
  /** Writes what was added. */
  save(): void;
};

export type ParsedFileCacheOptions = {
  /** Called with the number of files that were asked for. */
  readonly onAsked?: (files: number) => void;
  /** Bytes; what does not fit is dropped when packs are made one, but for what the present evaluation read. */
  readonly limit?: number;
};

/** More packs than this are made one: each costs a look when a file is asked for. */
const MANY = 8;
const LIMIT = 256 * 1024 * 1024;
/** Programs whose parsed files are kept: this one, those of other installations, and some that were updated. */
const MOST_PROGRAMS = 4;

/**
 * Parsed files of this and earlier evaluations, in a folder of packs for each program, since another may compile files
 * otherwise. Processes share it without a lock: a pack is written under another name, is never changed, and may vanish while
 * others have it open.
 */
export function openParsedFileCache(parent: string, program: string, { onAsked, limit = LIMIT }: ParsedFileCacheOptions = {}): ParsedFileCache {
  const folder = join(parent, program);
  const added = new Map<string, CompiledFile>();
  const used = new Set<string>();
  let packs: ParsedPack[] | undefined;
  let asked = 0;
  const open = (): ParsedPack[] => (packs ??= namesOf(folder).flatMap((name) => ParsedPack.open(join(folder, name)) ?? []));
  return {
    find(key) {
      onAsked?.(++asked);
      const bytes = Buffer.from(key, "hex").toString("latin1");
      for (const pack of open()) {
        const file = pack.find(bytes);
        if (file === undefined) continue;
        used.add(bytes);
        return file;
      }
      return undefined;
    },
    add(key, file) {
      added.set(Buffer.from(key, "hex").toString("latin1"), file);
    },
    save() {
      const known = packs ?? [];
      if (added.size > 0) {
        const merged = known.length >= MANY ? known : [];
        const files = new Map<string, CompiledFile>();
        // What matters most first; a key has one meaning, so that the first file with it is as good as any other.
        const keep = (key: string, pack: ParsedPack): void => {
          const file = files.has(key) ? undefined : pack.find(key);
          if (file !== undefined) files.set(key, file);
        };
        for (const [key, file] of added) files.set(key, file);
        for (const pack of merged) for (const key of pack.keys()) if (used.has(key)) keep(key, pack);
        if (known.reduce((sum, pack) => sum + pack.size, 0) < limit) for (const pack of merged) for (const key of pack.keys()) keep(key, pack);
        writePack(folder, encodeParsedPack(files));
        for (const pack of merged) remove(pack.path);
        removeOldPrograms(parent, program);
      }
      for (const pack of known) pack[Symbol.dispose]();
      packs = undefined;
      added.clear();
    },
  };
}

function namesOf(folder: string): readonly string[] {
  if (endianness() !== "LE") return [];
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".pack"));
  } catch {
    return [];
  }
}

/** A cache that cannot be written is one that is not there. */
function writePack(folder: string, pieces: readonly Uint8Array[]): void {
  const path = join(folder, `${randomUUID()}.pack`);
  const temporary = `${path}.tmp`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const fd = openSync(temporary, "wx", 0o600);
    try {
      let whole = Buffer.concat(pieces);
      while (whole.length > 0) whole = whole.subarray(writevSync(fd, [whole]));
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch {
    remove(temporary);
  }
}

/** The folders into which nothing was written for longest; what their programs have open they read on. */
function removeOldPrograms(parent: string, program: string): void {
  try {
    const others = readdirSync(parent).filter((name) => name !== program);
    if (others.length < MOST_PROGRAMS) return;
    const times = new Map(others.map((name) => [name, statSync(join(parent, name), { throwIfNoEntry: false })?.mtimeMs ?? 0]));
    const oldest = others.sort((a, b) => times.get(a)! - times.get(b)!).slice(0, others.length - MOST_PROGRAMS + 1);
    for (const name of oldest) rmSync(join(parent, name), { recursive: true, force: true });
  } catch {
    // Another process was first, or the folder is not ours.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was first, or the folder is not ours.
  }
}
