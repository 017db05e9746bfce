import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Instantiation } from "../../../core/derivation/instantiation.ts";
import { EvaluationRegistry } from "../../../core/package/evaluation-registry.ts";
import { instantiate } from "../../../core/store/instantiate.ts";
import type { LocalStore } from "../../../core/store/store.ts";
import { formatStorePath, parseStorePath } from "../../../core/store-path/store-path.ts";
import { temporaryStore } from "./temporary-store.ts";

/** A derivation with an input, a text and a folder of the project. */
async function evaluated(store: LocalStore, folder: string): Promise<Instantiation> {
  const registry = new EvaluationRegistry();
  const text = registry.addText("note", "a note");
  const site = registry.addPath("site", formatStorePath(await store.computePathForFile("site", folder)), folder);
  const input = registry.derive({ name: "input", system: "builtin", builder: "builtin:write-tree", entries: "[]" });
  const top = registry.derive({ name: "top", system: "builtin", builder: "builtin:write-tree", uses: `${text} ${site} ${formatStorePath(input.outputs.get("out")!)}` });
  return registry.instantiation([formatStorePath(top.path)]);
}

function makeSite(root: string): string {
  const folder = join(root, "site");
  mkdirSync(folder);
  writeFileSync(join(folder, "index.html"), "first");
  return folder;
}

test("writes the sources and derivations of an evaluation, each with its references", async (t) => {
  const { store, root } = await temporaryStore(t);
  const made = await evaluated(store, makeSite(root));
  await instantiate(store, made);
  assert.deepEqual(made.sources.map(({ name }) => name).sort(), ["note", "site"]);
  for (const { path } of [...made.sources, ...made.derivations]) assert.ok(await store.isValidPath(parseStorePath(path)), path);
  const top = parseStorePath(made.derivations.at(-1)!.path);
  assert.deepEqual((await store.closure([top])).size, 4);
  await instantiate(store, made);
});

test("keeps what it wrote from the garbage collector", async (t) => {
  const { store, root } = await temporaryStore(t);
  const made = await evaluated(store, makeSite(root));
  await instantiate(store, made);
  await store.collectGarbage({});
  for (const { path } of [...made.sources, ...made.derivations]) assert.ok(await store.isValidPath(parseStorePath(path)), path);
});

test("refuses a file of the project that changed after it was evaluated", async (t) => {
  const { store, root } = await temporaryStore(t);
  const folder = makeSite(root);
  const made = await evaluated(store, folder);
  writeFileSync(join(folder, "index.html"), "second");
  await assert.rejects(instantiate(store, made), { code: "instantiate.changed-source" });
  assert.ok(!(await store.isValidPath(parseStorePath(made.derivations.at(-1)!.path))));
});
