import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../evaluate-system.ts";

const rules = (sudo: object): readonly string[] => evaluateSystem({ security: { sudo } }).etc("sudoers").split("\n").filter((line) => line !== "" && !/^(# |Defaults)/.test(line));

test("lets root and wheel run everything, wheel with a password unless told otherwise", () => {
  assert.deepEqual(rules({}), ["root ALL=(ALL:ALL) SETENV: ALL", "%wheel ALL=(ALL:ALL) SETENV: ALL"]);
  assert.equal(rules({ wheelNeedsPassword: false })[1], "%wheel ALL=(ALL:ALL) NOPASSWD:SETENV: ALL");
});

test("puts further rules last, where they win", () => {
  const found = rules({ extraRules: [{ users: ["ada", 1000], groups: ["backup", 34], runAs: "root", commands: ["/usr/bin/true", { command: "/usr/bin/rsync", options: ["NOPASSWD"] }] }] });
  assert.deepEqual(found.slice(2), ["ada", "#1000", "%backup", "%#34"].map((who) => `${who} ALL=(root) /usr/bin/true, NOPASSWD: /usr/bin/rsync`));
});

test("copies sudoers with the mode that sudo demands", () => {
  const entry = evaluateSystem({}).manifest.etc.find(({ target }) => target === "sudoers")!;
  assert.ok(entry.kind === "copy" && entry.mode === "0440" && entry.user === "root");
});

test("leaves nothing of sudo where it is disabled", () => {
  const { manifest } = evaluateSystem({ security: { sudo: { enable: false } } });
  assert.ok(!manifest.etc.some(({ target }) => target === "sudoers"));
  assert.ok(!manifest.wrappers.some(({ name }) => name === "sudo"));
});

test("rejects rules that visudo would refuse or that are for nobody", () => {
  assert.match(problemsOf({ security: { sudo: { extraRules: [{ users: ["a"], commands: ["systemctl restart x"] }] } } }).join(), /security\.sudo\.extraRules: "systemctl restart x" is no command of sudoers; give the program's whole path/);
  assert.match(problemsOf({ security: { sudo: { extraRules: [{ commands: ["ALL"] }] } } }).join(), /the rule for "ALL" is for nobody/);
  assert.match(problemsOf({ security: { sudo: { execWheelOnly: true, extraRules: [{ users: ["eve"], commands: ["ALL"] }] } } }).join(), /execWheelOnly: the rule of extraRules for "ALL" is for others/);
});
