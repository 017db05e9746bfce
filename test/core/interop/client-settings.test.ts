import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { clientSettings } from "../../../core/interop/client-settings.ts";
import { loadNixConfiguration } from "../../../core/interop/nix-configuration.ts";

test("a daemon is told the user's settings of stores and builds, and neither the machine's nor those of evaluations", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-conf-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "nix.conf"), "timeout = 5\nsandbox-paths = /a\nsubstituters = https://one.example\n");
  writeFileSync(join(folder, "user.conf"), "extra-sandbox-paths = /b\npure-eval = true\ncores = 3\n");
  const settings = loadNixConfiguration({ NIX_CONF_DIR: folder, NIX_USER_CONF_FILES: join(folder, "user.conf"), NIX_CONFIG: "extra-substituters = https://two.example" });
  settings.set("sandbox", "false");
  assert.deepEqual([...clientSettings(settings)], [["sandbox", "false"], ["sandbox-paths", "/a /b"], ["substituters", "https://one.example https://two.example"]]);
});

test("what is added to a list that nobody set is added to its default", () => {
  const settings = loadNixConfiguration({ NIX_CONF_DIR: "/nonexistent", NIX_USER_CONF_FILES: "", NIX_CONFIG: "extra-substituters = https://two.example\nextra-system-features = own" });
  assert.deepEqual(settings.list("substituters"), ["https://cache.nixos.org", "https://two.example"]);
  assert.ok(["big-parallel", "own"].every((feature) => settings.list("system-features").includes(feature)));
});
