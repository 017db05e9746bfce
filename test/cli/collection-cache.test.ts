import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createScopedSubstituter } from "../../core/cache/scoped-substituter.ts";
import { serveCache } from "../../core/cache/serve-cache.ts";
import { parseSecretKey } from "../../core/narinfo/signature.ts";
import type { Substituter } from "../../core/store/substituter.ts";
import { parseStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { temporaryStore } from "../core/store/temporary-store.ts";
import { runTsos, type TsosResult } from "./tsos-process.ts";

// Made for these tests.
const SECRET_KEY = "test-1:hp3Hve9ldKkNM/aWLKkVhjFH+Eap46gwZdQbNy8HeeL863F+J1BsHipIWOGkl3ZERM/di6a6v4SjO81Hl7rCcQ==";
const PUBLIC_KEY = `test-1:${Buffer.from(SECRET_KEY.slice("test-1:".length), "base64").subarray(32).toString("base64")}`;

describe("the binary cache of a collection", () => {
  test("gives what only it has, with a trusted signature", async (t) => {
    const { store, folder } = await temporaryStore(t);
    mkdirSync(join(folder, "collection"));
    mkdirSync(join(folder, "project"));
    writeFileSync(join(folder, "collection/default.nix"), '{ system, config ? { }, overlays ? [ ] }: { tool = derivation { name = "tool"; inherit system; builder = "/no/such/builder"; }; }\n');
    const configure = (options: object): void => {
      writeFileSync(join(folder, "project/shell.config.ts"), `import { defineShell } from "tsos";
export default defineShell({ inputs: { collection: { kind: "input-spec", source: "path:../collection", options: ${JSON.stringify(options)} } }, config: {} });
`);
    };
    const run = (...args: readonly string[]): Promise<TsosResult> => runTsos([...args, "--store", join(folder, "mine")], { cwd: join(folder, "project"), stateFolder: join(folder, "state"), env: { HOME: folder } });
    configure({ substituters: [] });
    const evaluated = await run("eval", "--json", "pkgs.collection.tool");
    assert.equal(evaluated.code, 0, evaluated.stderr);
    const { outPath } = JSON.parse(evaluated.stdout) as { readonly outPath: string };
    const model = await store.addTextToStore("model", "contents", []);
    const info = await store.getPathInfo(model);
    await store.addNarToStore({ path: parseStorePath(outPath, "/nix/store"), narHash: info.narHash, narSize: info.narSize, references: [] }, store.narFromPath(model));
    await using server = await serveCache(store, { host: "127.0.0.1", port: 0, secretKeys: [parseSecretKey(SECRET_KEY)] });

    const build = (): Promise<TsosResult> => run("build", "pkgs.collection.tool", "--no-link", "--no-check");
    assert.notEqual((await build()).code, 0, "without a cache it must be built, and cannot be");
    configure({ substituters: [server.url], trustedPublicKeys: [] });
    assert.notEqual((await build()).code, 0, "nobody trusted signed it");
    configure({ substituters: [server.url], trustedPublicKeys: [PUBLIC_KEY] });
    const built = await build();
    assert.equal(built.code, 0, built.stderr);
    assert.equal(built.stdout.trim(), outPath);
  });

  test("is asked for what comes from a collection, where no other cache has it", async () => {
    const paths = ["a", "b", "c"].map((name) => `${"0".repeat(32)}-${name}` as StorePath);
    const asked: StorePath[][] = [];
    const cache = (has: readonly StorePath[], from: string): Substituter => ({
      query: async (wanted) => {
        asked.push([...wanted]);
        return new Map(asked.at(-1)!.filter((path) => has.includes(path)).map((path) => [path, { info: {} as never, from }]));
      },
      substitute: async (path) => ({ path, from }) as never,
    });
    const both = createScopedSubstituter(cache([paths[0]!], "ours"), cache(paths, "theirs"), new Set([paths[0]!, paths[1]!]));
    const found = await both.query(paths);
    assert.deepEqual(asked, [paths, [paths[1]]]);
    assert.deepEqual([...found].map(([path, { from }]) => [path, from]), [[paths[0], "ours"], [paths[1], "theirs"]]);
    assert.equal(((await both.substitute(paths[1]!)) as unknown as { readonly from: string }).from, "theirs");
    assert.equal(((await both.substitute(paths[0]!)) as unknown as { readonly from: string }).from, "ours");
  });
});
