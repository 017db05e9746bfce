import assert from "node:assert/strict";
import { test } from "node:test";
import { TsosError } from "../../../core/error/tsos-error.ts";
import type { NarNode } from "../../../core/nar/nar-node.ts";
import { NarReader } from "../../../core/nar/nar-reader.ts";
import { encodeNarToken, encodeNarTokens } from "../../../core/nar/nar-token.ts";
import { readNar } from "../../../core/nar/read-nar.ts";
import { writeNar } from "../../../core/nar/write-nar.ts";
import { concatBytes } from "../../../core/util/bytes.ts";

const MAGIC = encodeNarTokens("nix-archive-1");
const FILE = ["(", "type", "regular", "contents", "x", ")"] as const;

function file(contents: string, executable = false): NarNode {
  return { kind: "regular", executable, contents: Buffer.from(contents) };
}

const TREE: NarNode = {
  kind: "directory",
  entries: new Map<string, NarNode>([
    ["b", { kind: "directory", entries: new Map([["run", file("#!/bin/sh\n", true)]]) }],
    ["a", file("hello world, longer than a word")],
    ["\u00ff", { kind: "symlink", target: "../\u00fe" }],
    ["B", file("")],
    ["empty", { kind: "directory", entries: new Map() }],
  ]),
};

async function events(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<readonly string[]> {
  const seen: string[] = [];
  let contents = "";
  await readNar(source, {
    directory: (path) => seen.push(`dir ${path}`),
    endDirectory: (path) => seen.push(`end ${path}`),
    symlink: (path, target) => seen.push(`link ${path} -> ${target}`),
    regular: (path, executable, size) => {
      contents = "";
      seen.push(`file ${path} ${executable ? "x" : "-"} ${size}`);
    },
    contents: (bytes) => {
      contents += Buffer.from(bytes).toString("latin1");
    },
    endRegular: () => seen.push(`= ${contents}`),
  });
  return seen;
}

function rejectsWith(code: string, ...parts: readonly Uint8Array[]): Promise<void> {
  return assert.rejects(readNar([concatBytes(parts)], {}), (error: unknown) => {
    assert.ok(error instanceof TsosError);
    assert.equal(error.code, code);
    assert.match(error.message, /byte \d+/);
    return true;
  });
}

function directory(...entries: readonly (readonly [string, readonly string[]])[]): Uint8Array {
  const tokens = entries.flatMap(([name, node]) => ["entry", "(", "name", name, "node", ...node, ")"]);
  return encodeNarTokens("nix-archive-1", "(", "type", "directory", ...tokens, ")");
}

test("tells of all entries, sorted by bytes, however the archive is cut", async () => {
  const archive = concatBytes([...writeNar(TREE)]);
  const expected = [
    "dir ",
    "file B - 0",
    "= ",
    "file a - 31",
    "= hello world, longer than a word",
    "dir b",
    "file b/run x 10",
    "= #!/bin/sh\n",
    "end b",
    "dir empty",
    "end empty",
    "link \u00ff -> ../\u00fe",
    "end ",
  ];
  for (const size of [1, 3, 8, 13, 100, archive.length]) {
    const chunks = Array.from({ length: Math.ceil(archive.length / size) }, (_, i) => archive.subarray(i * size, (i + 1) * size));
    assert.deepEqual(await events(chunks), expected, `chunks of ${size}`);
  }
});

test("rejects an archive cut at any byte", async () => {
  const archive = concatBytes([...writeNar(TREE)]);
  for (let length = 0; length < archive.length; length++) {
    await assert.rejects(readNar([archive.subarray(0, length)], {}), { code: "nar.truncated" }, `after ${length}`);
  }
});

test("leaves what follows the archive to its caller", async () => {
  const archive = concatBytes([...writeNar(file("x"))]);
  const more = concatBytes([archive, new Uint8Array(5)]);
  const reader = new NarReader({});
  assert.equal(reader.write(more.subarray(0, 10)), 10);
  assert.equal(reader.done, false);
  assert.equal(reader.write(more.subarray(10)), archive.length - 10);
  assert.equal(reader.done, true);
  assert.equal(reader.offset, archive.length);
  assert.equal(reader.write(more), 0);
  await rejectsWith("nar.trailing", more);
});

test("rejects the names that lead out of a directory", async () => {
  for (const name of ["", ".", "..", "a/b", "/", "a\0b"]) await rejectsWith("nar.bad-name", directory([name, FILE]));
  await readNar([directory(["...", FILE], [".a", FILE])], {});
});

test("rejects unsorted and double entries and names them", async () => {
  await assert.rejects(readNar([directory(["b", FILE], ["a", FILE])], {}), { code: "nar.unsorted", message: /"a" stands after "b"/ });
  await assert.rejects(readNar([directory(["a", FILE], ["a", FILE])], {}), { code: "nar.double-entry", message: /"a" stands twice/ });
});

test("tells the path of an error in the archive", async () => {
  const inner = ["(", "type", "directory", "entry", "(", "name", "..", "node", ...FILE, ")", ")"];
  await assert.rejects(readNar([directory(["lib", inner])], {}), (error: unknown) => {
    assert.ok(error instanceof TsosError);
    assert.equal(error.data["path"], "lib");
    assert.equal(typeof error.data["offset"], "number");
    return true;
  });
});

test("rejects lengths that no archive has before it reads on", async () => {
  const huge = new Uint8Array(8).fill(0xff);
  await rejectsWith("nar.too-long", huge);
  await rejectsWith("nar.too-long", MAGIC, encodeNarTokens("(", "type", "regular", "contents"), huge);
  await rejectsWith("nar.too-long", directory(["x".repeat(256), FILE]));
  await rejectsWith("nar.too-long", encodeNarTokens("nix-archive-1", "(", "type", "symlink", "target", "x".repeat(4096), ")"));
  // A file of 2^40 bytes is announced and not there.
  const tera = new Uint8Array(8);
  tera[5] = 1;
  await rejectsWith("nar.truncated", MAGIC, encodeNarTokens("(", "type", "regular", "contents"), tera, new Uint8Array(100));
});

test("rejects a nesting of 100,000 in little memory", async () => {
  const level = encodeNarTokens("(", "type", "directory", "entry", "(", "name", "a", "node");
  let read = 0;
  function* levels(): Generator<Uint8Array> {
    yield MAGIC;
    for (let i = 0; i < 100_000; i++) {
      read++;
      yield level;
    }
  }
  await assert.rejects(readNar(levels(), {}), { code: "nar.too-deep" });
  assert.ok(read < 100);
});

test("takes the nesting that the reference takes", async () => {
  let node: NarNode = file("x");
  for (let i = 0; i < 63; i++) node = { kind: "directory", entries: new Map([["a", node]]) };
  await readNar(writeNar(node), {});
  await assert.rejects(readNar(writeNar({ kind: "directory", entries: new Map([["a", node]]) }), {}), { code: "nar.too-deep" });
});

test("rejects padding that is not zero, and tokens out of place", async () => {
  const padded = encodeNarToken(Buffer.from("x"));
  padded[12] = 1;
  await rejectsWith("nar.bad-padding", MAGIC, encodeNarTokens("(", "type", "regular", "contents"), padded, encodeNarTokens(")"));
  await rejectsWith("nar.bad-token", encodeNarTokens("nix-archive-2"));
  await rejectsWith("nar.bad-token", MAGIC, encodeNarTokens("(", "type", "socket"));
  await rejectsWith("nar.bad-token", MAGIC, encodeNarTokens("(", "type", "regular", ")"));
  await rejectsWith("nar.bad-token", MAGIC, encodeNarTokens("(", "type", "regular", "executable", "1", "contents", "", ")"));
  await rejectsWith("nar.bad-target", MAGIC, encodeNarTokens("(", "type", "symlink", "target", "", ")"));
});
