import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { copyPaths } from "../../../../core/cache/copy-paths.ts";
import { openRemoteStore } from "../../../../core/daemon/client/open-remote-store.ts";
import { TsosError } from "../../../../core/error/tsos-error.ts";
import { formatStorePath, type StorePath } from "../../../../core/store-path/store-path.ts";
import { nixStore, temporaryFolder, temporaryStore } from "../../store/temporary-store.ts";
import { hasProgram } from "../../store/has-program.ts";

const skip = hasProgram("nix-daemon") ? false : "nix is not installed";

/** In place of ssh: runs the command that the other machine would run, here. */
function pretendSsh(folder: string): readonly string[] {
  const file = join(folder, "ssh");
  writeFileSync(file, '#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n');
  chmodSync(file, 0o755);
  return [file];
}

async function setUp(t: TestContext, scheme: "ssh-ng" | "ssh") {
  const far = temporaryFolder(t);
  const { store, folder } = await temporaryStore(t);
  writeFileSync(join(folder, "big"), Buffer.alloc(3_000_000, "x"));
  const leaf = await store.addPathToStore("big", join(folder, "big"));
  const user = await store.addTextToStore("user", formatStorePath(leaf), [leaf]);
  const root = `local?root=${far}`;
  const url = scheme === "ssh" ? `ssh://there?remote-store=${root}` : `ssh-ng://there?remote-program=env%20NIX_REMOTE=${root}%20nix-daemon`;
  const environment = { PATH: process.env["PATH"], HOME: far, NIX_CONFIG: "substituters =" };
  const remote = openRemoteStore(url, { environment, ssh: pretendSsh(folder) });
  t.after(() => remote[Symbol.asyncDispose]());
  return { far, store, leaf, user, remote };
}

describe("the store of another machine", () => {
  for (const scheme of ["ssh-ng", "ssh"] as const) {
    it(`takes and gives paths over ${scheme}://, Debian's Nix at the far end`, { skip }, async (t) => {
      const { far, store, leaf, user, remote } = await setUp(t, scheme);
      assert.deepEqual((await copyPaths(store, remote, [user])).copied, [leaf, user]);
      assert.deepEqual((await copyPaths(store, remote, [user])).copied, []);
      nixStore(far)!("--verify", "--check-contents");
      assert.equal(await remote.isValidPath(`${"b".repeat(32)}-nothing` as StorePath), false);
      const info = await remote.getPathInfo(user);
      assert.deepEqual([info.narHash, info.references], [(await store.getPathInfo(user)).narHash, [leaf]]);
      const { store: third } = await temporaryStore(t);
      await copyPaths(remote, third, [user]);
      assert.deepEqual(await third.verify({ checkContents: true }), []);
    });
  }

  it("says what ssh says when it cannot be reached", async (t) => {
    const folder = temporaryFolder(t);
    for (const scheme of ["ssh-ng", "ssh"]) {
      await using remote = openRemoteStore(`${scheme}://there?remote-program=there-is-no-such-program`, { environment: { PATH: process.env["PATH"] }, ssh: pretendSsh(folder) });
      await assert.rejects(remote.isValidPath(`${"b".repeat(32)}-x` as StorePath), (error) => error instanceof TsosError && error.code === "daemon.cannot-connect" && /there-is-no-such-program/.test(error.message));
    }
  });
});
