import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { compareGenerations, describeDifference, splitPackageName } from "../../../core/system/generation-difference.ts";
import { readGeneration } from "../../../core/system/read-generation.ts";
import { EMPTY_MANIFEST, user } from "./support/toplevel-fixture.ts";

const HASH = "0".repeat(32);
const closure = (...names: readonly string[]): readonly string[] => names.map((name) => `${HASH}-${name}`);

test("splits names from versions at the first dash before a digit", () => {
  assert.deepEqual(["nginx-1.28.0", "openssl-3.5.1-dev", "os-root", "gtk+3-3.24", "xz-5.8.1-bin"].map((name) => Object.values(splitPackageName(`${HASH}-${name}`)).join("|")), ["nginx|1.28.0", "openssl|3.5.1", "os-root|", "gtk+3|3.24", "xz|5.8.1"]);
});

test("tells packages that came, went and changed, and leaves out rebuilt ones", () => {
  const before = { manifest: EMPTY_MANIFEST, closure: closure("a-1", "b-1", "c-1", "etc-hosts") };
  const after = { manifest: EMPTY_MANIFEST, closure: [...closure("a-1", "b-2", "d-1", "etc-issue"), `${"1".repeat(32)}-a-1`] };
  const difference = compareGenerations(before, after);
  assert.deepEqual(difference.packages.map((one) => one.name), ["b", "c", "d"]);
  assert.deepEqual(describeDifference(difference), ["package b: 1 → 2", "package c: 1 removed", "package d: added 1"]);
});

test("tells users, files of /etc and the host name apart", () => {
  const before = { manifest: { ...EMPTY_MANIFEST, hostName: "a", users: { ...EMPTY_MANIFEST.users, users: [user("ann"), user("bob")] } }, closure: [] };
  const after = {
    manifest: { ...EMPTY_MANIFEST, hostName: "b", users: { ...EMPTY_MANIFEST.users, users: [user("ann", { shell: "/bin/sh" })] }, etc: [{ kind: "link" as const, target: "issue", source: "/nix/store/x" }] },
    closure: [],
  };
  assert.deepEqual(describeDifference(compareGenerations(before, after)), ["/etc added: issue", "user removed: bob", "user changed: ann", "host name: a → b"]);
});

test("compares generations of NixOS by their /etc, units and users", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-nixos-diff-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  /** A toplevel as NixOS lays it out: `etc` and the units' folder are links, files are links to files of their own. */
  const toplevel = (name: string, etc: Readonly<Record<string, string>>, units: Readonly<Record<string, string>>, users: readonly object[]): string => {
    const base = join(folder, name);
    const write = (file: string, text: string): string => {
      mkdirSync(dirname(join(base, file)), { recursive: true });
      writeFileSync(join(base, file), text);
      return join(base, file);
    };
    const link = (target: string, path: string): void => {
      mkdirSync(dirname(join(base, path)), { recursive: true });
      symlinkSync(target, join(base, path));
    };
    for (const [path, text] of Object.entries(etc)) link(write(`files/${path}`, text), `store-etc/etc/${path}`);
    for (const [unit, text] of Object.entries(units)) link(write(`unit-${unit}/${unit}`, text), `system-units/${unit}`);
    link(join(base, "system-units"), "store-etc/etc/systemd/system");
    link(join(base, "store-etc/etc"), "toplevel/etc");
    write("toplevel/nixos-version", "26.11");
    write("toplevel/bin/switch-to-configuration", "");
    write("toplevel/activate", `/bin/perl ${write("x-users-groups.json", JSON.stringify({ users, groups: [] }))} 'rest'`);
    return join(base, "toplevel");
  };
  const read = (path: string) => ({ ...readGeneration(path), closure: [] });
  const one = read(toplevel("one", { hostname: "a\n", issue: "hello", "ssh/config": "x", gone: "g" }, { "web.service": "[Service]\nExecStart=/a\n", "old.service": "[Service]\n" }, [{ name: "ann", uid: 1 }, { name: "bob" }]));
  const two = read(toplevel("two", { hostname: "b\n", issue: "hello", "ssh/config": "y" }, { "web.service": "[Service]\nExecStart=/b\n", "new.service": "[Service]\n" }, [{ name: "ann", uid: 2 }, { name: "bob" }]));
  assert.deepEqual(describeDifference(compareGenerations(one, two)), [
    "unit added: new.service",
    "unit removed: old.service",
    "unit changed: web.service",
    "/etc removed: gone",
    "/etc changed: hostname, ssh/config, systemd/system",
    "user changed: ann",
    "host name: a → b",
  ]);
});
