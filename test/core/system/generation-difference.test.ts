import assert from "node:assert/strict";
import { test } from "node:test";
import { compareGenerations, describeDifference, splitPackageName } from "../../../core/system/generation-difference.ts";
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
