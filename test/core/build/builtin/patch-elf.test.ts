import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { readElf, readStart } from "../../../../core/build/builtin/tree/read-elf.ts";
import { runBuiltin, testFolder } from "./run-builtin.ts";

const script = (path: string, contents: string) => ({ kind: "file", path, contents, executable: true });

async function tree(folder: string, name: string, entries: readonly object[]): Promise<string> {
  return runBuiltin(folder, "write-tree", { entries: JSON.stringify(entries) }, name);
}

test("makes usr the root, gives scripts the tree's interpreters and own paths, and settles links", async (context) => {
  const folder = testFolder(context);
  const main = await tree(folder, "main", [
    script("usr/bin/tool", "#! /usr/bin/python3 -E\nopen('/usr/share/tool/data'); open('/usr/share/missing')\n"),
    script("usr/bin/other", "#!/usr/bin/env python3\n"),
    script("usr/bin/foreign", "#!/usr/bin/perl\n"),
    script("usr/sbin/daemon", "#!/bin/sh\n"),
    { kind: "symlink", path: "usr/bin/daemon", target: "/usr/sbin/daemon" },
    { kind: "symlink", path: "usr/bin/config", target: "/etc/tool.conf" },
    { kind: "symlink", path: "usr/bin/time", target: "/etc/localtime" },
    { kind: "symlink", path: "usr/bin/program", target: "program-1.0" },
    { kind: "file", path: "usr/share/tool/data", contents: "data" },
    { kind: "file", path: "etc/tool.conf", contents: "conf" },
    { kind: "file", path: "usr/lib/pkgconfig/tool.pc", contents: "prefix=/usr\nlibdir=${prefix}/lib\n" },
    { kind: "file", path: "var/lib/state", contents: "" },
  ]);
  const dependency = await tree(folder, "dependency", [script("usr/bin/python3", "binary"), script("usr/bin/dash", "x"), script("usr/bin/program-1.0", "x")]);
  const out = await runBuiltin(folder, "patch-elf", {
    trees: JSON.stringify([main, dependency]),
    main: JSON.stringify([main]),
    patchelf: "/unused",
    links: `{"bin/sh":"../libexec/bin/dash"}`,
  });
  assert.equal(readFileSync(join(out, "bin/tool"), "utf8"), `#!${out}/libexec/bin/python3 -E\nopen('${out}/share/tool/data'); open('/usr/share/missing')\n`);
  assert.equal(readFileSync(join(out, "bin/other"), "utf8"), `#!${out}/libexec/bin/python3\n`);
  assert.equal(readFileSync(join(out, "bin/foreign"), "utf8"), "#!/usr/bin/perl\n");
  assert.equal(readFileSync(join(out, "bin/daemon"), "utf8"), `#!${out}/bin/sh\n`);
  assert.equal(readlinkSync(join(out, "bin/config")), "../etc/tool.conf");
  assert.equal(readlinkSync(join(out, "bin/time")), "/etc/localtime");
  assert.equal(readFileSync(join(out, "lib/pkgconfig/tool.pc"), "utf8"), `prefix=${out}\nlibdir=\${prefix}/lib\n`);
  assert.equal(readFileSync(join(out, "bin/program"), "utf8"), "x", "a program behind a link comes along");
  assert(existsSync(join(out, "bin/program-1.0")) && !existsSync(join(out, "bin/python3")) && !existsSync(join(out, "var")));
  assert.equal(statSync(join(out, "share/tool/data")).ino, statSync(join(main, "usr/share/tool/data")).ino, "what stays is a hard link");
  assert.equal(readFileSync(join(main, "usr/bin/other"), "utf8"), "#!/usr/bin/env python3\n", "the source is not written to");
});

test("wraps programs with an environment and arguments", async (context) => {
  const folder = testFolder(context);
  const main = await tree(folder, "main", [script("usr/bin/show", `#!/bin/sh\necho "$SET|$DEFAULT|$LIST|$*"\n`)]);
  const out = await runBuiltin(folder, "patch-elf", {
    trees: JSON.stringify([main]),
    patchelf: "/unused",
    wrappers: JSON.stringify({ "bin/show": { env: { SET: "it's $out" }, defaults: { DEFAULT: "d" }, prefix: { LIST: "$out/x" }, args: ["--first"] } }),
  });
  const run = (env: Readonly<Record<string, string>>): string => execFileSync(join(out, "bin/show"), ["second"], { env, encoding: "utf8" });
  assert.equal(run({}), `it's ${out}|d|${out}/x|--first second\n`);
  assert.equal(run({ SET: "no", DEFAULT: "own", LIST: "/y" }), `it's ${out}|own|${out}/x:/y|--first second\n`);
  await assert.rejects(
    runBuiltin(folder, "patch-elf", { trees: JSON.stringify([main]), patchelf: "/unused", wrappers: `{"bin/none":{}}` }, "none"),
    { code: "patch.no-program", message: /"bin\/none"/ },
  );
});

test("says so when there is a program to patch and no patchelf", async (context) => {
  const folder = testFolder(context);
  mkdirSync(join(folder, "main/usr/bin"), { recursive: true });
  writeFileSync(join(folder, "main/usr/bin/node"), readFileSync(process.execPath), { mode: 0o755 });
  await assert.rejects(runBuiltin(folder, "patch-elf", { trees: JSON.stringify([join(folder, "main")]), patchelf: folder }), { code: "patch.no-patchelf" });
});

test("reads what decides how a program finds its libraries", () => {
  const elf = readElf(process.execPath, readStart(process.execPath));
  assert.match(elf?.interpreter ?? "", /ld-linux/);
  assert(elf?.needed.includes("libc.so.6"));
  assert.equal(elf?.soname, undefined);
});
