import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../../evaluate-system.ts";

test("applies rules and settings at a switch and at boot", () => {
  const { manifest, etc } = evaluateSystem({
    systemd: { tmpfiles: { rules: ["d /var/a 0750 root root 10d -"], settings: { "10-app": { "/var/my app": { d: { mode: "0700" } }, "/var/text": { "f+": { argument: "a b\nc" } } } } } },
  });
  assert.equal(etc("tmpfiles.d/00-tsos.conf"), "d /var/a 0750 root root 10d -\n");
  const lines = ["'d' '/var/my app' '0700' '-' '-' '-'", "'f+' '/var/text' '-' '-' '-' '-' a\\x20b\\nc"];
  assert.equal(etc("tmpfiles.d/10-app.conf"), lines.map((line) => `${line}\n`).join(""));
  assert.deepEqual(manifest.tmpfiles, ["d /var/a 0750 root root 10d -", ...lines]);
});

test("rejects what is no line of tmpfiles.d", () => {
  const problems = problemsOf({ systemd: { tmpfiles: { rules: ["/var/x d", "# a comment", "L+ /a - - - - /b"], settings: { "x.conf": { rel: { Q9: {} } } } } } });
  assert.deepEqual(problems.map((problem) => problem.split(":")[0]), ["systemd.tmpfiles.rules", 'systemd.tmpfiles.settings."x.conf"', 'systemd.tmpfiles.settings."x.conf"."rel"', 'systemd.tmpfiles.settings."x.conf"."rel"."Q9"']);
});
