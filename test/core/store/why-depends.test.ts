import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { removeTree } from "../../../core/store/file-tree.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { whyDepends } from "../../../core/store/why-depends.ts";
import { formatStorePath } from "../../../core/store-path/store-path.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-why-"));
after(() => removeTree(folder));

test("places come in the order of an archive, and the first is the first of them", async () => {
  await using store = await openLocalStore({ root: join(folder, "root") });
  const used = await store.addTextToStore("used", "used", []);
  const text = formatStorePath(used);
  const source = join(folder, "source");
  mkdirSync(join(source, "bin"), { recursive: true });
  // Made in another order than they are named in.
  symlinkSync(text, join(source, "link"));
  writeFileSync(join(source, "conf"), `${text}\n`);
  writeFileSync(join(source, "bin/program"), `run ${text}/bin\n`);
  writeFileSync(join(source, "about"), "nothing\n");
  const user = await store.addPathToStore("user", source, { references: [used] });
  const names = async (limit?: number) => (await whyDepends(store, user, used, limit === undefined ? {} : { limit }))?.[0]?.places.map(({ file }) => file);
  assert.deepEqual(await names(10), ["bin/program", "conf", "link"]);
  assert.deepEqual(await names(), ["bin/program"]);
});
