import { createHash } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Script, type ScriptOptions } from "node:vm";
import { mayWrite } from "./may-access.ts";

export type CachedScript = {
  readonly script: Script;
  /**
   * Keeps what the engine compiled, lazily too, for the next time, unless that is kept already, or nearly all of it.
   * `prepare` is called before it is taken.
   */
  save(prepare?: () => void): void;
};

/**
 * What the engine compiled, and how much of it: bytes of bytecode, and pages of memory that the process had touched by then,
 * which say whether much more was done, on a busy machine too, and are had for nothing.
 */
type Kept = { readonly data: Buffer; readonly pages: number; readonly bytecode: number };

/** So much more has to have been touched, or compiled, before it is looked at, or kept, again. */
const MORE = 1.15;

/**
 * A script with the engine's code cache in `cacheFile`, where that fits this engine and this very script. An
 * installation that cannot be written to starts without it, a little later.
 *
 * @param identity what tells this script from any other: the engine itself compares only the length of its text
 */
export function loadCachedScript(source: string, cacheFile: string, identity: string, options: ScriptOptions): CachedScript {
  const header = sha256(Buffer.from(`${identity} ${process.version} ${process.arch}`));
  const cached = readCache(cacheFile, header);
  const script = new Script(source, cached === undefined ? options : { ...options, cachedData: cached.data });
  let kept = script.cachedDataRejected === true ? undefined : cached;
  return {
    script,
    save(prepare) {
      const { minorPageFault: pages } = process.resourceUsage();
      if (kept !== undefined && pages < kept.pages * MORE) return;
      // Asked first: what the engine compiled takes longer to collect than to write.
      if (!mayWrite(dirname(cacheFile))) return;
      const bytecode = countBytecode();
      if (kept !== undefined && bytecode < kept.bytecode * MORE) return;
      prepare?.();
      kept = { data: script.createCachedData(), pages, bytecode };
      const amounts = Buffer.alloc(16);
      amounts.writeDoubleLE(pages, 0);
      amounts.writeDoubleLE(bytecode, 8);
      const body = Buffer.concat([amounts, kept.data]);
      const temporary = `${cacheFile}.${process.pid}.tmp`;
      try {
        writeFileSync(temporary, Buffer.concat([header, sha256(body), body]));
        renameSync(temporary, cacheFile);
      } catch {
        // The disk may be full.
      }
    },
  };
}

/** Of all that this thread has compiled. Loaded late: few need it. */
function countBytecode(): number {
  return process.getBuiltinModule("node:v8").getHeapCodeStatistics().bytecode_and_metadata_size;
}

/** What is whole, and of this script and engine. */
function readCache(file: string, header: Buffer): Kept | undefined {
  try {
    const bytes = readFileSync(file);
    const body = bytes.subarray(64);
    if (!bytes.subarray(0, 32).equals(header) || !bytes.subarray(32, 64).equals(sha256(body))) return undefined;
    return { pages: body.readDoubleLE(0), bytecode: body.readDoubleLE(8), data: body.subarray(16) };
  } catch {
    return undefined;
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}
