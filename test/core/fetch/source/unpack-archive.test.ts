import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeZip } from "./make-zip.ts";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import { unpackArchive } from "../../../../core/fetch/source/unpack-archive.ts";
import type { UnpackLimits } from "../../../../core/fetch/source/unpack-guard.ts";
import { makeTar, type TestEntry } from "../../build/builtin/archives.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-unpack-"));
after(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
async function unpack(bytes: Buffer, limits?: UnpackLimits): Promise<string> {
  const place = join(folder, `a${count++}`, "in");
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "archive"), bytes);
  return (await unpackArchive(join(place, "archive"), join(place, "tree"), { limits })).root;
}

/** What an archive is refused for; nothing may have been written beside its own folder. */
async function refused(bytes: Buffer, limits?: UnpackLimits): Promise<string> {
  try {
    await unpack(bytes, limits);
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    const place = join(folder, `a${count - 1}`);
    assert.deepEqual(readdirSync(place), ["in"]);
    assert.deepEqual(readdirSync(join(place, "in")).filter((name) => name !== "tree"), ["archive"]);
    assert.equal(existsSync("/tmp/tsos-evil"), false);
    return error.code;
  }
  return "taken";
}

test("a tar archive that reaches out of its folder is refused", async () => {
  const cases: readonly (readonly [entries: readonly TestEntry[], code: string])[] = [
    [[{ path: "../evil", contents: "x" }], "archive.unsafe-path"],
    [[{ path: "a/../../evil", contents: "x" }], "archive.unsafe-path"],
    [[{ path: "/tmp/tsos-evil", contents: "x" }], "archive.unsafe-path"],
    [[{ path: "l", type: "2", target: "/tmp" }, { path: "l/tsos-evil", contents: "x" }], "archive.conflict"],
    [[{ path: "l", type: "2", target: ".." }, { path: "l/evil", contents: "x" }], "archive.conflict"],
    [[{ path: "h", type: "1", target: "/etc/passwd" }], "archive.unsafe-path"],
    [[{ path: "h", type: "1", target: "../../archive" }], "archive.unsafe-path"],
    [[{ path: "l", type: "2", target: "/etc/passwd" }, { path: "h", type: "1", target: "l" }], "archive.conflict"],
    [[{ path: "f", contents: "x" }, { path: "f/g", contents: "y" }], "archive.conflict"],
    [[{ path: "d", type: "3" }], "archive.unsafe-kind"],
    [[{ path: "p", type: "6" }], "archive.unsafe-kind"],
  ];
  for (const [entries, code] of cases) assert.equal(await refused(makeTar(entries)), code, JSON.stringify(entries));
  assert.equal(await refused(makeTar([{ path: "f", contents: "x" }], false)), "archive.invalid");
  assert.equal(await refused(Buffer.from("no archive at all, but long enough to be looked at as one".repeat(20))), "archive.invalid");
});

test("what fills the disk is stopped", async () => {
  assert.equal(await refused(makeTar([{ path: "a", contents: "x".repeat(1000) }, { path: "b", contents: "x".repeat(1000) }]), { bytes: 1500, entries: 10 }), "archive.too-large");
  assert.equal(await refused(makeTar(Array.from({ length: 20 }, (_, i) => ({ path: `f${i}` }))), { bytes: 1500, entries: 10 }), "archive.too-large");
});

test("links stay as they are, the last of two entries counts, and only who may execute is kept of modes", async () => {
  const root = await unpack(makeTar([
    { path: "t/a", contents: "1" },
    { path: "t/out", type: "2", target: "/etc/passwd" },
    { path: "t/a", contents: "2", mode: 0o4755 },
    { path: "t/h", type: "1", target: "t/a" },
  ]));
  assert.equal(readFileSync(join(root, "a"), "utf8"), "2");
  assert.equal(readFileSync(join(root, "h"), "utf8"), "2");
  assert.equal(statSync(join(root, "a")).mode & 0o7777, 0o755);
  assert.equal(readlinkSync(join(root, "out")), "/etc/passwd");
});

test("a zip archive is unpacked with its links, and refused where it reaches out", async () => {
  const root = await unpack(makeZip([{ path: "t/f", contents: "hi", mode: 0o100755 }, { path: "t/l", contents: "f", mode: 0o120777 }, { path: "t/d/", contents: "", mode: 0o40755 }]));
  assert.deepEqual([readFileSync(join(root, "f"), "utf8"), statSync(join(root, "f")).mode & 0o777, readlinkSync(join(root, "l")), existsSync(join(root, "d"))], ["hi", 0o755, "f", true]);
  assert.equal(await refused(makeZip([{ path: "../evil", contents: "x", mode: 0o100644 }])), "archive.unsafe-path");
  assert.equal(await refused(makeZip([{ path: "/tmp/tsos-evil", contents: "x", mode: 0o100644 }])), "archive.unsafe-path");
  assert.equal(await refused(makeZip([{ path: "l", contents: "/tmp", mode: 0o120777 }, { path: "l/tsos-evil", contents: "x", mode: 0o100644 }])), "archive.conflict");
  assert.equal(await refused(makeZip([{ path: "f", contents: "x", mode: 0o100644 }]).subarray(0, 40)), "archive.invalid");
});
