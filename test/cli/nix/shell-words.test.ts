import assert from "node:assert/strict";
import { test } from "node:test";
import { quoteForShell, splitShellWords } from "../../../cli/nix/shell-words.ts";

test("splits words as a shell does, without expanding", () => {
  assert.deepEqual(splitShellWords(`-i bash  -p 'a b' "c \\" d" e\\ f '' $x`), ["-i", "bash", "-p", "a b", 'c " d', "e f", "", "$x"]);
  assert.throws(() => splitShellWords("'open"), /unterminated quote/);
  assert.deepEqual(splitShellWords(quoteForShell("it's $HOME")), ["it's $HOME"]);
});
