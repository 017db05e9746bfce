/** Every package made for real: its test runs, and what is built from source is built twice with the same bits. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { instantiate } from "../../core/store/instantiate.ts";
import { builtinBuilders } from "../../core/build/builtin/table.ts";
import { realise } from "../../core/build/realise.ts";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";
import { EvaluationRegistry, type Package } from "../../core/index.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";
import { createPackages, packageNames } from "../../pkgs/index.ts";

const FROM_SOURCE = ["hello", "zlib", "pcre2", "ncurses", "oniguruma", "jq", "htop", "nginx"] as const;

const root = mkdtempSync(join(tmpdir(), "tsos-packages-"));
const registry = new EvaluationRegistry();
const pkgs = createPackages(registry);
let store: LocalStore;

before(async () => {
  store = await openLocalStore({ root });
});
after(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
});

async function make(packages: readonly Package[], check: boolean): Promise<void> {
  const drvPaths = packages.map((item) => item.drvPath);
  const signal = new AbortController().signal;
  await instantiate(store, registry.instantiation(drvPaths), signal);
  await realise(
    store,
    drvPaths.map((drvPath) => ({ drvPath: parseStorePath(drvPath) })),
    {
      jobs: 2, cores: 2, keepGoing: true, check, signal, settings: await loadFetchSettings({ env: process.env }), builtins: builtinBuilders,
      tools: { bubblewrap: () => Promise.resolve({ command: "bwrap", args: [] }) },
    },
  );
}

test("the test of every package passes", async () => {
  const tests = packageNames.map((name) => pkgs[name as "hello"].test);
  await make(tests.filter((item) => item !== undefined), false);
  assert.equal(tests.includes(undefined), false);
});

for (const name of FROM_SOURCE) {
  test(`${name} is built again with the same bits`, async () => {
    await make([pkgs[name]], true);
  });
}

test("what is built from source refers to packages and not to the tree that it was built on", async () => {
  for (const name of FROM_SOURCE) {
    const closure = await store.closure([parseStorePath(pkgs[name].outPath)]);
    assert.deepEqual([...closure].filter((path) => /-(build-root|unpacked|setup\.sh)/.test(path)), [], name);
  }
});
