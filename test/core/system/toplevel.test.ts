import assert from "node:assert/strict";
import { test } from "node:test";
import { toplevelEntries } from "../../../core/system/toplevel.ts";
import { EMPTY_MANIFEST } from "./support/toplevel-fixture.ts";

const parts = { activator: "/nix/store/a-activate.mjs", node: "/nix/store/n/bin/node", shell: "/nix/store/s/bin/sh", tsosVersion: "0.1.0" };

test("holds what the activator and the boot need, sorted", () => {
  const entries = toplevelEntries({
    ...parts,
    manifest: {
      ...EMPTY_MANIFEST,
      etc: [
        { kind: "link", target: "systemd/system", source: "/nix/store/u" },
        { kind: "copy", target: "sudoers", source: "/nix/store/y", mode: "0440", user: "root", group: "root" },
      ],
    },
  });
  assert.deepEqual(entries.map((entry) => entry.path), ["activate.mjs", "bin/switch-to-configuration", "etc/systemd/system", "init", "manifest.json", "os-root", "sw", "system", "tsos-version"]);
});

test("names every store path of the manifest, so that references are found", () => {
  const manifest = { ...EMPTY_MANIFEST, osRoot: "/nix/store/os", activationPrograms: [{ name: "x", program: "/nix/store/p" }] };
  const text = toplevelEntries({ ...parts, manifest }).map((entry) => (entry.kind === "file" ? entry.contents : entry.target)).join("\n");
  for (const path of ["/nix/store/os", "/nix/store/p", parts.node, parts.shell, parts.activator]) assert.ok(text.includes(path));
});

test("is the same for the same parts", () => {
  assert.deepEqual(toplevelEntries({ ...parts, manifest: EMPTY_MANIFEST }), toplevelEntries({ ...parts, manifest: EMPTY_MANIFEST }));
});
