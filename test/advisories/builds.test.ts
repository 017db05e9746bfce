/** Holes that were found in builds and stores of this kind, each by the name under which it was published. */
import assert from "node:assert/strict";
import { chmodSync, closeSync, existsSync, lstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../../core/error/tsos-error.ts";
import { hashBytes } from "../../core/hash/hash.ts";
import { narHashOfPath } from "../../core/nar/dump-path.ts";
import { makeContentAddressedPath } from "../../core/store-path/make-store-path.ts";
import { encodeUtf8 } from "../../core/util/bytes.ts";
import { createBuildFixture, outputOf, type BuildFixture } from "../core/build/build-fixture.ts";

let fixture: BuildFixture;
before(async () => {
  fixture = await createBuildFixture();
});
after(() => fixture[Symbol.asyncDispose]());

describe("CVE-2024-27297, CVE-2025-46416: a descriptor of a fixed output that left the build", () => {
  /** What a process that got the descriptor (over an abstract socket of the shared network) can do afterwards. */
  async function smuggle(ownFiles: boolean): Promise<string> {
    const { store } = fixture;
    await using scratch = await store.createTemporaryFolder();
    const folder = join(scratch.path, "out");
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), `right ${ownFiles}\n`);
    const { hash } = await narHashOfPath(folder);
    const contentAddress = { method: "nar", hash } as const;
    const path = makeContentAddressedPath("fixed", contentAddress, { others: [], self: false }, store.storeDir);
    const smuggled = openSync(join(folder, "file"), "r+");
    try {
      await using _locks = await store.lockPaths([path]);
      const derivationPath = await store.addTextToStore("fixed.txt", "", []);
      await store.registerBuildOutputs({ derivationPath, outputs: [{ name: "out", path, folder, contentAddress, ownFiles }], candidates: [] });
      writeSync(smuggled, "wrong", 0);
    } finally {
      closeSync(smuggled);
    }
    const text = readFileSync(join(store.realPath(path), "file"), "utf8");
    await store.verify({ checkContents: true });
    return text;
  }

  test("does not change what was registered", async () => {
    assert.equal(await smuggle(false), "right false\n");
  });

  test("would, were the contents not copied to fresh files", async () => {
    // The defence taken out, so that the test above is known to be able to fail.
    assert.equal(await smuggle(true), "wrong true\n");
  });
});

test("CVE-2026-39860: links that a builder leaves where its output is copied are not written through", async () => {
  const outside = join(fixture.root, "outside-of-the-copy");
  writeFileSync(outside, "untouched\n");
  const contentAddress = { method: "flat", hash: hashBytes("sha256", encodeUtf8("right\n")) } as const;
  const names = ["fixed-out", "rewritten-out", "out", "0", ".tmp"].map((name) => `ln -s ${outside} $NIX_STORE/${name} || true; ln -s ${outside} /build/${name} || true`).join("; ");
  const derivation = await fixture.derive({ name: "linking", script: `echo right > $out; ${names}`, output: { kind: "fixed", contentAddress } });
  await fixture.build([derivation]);
  assert.equal(readFileSync(outside, "utf8"), "untouched\n");
  assert.equal(readFileSync(fixture.path(outputOf(derivation)), "utf8"), "right\n");
});

