import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { formatHash, hashBytes } from "../../../core/hash/hash.ts";
import { dumpPath, narHashOfPath } from "../../../core/nar/dump-path.ts";
import { gitHashOfPath } from "../../../core/nar/git-hash.ts";
import { restorePath } from "../../../core/nar/restore-path.ts";
import { writeNar } from "../../../core/nar/write-nar.ts";

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}

describe("dumpPath and restorePath", () => {
  let folder: string;
  const made: string[] = [];
  const restored = (): string => {
    made.push("restored");
    return join(folder, `restored-${made.length}`);
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tsos-nar-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test("writes a file's archive as the reference does", async () => {
    const path = join(folder, "asdf");
    writeFileSync(path, "asdf");
    const { hash, size } = await narHashOfPath(path);
    assert.equal(size, 120);
    assert.equal(formatHash(hash, "sri"), "sha256-f1eduuSIYC1BofXA1tycF79Ai2NSMJQtUErx5DxLYSU=");
  });

  test("gives back a tree of all kinds, with names of any bytes and contents of any length", async () => {
    const root = join(folder, "tree");
    mkdirSync(join(root, "dir/empty"), { recursive: true });
    const odd = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xc3, 0x20])]);
    writeFileSync(odd, "odd");
    symlinkSync(Buffer.from([0x2e, 0xfe]), Buffer.concat([Buffer.from(`${root}/link`), Buffer.from([0x80])]));
    for (const size of [0, 1, 7, 8, 9, (1 << 18) - 200, 1 << 18, (1 << 18) + 1, 1 << 20]) {
      const path = join(root, "dir", `file-${size}`);
      writeFileSync(path, Buffer.alloc(size, size & 0xff));
      chmodSync(path, size % 2 === 0 ? 0o640 : 0o755);
    }
    writeFileSync(join(root, "dir.d"), "sorts before dir/ and after dir");
    const archive = await collect(dumpPath(root));
    assert.deepEqual((await narHashOfPath(root)).hash, hashBytes("sha256", archive));

    const target = restored();
    assert.equal(await restorePath(dumpPath(root), target), archive.length);
    assert.ok((await collect(dumpPath(target))).equals(archive));
    const stat = lstatSync(join(target, "dir/file-7"));
    assert.equal(stat.mode & 0o7777, 0o555);
    assert.equal(stat.mtimeMs, 1000);
    assert.equal(lstatSync(join(target, "dir/file-8")).mode & 0o7777, 0o444);
    assert.equal(lstatSync(target).mode & 0o7777, 0o555);
    assert.equal(lstatSync(join(target, "dir/empty")).mtimeMs, 1000);
    assert.equal(readFileSync(Buffer.concat([Buffer.from(`${target}/`), Buffer.from([0xff, 0xc3, 0x20])]), "utf8"), "odd");
    assert.equal(readlinkSync(Buffer.concat([Buffer.from(`${target}/link`), Buffer.from([0x80])]), "latin1"), ".\u00fe");
  });

  test("does not write over what is there, nor through a link", async () => {
    const existing = join(folder, "existing");
    writeFileSync(existing, "keep");
    const archive = [...writeNar({ kind: "regular", executable: false, contents: Buffer.from("new") })];
    await assert.rejects(restorePath(archive, existing), { code: "nar.unwritable", message: /existing": EEXIST/ });
    const link = join(folder, "dangling");
    symlinkSync(join(folder, "elsewhere"), link);
    await assert.rejects(restorePath(archive, link), { code: "nar.unwritable" });
    assert.equal(readFileSync(existing, "utf8"), "keep");
  });

  test("names a file that has no place in an archive, and one that is missing", async () => {
    const root = join(folder, "with-socket");
    mkdirSync(root);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(root, "socket"), resolve));
    await assert.rejects(collect(dumpPath(root)), { code: "nar.unsupported-file", message: /with-socket\/socket"/ });
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(collect(dumpPath(join(folder, "none"))), { code: "nar.unreadable", message: /none": ENOENT/ });
  });

  test("rejects a tree that is too deep for the reference", async () => {
    const deep = join(folder, "deep");
    mkdirSync(join(deep, ...Array.from({ length: 63 }, () => "a")), { recursive: true });
    await narHashOfPath(deep);
    mkdirSync(join(deep, ...Array.from({ length: 64 }, () => "a")), { recursive: true });
    await assert.rejects(narHashOfPath(deep), { code: "nar.too-deep" });
  });

  test("stops when it is told to", async () => {
    const big = join(folder, "big");
    writeFileSync(big, Buffer.alloc(64 << 20));
    await assert.rejects(narHashOfPath(big, { signal: AbortSignal.abort() }), { name: "AbortError" });
  });

  test("hashes files and trees as git does", async () => {
    const root = join(folder, "git");
    mkdirSync(join(root, "a"), { recursive: true });
    writeFileSync(join(root, "a/x"), "hello\n");
    writeFileSync(join(root, "a.txt"), "hello\n");
    assert.equal(formatHash(await gitHashOfPath(join(root, "a.txt"), "sha1"), "base16"), "ce013625030ba8dba906f756967f9e9ca394464a");
    // `git mktree` of the same entries.
    assert.equal(formatHash(await gitHashOfPath(root, "sha1"), "base16"), "a9bae932899dbd616007c2ec028e2f137cef0266");
    // `git hash-object` of a file of several chunks.
    writeFileSync(join(root, "large"), Buffer.alloc(700_003, "0123456789"));
    const large = createHash("sha1").update("blob 700003\0").update(Buffer.alloc(700_003, "0123456789")).digest("hex");
    assert.equal(formatHash(await gitHashOfPath(join(root, "large"), "sha1"), "base16"), large);
    await assert.rejects(gitHashOfPath("/dev/null", "sha1"), { code: "nar.unsupported-file" });
  });
});
