import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { formatBashVariable, parseBashVariables, readBashValue } from "../../../core/shell/bash-state.ts";

const SCRIPT = String.raw`a=plain; export b='it'\''s "q" $x \ '; c=$'line\nbreak\x01\e\u00e9'; declare -a d=("x y" ')' $'\n('); declare -A e=(["k ]"]="v\"" [z]='('); declare -i f=3; declare -a g; export h; declare -x i=; declare -p a b c d e f g h i`;
const bash = (script: string): string => spawnSync("bash", ["-c", script], { encoding: "utf8", env: { LC_ALL: "C.UTF-8" } }).stdout;

test("reads what bash writes, whatever its values hold, and writes it so that bash reads the same", () => {
  const text = bash(SCRIPT);
  const variables = parseBashVariables(text);
  assert.deepEqual(variables.map(({ name, flags }) => `${flags}:${name}`), [":a", "x:b", ":c", "a:d", "A:e", "i:f", "a:g", "x:h", "x:i"]);
  assert.equal(bash(`${variables.map(formatBashVariable).join("")}declare -p a b c d e f g h i`), text);
});

test("gives the text that a value means", () => {
  const values = new Map(parseBashVariables(bash(SCRIPT)).map(({ name, value }) => [name, value]));
  assert.equal(readBashValue(values.get("a")!), "plain");
  assert.equal(readBashValue(values.get("b")!), `it's "q" $x \\ `);
  assert.equal(readBashValue(values.get("c")!), "line\nbreak\x01\x1bé");
});
