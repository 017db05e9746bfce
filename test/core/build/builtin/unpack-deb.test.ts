import assert from "node:assert/strict";
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { makeAr, makeDeb, makeTar } from "./archives.ts";
import type { TestEntry } from "./archives.ts";
import { runBuiltin, testFolder } from "./run-builtin.ts";

async function unpack(context: TestContext, entries: readonly TestEntry[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = testFolder(context);
  const src = join(folder, "demo.deb");
  writeFileSync(src, makeDeb(entries));
  return runBuiltin(folder, "unpack-deb", { src, ...env });
}

test("unpacks files, folders and links, and moves bin, sbin and lib into usr", async (context) => {
  const out = await unpack(context, [
    { path: "./", type: "5" },
    { path: "./bin", type: "2", target: "usr/bin" },
    { path: "./lib/", type: "5" },
    { path: "./lib/demo/data", contents: "data" },
    { path: "./lib/demo/up", type: "2", target: "../../etc/demo.conf" },
    { path: "./usr/bin/demo", mode: 0o4755, contents: "#!/bin/sh\n" },
    { path: "./usr/bin/copy", type: "1", target: "./usr/bin/demo" },
    { path: "./usr/bin/absolute", type: "2", target: "/lib/demo/data" },
    { path: "./etc/demo.conf", contents: "x" },
    { path: "./usr/empty/", type: "5" },
  ]);
  assert.deepEqual(readdirSync(out).sort(), ["etc", "usr"]);
  assert.equal(readFileSync(join(out, "usr/lib/demo/data"), "utf8"), "data");
  assert.equal(readlinkSync(join(out, "usr/lib/demo/up")), "../../../etc/demo.conf");
  assert.equal(readlinkSync(join(out, "usr/bin/absolute")), "/usr/lib/demo/data");
  assert.equal(statSync(join(out, "usr/bin/demo")).ino, statSync(join(out, "usr/bin/copy")).ino);
  assert.equal(statSync(join(out, "usr/bin/demo")).mode & 0o7777, 0o755, "setuid is gone");
  assert(lstatSync(join(out, "usr/empty")).isDirectory());
});

test("leaves out documentation but not licences and English manuals", async (context) => {
  const out = await unpack(context, [
    { path: "./usr/share/doc/demo/copyright", contents: "MIT" },
    { path: "./usr/share/doc/demo/changelog.gz", contents: "…" },
    { path: "./usr/share/man/man1/demo.1.gz", contents: "…" },
    { path: "./usr/share/man/de/man1/demo.1.gz", contents: "…" },
    { path: "./usr/share/locale/de/LC_MESSAGES/demo.mo", contents: "…" },
    { path: "./usr/share/lintian/overrides/demo", contents: "…" },
  ]);
  assert.deepEqual(readdirSync(join(out, "usr/share/doc/demo")), ["copyright"]);
  assert.deepEqual(readdirSync(join(out, "usr/share/man")), ["man1"]);
  assert.deepEqual(readdirSync(join(out, "usr/share")).sort(), ["doc", "man"]);
});

test("keeps names of more than 100 bytes and of any bytes", async (context) => {
  const long = `usr/${"a".repeat(90)}/${"b".repeat(90)}`;
  const pax = (text: string): string => {
    const length = [1, 2, 3].map((digits) => text.length + digits + 2).find((total, i) => String(total).length === i + 1)!;
    return `${length} ${text}\n`;
  };
  const out = await unpack(context, [
    { path: "././@LongLink", type: "L", contents: `./${long}\0` },
    { path: "cut", contents: "long" },
    { path: "pax", type: "x", contents: pax(`path=./usr/${"c".repeat(150)}`) },
    { path: "cut", contents: "pax" },
    { path: "./usr/f\xf6\xf6", contents: "latin1" },
  ]);
  assert.equal(readFileSync(join(out, long), "utf8"), "long");
  assert.equal(readFileSync(join(out, `usr/${"c".repeat(150)}`), "utf8"), "pax");
  assert.equal(readFileSync(Buffer.concat([Buffer.from(`${out}/usr/f`), Buffer.from([0xf6, 0xf6])]), "utf8"), "latin1");
});

const HOSTILE: readonly (readonly [what: string, code: string, entries: readonly TestEntry[]])[] = [
  ["an absolute path", "archive.unsafe-path", [{ path: "/etc/passwd", contents: "x" }]],
  ["a path with ..", "archive.unsafe-path", [{ path: "./usr/../../escape", contents: "x" }]],
  ["a file behind a link of its own", "archive.conflict", [{ path: "./usr/a", type: "2", target: "/tmp" }, { path: "./usr/a/x", contents: "x" }]],
  ["a link that leaves the tree", "archive.unsafe-link", [{ path: "./usr/a", type: "2", target: "../../../etc/passwd" }]],
  ["a hard link to what is not in it", "archive.conflict", [{ path: "./usr/a", type: "1", target: "etc/passwd" }]],
  ["a hard link that leaves the tree", "archive.unsafe-path", [{ path: "./usr/a", type: "1", target: "../../etc/passwd" }]],
  ["a device", "archive.unsafe-kind", [{ path: "./dev/sda", type: "4" }]],
  ["a pipe", "archive.unsafe-kind", [{ path: "./usr/pipe", type: "6" }]],
  ["the same file twice", "archive.conflict", [{ path: "./usr/a", contents: "x" }, { path: "./usr/a", contents: "y" }]],
  ["a folder where a file is", "archive.conflict", [{ path: "./usr/a", contents: "x" }, { path: "./usr/a/b", contents: "y" }]],
];

for (const [what, code, entries] of HOSTILE) {
  test(`rejects an archive with ${what}`, async (context) => {
    await assert.rejects(unpack(context, entries), { code });
  });
}

test("rejects what is not the Debian package that is expected", async (context) => {
  const folder = testFolder(context);
  const write = (bytes: Buffer): string => {
    const src = join(folder, "demo.deb");
    writeFileSync(src, bytes);
    return src;
  };
  const unpackFile = (bytes: Buffer, out: string, env = {}): Promise<string> => runBuiltin(folder, "unpack-deb", { src: write(bytes), ...env }, out);
  await assert.rejects(unpackFile(Buffer.from("<html>not found</html>"), "a"), { code: "archive.invalid", message: /mark of an archive/ });
  await assert.rejects(unpackFile(makeAr([["other", Buffer.from("x")]]), "b"), { code: "archive.invalid", message: /debian-binary/ });
  await assert.rejects(unpackFile(makeDeb([]).subarray(0, -20), "c"), { code: "archive.invalid", message: /ends inside/ });
  await assert.rejects(unpackFile(makeDeb([]), "d", { package: "other" }), { code: "archive.invalid", message: /its Package is "demo", expected "other"/ });
  await assert.rejects(unpackFile(makeDeb([]), "e", { packageVersion: "2.0" }), { code: "archive.invalid", message: /its Version is "1.0-1"/ });
  const cut = makeAr([["debian-binary", Buffer.from("2.0\n")], ["control.tar", makeTar([{ path: "control", contents: "Package: demo\nVersion: 1\n" }])], ["data.tar", makeTar([{ path: "usr/a", contents: "x".repeat(600) }], false).subarray(0, 700)]]);
  await assert.rejects(unpackFile(cut, "f"), { code: "archive.invalid", message: /inside an entry/ });
  assert(existsSync(folder));
});
