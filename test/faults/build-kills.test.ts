import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { finishDerivation } from "../../core/derivation/finish-derivation.ts";
import { HashModuloCache } from "../../core/derivation/hash-modulo-cache.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import { formatStorePath } from "../../core/store-path/store-path.ts";
import { toolsTree } from "../core/build/build-fixture.ts";
import { makeDeb, sha256 } from "../core/build/builtin/archives.ts";
import { killBuilds } from "./build-kills.ts";
import { startLoopbackMirror } from "./loopback-mirror.ts";
import { createPrivateStore, type PrivateStore } from "./private-store.ts";
import { createRandom } from "./seeded-random.ts";

test("builds killed at random points leave nothing wrong", { timeout: 120_000 }, async (t) => {
  const debs = Array.from({ length: 6 }, (_, n) => {
    const files = Array.from({ length: 40 }, (_, i) => ({ path: `./usr/share/demo-${n}/${i}`, contents: `${n} ${i}\n`.repeat(500) }));
    return { name: `demo-${n}`, path: `pool/demo-${n}.deb`, bytes: makeDeb(files, `Package: demo-${n}\nVersion: 1.0-1\n`) };
  });
  const seeds = debs.map(({ name, path, bytes }) => ({ name, path, url: `mirror://debian/${path}`, version: "1.0-1", size: bytes.length, sha256: sha256(bytes) }));
  const config = `import { defineShell } from "tsos";

export default defineShell(({ pkgs }) => {
  const unpacked = ${JSON.stringify(seeds)}.map((seed) => pkgs.unpackSeed(seed));
  const texts = pkgs.writeTree("texts", Array.from({ length: 100 }, (_, n) => ({ kind: "file", path: \`\${n % 10}/\${n}\`, contents: \`\${n}\` })));
  return { env: { ALL: pkgs.buildEnv({ name: "all", paths: [...unpacked, texts] }) } };
});
`;
  await using mirror = await startLoopbackMirror({ files: new Map(debs.map(({ path, bytes }) => [path, bytes])) });
  mirror.bytesPerSecond = 20_000;
  const env = { TSOS_MIRRORS: mirror.TSOS_MIRRORS };
  await using untouched = createPrivateStore(env);
  await using store = createPrivateStore(env);
  let derivation = "";
  for (const one of [untouched, store]) {
    writeFileSync(join(one.project, "shell.config.ts"), config);
    derivation = await addSandboxedBuild(one);
  }
  await killBuilds(t, {
    random: createRandom(),
    kills: 5,
    untouched,
    store,
    commands: [
      ["store", "realise", derivation],
      ["build", "env.ALL", "--no-check"],
    ],
  });
});

/** A derivation that runs in a sandbox, with a root of its own, so that it stays when all else is collected. */
async function addSandboxedBuild({ root }: PrivateStore): Promise<string> {
  await using store = await openLocalStore({ root });
  const tools = await store.addPathToStore("tools", toolsTree());
  const { derivation, path } = finishDerivation(
    {
      name: "sandboxed",
      outputs: new Map([["out", { kind: "deferred" }]]),
      inputDerivations: new Map(),
      inputSources: new Set([tools]),
      platform: process.arch === "arm64" ? "aarch64-linux" : "x86_64-linux",
      builder: "/bin/bash",
      args: ["-e", "-c", "mkdir $out; for i in 1 2 3 4 5 6; do echo $i; echo $i > $out/$i; sleep 0.1; done"],
      env: new Map([
        ["name", "sandboxed"],
        ["PATH", "/usr/bin"],
        ["__buildRoot", formatStorePath(tools)],
      ]),
    },
    new HashModuloCache(),
  );
  await store.writeDerivation(derivation);
  mkdirSync(join(store.stateDir, "gcroots"), { recursive: true });
  symlinkSync(formatStorePath(path), join(store.stateDir, "gcroots/sandboxed"));
  return formatStorePath(path);
}