describe("CVE-2021-27851, CVE-2024-38531, CVE-2025-52991: others of the machine and a build's folder", () => {
  test("a builder that opens its folder to all opens it to nobody while it runs", async () => {
    const { store } = fixture;
    const derivation = await fixture.derive({ name: "open", script: "chmod 777 /build /tmp; touch /build/ready; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; done; echo > $out" });
    const building = fixture.build([derivation]);
    let folder: string | undefined;
    for (let n = 0; n < 200 && folder === undefined; n++) {
      await sleep(20);
      folder = readdirSync(store.realStoreDir).map((name) => join(store.realStoreDir, name)).find((name) => name.includes("/tmp-") && existsSync(join(name, "build/ready")));
    }
    assert.ok(folder !== undefined, "the build was seen");
    assert.equal(lstatSync(join(folder, "build")).mode & 0o777, 0o777, "the builder did open its own");
    assert.equal(lstatSync(folder).mode & 0o777, 0o700, "nobody gets through the folder above");
    await building;
  });

  test("a kept folder is its owner's alone, whatever the builder made of it", async () => {
    const derivation = await fixture.derive({ name: "kept", script: "touch secret; chmod 777 /build secret; exit 1" });
    let kept = "";
    await assert.rejects(fixture.build([derivation], { keepFailed: true }), (error) => {
      assert.ok(error instanceof TsosError);
      kept = /(\/\S*tsos-build-kept-\d+)/.exec(`${error.message} ${JSON.stringify(error.data)} ${error.hint ?? ""}`)?.[1] ?? "";
      return true;
    });
    try {
      assert.ok(existsSync(join(kept, "secret")), kept);
      assert.equal(lstatSync(kept).mode & 0o777, 0o700);
    } finally {
      if (kept !== "") rmSync(kept, { recursive: true, force: true });
    }
  });
});

test("CVE-2024-52867, CVE-2025-52992: of an output that is refused nothing is left, nor seen", async () => {
  const contentAddress = { method: "flat", hash: hashBytes("sha256", encodeUtf8("another\n")) } as const;
  for (const [name, mode, why] of [["refused", "644", /has the hash/], ["open-to-all", "666", /may be written/]] as const) {
    const derivation = await fixture.derive({ name, script: `echo wrong > $out; chmod ${mode} $out`, output: { kind: "fixed", contentAddress } });
    await assert.rejects(fixture.build([derivation]), why);
    const path = outputOf(derivation);
    assert.equal(existsSync(fixture.path(path)), false);
    assert.equal(await fixture.store.isValidPath(path), false);
  }
});

test("setuid and setgid bits that a build's files have by whatever way are gone when it is registered", async () => {
  const { store } = fixture;
  await using scratch = await store.createTemporaryFolder();
  const folder = join(scratch.path, "out");
  mkdirSync(folder);
  writeFileSync(join(folder, "program"), "#! /bin/sh\n");
  chmodSync(join(folder, "program"), 0o6755);
  chmodSync(folder, 0o2777);
  const path = makeContentAddressedPath("bits", { method: "nar", hash: hashBytes("sha256", encodeUtf8("bits")) }, { others: [], self: false }, store.storeDir);
  await using _locks = await store.lockPaths([path]);
  const derivationPath = await store.addTextToStore("bits.txt", "", []);
  await store.registerBuildOutputs({ derivationPath, outputs: [{ name: "out", path, folder }], candidates: [] });
  assert.equal(lstatSync(join(store.realPath(path), "program")).mode & 0o7777, 0o555);
  assert.equal(lstatSync(store.realPath(path)).mode & 0o7777, 0o555);
});

test("setuid and setgid bits are refused to a builder by every call that could set them", async () => {
  const derivation = await fixture.derive({ name: "calls", script: `perl -e '${CALLS}' > $out` });
  await fixture.build([derivation]);
  const lines = readFileSync(fixture.path(outputOf(derivation)), "utf8").trim().split("\n");
  // EPERM, or ENOSYS for what hides its arguments.
  for (const line of lines.slice(0, -2)) assert.match(line, /^\S+ (1|38)$/);
  assert.ok(lines.length > 20, lines.join("\n"));
  assert.deepEqual(lines.slice(-2), ["plain 0", "none has the bits"]);
});

