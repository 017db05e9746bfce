/** What a store does, each in a small store of its own, so that every operation of it can be made to fail in turn. */
import assert from "node:assert/strict";
import { chmodSync, createReadStream, createWriteStream, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { BuildOptions } from "../../core/build/build-options.ts";
import { realise } from "../../core/build/realise.ts";
import { repairPath } from "../../core/build/repair-path.ts";
import { copyPaths } from "../../core/cache/copy-paths.ts";
import { openBinaryCache } from "../../core/cache/open-binary-cache.ts";
import { createSubstituters } from "../../core/cache/substituters.ts";
import { finishDerivation } from "../../core/derivation/finish-derivation.ts";
import type { DerivationOutput } from "../../core/derivation/derivation.ts";
import { inputPlaceholder } from "../../core/derivation/placeholder.ts";
import { openDaemonStore } from "../../core/daemon/client/open-daemon-store.ts";
import { startDaemon } from "../../core/daemon/server/daemon-server.ts";
import { HashModuloCache } from "../../core/derivation/hash-modulo-cache.ts";
import { plainFetchSettings } from "../../core/fetch/fetch-settings.ts";
import { exportPaths, importPaths } from "../../core/store/export-paths.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { deleteOldGenerations, findCurrentGeneration, profilePath, rollbackProfile, setProfile } from "../../core/store/profile.ts";
import { activate } from "../../core/system/activate/activate.ts";
import { listSystemGenerations, SYSTEM_PROFILE } from "../../core/system/activate/system-profile.ts";
import { openFakeSystemd } from "../core/system/support/fake-systemd.ts";
import { addFile, addToplevel, addUnits, type FixtureStore } from "../core/system/support/toplevel-fixture.ts";
import { formatStorePath, storePathName, type StorePath } from "../../core/store-path/store-path.ts";
import type { Substituter } from "../../core/store/substituter.ts";

export type StoreScenario = {
  /** Fills the store in `${folder}/root`; what it needs besides lies in `folder` too. @returns what must stay valid */
  prepare(folder: string): Promise<readonly StorePath[]>;
  /** What is interrupted, and must work when it is done again. @returns what is valid then */
  run(store: LocalStore, folder: string): Promise<readonly StorePath[]>;
  /** What must hold besides, once `run` was done again. */
  check?(store: LocalStore, folder: string): void | Promise<void>;
  /** Paths that are damaged until `run` has put them right. */
  readonly damages?: boolean;
  readonly autoOptimise?: boolean;
};

function writeTree(folder: string, mark: string): string {
  mkdirSync(`${folder}/sub`, { recursive: true });
  writeFileSync(`${folder}/program`, "#! /bin/sh\n", { mode: 0o755 });
  for (const name of ["a", "b", "c", "d", "sub/e", "sub/f", "sub/g"]) writeFileSync(`${folder}/${name}`, `${name}\n`.repeat(500));
  writeFileSync(`${folder}/same`, "same\n".repeat(500));
  writeFileSync(`${folder}/sub/same`, "same\n".repeat(500));
  writeFileSync(`${folder}/mark`, mark);
  symlinkSync("../a", `${folder}/sub/link`);
  return folder;
}

/** A store whose root keeps what `fill` adds. */
async function prepareStore(folder: string, fill: (store: LocalStore) => Promise<readonly StorePath[]>): Promise<readonly StorePath[]> {
  await using store = await openLocalStore({ root: `${folder}/root` });
  const kept = await fill(store);
  for (const path of kept) {
    symlinkSync(formatStorePath(path), `${store.stateDir}/gcroots/${path}`);
  }
  return kept;
}

const outputs = async (store: LocalStore): Promise<StorePath[]> => {
  const cache = new HashModuloCache();
  const make = async (name: string, names: readonly string[], inputs: Map<StorePath, ReadonlySet<string>>, text: string): Promise<ReturnType<typeof finishDerivation>> => {
    const finished = finishDerivation(
      {
        name, outputs: new Map(names.map((one) => [one, { kind: "deferred" }] as const)), inputDerivations: inputs, inputSources: new Set<StorePath>(),
        platform: "builtin", builder: "builtin:faults", args: [], env: new Map([["name", name], ["text", text]]),
      },
      cache,
    );
    await store.writeDerivation(finished.derivation);
    return finished;
  };
  const bottom = await make("bottom", ["out", "doc"], new Map(), "bottom");
  const out = bottom.derivation.env.get("out")!;
  const top = await make("top", ["out"], new Map([[bottom.path, new Set(["out"])]]), out);
  return [top.path];
};

function buildOptions(substituter?: Substituter): BuildOptions {
  return {
    jobs: 1, cores: 1, settings: plainFetchSettings, substituter,
    tools: { bubblewrap: () => Promise.reject(new Error("no build of these runs in a sandbox")) },
    builtins: new Map([
      ["faults", async (context) => {
        for (const [name, target] of context.outputs) {
          mkdirSync(target);
          for (const file of ["one", "two"]) writeFileSync(`${target}/${file}`, `${name} ${file} ${context.env.get("text")}\n`);
        }
      }],
    ]),
  };
}

async function build(store: LocalStore, substituter?: Substituter): Promise<readonly StorePath[]> {
  const [drvPath] = await outputs(store);
  const results = await realise(store, [{ drvPath: drvPath! }], buildOptions(substituter));
  return [...results.values()].flatMap((paths) => [...paths.values()]);
}

/** One whose path is known when it is built, and one that is resolved by it. */
async function floatingOutputs(store: LocalStore): Promise<readonly StorePath[]> {
  const cache = new HashModuloCache();
  const make = async (name: string, output: DerivationOutput, inputs: readonly StorePath[]): Promise<StorePath> => {
    const text = inputs.map((input) => inputPlaceholder(input, "out")).join(" ");
    const derivation = { name, outputs: new Map([["out", output]]), inputDerivations: new Map(inputs.map((input) => [input, new Set(["out"])] as const)), inputSources: new Set<StorePath>(), platform: "builtin", builder: "builtin:faults", args: [], env: new Map([["name", name], ["text", text]]) };
    const finished = finishDerivation(derivation, cache);
    return store.writeDerivation(finished.derivation);
  };
  const bottom = await make("floating", { kind: "floating", method: "nar", algorithm: "sha256" }, []);
  return [bottom, await make("waiting", { kind: "deferred" }, [bottom])];
}

async function buildFloating(store: LocalStore): Promise<readonly StorePath[]> {
  const [, drvPath] = await floatingOutputs(store);
  const results = await realise(store, [{ drvPath: drvPath! }], { ...buildOptions(), contentAddressed: true });
  return [...results.values()].flatMap((paths) => [...paths.values()]);
}

/** A daemon and its client, both in this process, so that what either does can fail. */
async function workThroughDaemon(folder: string): Promise<readonly StorePath[]> {
  const root = `${folder}/root`;
  const socket = `${folder}/socket`;
  await using _server = await startDaemon({
    host: {
      version: "faults",
      openStore: () => openLocalStore({ root }),
      buildOptions: async (store, _settings, io) => ({ ...buildOptions(await openCache(folder, store)), ...io }),
      trust: { publicKeys: [], requireSignatures: true },
      trustedSubstituters: [],
      substituters: [],
    },
    access: { trustedUsers: [], allowedUsers: ["*"] },
    listen: { path: socket },
  });
  await using store = openDaemonStore({ root, socket });
  const text = await store.addTextToStore("text", "a text", []);
  const tree = await store.addPathToStore("tree", `${folder}/one`, { references: [text], likelyNew: true });
  return [text, tree, ...(await build(store))];
}

async function openCache(folder: string, store: LocalStore): Promise<Substituter> {
  const cache = await openBinaryCache(`file://${folder}/cache?trusted=1&compression=gzip`, { settings: plainFetchSettings, environment: {} });
  return createSubstituters({ store, caches: [cache], trust: { publicKeys: [], requireSignatures: true } });
}

async function fillCache(folder: string, fill: (store: LocalStore) => Promise<readonly StorePath[]>): Promise<void> {
  await using filled = await openLocalStore({ root: `${folder}/filled` });
  await using cache = await openBinaryCache(`file://${folder}/cache?trusted=1&compression=gzip`, { settings: plainFetchSettings, environment: {} });
  await copyPaths(filled, cache, await fill(filled));
}

const addBoth = async (store: LocalStore, folder: string): Promise<readonly StorePath[]> => {
  const text = await store.addTextToStore("text", "a text", []);
  return [text, await store.addPathToStore("tree", `${folder}/one`, { references: [text] }), await store.addPathToStore("twin", `${folder}/two`)];
};

/** Each needs the two before it; one is a tree. */
async function addChain(store: LocalStore, folder: string): Promise<readonly StorePath[]> {
  writeSources(folder);
  const chain: StorePath[] = [];
  for (let n = 0; n < 6; n++) {
    const references = chain.slice(-2);
    chain.push(n === 3 ? await store.addPathToStore("tree", `${folder}/one`, { references }) : await store.addTextToStore(`chain-${n}`, `chain ${n}`, references));
  }
  writeFileSync(`${folder}/chain`, chain.join(" "));
  return chain;
}

function writeSources(folder: string): void {
  writeTree(`${folder}/one`, "one");
  writeTree(`${folder}/two`, "two");
}

/** Two generations of a machine: files of `/etc`, a unit, a host name. */
function writeGenerations(folder: string): void {
  const place = `${folder}/generations`;
  const store: FixtureStore = { folder: place, logical: place, node: process.execPath, shell: "/bin/sh", activator: "/nonexistent" };
  mkdirSync(`${place}/sw`, { recursive: true });
  mkdirSync(`${place}/os/usr/bin`, { recursive: true });
  for (const name of ["first", "second"]) {
    addToplevel(store, name, {
      osRoot: `${place}/os`,
      systemPath: `${place}/sw`,
      hostName: name,
      etc: [
        addUnits(store, `${name}-units`, { "multi-user.target": "[Unit]\n", "a.service": `[Service]\nExecStart=${name}\n` }, { "multi-user.target.wants/a.service": "../a.service" }),
        { kind: "link", target: "motd", source: addFile(store, `${name}-motd`, name) },
        { kind: "copy", target: "secret/key", source: addFile(store, `${name}-key`, `key of ${name}`), mode: "0440", user: String(process.getuid!()), group: String(process.getgid!()) },
      ],
    });
  }
}

async function switchTo(folder: string, name: string): Promise<void> {
  const machine = `${folder}/root/machine`;
  const outcome = await activate({
    action: "switch",
    toplevel: `${folder}/generations/${name}`,
    root: machine,
    systemManager: openFakeSystemd(`${folder}/systemd.json`, machine),
    report: () => {},
    checkHealth: async () => [],
  });
  if (outcome.kind !== "activated") throw new Error(`the switch ended with ${outcome.kind}`);
}

export const STORE_SCENARIOS: Readonly<Record<string, StoreScenario>> = {
  adding: {
    async prepare(folder) {
      writeSources(folder);
      return prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]);
    },
    run: addBoth,
  },
  "adding and sharing": {
    autoOptimise: true,
    async prepare(folder) {
      writeSources(folder);
      return prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]);
    },
    run: addBoth,
  },
  "adding what is likely new": {
    async prepare(folder) {
      writeSources(folder);
      // Large enough for the kernel to copy it.
      writeFileSync(`${folder}/large`, Buffer.alloc((1 << 20) + 3, "large "));
      return prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]);
    },
    run: async (store, folder) => [
      await store.addPathToStore("tree", `${folder}/one`, { likelyNew: true }),
      await store.addPathToStore("twin", `${folder}/two`, { likelyNew: true }),
      await store.addPathToStore("file", `${folder}/one/a`, { likelyNew: true, method: "flat" }),
      await store.addPathToStore("large", `${folder}/large`, { likelyNew: true }),
    ],
  },
  importing: {
    async prepare(folder) {
      writeSources(folder);
      await using filled = await openLocalStore({ root: `${folder}/filled` });
      await pipeline(exportPaths(filled, await addBoth(filled, folder)), createWriteStream(`${folder}/exported`));
      return prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]);
    },
    run: async (store, folder) => importPaths(store, createReadStream(`${folder}/exported`)),
  },
  building: {
    prepare: (folder) => prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]),
    run: (store) => build(store),
  },
  "building what its contents name": {
    prepare: (folder) => prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]),
    run: (store) => buildFloating(store),
    async check(store) {
      assert.equal((await store.queryDerivationOutputs((await floatingOutputs(store))[1]!)).size, 1);
    },
  },
  "through a daemon": {
    async prepare(folder) {
      writeSources(folder);
      await fillCache(folder, (store) => build(store));
      return prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]);
    },
    run: (_store, folder) => workThroughDaemon(folder),
  },
  substituting: {
    async prepare(folder) {
      await fillCache(folder, (store) => build(store));
      return prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]);
    },
    run: async (store, folder) => build(store, await openCache(folder, store)),
  },
  // Archives are received while it is still asked what else is needed, those that others need among the last.
  copying: {
    async prepare(folder) {
      await fillCache(folder, (store) => addChain(store, folder));
      return prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", []), await store.addTextToStore("chain-0", "chain 0", [])]);
    },
    async run(store, folder) {
      await using cache = await openBinaryCache(`file://${folder}/cache?compression=gzip`, { settings: plainFetchSettings, environment: {} });
      const chain = readFileSync(`${folder}/chain`, "utf8").split(" ") as StorePath[];
      await copyPaths(cache, store, chain.slice(-1));
      return chain;
    },
  },
  collecting: {
    async prepare(folder) {
      writeSources(folder);
      return prepareStore(folder, async (store) => {
        const paths = await addBoth(store, folder);
        await store.optimise();
        await store.addTextsToStore([1, 2, 3].map((n) => ({ name: `dead-${n}`, contents: String(n), references: [] })));
        return [paths[0]!, paths[2]!];
      });
    },
    async run(store) {
      await store.collectGarbage();
      return [];
    },
  },
  optimising: {
    async prepare(folder) {
      writeSources(folder);
      return prepareStore(folder, (store) => addBoth(store, folder));
    },
    async run(store) {
      await store.optimise();
      return [];
    },
  },
  "switching a profile": {
    async prepare(folder) {
      return prepareStore(folder, async (store) => {
        const paths = await store.addTextsToStore(["one", "two", "three"].map((name) => ({ name, contents: name, references: [] })));
        const profile = profilePath(store, "machine");
        for (const path of paths.slice(0, 2)) await setProfile(store, profile, path);
        return paths;
      });
    },
    async run(store) {
      const profile = profilePath(store, "machine");
      const paths = new Map((await store.queryAllValidPaths()).map((path) => [storePathName(path), path]));
      // Whatever was interrupted before: one of those that were switched to is current.
      if (findCurrentGeneration(store, profile) === undefined) throw new Error("no generation is current");
      await setProfile(store, profile, paths.get("three")!);
      await setProfile(store, profile, paths.get("one")!);
      await rollbackProfile(store, profile);
      await deleteOldGenerations(store, profile);
      return [paths.get("three")!];
    },
    check(store) {
      const profile = profilePath(store, "machine");
      assert.equal(storePathName(findCurrentGeneration(store, profile)!.path!), "three");
      assert.deepEqual(readdirSync(`${store.stateDir}/profiles`).filter((name) => !/^(per-user|machine(-\d+-link|\.lock)?)$/.test(name)), []);
    },
  },
  switching: {
    async prepare(folder) {
      writeGenerations(folder);
      const kept = await prepareStore(folder, async (store) => [await store.addTextToStore("kept", "kept", [])]);
      mkdirSync(`${folder}/root/machine`);
      await switchTo(folder, "first");
      return kept;
    },
    async run(_store, folder) {
      await switchTo(folder, "second");
      return [];
    },
    check(_store, folder) {
      const machine = `${folder}/root/machine`;
      assert.equal(readlinkSync(`${machine}/run/current-system`), `${folder}/generations/second`);
      assert.equal(listSystemGenerations(`${machine}${SYSTEM_PROFILE}`).find((one) => one.isCurrent)?.toplevel, `${folder}/generations/second`);
      assert.equal(readFileSync(`${machine}/etc/secret/key`, "utf8"), "key of second");
      assert.deepEqual(readdirSync(`${machine}/etc`, { recursive: true, encoding: "utf8" }).filter((name) => name.includes("tsos-new")), []);
    },
  },
  repairing: {
    damages: true,
    async prepare(folder) {
      writeSources(folder);
      await fillCache(folder, (store) => addBoth(store, folder));
      return prepareStore(folder, async (store) => {
        const paths = await addBoth(store, folder);
        const file = `${store.realPath(paths[1]!)}/mark`;
        chmodSync(file, 0o644);
        writeFileSync(file, "damaged");
        chmodSync(file, 0o444);
        return paths;
      });
    },
    async run(store, folder) {
      const substituter = await openCache(folder, store);
      for (const path of await store.queryAllValidPaths()) await repairPath(store, path, { substituter, build: buildOptions() });
      return [];
    },
  },
};
