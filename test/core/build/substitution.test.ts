import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { BuiltinBuilder } from "../../../core/build/builtin-builder.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { createSubstituters } from "../../../core/cache/substituters.ts";
import type { FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import type { Substituter } from "../../../core/store/substituter.ts";
import { storePathHash } from "../../../core/store-path/store-path.ts";
import { createBuildFixture, outputOf, outputText, type BuildFixture } from "./build-fixture.ts";

/** A store, a cache filled from one like it, and what was built. */
async function createCachedFixture(): Promise<BuildFixture & { readonly built: string[]; readonly folder: string; readonly substituter: Substituter; readonly chain: readonly FinishedDerivation[] }> {
  const built: string[] = [];
  const text: BuiltinBuilder = async (context) => {
    built.push(context.env.get("name")!);
    for (const [name, folder] of context.outputs) writeFileSync(folder, `${name} ${context.env.get("inputs") ?? ""}`);
  };
  const make = async (fixture: BuildFixture): Promise<FinishedDerivation[]> => {
    const bottom = await fixture.derive({ name: "bottom", builder: "builtin:text", outputs: ["out", "doc"] });
    const middle = await fixture.derive({ name: "middle", builder: "builtin:text", inputs: [bottom], env: { inputs: outputText(bottom) } });
    const top = await fixture.derive({ name: "top", builder: "builtin:text", inputs: [middle], env: { inputs: outputText(middle), allowSubstitutes: "" } });
    return [bottom, middle, top];
  };
  await using filled = await createBuildFixture({ builtins: { text } });
  const fixture = await createBuildFixture({ builtins: { text } });
  const folder = join(fixture.root, "cache");
  const cache = await openBinaryCache(`file://${folder}?trusted=1`, { settings: plainFetchSettings, environment: {} });
  const chain = await make(filled);
  await filled.build(chain);
  await copyPaths(filled.store, cache, [outputOf(chain[2]!)]);
  await make(fixture);
  built.length = 0;
  const substituter = createSubstituters({ store: fixture.store, caches: [cache], trust: { publicKeys: [], requireSignatures: true }, report: (event) => void fixture.events.push(event) });
  return { ...fixture, built, folder, substituter, chain };
}

describe("what a cache has", () => {
  test("is not built, nor what only its build would need", async () => {
    await using fixture = await createCachedFixture();
    const [bottom, middle] = fixture.chain as [FinishedDerivation, FinishedDerivation];
    await fixture.build([middle], { substituter: fixture.substituter });
    assert.deepEqual(fixture.built, []);
    assert.ok(await fixture.store.isValidPath(outputOf(middle)));
    assert.ok(await fixture.store.isValidPath(outputOf(bottom)), "what it refers to came with it");
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
  });

  test("is built where its derivation wants that, with inputs from the cache", async () => {
    await using fixture = await createCachedFixture();
    const top = fixture.chain[2]!;
    await fixture.build([top], { substituter: fixture.substituter });
    assert.deepEqual(fixture.built, ["top"]);
    assert.equal(readFileSync(fixture.path(outputOf(top)), "utf8"), `out ${outputText(fixture.chain[1]!)}`);
  });

  test("is built for an output that it lacks", async () => {
    await using fixture = await createCachedFixture();
    const bottom = fixture.chain[0]!;
    await fixture.build([{ drvPath: bottom.path, outputs: ["doc"] }], { substituter: fixture.substituter });
    assert.deepEqual(fixture.built, ["bottom"]);
  });

  test("is built after all when the cache does not give it, and this is said", async () => {
    await using fixture = await createCachedFixture();
    const [bottom, middle] = fixture.chain as [FinishedDerivation, FinishedDerivation];
    const narInfo = readFileSync(join(fixture.folder, `${storePathHash(outputOf(middle))}.narinfo`), "utf8");
    rmSync(join(fixture.folder, /^URL: (.*)$/m.exec(narInfo)![1]!));
    await fixture.build([middle], { substituter: fixture.substituter });
    assert.deepEqual(fixture.built, ["middle"]);
    assert.ok(await fixture.store.isValidPath(outputOf(bottom)));
    assert.ok(fixture.events.some((event) => event.kind === "message" && /built instead/.test(event.text)));
  });

  test("is built when something that it needs is nowhere", async () => {
    await using fixture = await createCachedFixture();
    const [bottom, middle] = fixture.chain as [FinishedDerivation, FinishedDerivation];
    rmSync(join(fixture.folder, `${storePathHash(outputOf(bottom))}.narinfo`));
    await fixture.build([middle], { substituter: fixture.substituter });
    assert.deepEqual(fixture.built, ["bottom", "middle"]);
  });

  test("is compared with a build of it, when that is asked", async () => {
    await using fixture = await createCachedFixture();
    const middle = fixture.chain[1]!;
    await fixture.build([middle], { substituter: fixture.substituter });
    await fixture.build([middle], { substituter: fixture.substituter, check: true });
    assert.deepEqual(fixture.built, ["middle"]);
    const names = new Set<string>(await fixture.store.queryAllValidPaths());
    assert.deepEqual(readdirSync(fixture.store.realStoreDir).filter((name) => !names.has(name) && name !== ".links" && !name.endsWith(".check")), []);
  });
});
