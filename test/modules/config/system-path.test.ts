import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf, storeName } from "../evaluate-system.ts";

test("puts packages into the system path and their folder on everybody's PATH", () => {
  const { manifest, etc, config } = evaluateSystem(({ pkgs }) => ({ environment: { systemPackages: [pkgs.hello] } }));
  assert.equal(storeName(manifest.systemPath), "system-path");
  assert.deepEqual(config.environment.systemPackages.map(({ name }) => name.replace(/-.*/, "")), ["hello"]);
  assert.match(etc("profile"), /PATH=.*\/run\/wrappers\/bin:.*\/run\/current-system\/sw\/bin:/);
  assert.match(etc("environment"), /^PATH=\/run\/wrappers\/bin:\/run\/current-system\/sw\/bin:/);
});

test("quotes variables and aliases for the shell", () => {
  const { etc } = evaluateSystem({ environment: { variables: { EDITOR: "it's $HOME", LIST: ["/a", "/b"], N: 3, NONE: null }, shellAliases: { ll: "ls -l" } } });
  assert.match(etc("profile"), /^export EDITOR='it'\\''s \$HOME'$/m);
  assert.match(etc("profile"), /^export LIST='\/a:\/b'\nexport N='3'$/m);
  assert.doesNotMatch(etc("profile"), /NONE/);
  assert.match(etc("bash.bashrc"), /^alias -- ll='ls -l'$/m);
});

test("rejects a variable that no shell could export", () => {
  assert.match(problemsOf({ environment: { variables: { "A-B": "" } } }).join(), /environment\.variables\."A-B": "A-B" cannot be the name of a variable/);
});
