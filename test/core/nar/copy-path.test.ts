import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { copyPath } from "../../../core/nar/copy-path.ts";
import { narHashOfPath } from "../../../core/nar/dump-path.ts";
import { removeTree } from "../../../core/store/file-tree.ts";
import { native } from "../../../core/util/native.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-copy-"));
after(() => removeTree(folder));

function writeTree(tree: string): void {
  mkdirSync(join(tree, "sub"), { recursive: true });
  writeFileSync(join(tree, "large"), randomBytes((17 << 20) + 3), { mode: 0o755 });
  writeFileSync(join(tree, "one megabyte"), randomBytes(1 << 20));
  writeFileSync(join(tree, "sub/small"), "small");
  symlinkSync("../large", join(tree, "sub/link"));
}

test("copies what an archive holds, with files large and small, and tells the archive's hash", async () => {
  const source = join(folder, "source");
  writeTree(source);
  const wanted = await narHashOfPath(source);
  assert.deepEqual(await copyPath(source, join(folder, "target")), wanted);
  assert.deepEqual(await narHashOfPath(join(folder, "target")), wanted);
  const { mode, mtimeMs } = lstatSync(join(folder, "target/large"));
  assert.deepEqual([mode & 0o7777, mtimeMs], [0o555, 1000]);
});

test("leaves out what it is told to", async () => {
  const source = join(folder, "filtered");
  writeTree(source);
  const include = (path: string): boolean => !path.endsWith("/large");
  assert.deepEqual(await copyPath(source, join(folder, "without"), { include }), await narHashOfPath(source, { include }));
  assert.equal(existsSync(join(folder, "without/large")), false);
});

test("copies by itself where the kernel cannot", async (t) => {
  const memory = "/dev/shm";
  // From one file system to another kind of file system it copies nothing.
  if (!existsSync(memory) || statSync(memory).dev === statSync(folder).dev) return t.skip("there is one file system only");
  const source = mkdtempSync(join(memory, "tsos-copy-"));
  try {
    writeFileSync(join(source, "large"), randomBytes((3 << 20) + 1));
    assert.deepEqual(await copyPath(source, join(folder, "from-memory")), await narHashOfPath(source));
    assert.ok(readFileSync(join(source, "large")).equals(readFileSync(join(folder, "from-memory/large"))));
  } finally {
    await removeTree(source);
  }
});

test("a file that the kernel stops copying is copied on", async (t) => {
  const source = join(folder, "stopped");
  mkdirSync(source);
  writeFileSync(join(source, "large"), randomBytes(20 << 20));
  const calls = native() as { copyRange: ReturnType<typeof native>["copyRange"] };
  const { copyRange } = calls;
  let asked = 0;
  t.after(() => (calls.copyRange = copyRange));
  calls.copyRange = (from, to, size) => (++asked === 2 ? Promise.resolve(0) : copyRange(from, to, asked === 1 ? 1_000_003 : size));
  assert.deepEqual(await copyPath(source, join(folder, "went-on")), await narHashOfPath(source));
  assert.equal(asked, 2);
});

test("ends with the reason of who stops it", async () => {
  const source = join(folder, "aborted");
  writeTree(source);
  chmodSync(join(source, "large"), 0o444);
  const stop = new AbortController();
  const copying = copyPath(source, join(folder, "half"), { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(copying, { message: "enough" });
});
