import assert from "node:assert/strict";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { makeTar } from "./archives.ts";
import { runBuiltin, testFolder } from "./run-builtin.ts";

test("what is alone at an archive's top gets the channel's name", async (context) => {
  const folder = testFolder(context);
  const src = join(folder, "channel.tar.gz");
  writeFileSync(src, gzipSync(makeTar([{ path: "top/", type: "5" }, { path: "top/default.nix", contents: "{ }" }, { path: "top/run", mode: 0o755, contents: "#!" }])));
  const out = await runBuiltin(folder, "unpack-channel", { channelName: "pkgs", src });
  assert.deepEqual(readdirSync(out), ["pkgs"]);
  assert.equal(readFileSync(join(out, "pkgs/default.nix"), "utf8"), "{ }");
  assert.notEqual(statSync(join(out, "pkgs/run")).mode & 0o100, 0);
});

test("rejects a name that leads elsewhere, and an archive with more than one thing or nothing", async (context) => {
  const folder = testFolder(context);
  const [two, none] = [join(folder, "two.tar"), join(folder, "none.tar")];
  writeFileSync(two, makeTar([{ path: "a", contents: "" }, { path: "b", contents: "" }]));
  writeFileSync(none, makeTar([]));
  for (const [i, [channelName, src]] of ([["a/b", two], ["..", two], ["x", two], ["x", none]] as const).entries()) {
    await assert.rejects(runBuiltin(folder, "unpack-channel", { channelName, src }, `out${i}`), { code: "builtin.bad-channel" });
  }
});
