import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { enterShell } from "../../../core/shell/enter-shell.ts";
import { isShellRooted, shellRootLink } from "../../../core/shell/shell-root.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";
import type { ShellEnvironment } from "../../../core/shell/shell-environment.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-enter-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const pkg = join(folder, "package");
mkdirSync(join(pkg, "bin"), { recursive: true });
writeFileSync(join(pkg, "bin/greet"), '#!/bin/sh\nprintf "%s %s %s" "$GREETING" "$1" "$PWD" > "$OUT"\nexit 7\n');
chmodSync(join(pkg, "bin/greet"), 0o755);
const environment: ShellEnvironment = { version: 1, name: "demo", packages: [pkg], env: { GREETING: "hello" }, shellHook: "" };
const out = join(folder, "out");
const env = { PATH: process.env["PATH"], OUT: out };

test("a command runs with the shell's programs and variables, and its exit code counts", async () => {
  assert.equal(await enterShell({ environment, command: ["greet", "a b"], env, folder }), 7);
  assert.equal(readFileSync(out, "utf8"), `hello a b ${folder}`);
});

test("the hook runs before a command and may set variables", async () => {
  assert.equal(await enterShell({ environment: { ...environment, shellHook: "export GREETING=hooked" }, command: ["greet", "x"], env, folder }), 7);
  assert.equal(readFileSync(out, "utf8"), `hooked x ${folder}`);
});

test("a command that a signal ends gives 128 and the signal's number", async () => {
  assert.equal(await enterShell({ environment, command: ["sh", "-c", "kill -TERM $$"], env, folder }), 143);
});

test("a program that is not in the shell is an error that names it", async () => {
  await assert.rejects(enterShell({ environment, command: ["gret"], env, folder }), (error) => error instanceof TsosError && error.code === "shell.unknown-command" && error.message.includes('"gret"'));
});

test("a store that is elsewhere is shown by bubblewrap, whose own first arguments come first", async () => {
  const bubblewrap = { command: "sh", args: ["-c", 'for word; do echo "$word"; done > "$OUT"', "--library-path"] };
  await enterShell({ environment, command: ["greet", "x"], env, folder, storeRoot: join(folder, "elsewhere"), bubblewrap });
  const words = readFileSync(out, "utf8").split("\n");
  assert.deepEqual(words.slice(0, 2), ["--tmpfs", "/"]);
  assert.deepEqual(words.slice(words.indexOf("--")), ["--", join(pkg, "bin/greet"), "x", ""]);
});

test("a root link tells that a shell is there, unless it names another or its path is gone", () => {
  const link = shellRootLink(folder, "/some/project");
  mkdirSync(join(folder, "shells"));
  const physical = (path: string): string => path;
  assert.equal(isShellRooted(link, pkg, physical), false);
  symlinkSync(pkg, link);
  assert.equal(isShellRooted(link, pkg, physical), true);
  assert.equal(isShellRooted(link, `${pkg}-other`, physical), false);
  rmSync(pkg, { recursive: true });
  assert.equal(isShellRooted(link, pkg, physical), false);
});
