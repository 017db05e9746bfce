import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
  const cache = openParsedFileCache(folder);
  for (let n = from; n < to; n++) if (cache.find(keyOf(n)) === undefined) cache.add(keyOf(n), compile(textOf(n)));
  cache.save();
};

test("finds what was kept, word for word", (t) => {
  const folder = folderOf(t);
  fill(folder, 1, 4);
  fill(folder, 3, 6);
  const cache = openParsedFileCache(folder);
  for (let n = 1; n < 6; n++) assert.deepEqual(readable(cache.find(keyOf(n))), readable(compile(textOf(n))));
  assert.equal(cache.find(keyOf(6)), undefined);
  cache.save();
});

test("makes many packs one and loses nothing", (t) => {
  const folder = folderOf(t);
  for (let n = 1; n < 20; n++) fill(folder, n, n + 1);
  assert.ok(readdirSync(folder).length < 12);
  const cache = openParsedFileCache(folder);
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
    const cache = openParsedFileCache(folder);
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
    assert.doesNotThrow(() => openParsedFileCache(folder).find(keyOf(2)));
  }
});

test("is no more than empty where it cannot be written", (t) => {
  const folder = folderOf(t);
  writeFileSync(folder, "a file");
  const cache = openParsedFileCache(folder);
  cache.add(keyOf(1), compile(textOf(1)));
  cache.save();
  assert.equal(openParsedFileCache(folder).find(keyOf(1)), undefined);
});
