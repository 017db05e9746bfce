import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { createFolderFiles } from "../../../core/config/folder-files.ts";
import type { ParsedSourceCall } from "../../../core/config/parsed-sources.ts";
import { createIsolateParsedFiles } from "../../../core/interop/isolate-parsed-files.ts";
import { createNixScope } from "../../../core/interop/nix-scope.ts";
import { openParsedSources } from "../../../core/interop/parsed-sources.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";

const SOURCE = `/nix/store/${"a".repeat(32)}-source`;

function trial(t: TestContext, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "tsos-parsed-sources-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const tree = join(folder, "tree");
  const cache = join(folder, "cache");
  mkdirSync(tree);
  const write = (texts: Readonly<Record<string, string>>): void => {
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(tree, name), text, "latin1");
  };
  write(files);
  /** What `default.nix` is, how many files came parsed, and what was warned of. */
  const evaluate = (): { readonly value: unknown; readonly parsed: number; readonly log: readonly string[] } => {
    const sources = openParsedSources(cache, "program");
    let parsed = 0;
    const ask = (call: ParsedSourceCall): string => {
      const answer = sources.answer(JSON.parse(JSON.stringify(call)) as ParsedSourceCall, tree);
      if (call.ask === "file" && answer !== "null") parsed++;
      return answer;
    };
    const compiled = createIsolateParsedFiles(ask);
    const log: string[] = [];
    const scope = createNixScope({
      registry: new EvaluationRegistry(),
      sources: new Set([SOURCE]),
      log: (line) => log.push(line),
      files: { ...createFolderFiles(new Map([[SOURCE, tree]])), compiled: (path, basePath, globals) => compiled.find("x", path.slice(SOURCE.length + 1), basePath, globals) },
    });
    try {
      return { value: JSON.parse(JSON.stringify(scope.importFile(`${SOURCE}/default.nix`))), parsed, log };
    } finally {
      sources.save();
    }
  };
  const packs = (): readonly string[] => readdirSync(join(cache, "program")).map((name) => join(cache, "program", name));
  return { evaluate, write, packs };
}

const FILES = {
  "default.nix": 'let one = import ./one.nix { inherit (builtins) map; }; in { inherit one; text = "caf\xc3\xa9 ${toString 15}"; sum = one.list; }',
  "one.nix": '{ map, more ? [ (-1) ] }: { list = map (x: x * 2) ([ 1 2 ] ++ more); name = "one"; nested.a.b = true; }',
};
const VALUE = { one: { list: [2, 4, -2], name: "one", nested: { a: { b: true } } }, text: "café 15", sum: [2, 4, -2] };

test("files of an input come parsed by the thread, and mean the same", (t) => {
  const { evaluate, packs } = trial(t, FILES);
  const first = evaluate();
  assert.deepEqual(first, { value: VALUE, parsed: 2, log: [] });
  const [pack] = packs();
  assert.deepEqual(evaluate(), first, "from the pack");
  assert.deepEqual(packs(), [pack], "nothing was parsed anew");
});

test("a file that changed is another one", (t) => {
  const { evaluate, write } = trial(t, { "default.nix": "import ./one.nix", "one.nix": "1" });
  assert.equal(evaluate().value, 1);
  write({ "one.nix": "2" });
  assert.equal(evaluate().value, 2);
});

test("a damaged pack is as good as none", (t) => {
  const { evaluate, packs } = trial(t, { "default.nix": "import ./one.nix", "one.nix": '{ a = "text"; b = [ 1 2 ]; }' });
  evaluate();
  const [path] = packs();
  const whole = readFileSync(path!);
  for (let at = 0; at < whole.length; at += 7) {
    const damaged = Buffer.from(whole);
    damaged[at]! ^= 0x21;
    for (const other of packs()) rmSync(other);
    writeFileSync(path!, damaged);
    assert.deepEqual(evaluate().value, { a: "text", b: [1, 2] }, `damaged at ${at}`);
  }
});

test("what does not parse is told by the evaluation itself, with its line", (t) => {
  const { evaluate } = trial(t, { "default.nix": "import ./one.nix", "one.nix": "{\n  a = ;\n}" });
  for (let i = 0; i < 2; i++) assert.throws(evaluate, (error: Error & { related?: readonly { file: string; line: number }[] }) => /syntax error/.test(error.message) && error.related?.[0]?.file === `${SOURCE}/one.nix` && error.related[0].line === 2);
});
