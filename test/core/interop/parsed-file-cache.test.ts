import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { openParsedFileCache } from "../../../core/interop/parsed-file-cache.ts";
import { compileNix, type CompiledFile } from "../../../core/nix/compile.ts";
import { parseNix } from "../../../core/nix/parse.ts";

const compile = (text: string): CompiledFile => compileNix(parseNix(text, "/x.nix", { basePath: "/" }), new Set(["throw"]));
const keyOf = (n: number): string => n.toString(16).padStart(2, "0").repeat(32);
const textOf = (n: number): string => `{ a${n} = x: { y ? "caf\xe9 ${n}", ... }: x.b${n} or [ y ./p${n} 1.5 ]; shared = "the same"; }`;
/** The words with the texts that they stand for: what a pack may number differently. */
const readable = (file: CompiledFile | undefined): unknown => {
  if (file === undefined) return undefined;
  const words: (number | string)[] = [...file.code];
  for (const at of file.relocations) words[at] = file.strings.at(file.code[at]!)!;
  return [words, [...file.order].map((index) => file.strings.at(index))];
};
const folderOf = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-parsed-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "cache");
};
const fill = (folder: string, from: number, to: number): void => {
  const cache = openParsedFileCache(dirname(folder), basename(folder));
  for (let n = from; n < to; n++) if (cache.find(keyOf(n)) === undefined) cache.add(keyOf(n), compile(textOf(n)));
  cache.save();
};

test("finds what was kept, word for word", (t) => {
  const folder = folderOf(t);
  fill(folder, 1, 4);
  fill(folder, 3, 6);
  const cache = openParsedFileCache(dirname(folder), basename(folder));
  for (let n = 1; n < 6; n++) assert.deepEqual(readable(cache.find(keyOf(n))), readable(compile(textOf(n))));
  assert.equal(cache.find(keyOf(6)), undefined);
  cache.save();
});

test("makes many packs one and loses nothing", (t) => {
  const folder = folderOf(t);
  for (let n = 1; n < 20; n++) fill(folder, n, n + 1);
  assert.ok(readdirSync(folder).length < 12);
  const cache = openParsedFileCache(dirname(folder), basename(folder));
  for (let n = 1; n < 20; n++) assert.deepEqual(readable(cache.find(keyOf(n))), readable(compile(textOf(n))));
});

test("gives no wrong file whatever byte of a pack is damaged", (t) => {
  const folder = folderOf(t);
  fill(folder, 1, 3);
  const path = join(folder, readdirSync(folder)[0]!);
  const whole = readFileSync(path);
  const expected = [1, 2].map((n) => readable(compile(textOf(n))));
  let missing = 0;
  for (let at = 0; at < whole.length; at++) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x11;
    writeFileSync(path, damaged);
    const cache = openParsedFileCache(dirname(folder), basename(folder));
    [1, 2].forEach((n, index) => {
      const found = cache.find(keyOf(n));
      if (found === undefined) missing++;
      else assert.deepEqual(readable(found), expected[index], `byte ${at}`);
    });
    cache.save();
  }
  assert.ok(missing > 0);
  for (const length of [0, 5, 60, whole.length - 1]) {
    writeFileSync(path, whole.subarray(0, length));
    assert.doesNotThrow(() => openParsedFileCache(dirname(folder), basename(folder)).find(keyOf(2)));
  }
});

test("is no more than empty where it cannot be written", (t) => {
  const folder = folderOf(t);
  writeFileSync(folder, "a file");
  const cache = openParsedFileCache(dirname(folder), basename(folder));
  cache.add(keyOf(1), compile(textOf(1)));
  cache.save();
  assert.equal(openParsedFileCache(dirname(folder), basename(folder)).find(keyOf(1)), undefined);
});

test("drops what no later evaluation has read when there is more than it may keep", (t) => {
  const folder = folderOf(t);
  const limit = 20_000;
  const sizeOf = (): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  for (let n = 1; n < 120; n++) {
    const cache = openParsedFileCache(dirname(folder), basename(folder), { limit });
    // The first is asked for each time.
    for (const key of [1, n]) if (cache.find(keyOf(key)) === undefined) cache.add(keyOf(key), compile(textOf(key)));
    cache.save();
    // Until packs are made one again.
    assert.ok(sizeOf() < 2 * limit, `${sizeOf()} bytes after ${n}`);
  }
  const cache = openParsedFileCache(dirname(folder), basename(folder), { limit });
  assert.deepEqual(readable(cache.find(keyOf(1))), readable(compile(textOf(1))));
  assert.deepEqual(readable(cache.find(keyOf(119))), readable(compile(textOf(119))));
  assert.equal(cache.find(keyOf(2)), undefined);
  cache.save();
});

test("keeps the files of the programs that wrote last, and drops those of others", (t) => {
  const parent = dirname(folderOf(t));
  for (let n = 1; n < 9; n++) {
    fill(join(parent, `program${n}`), n, n + 1);
    utimesSync(join(parent, `program${n}`), n, n);
  }
  assert.deepEqual(readdirSync(parent).sort(), ["program5", "program6", "program7", "program8"]);
  const cache = openParsedFileCache(parent, "program5");
  assert.deepEqual(readable(cache.find(keyOf(5))), readable(compile(textOf(5))));
});

test("is read on by who has it open while another process makes its packs one, or drops them", (t) => {
  const folder = folderOf(t);
  fill(folder, 1, 4);
  const reader = openParsedFileCache(dirname(folder), basename(folder));
  assert.deepEqual(readable(reader.find(keyOf(1))), readable(compile(textOf(1))));
  for (let n = 4; n < 20; n++) fill(folder, n, n + 1);
  assert.deepEqual(readable(reader.find(keyOf(2))), readable(compile(textOf(2))));
  rmSync(folder, { recursive: true });
  assert.deepEqual(readable(reader.find(keyOf(3))), readable(compile(textOf(3))));
  reader.add(keyOf(20), compile(textOf(20)));
  reader.save();
  assert.ok(existsSync(folder));
  assert.deepEqual(readable(openParsedFileCache(dirname(folder), basename(folder)).find(keyOf(20))), readable(compile(textOf(20))));
});
