import assert from "node:assert/strict";
import { test } from "node:test";
import { ClassicUsageError, parseClassicArguments, splitStandardInput, type ClassicOptions } from "../../../cli/nix/classic-arguments.ts";

type Read = { readonly options: ClassicOptions; readonly own: readonly string[]; readonly warnings: readonly string[] };

/** Flags of its own: `--own`, `-x`, and `--take VALUE`. */
function read(...args: readonly string[]): Read {
  const own: string[] = [];
  const warnings: string[] = [];
  const options = parseClassicArguments(args, { NIX_CONF_DIR: "/nowhere", HOME: "/nowhere" }, (text) => void warnings.push(text), (argument, value) => {
    if (argument === "--take") own.push(`${argument}=${value()}`);
    else if (["--own", "-x", "-y"].includes(argument)) own.push(argument);
    else return false;
    return true;
  });
  return { options, own, warnings };
}
const refuses = (message: RegExp, ...args: readonly string[]): void => assert.throws(() => read(...args), (error) => error instanceof ClassicUsageError && message.test(error.message));

test("what is no flag is a word, in its order", () => {
  assert.deepEqual(read("a", "--own", "b", "--", "c").options.words, ["a", "b", "c"]);
  assert.deepEqual(read("a", "--", "--own", "b", "--take", "v").own, ["--own", "--take=v"]);
  refuses(/^unexpected argument '-1'$/, "--", "-1");
  refuses(/^unexpected argument '-v'$/, "--", "-v");
  assert.deepEqual(read("-").options.words, ["-"]);
});

test("letters behind one dash are flags each, what is no letter their value", () => {
  assert.deepEqual(read("-xyx").own, ["-x", "-y", "-x"]);
  const { options } = read("-xj3", "-vv");
  assert.equal(options.settings.find("max-jobs"), "3");
  assert.equal(options.verbosity, 2);
  refuses(/^unrecognised flag '-z'$/, "-xz");
});

test("a value may look like a flag", () => {
  assert.deepEqual(read("--take", "--own").own, ["--take=--own"]);
  assert.deepEqual(read("-I", "--own").options.lookupPath, ["--own"]);
  assert.deepEqual(read("--argstr", "--own", "--").options.autoArguments.get("--own"), { name: "--own", kind: "string", text: "--" });
});

test("a flag without its values is told by its name", () => {
  refuses(/^'--take' requires an argument$/, "--take");
  refuses(/^flag '--arg' requires 2 argument\(s\), but only 1 were given$/, "--arg", "x");
  refuses(/^flag '--option' requires 2 argument\(s\), but only 0 were given$/, "--option");
  refuses(/^unrecognised flag '--no-such'$/, "--no-such");
});

test("settings are flags: --NAME VALUE, and --NAME and --no-NAME where they are on or off", () => {
  const { settings } = read("--cores", "3", "--show-trace", "--no-substitute", "--option", "max-call-depth", "7").options;
  assert.deepEqual([settings.find("cores"), settings.bool("show-trace", false), settings.bool("substitute", true), settings.int("max-call-depth", 0)], ["3", true, false, 7]);
  assert.equal(read("-K").options.settings.bool("keep-failed", false), true);
  assert.equal(read("--pure-eval", "--impure").options.settings.bool("pure-eval", true), false);
});

test("an unknown setting is a warning, not an error", () => {
  const { warnings } = read("--option", "no-such-setting", "1");
  assert.deepEqual(warnings, ["unknown setting 'no-such-setting'"]);
});

test("arguments of a function: expressions and strings, the last of a name", () => {
  const { autoArguments } = read("--arg", "a", "1 + 1", "--argstr", "b", "é", "--arg", "a", "2").options;
  assert.deepEqual(autoArguments.get("a"), { name: "a", kind: "expression", text: "2" });
  assert.deepEqual(autoArguments.get("b"), { name: "b", kind: "string", text: "\xc3\xa9" });
});

test("help and version end the reading", () => {
  assert.equal(read("--help", "--no-such").options.wants, "help");
  assert.equal(read("--own", "--version").options.wants, "version");
});

test("a dash among the words is standard input", () => {
  assert.deepEqual(splitStandardInput(["a", "-", "b"]), { readStandardInput: true, names: ["a", "b"] });
  assert.deepEqual(splitStandardInput(["a"]), { readStandardInput: false, names: ["a"] });
});
