import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf, readTree, storeName } from "../evaluate-system.ts";

test("holds what an activator and a boot need", () => {
  const { config, registry, manifest } = evaluateSystem({ networking: { hostName: "box" }, system: { label: "first" } });
  const toplevel = String(config.system.build.toplevel);
  assert.equal(storeName(toplevel), "tsos-system-box");
  const entries = readTree(registry, toplevel);
  for (const path of ["manifest.json", "activate.mjs", "init", "bin/switch-to-configuration", "os-root", "sw", "system", "tsos-version", "etc/systemd/system", "etc/fstab", "etc/os-release"]) assert.ok(entries.has(path), path);
  assert.deepEqual([manifest.stateVersion, manifest.label, manifest.hostName, manifest.defaultTarget], ["26.11", "first", "box", "multi-user.target"]);
  assert.equal(storeName(manifest.osRoot), "os-root");
});

test("gives every file below /etc one entry, sorted by its path", () => {
  const targets = evaluateSystem({}).manifest.etc.map(({ target }) => target);
  assert.deepEqual(targets, [...new Set(targets)].sort());
  for (const target of ["os-release", "nsswitch.conf", "login.defs", "profile", "shells", "hosts", "sudoers", "pam.d/sshd", "pam.d/common-auth", "ssl/certs/ca-certificates.crt", "tmpfiles.d/00-tsos.conf"]) assert.ok(targets.includes(target), target);
});

test("makes wrappers of the OS root's programs with the bits that a store cannot hold", () => {
  const { manifest } = evaluateSystem({ security: { wrappers: { mine: { source: "/nix/x", setgid: true, group: "tty", permissions: "u+rx,g+x" } } } });
  const find = (name: string) => manifest.wrappers.find((wrapper) => wrapper.name === name);
  assert.deepEqual(find("sudo"), { name: "sudo", source: `${manifest.osRoot}/usr/bin/sudo`, user: "root", group: "root", mode: "4511" });
  assert.deepEqual(find("mine"), { name: "mine", source: "/nix/x", user: "root", group: "tty", mode: "2510" });
  assert.match(problemsOf({ security: { wrappers: { mine: { source: "x", owner: "nobdy" } } } }).join("\n"), /security\.wrappers\."mine"\.source: "x" is not an absolute path\n.*owner: there is no user "nobdy"/);
});

test("turns every condition of a health check into a check", () => {
  const { manifest } = evaluateSystem({ system: { healthChecks: { site: { url: "http://localhost/", contains: "ok", unit: "nginx.service", timeoutSeconds: 5 } } } });
  assert.deepEqual(manifest.checks, [
    { name: "site", timeoutSeconds: 5, kind: "unit", unit: "nginx.service" },
    { name: "site", timeoutSeconds: 5, kind: "http", url: "http://localhost/", contains: "ok" },
  ]);
});

test("evaluates to the same toplevel every time", () => {
  const paths = [1, 2].map(() => String(evaluateSystem({ services: { nginx: { enable: true }, openssh: { enable: true } } }).config.system.build.toplevel));
  assert.equal(paths[0], paths[1]);
});

test("rejects a release that never was", () => {
  assert.match(problemsOf({ system: { stateVersion: "26.4" } }).join(), /"system\.stateVersion"/);
});
