import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadCachedScript } from "../../../core/util/cached-script.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-cached-script-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const functions = Array.from({ length: 2000 }, (_, i) => `function f${i}(x) { const parts = [x, ${i}]; return parts.map((part) => part * 2 + ${i}).join("-"); }`);
const SOURCE = `${functions.join("\n")}\n(name, x) => eval(name)(x)`;
type Call = (name: string, x: number) => string;

let count = 0;
function load(file = join(folder, `${count++}.cache`), identity = "one", source = SOURCE) {
  const { script, save } = loadCachedScript(source, file, identity, { filename: "functions.js" });
  return { file, save, isRejected: script.cachedDataRejected, call: script.runInThisContext() as Call };
}

test("keeps what was compiled, and takes it the next time", () => {
  const first = load();
  assert.equal(first.isRejected, undefined);
  assert.equal(first.call("f7", 1), "9-21");
  first.save();
  const again = load(first.file);
  assert.equal(again.isRejected, false);
  assert.equal(again.call("f7", 1), "9-21");
  assert.deepEqual(readdirSync(folder).filter((name) => name.endsWith(".tmp")), []);
});

test("keeps it again only when much more was compiled", () => {
  const first = load();
  first.save();
  const small = statSync(first.file).size;
  const second = load(first.file);
  second.save();
  assert.equal(statSync(first.file).size, small);
  const { call, save } = load(first.file);
  for (let i = 0; i < 2000; i++) call(`f${i}`, i);
  // It says so by the memory that it touched.
  const touched = Buffer.alloc(process.resourceUsage().minorPageFault * 4096, 1);
  save();
  assert.ok(statSync(first.file).size > small * 1.5, `${statSync(first.file).size} bytes, ${small} before, ${touched.length}`);
});

test("does not take what belongs to another script, or is damaged", () => {
  const { file, call, save } = load();
  call("f1", 1);
  save();
  assert.equal(load(file, "two").isRejected, undefined);
  const bytes = readFileSync(file);
  for (const at of [0, 40, 64, 72, 80, 200, bytes.length - 1]) {
    const damaged = Buffer.from(bytes);
    damaged[at]! ^= 1;
    writeFileSync(file, damaged);
    const loaded = load(file);
    assert.equal(loaded.isRejected, undefined, `at ${at}`);
    assert.equal(loaded.call("f3", 1), "5-9");
  }
  writeFileSync(file, bytes.subarray(0, 100));
  assert.equal(load(file).isRejected, undefined);
});

test("calls what prepares before it takes anything, and only then", () => {
  const { file, save } = load();
  let calls = 0;
  save(() => calls++);
  save(() => calls++);
  assert.equal(calls, 1);
  const missing = load(join(folder, "none/x.cache"));
  missing.save(() => calls++);
  assert.equal(calls, 1);
  assert.ok(statSync(file).size > 0);
});
