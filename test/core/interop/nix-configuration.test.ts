import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findSettingFlag, loadNixConfiguration, NixConfiguration, parseNixPath } from "../../../core/interop/nix-configuration.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-conf-"));
after(() => rmSync(folder, { recursive: true, force: true }));

test("the machine's file comes first, then the user's, then NIX_CONFIG", () => {
  mkdirSync(join(folder, "home/.config/nix"), { recursive: true });
  writeFileSync(join(folder, "nix.conf"), "cores = 2 # as many\nmax-jobs = 3\nextra-platforms = a b\ninclude more.conf\n!include none.conf\n");
  writeFileSync(join(folder, "more.conf"), "show-trace = yes\n");
  writeFileSync(join(folder, "home/.config/nix/nix.conf"), "max-jobs = auto\nextra-extra-platforms = c\n");
  const settings = loadNixConfiguration({ NIX_CONF_DIR: folder, HOME: join(folder, "home"), NIX_CONFIG: "cores = 4K" });
  assert.deepEqual([settings.int("cores", 0), settings.find("max-jobs"), settings.list("extra-platforms"), settings.bool("show-trace", false)], [4096, "auto", ["a", "b", "c"], true]);
});

test("old names, unknown names and wrong values", () => {
  const settings = new NixConfiguration();
  settings.set("build-cores", "8");
  settings.set("no-such", "1");
  assert.equal(settings.int("cores", 0), 8);
  assert.deepEqual(settings.takeUnknown(), ["no-such"]);
  assert.throws(() => settings.set("pure-eval", "maybe"), /Boolean setting 'pure-eval' has invalid value 'maybe'/);
  assert.throws(() => settings.set("cores", "many"), /setting 'cores' has invalid value 'many'/);
  assert.throws(() => loadNixConfiguration({ NIX_CONF_DIR: "/nonexistent", NIX_USER_CONF_FILES: "", NIX_CONFIG: "cores 1" }), /syntax error in configuration line 'cores 1' in 'NIX_CONFIG'/);
  assert.throws(() => loadNixConfiguration({ NIX_CONF_DIR: "/nonexistent", NIX_USER_CONF_FILES: "", NIX_CONFIG: "include /nonexistent/x" }), /not found/);
});

test("NIX_PATH takes the place of the setting, and its URLs keep their colons", () => {
  const settings = loadNixConfiguration({ NIX_CONF_DIR: "/nonexistent", NIX_USER_CONF_FILES: "", NIX_CONFIG: "nix-path = a=/b", NIX_PATH: "x=/y" });
  assert.deepEqual(settings.list("nix-path"), ["x=/y"]);
  assert.deepEqual(parseNixPath("nixpkgs=https://example.org/a.tar.gz:/b:c=channel:nixos:d=flake:x:e"), ["nixpkgs=https://example.org/a.tar.gz", "/b", "c=channel:nixos", "d=flake:x", "e"]);
  assert.deepEqual(parseNixPath(""), []);
});

test("flags of settings take what the setting holds", () => {
  assert.deepEqual(findSettingFlag("pure-eval"), { name: "pure-eval", value: "true" });
  assert.deepEqual(findSettingFlag("no-pure-eval"), { name: "pure-eval", value: "false" });
  assert.deepEqual(findSettingFlag("cores"), { name: "cores", value: "argument" });
  assert.deepEqual(findSettingFlag("extra-platforms"), { name: "extra-platforms", value: "argument" });
  assert.deepEqual(findSettingFlag("extra-substituters"), { name: "extra-substituters", value: "argument" });
  assert.equal(findSettingFlag("extra-cores"), undefined);
  assert.equal(findSettingFlag("no-cores"), undefined);
});
