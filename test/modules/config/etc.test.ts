import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateSystem, problemsOf } from "../evaluate-system.ts";

test("writes a text, shows a source and follows the target", () => {
  const { manifest, etc } = evaluateSystem(({ pkgs }) => ({
    environment: {
      etc: {
        motd: { text: "Welcome\n" },
        "app/page": { source: pkgs.writeText("page", "hello") },
        moved: { text: "x", target: "app/elsewhere" },
        gone: { enable: false },
      },
    },
  }));
  assert.equal(etc("motd"), "Welcome\n");
  assert.equal(etc("app/page"), "hello");
  assert.equal(etc("app/elsewhere"), "x");
  assert.equal(manifest.etc.find(({ target }) => target === "gone" || target === "moved"), undefined);
  assert.equal(manifest.etc.find(({ target }) => target === "motd")!.kind, "link");
});

test("makes a copy where a mode is given, octal with four digits", () => {
  const { manifest } = evaluateSystem({ users: { users: { app: { isSystemUser: true, group: "app" } }, groups: { app: {} } }, environment: { etc: { secret: { text: "", mode: "440", user: "app", group: "+7" } } } });
  const entry = manifest.etc.find(({ target }) => target === "secret")!;
  assert.deepEqual({ ...entry, source: "" }, { kind: "copy", target: "secret", source: "", mode: "0440", user: "app", group: "7" });
});

test("joins the texts of several modules", () => {
  const { etc } = evaluateSystem({ networking: { extraHosts: "192.0.2.9 nine" } });
  assert.match(etc("hosts"), /^127\.0\.0\.1 localhost\n[^]*\n192\.0\.2\.9 nine\n$/);
});

test("says what is wrong with a file below /etc, all at once", () => {
  assert.deepEqual(
    problemsOf({ environment: { etc: { a: {}, b: { text: "", source: "/x" }, "../c": { text: "" }, d: { text: "", target: "e" }, e: { text: "" }, f: { text: "", mode: "0600", user: "nobdy" } } } }).map((message) => message.slice(0, 60)),
    [
      'environment.etc."../c": "../c" is not a path below /etc; wri',
      'environment.etc."a" needs "text" or "source"',
      'environment.etc."b" has both "text" and "source"; to replace',
      'environment.etc."d" and environment.etc."e" are both /etc/e',
      'environment.etc."f".user: there is no user "nobdy" in users.',
    ],
  );
});

test("names the option for what the activator makes itself", () => {
  assert.match(problemsOf({ environment: { etc: { passwd: { text: "" } } } }).join(), /users\.users/);
  assert.match(problemsOf({ environment: { etc: { "systemd/system/x.service": { text: "" } } } }).join(), /systemd\.services/);
});
