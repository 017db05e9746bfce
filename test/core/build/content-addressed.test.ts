import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { realise } from "../../../core/build/realise.ts";
import { repairPath } from "../../../core/build/repair-path.ts";
import { copyPaths } from "../../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../../core/cache/open-binary-cache.ts";
import { createSubstituters } from "../../../core/cache/substituters.ts";
import type { DerivationOutput } from "../../../core/derivation/derivation.ts";
import type { FinishedDerivation } from "../../../core/derivation/finish-derivation.ts";
import { inputPlaceholder, outputPlaceholder } from "../../../core/derivation/placeholder.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { plainFetchSettings } from "../../../core/fetch/fetch-settings.ts";
import { parsePublicKey, type PublicKey } from "../../../core/narinfo/signature.ts";
import { openDaemonStore } from "../../../core/daemon/client/open-daemon-store.ts";
import { openLocalStore } from "../../../core/store/local-store.ts";
import { formatStorePath, type StorePath } from "../../../core/store-path/store-path.ts";
import { startTestDaemon } from "../daemon/server/test-daemon.ts";
import { createBuildFixture, type BuildFixture } from "./build-fixture.ts";

const FLOATING: DerivationOutput = { kind: "floating", method: "nar", algorithm: "sha256" };
const WITH = { contentAddressed: true };

/** `root` floats, both `middle`s float and differ in what counts for nothing, the leaves wait for them. */
async function deriveTree(fixture: BuildFixture) {
  const root = await fixture.derive({ name: "root", output: FLOATING, script: "mkdir $out; echo $out > $out/self; ln -s $out/self $out/link" });
  const middle = (salt: string): Promise<FinishedDerivation> => fixture.derive({ name: "middle", output: FLOATING, script: "echo uses $root > $out", inputs: [root], env: { root: inputPlaceholder(root.path, "out"), salt } });
  const middles = [await middle("1"), await middle("2")];
  const leaves = await Promise.all(middles.map((one) => fixture.derive({ name: "leaf", script: "echo building the leaf; echo $middle > $out", inputs: [one], env: { middle: inputPlaceholder(one.path, "out") } })));
  return { root, middles, leaves };
}

const text = (fixture: BuildFixture, path: StorePath | undefined, file = ""): string => readFileSync(join(fixture.path(path!), file), "utf8").trim();
const hasCode = (code: string) => (error: unknown) => error instanceof TsosError && error.code === code;

