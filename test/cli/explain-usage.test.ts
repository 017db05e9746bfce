import assert from "node:assert/strict";
import { test } from "node:test";
import { explainUsage } from "../../cli/explain-usage.ts";

const TOP = "tsos COMMAND\n\nCommands:\n  tsos build [target]   realise\n  tsos store <action>   the store\n\nOptions:\n      --json   JSON\n  -j, --jobs   how many\n";
const BUILD = "tsos build [target]\n\nrealise\n\nOptions:\n      --json    JSON\n      --check   type-check (--no-check skips)\n";

const explained = (message: string, argv: readonly string[], help = BUILD): readonly (string | undefined)[] => {
  const { message: text, hint } = explainUsage(message, argv, help);
  return [text, hint];
};

test("an unknown command is named with the nearest one, wherever it stands", () => {
  assert.deepEqual(explained("Did you mean build?", ["--store", "/tmp/s", "bulid"], TOP), ['there is no command "bulid"', 'did you mean "build"?']);
  assert.deepEqual(explained("Unknown argument: frobnicate", ["frobnicate"], TOP), ['there is no command "frobnicate"', "see tsos --help"]);
});

test("an unknown option is named as it was written, with the nearest one", () => {
  assert.deepEqual(explained("Unknown argument: chekc", ["build", "--no-chekc"]), ['there is no option "--no-chekc" of "tsos build"', 'did you mean "--no-check"?']);
  assert.deepEqual(explained("Unknown argument: jsno", ["build", "--jsno=1"]), ['there is no option "--jsno" of "tsos build"', 'did you mean "--json"?']);
  assert.deepEqual(explained("Unknown argument: zzz", ["build", "--zzz"]), ['there is no option "--zzz" of "tsos build"', "see tsos build --help"]);
});

test("an argument too many, one too few and an option without its value are told apart", () => {
  assert.deepEqual(explained("Unknown argument: b", ["build", "a", "b"]), ['"tsos build" does not take "b"', "tsos build [target]"]);
  assert.deepEqual(explained("Not enough non-option arguments: got 0, need at least 1", ["run"], "tsos run <package>\n"), ['"tsos run" needs its <package>', "tsos run <package>"]);
  assert.deepEqual(explained("Not enough arguments following: j", ["-j"], TOP), ['the option "-j" needs a value', "see tsos --help"]);
});

test("a value that is none of the choices is named with the nearest of them", () => {
  const [message, hint] = explained('Invalid values:\n  Argument: action, Given: "lss", Choices: "cat", "ls"', ["store", "lss"], "tsos store <action>\n");
  assert.deepEqual([message, hint], ['"lss" is no action, expected one of cat, ls', 'did you mean "ls"?']);
});
