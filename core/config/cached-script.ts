import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { Script, type ScriptOptions } from "node:vm";

export type CachedScript = {
  readonly script: Script;
  /** Keeps what the engine compiled, lazily too, for the next time; does nothing where that is kept already. */
  save(): void;
};

/**
 * A script with the engine's code cache in `cacheFile`, where that fits this engine and this very script. An
 * installation that cannot be written to starts without it, a little later.
 *
 * @param identity what tells this script from any other: the engine itself compares only the length of its text
 */
export function loadCachedScript(source: string, cacheFile: string, identity: string, options: ScriptOptions): CachedScript {
  const header = sha256(Buffer.from(`${identity} ${process.version} ${process.arch}`));
  const cachedData = readCache(cacheFile, header);
  const script = new Script(source, cachedData === undefined ? options : { ...options, cachedData });
  let isKept = cachedData !== undefined && script.cachedDataRejected !== true;
  return {
    script,
    save() {
      if (isKept) return;
      isKept = true;
      const data = script.createCachedData();
      const temporary = `${cacheFile}.${process.pid}.tmp`;
      try {
        writeFileSync(temporary, Buffer.concat([header, sha256(data), data]));
        renameSync(temporary, cacheFile);
      } catch {
        // It may not be written to.
      }
    },
  };
}

function readCache(file: string, header: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const data = bytes.subarray(64);
    return bytes.subarray(0, 32).equals(header) && bytes.subarray(32, 64).equals(sha256(data)) ? data : undefined;
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