/** Each call with each bit, on files of its own; then whether a harmless mode works, and whether any file has the bits. */
const CALLS = `
my $n = 0; my ($build, $plain) = ("/build", "plain");
sub try { my ($name, $number, @rest) = @_; $! = 0; my $r = syscall($number, @rest); print "$name ", ($r >= 0 ? "done" : $! + 0), "\\n"; }
sub file { my $f = "f" . $n++; open(my $h, ">", $f); close $h; return $f; }
for my $mode (04755, 02755) {
  my ($f, $g, $h, $i) = (file(), file(), file(), file());
  open(my $fd, "<", $g);
  try("chmod", 90, $f, $mode); try("fchmod", 91, fileno($fd), $mode); try("fchmodat", 268, -100, $h, $mode); try("fchmodat2", 452, -100, $i, $mode, 0);
  my @new = map { "n" . $n++ } 1 .. 8;
  try("creat", 85, $new[0], $mode); try("open", 2, $new[1], 0101, $mode); try("openat", 257, -100, $new[2], 0101, $mode);
  try("tmpfile", 257, -100, $build, 020200002, $mode);
  try("mknod", 133, $new[3], 0100000 | $mode, 0); try("mknodat", 259, -100, $new[4], 0100000 | $mode, 0);
  my $open = pack("QQQ", 0101, $mode, 0); try("openat2", 437, -100, $new[5], $open, 24);
  my $ring = "\\0" x 120; try("io_uring_setup", 425, 4, $ring);
}
$! = 0; my $r = syscall(257, -100, $plain, 0101, 0755); print "plain ", ($r >= 0 ? 0 : $! + 0), "\\n";
my @bad = grep { (lstat("/build/$_"))[2] & 06000 } do { opendir(my $d, "/build"); readdir($d) }; print @bad ? "@bad\\n" : "none has the bits\\n";
`.replaceAll("\n", " ");

describe("abstract sockets of the machine", () => {
  /** A builder that connects to it, or listens for somebody outside to do so. */
  const script = (name: string): string =>
    `perl -e 'my $r = syscall(41, 1, 1, 0); if ($r < 0) { print "no socket ", $! + 0, "\\n"; exit } my $a = pack("S a108", 1, "\\0${name}"); my $c = syscall(42, $r, $a, length($a)); print $c < 0 ? "refused " . ($! + 0) : "connected", "\\n";' > $out`;

  async function listen(name: string, use: () => Promise<void>): Promise<number> {
    let connections = 0;
    const server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    server.listen({ path: `\0${name}` });
    await once(server, "listening");
    try {
      await use();
      await sleep(50);
    } finally {
      server.close();
    }
    return connections;
  }

  test("are another network's to a build", async () => {
    const name = `tsos-test-${process.pid}`;
    const derivation = await fixture.derive({ name: "connects", script: script(name) });
    assert.equal(await listen(name, async () => void (await fixture.build([derivation]))), 0);
    assert.equal(readFileSync(fixture.path(outputOf(derivation)), "utf8"), "refused 111\n");
  });

  test("cannot be named by a build on the machine's network", async () => {
    const name = `tsos-test-fixed-${process.pid}`;
    const contentAddress = { method: "flat", hash: hashBytes("sha256", encodeUtf8("no socket 97\n")) } as const;
    const derivation = await fixture.derive({ name: "connects-fixed", script: script(name), output: { kind: "fixed", contentAddress } });
    assert.equal(await listen(name, async () => void (await fixture.build([derivation]))), 0);
    assert.equal(readFileSync(fixture.path(outputOf(derivation)), "utf8"), "no socket 97\n");
  });
});

test("no build without a sandbox: neither asked for by a derivation nor since there is none", async () => {
  const asked = await fixture.derive({ name: "asked", script: "echo > $out", env: { __noChroot: "1" } });
  await assert.rejects(fixture.build([asked]), /"__noChroot"/);
  const derivation = await fixture.derive({ name: "without", script: "echo > $out" });
  await assert.rejects(fixture.build([derivation], { tools: { bubblewrap: async () => ({ command: "/nonexistent/bwrap", args: [] }) } }), /sandbox/);
  assert.equal(await fixture.store.isValidPath(outputOf(derivation)), false);
});
