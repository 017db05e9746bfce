import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Script, type ScriptOptions } from "node:vm";

export type CachedScript = {
  readonly script: Script;
  /**
   * Keeps what the engine compiled, lazily too, for the next time; does nothing where that is kept already. `much`: a
   * long run, which has compiled more than a short one that kept its own before.
   */
  save(much?: boolean): void;
};

/**
 * A script with the engine's code cache in `cacheFile`, where that fits this engine and this very script. An
 * installation that cannot be written to starts without it, a little later.
 *
 * @param identity what tells this script from any other: the engine itself compares only the length of its text
 */
export function loadCachedScript(source: string, cacheFile: string, identity: string, options: ScriptOptions): CachedScript {
  const headerOf = (much: boolean): Buffer => sha256(Buffer.from(`${identity} ${process.version} ${process.arch}${much ? " much" : ""}`));
  const cached = readCache(cacheFile);
  const hasMuch = cached?.header.equals(headerOf(true)) === true;
  const cachedData = hasMuch || cached?.header.equals(headerOf(false)) === true ? cached?.data : undefined;
  const script = new Script(source, cachedData === undefined ? options : { ...options, cachedData });
  let keptMuch = hasMuch;
  let isKept = cachedData !== undefined && script.cachedDataRejected !== true;
  return {
    script,
    save(much = false) {
      if (isKept && (!much || keptMuch)) return;
      isKept = true;
      keptMuch ||= much;
      const data = script.createCachedData();
      const temporary = `${cacheFile}.${process.pid}.tmp`;
      try {
        writeFileSync(temporary, Buffer.concat([headerOf(much), sha256(data), data]));
        renameSync(temporary, cacheFile);
      } catch {
        // It may not be written to.
      }
    },
  };
}

/** What is whole. */
function readCache(file: string): { readonly header: Buffer; readonly data: Buffer } | undefined {
  try {
    const bytes = readFileSync(file);
    const data = bytes.subarray(64);
    return bytes.subarray(32, 64).equals(sha256(data)) ? { header: bytes.subarray(0, 32), data } : undefined;
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