describe("outputs whose paths follow from their contents", () => {
  test("are built, their own names in them made right", async () => {
    await using fixture = await createBuildFixture();
    const { root, middles } = await deriveTree(fixture);
    assert.equal(root.outputPaths.get("out"), undefined);
    const outputs = await fixture.build([root, middles[0]!], WITH);
    const path = outputs.get(root.path)!.get("out")!;
    assert.equal(text(fixture, path, "self"), formatStorePath(path));
    assert.equal(text(fixture, outputs.get(middles[0]!.path)!.get("out")), `uses ${formatStorePath(path)}`);
    const info = await fixture.store.getPathInfo(path);
    assert.deepEqual([info.references, info.contentAddress?.method], [[path], "nar"]);
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
    // What waited under another name is gone, and no lock is left.
    assert.deepEqual(readdirSync(fixture.store.realStoreDir).filter((name) => name !== ".links" && !name.endsWith(".drv") && name !== fixture.tools).sort(), [path, outputs.get(middles[0]!.path)!.get("out")!].sort());
  });

  test("are the same where their contents are, so what uses them is built once", async () => {
    await using fixture = await createBuildFixture();
    const { middles, leaves } = await deriveTree(fixture);
    const outputs = await fixture.build(leaves, { ...WITH, jobs: 1 });
    const [first, second] = leaves.map((leaf) => outputs.get(leaf.path)!.get("out"));
    assert.equal(first, second);
    assert.equal(fixture.events.filter((event) => event.kind === "log" && event.line === "building the leaf").length, 1);
    const known = await Promise.all(middles.map((one) => fixture.store.queryDerivationOutputs(one.path)));
    assert.deepEqual(known[0], known[1]);
    // Known from now on.
    fixture.events.length = 0;
    assert.deepEqual((await fixture.build(leaves, WITH)).get(leaves[0]!.path)!.get("out"), first);
    assert.deepEqual(fixture.events.filter((event) => event.kind === "start"), []);
  });

  test("of several outputs may refer to one another", async () => {
    await using fixture = await createBuildFixture();
    const drv = await fixture.derive({ name: "two", outputs: ["out", "dev"], script: "echo $out > $out; echo $dev $out > $dev" });
    const floating = { ...drv.derivation, outputs: new Map([["dev", FLOATING], ["out", FLOATING]]), env: new Map([...drv.derivation.env, ["out", outputPlaceholder("out")], ["dev", outputPlaceholder("dev")]]) };
    const drvPath = await fixture.store.writeDerivation(floating);
    const outputs = (await fixture.build([{ drvPath }], WITH)).get(drvPath)!;
    const [out, dev] = [outputs.get("out")!, outputs.get("dev")!];
    assert.equal(text(fixture, dev), `${formatStorePath(dev)} ${formatStorePath(out)}`);
    assert.deepEqual((await fixture.store.getPathInfo(dev)).references, [out, dev].sort());
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
  });

  test("are compared when they are built again, and fail together with what is in them", async () => {
    await using fixture = await createBuildFixture();
    const { leaves } = await deriveTree(fixture);
    await fixture.build(leaves, WITH);
    await fixture.build([leaves[0]!], { ...WITH, check: true });
    const random = await fixture.derive({ name: "random", output: FLOATING, script: "date +%N > $out" });
    await fixture.build([random], WITH);
    await assert.rejects(fixture.build([random], { ...WITH, check: true }), /building again gave "[^"]*-random" as the output "out", expected "[^"]*-random"; these files differ:\n  out: \./);
    const bad = await fixture.derive({ name: "bad", output: FLOATING, script: "echo no; exit 3", inputs: [random], env: { x: inputPlaceholder(random.path, "out") } });
    const user = await fixture.derive({ name: "user", script: "echo > $out", inputs: [bad], env: { x: inputPlaceholder(bad.path, "out") } });
    await assert.rejects(fixture.build([user], WITH), (error) => hasCode("build.failed")(error) && /exit code 3[^]*> no/.test((error as Error).message));
  });

  test("are repaired by building them again, where that gives the same", async () => {
    await using fixture = await createBuildFixture();
    const { root, middles } = await deriveTree(fixture);
    const random = await fixture.derive({ name: "random", output: FLOATING, script: "date +%N > $out" });
    const outputs = await fixture.build([root, middles[0]!, random], WITH);
    const damage = (path: StorePath, file: string): void => {
      const place = join(fixture.path(path), file);
      chmodSync(place, 0o644);
      writeFileSync(place, "damaged");
      chmodSync(place, 0o444);
    };
    for (const [drv, file] of [[root, "self"], [middles[0]!, ""]] as const) {
      const path = outputs.get(drv.path)!.get("out")!;
      const before = await fixture.store.getPathInfo(path);
      damage(path, file);
      assert.equal(await repairPath(fixture.store, path, { build: fixture.options(WITH) }), "built");
      assert.deepEqual(await fixture.store.getPathInfo(path), before);
    }
    assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);
    const lost = outputs.get(random.path)!.get("out")!;
    damage(lost, "");
    await assert.rejects(repairPath(fixture.store, lost, { build: fixture.options(WITH) }), /building again gave/);
  });

  test("are not built unless that is turned on", async () => {
    await using fixture = await createBuildFixture();
    const { root, leaves } = await deriveTree(fixture);
    for (const target of [root, leaves[0]!]) await assert.rejects(fixture.build([target]), hasCode("build.floating-output"));
  });

  test("are kept by who uses them, and forgotten with their paths", async () => {
    await using fixture = await createBuildFixture();
    const { root } = await deriveTree(fixture);
    // By another, whose temporary roots end with it.
    const path = await (async () => {
      await using other = await openLocalStore({ root: fixture.root });
      return (await realise(other, [{ drvPath: root.path }], fixture.options(WITH))).get(root.path)!.get("out")!;
    })();
    const [realisation] = await fixture.store.queryRealisationsOf(path);
    assert.deepEqual(await fixture.store.findRealisation(realisation!), realisation);
    await fixture.store.collectGarbage();
    assert.deepEqual([await fixture.store.isValidPath(path), await fixture.store.findRealisation(realisation!)], [false, undefined]);
    assert.equal((await fixture.build([root], WITH)).get(root.path)!.get("out"), path);
  });
});

function keyPair(name: string): { readonly secret: string; readonly key: PublicKey } {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const [seed, point] = [privateKey.export({ format: "jwk" }).d!, publicKey.export({ format: "jwk" }).x!].map((part) => Buffer.from(part, "base64url")) as [Buffer, Buffer];
  return { secret: `${name}:${Buffer.concat([seed, point]).toString("base64")}`, key: parsePublicKey(`${name}:${point.toString("base64")}`) };
}

