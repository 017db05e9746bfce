import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { generatePackages } from "../../cli/dev/generate-packages.ts";

const root = join(import.meta.dirname, "../..");

test("the generated lists of packages are those of the folders", async () => {
  for (const [path, contents] of await generatePackages()) {
    assert.equal(readFileSync(join(root, path), "utf8"), contents, `${path} is stale: run node --import tsx cli/dev/generate-packages.ts`);
  }
});
