import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { formatEnvironmentScript, quote, shellVariables, type ShellEnvironment } from "../../../core/shell/shell-environment.ts";

const environment: ShellEnvironment = {
  version: 1,
  name: "demo",
  packages: ["/nix/store/a-one", "/nix/store/b-two"],
  env: { EDITOR: "it's $HOME", GONE: null, "NOT A NAME": "x" },
  shellHook: "",
};
const inherited = { PATH: "/usr/bin", HOME: "/root", GONE: "here", KEPT: "1" };

test("packages' programs come before the inherited ones, in order", () => {
  const variables = shellVariables(environment, inherited, () => false);
  assert.equal(variables["PATH"], "/nix/store/a-one/bin:/nix/store/b-two/bin:/usr/bin");
  assert.deepEqual([variables["HOME"], variables["KEPT"], variables["IN_TSOS_SHELL"]], ["/root", "1", "demo"]);
});

test("a search path gets only the folders that there are, and keeps its meaning", () => {
  const variables = shellVariables(environment, inherited, (path) => path.startsWith("/nix/store/a-one/"));
  assert.equal(variables["MANPATH"], "/nix/store/a-one/share/man:");
  assert.equal(variables["XDG_DATA_DIRS"], "/nix/store/a-one/share:/usr/local/share:/usr/share");
  assert.equal(variables["PKG_CONFIG_PATH"], "/nix/store/a-one/lib/pkgconfig");
  assert.equal(shellVariables(environment, inherited, () => false)["MANPATH"], undefined);
});

test("null takes a variable away", () => {
  assert.equal("GONE" in shellVariables(environment, inherited, () => false), false);
});

test("a shell without packages leaves PATH as it is", () => {
  assert.equal(shellVariables({ ...environment, packages: [] }, inherited, () => true)["PATH"], "/usr/bin");
});

test("the script sets in a shell what the variables say", () => {
  const variables = shellVariables(environment, inherited, () => false);
  const script = formatEnvironmentScript({ ...environment, shellHook: "HOOK=ran" }, variables, inherited);
  assert.doesNotMatch(script, /HOME=|KEPT|NOT A NAME/);
  const out = execFileSync("/bin/sh", ["-c", `${script}\nprintf '%s|%s|%s|%s' "$PATH" "$EDITOR" "\${GONE-unset}" "$HOOK"`], { env: { ...inherited }, encoding: "utf8" });
  assert.equal(out, "/nix/store/a-one/bin:/nix/store/b-two/bin:/usr/bin|it's $HOME|unset|ran");
});

test("any text survives quoting", () => {
  for (const text of ["", "plain", "a b", "it's", "$x`y`\"z\"", "\n", "\\", "ü"]) {
    assert.equal(execFileSync("/bin/sh", ["-c", `printf %s ${quote(text)}`], { encoding: "utf8" }), text);
  }
});
