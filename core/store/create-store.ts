import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import { tryLockFile } from "../util/file-lock.ts";
import { native } from "../util/native.ts";
import { StoreDatabase } from "./database.ts";
import { SCHEMA_VERSION } from "./schema.ts";
import { RESERVED_BYTES, type StoreLayout } from "./store-layout.ts";

/**
 * Makes folders and database where there is no store yet; one that is there stays as it is.
 *
 * @throws TsosError `store.schema` for a database of another version, `store.not-writable`
 */
export async function createStore(layout: StoreLayout): Promise<void> {
  // The database may be older than the folder that it is to be about.
  if (readSchemaVersion(layout) === SCHEMA_VERSION && existsSync(layout.realStoreDir)) return;
  makeFolders(layout);
  // Who makes the store at the same moment goes on to write, and holds the lock shared for as long as that takes.
  let lock = tryLockFile(layout.bigLock);
  while (lock === undefined) {
    if (readSchemaVersion(layout) === SCHEMA_VERSION) return;
    await sleep(10);
    lock = tryLockFile(layout.bigLock);
  }
  using _lock = lock;
  if (readSchemaVersion(layout) === SCHEMA_VERSION) return;
  if (!existsSync(layout.gcLock)) writeFileSync(layout.gcLock, "", { mode: 0o600 });
  if (!existsSync(layout.reserved)) reserve(layout.reserved);
  new StoreDatabase(layout.database, { storeDir: layout.storeDir, readOnly: false, create: true })[Symbol.dispose]();
  // Last, and at once: whoever sees it may trust the tables.
  writeFileSync(`${layout.schema}.tmp`, String(SCHEMA_VERSION), { flush: true });
  renameSync(`${layout.schema}.tmp`, layout.schema);
}

/** Room that a collector may give back to have some to work with. */
function reserve(file: string): void {
  const descriptor = openSync(file, "wx", 0o600);
  try {
    // Not written: the disk would have it to write with the first paths.
    if (!native().allocate(descriptor, RESERVED_BYTES)) writeFileSync(descriptor, Buffer.alloc(RESERVED_BYTES, "X"));
  } finally {
    closeSync(descriptor);
  }
}

/** @returns 0 when there is no store yet */
function readSchemaVersion(layout: StoreLayout): number {
  let text: string;
  try {
    text = readFileSync(layout.schema, "latin1");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return 0;
    throw error;
  }
  const version = Number(text.trim());
  if (version !== SCHEMA_VERSION) {
    throw new TsosError({
      code: "store.schema",
      message: `the store's database "${layout.databaseDir}" has the version "${text.trim()}", expected "${SCHEMA_VERSION}"`,
      hint: version < SCHEMA_VERSION ? "a current Nix upgrades it when it first opens it" : "a newer program made it",
      data: { databaseDir: layout.databaseDir, version },
    });
  }
  return version;
}

function makeFolders(layout: StoreLayout): void {
  try {
    for (const folder of [
      layout.linksDir,
      layout.databaseDir,
      layout.temporaryRootsDir,
      `${layout.gcRootsDir}/per-user`,
      `${layout.profilesDir}/per-user`,
    ]) {
      // Without regard to the umask: a folder in which all may write is one in which somebody puts another's profile.
      mkdirSync(folder, { recursive: true, mode: 0o755 });
    }
  } catch (error) {
    throw new TsosError({
      code: "store.not-writable",
      message: `cannot make a store in "${layout.realStoreDir}": ${error instanceof Error ? error.message : String(error)}`,
      hint: "run as a user who may write there, or name another root",
      data: { storeDir: layout.realStoreDir },
      cause: error,
    });
  }
}