test("a cache says what outputs turned out to be, and only who is trusted is believed", async () => {
  await using filled = await createBuildFixture();
  await using fixture = await createBuildFixture();
  const theirs = await deriveTree(filled);
  const ours = await deriveTree(fixture);
  const outputs = await filled.build([theirs.leaves[0]!], WITH);
  const { secret, key } = keyPair("cache-1");
  const file = join(fixture.root, "secret");
  writeFileSync(file, secret);
  const folder = join(fixture.root, "cache");
  const open = (more: string) => openBinaryCache(`file://${folder}?${more}`, { settings: plainFetchSettings, environment: {} });
  {
    await using cache = await open(`secret-key=${file}`);
    await copyPaths(filled.store, cache, [outputs.get(theirs.leaves[0]!.path)!.get("out")!]);
    for (const path of await filled.store.queryAllValidPaths()) for (const one of await filled.store.queryRealisationsOf(path)) await cache.addRealisation(one);
  }
  assert.match(readdirSync(join(folder, "realisations"))[0]!, /^sha256:[0-9a-f]{64}!out\.doi$/);
  const take = async (keys: readonly PublicKey[]): Promise<number> => {
    fixture.events.length = 0;
    await using cache = await open("");
    const substituter = createSubstituters({ store: fixture.store, caches: [cache], trust: { publicKeys: keys, requireSignatures: true }, report: (event) => void fixture.events.push(event) });
    const path = (await fixture.build([ours.leaves[0]!], { ...WITH, substituter })).get(ours.leaves[0]!.path)!.get("out")!;
    assert.equal(path, outputs.get(theirs.leaves[0]!.path)!.get("out"));
    return fixture.events.filter((event) => event.kind === "start" && event.activity === "build").length;
  };
  assert.equal(await take([key]), 0);
  assert.deepEqual([...(await fixture.store.queryDerivationOutputs(ours.leaves[0]!.path)).values()].length, 1);
  assert.deepEqual(await fixture.store.verify({ checkContents: true }), []);

  // Another key's word, and one about another output.
  await using fresh = await createBuildFixture();
  const again = await deriveTree(fresh);
  await using cache = await open("");
  const substituter = createSubstituters({ store: fresh.store, caches: [cache], trust: { publicKeys: [keyPair("cache-1").key], requireSignatures: true }, report: (event) => void fresh.events.push(event) });
  await fresh.build([again.root], { ...WITH, substituter });
  assert.equal(fresh.events.some((event) => event.kind === "message" && /no trusted key signed/.test(event.text)), true);
  assert.equal(fresh.events.some((event) => event.kind === "start" && event.activity === "build"), true);
  const names = readdirSync(join(folder, "realisations"));
  const id = (await fixture.store.findOutputId(ours.root.path, "out"))!;
  const own = `sha256:${id.derivationHash}!out.doi`;
  writeFileSync(join(folder, "realisations", own), readFileSync(join(folder, "realisations", names.find((name) => name !== own)!)));
  await assert.rejects(cache.findRealisation(id), hasCode("cache.malformed"));
  rmSync(folder, { recursive: true });
});

test("a daemon builds them for its clients and says what they turned out to be", async (t) => {
  const daemon = await startTestDaemon(t, { trusted: false, contentAddressed: true });
  const { fixture } = daemon;
  await using store = openDaemonStore({ root: fixture.root, socket: daemon.socket });
  const { root, middles, leaves } = await deriveTree(fixture);
  const outputs = await realise(store, leaves.map(({ path }) => ({ drvPath: path })), fixture.options());
  assert.equal(outputs.get(leaves[0]!.path)!.get("out"), outputs.get(leaves[1]!.path)!.get("out"));
  const id = (await fixture.store.findOutputId(root.path, "out"))!;
  const known = await store.findRealisation(id);
  assert.equal(known?.path, (await store.queryDerivationOutputs(root.path)).get("out"));
  assert.equal((await store.queryDerivationOutputs(middles[1]!.path)).size, 1);
  await assert.rejects(store.registerRealisations([{ ...known!, output: "other" }]), /lacks a signature by a trusted key/);
  // One that comes with the request proves itself.
  const sent = await fixture.derive({ name: "sent", output: FLOATING, script: "echo $out > $out" });
  const connection = await daemon.connect();
  const result = await connection.buildDerivation({ drvPath: sent.path, derivation: sent.derivation, inputs: [fixture.tools] }, () => {});
  assert.equal(result.status, "Built", result.errorMessage);
  const built = result.builtOutputs.get("out")!;
  assert.equal(text(fixture, built.path), formatStorePath(built.path));
  assert.equal((await store.findRealisation({ derivationHash: built.derivationHash, output: "out" }))?.path, built.path);
  assert.deepEqual(daemon.errors, []);
});
