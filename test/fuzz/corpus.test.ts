/** Generated cases and what the reference implementation (2.34.8) made of them; `nix-differential.ts --corpus` writes more. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { prepareFiles } from "./prepare-files.ts";
import { startSubject } from "./subject.ts";

const rows = readFileSync(join(import.meta.dirname, "corpus.jsonl"), "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as [expression: string, value: string | null]);
/** The reference calls its text so. */
const plain = (text: string): string => text.replace(/\u00c2\u00abstring\u00c2\u00bb:/g, "/case:");

test("values and failures of generated expressions are those of the reference", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-corpus-"));
  try {
    prepareFiles(folder);
    await using subject = await startSubject();
    const results = await subject.ask({ expressions: rows.map(([expression]) => expression), maps: [["/tmp/tsos-fuzz", folder]] });
    const differences = rows.flatMap(([expression, value], index) => {
      const { ok, text } = results[index]!;
      const expected = value === null ? undefined : Buffer.from(value, "base64").toString("latin1");
      const same = expected === undefined ? !ok && !text.startsWith("BUG") : ok && plain(text) === plain(expected);
      return same ? [] : [{ expression, expected, ok, text }];
    });
    assert.deepEqual(differences, []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
