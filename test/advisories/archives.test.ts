/** Archives that somebody hostile made. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { unpackArchive } from "../../core/fetch/source/unpack-archive.ts";
import { hashBytes } from "../../core/hash/hash.ts";
import { encodeNarToken } from "../../core/nar/nar-token.ts";
import { restorePath } from "../../core/nar/restore-path.ts";
import { makeContentAddressedPath } from "../../core/store-path/make-store-path.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { encodeUtf8 } from "../../core/util/bytes.ts";
import { makeTar, type TestEntry } from "../core/build/builtin/archives.ts";
import { makeZip } from "../core/fetch/source/make-zip.ts";

let root: string;
let outside: string;
let store: LocalStore;
before(async () => {
  root = mkdtempSync(join(tmpdir(), "tsos-advisories-"));
  outside = join(root, "outside");
  mkdirSync(outside);
  store = await openLocalStore({ root });
});
after(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

const word = (text: string): Uint8Array => encodeNarToken(encodeUtf8(text));
const once = async function* (bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
};

test("CVE-2024-45593: an archive does not write through a link that it made itself", async () => {
  const file = ["(", "type", "directory", "entry", "(", "name", "file", "node", "(", "type", "regular", "contents", "hostile", ")", ")", ")"];
  const link = ["(", "type", "symlink", "target", outside, ")"];
  for (const names of [["link", "link"], ["link", "link/"], ["link", "link/file"], [".", ".."], ["a", "../outside"]] as const) {
    const entries = [link, file].flatMap((node, i) => ["entry", "(", "name", names[i]!, "node", ...node, ")"]);
    const nar = Buffer.concat(["nix-archive-1", "(", "type", "directory", ...entries, ")"].map(word));
    const path = makeContentAddressedPath("hostile", { method: "nar", hash: hashBytes("sha256", nar) }, { others: [], self: false }, store.storeDir);
    const info = { path, narHash: hashBytes("sha256", nar), narSize: nar.length, references: [] };
    await assert.rejects(store.addNarToStore(info, once(nar)), { code: /^nar\.(double-entry|bad-name|unsorted)$/ }, names.join(" "));
    assert.deepEqual(readdirSync(outside), []);
    assert.equal(await store.isValidPath(path), false);
  }
});

/** Tokens without end, until the reader has enough. */
async function refuseEndless(start: readonly Uint8Array[], repeated: Uint8Array, times: number): Promise<unknown> {
  let sent = 0;
  const target = join(root, "endless");
  try {
    await restorePath((async function* () {
      yield* start;
      for (; sent < times; sent++) yield repeated;
    })(), target);
    return "accepted";
  } catch (error) {
    return sent < times ? (error as { code?: unknown }).code : "read to its end";
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
}

test("CVE-2026-44028, the NAR recursion advisory: nested folders end with an error, not with the process", async () => {
  const open = Buffer.concat(["(", "type", "directory", "entry", "(", "name", "a", "node"].map(word));
  assert.equal(await refuseEndless([word("nix-archive-1")], open, 100_000), "nar.too-deep");
});

describe("CVE-2026-44028: lengths that an archive only claims", () => {
  const claim = (length: bigint): Uint8Array => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return bytes;
  };
  const zeros = new Uint8Array(1 << 16);
  const name = ["nix-archive-1", "(", "type", "directory", "entry", "(", "name"].map(word);
  const link = ["nix-archive-1", "(", "type", "symlink", "target"].map(word);
  const file = ["nix-archive-1", "(", "type", "regular", "contents"].map(word);
  for (const [what, start, length] of [
    ["a name", name, 256n], ["a name", name, 1n << 40n], ["a name", name, (1n << 64n) - 1n],
    ["a target", link, 4096n], ["a target", link, 1n << 33n], ["a target", link, (1n << 64n) - 8n],
    ["contents", file, 1n << 52n], ["contents", file, (1n << 64n) - 1n], ["contents", file, 1n << 63n],
  ] as const) {
    test(`${what} of ${length} bytes`, async () => {
      // 64 MB at most would be kept, were the claim believed.
      assert.equal(await refuseEndless([...start, claim(length)], zeros, 1000), "nar.too-long");
    });
  }
});

describe("CVE-2026-44029: an archive of sources writes nothing outside of its tree", () => {
  const hostile: Readonly<Record<string, readonly TestEntry[]>> = {
    "a file behind a link of its own": [{ path: "link", type: "2", target: "OUTSIDE" }, { path: "link/file", contents: "hostile" }],
    "a file behind a relative link": [{ path: "link", type: "2", target: "../outside" }, { path: "link/file", contents: "hostile" }],
    "a file behind two links": [{ path: "a", type: "2", target: "OUTSIDE" }, { path: "b", type: "2", target: "a" }, { path: "b/file", contents: "hostile" }],
    "a folder made of a link": [{ path: "link", type: "2", target: "OUTSIDE" }, { path: "link/", type: "5" }, { path: "link/file", contents: "hostile" }],
    "an absolute path": [{ path: "OUTSIDE/file", contents: "hostile" }],
    "a path with ..": [{ path: "a/../../outside/file", contents: "hostile" }],
    "a hard link to what is outside": [{ path: "link", type: "1", target: "../outside/secret" }, { path: "link", contents: "hostile" }],
    "a hard link to an absolute path": [{ path: "link", type: "1", target: "OUTSIDE/secret" }],
    "a device": [{ path: "device", type: "3" }],
  };
  for (const [what, entries] of Object.entries(hostile)) {
    test(what, async () => {
      const file = join(root, "hostile.tar");
      const filled = entries.map((entry) => ({ ...entry, path: entry.path.replace("OUTSIDE", outside), ...(entry.target === undefined ? {} : { target: entry.target.replace("OUTSIDE", outside) }) }));
      writeFileSync(file, makeTar(filled));
      const target = join(root, "unpacked");
      try {
        await assert.rejects(unpackArchive(file, target), { code: /^archive\./ });
        assert.deepEqual(readdirSync(outside), []);
      } finally {
        rmSync(target, { recursive: true, force: true });
      }
    });
  }

  test("a zip archive with a file behind a link", async () => {
    const file = join(root, "hostile.zip");
    writeFileSync(file, makeZip([{ path: "link", mode: 0o120777, contents: outside }, { path: "link/file", mode: 0o100644, contents: "hostile" }]));
    await assert.rejects(unpackArchive(file, join(root, "unzipped")), { code: "archive.conflict" });
    assert.deepEqual(readdirSync(outside), []);
  });

  test("a zip archive with ..", async () => {
    const file = join(root, "dots.zip");
    writeFileSync(file, makeZip([{ path: "../outside/file", mode: 0o100644, contents: "hostile" }]));
    await assert.rejects(unpackArchive(file, join(root, "undotted")), { code: /^archive\./ });
    assert.deepEqual(readdirSync(outside), []);
  });

  test("one that becomes larger than it may", async () => {
    const file = join(root, "bomb.tar");
    writeFileSync(file, makeTar([{ path: "big", contents: "x".repeat(100_000) }]));
    await assert.rejects(unpackArchive(file, join(root, "bomb"), { limits: { bytes: 10_000, entries: 10 } }), { code: "archive.too-large" });
  });
});
