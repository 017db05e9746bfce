import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readDrvArchive } from "./archive.ts";
import { checkDrvs } from "./check-drvs.ts";
import { GOLDEN_DIR, SKIP_GOLDEN } from "./golden-dir.ts";

test("each .drv of a whole NixOS system comes out as it stands", { skip: SKIP_GOLDEN }, async () => {
  const files = await readDrvArchive(join(GOLDEN_DIR, "nixos-26.11-drvs.tar.zst"));
  assert.equal(files.size, 3080);
  assert.deepEqual(checkDrvs(files), []);
});

test("a .drv that is changed in one byte is named", { skip: SKIP_GOLDEN }, async () => {
  const files = new Map(await readDrvArchive(join(GOLDEN_DIR, "nixos-26.11-drvs.tar.zst")));
  const [name, bytes] = [...files].find(([, contents]) => Buffer.from(contents).includes("x86_64-linux"))!;
  files.set(name, Buffer.from(Buffer.from(bytes).toString("latin1").replace("x86_64-linux", "x86_65-linux"), "latin1"));
  const failures = checkDrvs(files);
  assert.equal(failures[0]?.file, name);
  assert.match(failures[0].reason, /has the store path/);
});
