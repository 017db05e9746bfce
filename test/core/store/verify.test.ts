import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { hashBytes } from "../../../core/hash/hash.ts";
import { StoreDatabase } from "../../../core/store/database.ts";
import { makeStoreLayout } from "../../../core/store/store-layout.ts";
import { verifyStore } from "../../../core/store/verify.ts";
import { parseStorePathBaseName } from "../../../core/store-path/store-path.ts";
import { temporaryStore } from "./temporary-store.ts";

test("does not take a path for missing that becomes valid meanwhile", async (t) => {
  const { root } = await temporaryStore(t);
  const layout = makeStoreLayout({ root });
  const path = parseStorePathBaseName("00000000000000000000000000000000-late");
  class BusyDatabase extends StoreDatabase {
    /** Another process registers, in its right order, just before this one looks. */
    override allPaths(): ReturnType<StoreDatabase["allPaths"]> {
      writeFileSync(`${layout.realStoreDir}/${path}`, "");
      this.transaction(() => this.addValidPaths([{ path, narHash: hashBytes("sha256", new Uint8Array()), narSize: 112, references: [] }], 1));
      return super.allPaths();
    }
  }
  using database = new BusyDatabase(layout.database, { storeDir: layout.storeDir, readOnly: false, create: false });
  assert.deepEqual(await verifyStore(layout, database, {}), []);
  assert.notEqual(database.findId(path), undefined);
});
