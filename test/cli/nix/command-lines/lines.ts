/** Command lines of the classic commands, compared with what the reference printed of them. */

export type CommandLine = {
  /** `instantiate`, `build`, `store`, `hash`, `eval`, `prefetch-url`. */
  readonly command: string;
  readonly args: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** What the command prints; `FOLDER` is where it ran. */
export type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** The folder's files. */
export const FILES: Readonly<Record<string, string>> = {
  "default.nix": '{ a ? 1, b ? "two" }: { inherit a b; c = { d = [ 1 2.5 "x" ]; e = throw "not this"; }; f = x: x; }\n',
  "plain.nix": '{ x = 1; y.z = [ true null ./plain.nix ]; "odd name" = "q\\"uote"; }\n',
  "list.nix": "[ { a = 1; } { a = 2; } ]\n",
  "bad.nix": "{ a = ; }\n",
  "fails.nix": 'let f = x: x + 1; in f "a"\n',
  "deep.nix": "let f = n: if n == 0 then throw \"bottom\" else f (n - 1); in f 3\n",
  "warns.nix": 'builtins.warn "careful" (builtins.trace { a = 1; } 3)\n',
  "drv.nix": 'let make = name: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo ${name} > $out" ]; } // more); in { one = make "one-1.0" { }; two = make "two" { dep = make "one-1.0" { }; }; set = { recurseForDerivations = true; three = make "three" { }; }; hidden.four = make "four" { }; multi = derivation { name = "multi"; system = "x86_64-linux"; builder = "/bin/sh"; outputs = [ "out" "dev" ]; args = [ "-c" "echo o > $out; echo d > $dev" ]; }; fails = make "fails" { args = [ "-c" "exit 3" ]; }; }\n',
  "builds.nix": 'let make = name: script: more: derivation ({ inherit name; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" script ]; } // more); in rec { bad = make "bad" "echo one; echo two >&2; exit 3" { }; two = make "two" "exit 1" { outputs = [ "out" "dev" ]; }; user = make "user" "cat ${bad}" { }; top = make "top" "cat ${user}" { }; both = make "both" "cat ${bad} ${two}" { }; fixed = make "fixed" "echo hello > $out" { outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="; }; none = make "none" "echo hi" { }; slow = make "slow" "while :; do :; done" { }; loud = make "loud" "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done" { }; reads = { bad = builtins.readFile bad; top = import top; fixed = builtins.readFile fixed; none = builtins.pathExists none; dev = import two.dev; slow = import slow; system = import (make "other" "x" { system = "other-system"; }); good = builtins.readFile (make "good" "echo good > $out" { }); }; }\n',
  "path/inner.nix": '"inner"\n',
  "path/sub/default.nix": '"sub"\n',
  "text": "some text\n",
  "shadow/default.nix": "{ system }: system\n",
};

const instantiate = (...args: string[]): CommandLine => ({ command: "instantiate", args });
const evaluate = (expression: string, ...args: string[]): CommandLine => instantiate("--eval", ...args, "-E", expression);
const nixEval = (...args: string[]): CommandLine => ({ command: "eval", args: ["--extra-experimental-features", "nix-command", ...args] });
const hash = (...args: string[]): CommandLine => ({ command: "hash", args });
const store = (...args: string[]): CommandLine => ({ command: "store", args });
const build = (...args: string[]): CommandLine => ({ command: "build", args });

const SHA = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

export const LINES: readonly CommandLine[] = [
  // Where an expression comes from.
  instantiate("--eval"), instantiate("--eval", "."), instantiate("--eval", "default.nix"), instantiate("--eval", "./path/sub"), instantiate("--eval", "plain.nix", "list.nix"), instantiate("--eval", "nothing.nix"),
  instantiate("--eval", "FOLDER/plain.nix"), { ...instantiate("--eval", "-"), input: "1 + 1" }, { ...instantiate("--eval", "-", "-A", "a.b"), input: "{ a.b = 2; }" }, evaluate("1 + 1"), instantiate("--eval", "-E"),
  instantiate("--eval", "-E", "1", "2"), instantiate("--eval", "--expr", "3"), instantiate("-E", "4", "--eval"), instantiate("--eval-only", "-E", "5"), instantiate("--eval", "-E", "--", "-1"), evaluate(""), evaluate("{"),
  instantiate("--eval", "<p/inner.nix>", "-I", "p=FOLDER/path"), instantiate("--eval", "<p/inner.nix>", "-I", "p=path"), instantiate("--eval", "<inner.nix>", "-I", "FOLDER/path"), instantiate("--eval", "<nothing>"),
  { ...instantiate("--eval", "<p>"), env: { NIX_PATH: "p=FOLDER/path/inner.nix" } }, { ...evaluate("builtins.nixPath", "--strict"), env: { NIX_PATH: "a=/x:/y:b=FOLDER" } }, { ...evaluate("builtins.nixPath", "--strict", "-I", "z=/z"), env: { NIX_PATH: "a=/x" } },
  { ...evaluate("<a>"), env: { NIX_PATH: "a=/no-such-place" } },
  // How it is printed.
  instantiate("--eval", "plain.nix", "--strict"), instantiate("--eval", "plain.nix", "--json"), instantiate("--eval", "plain.nix", "--json", "--strict", "-A", "x"), instantiate("--eval", "plain.nix", "--xml"), instantiate("--eval", "plain.nix", "--xml", "--strict"),
  instantiate("--eval", "plain.nix", "--xml", "--strict", "--no-location"), evaluate('"a\\nb"', "--raw"), evaluate("1", "--raw"), evaluate("{ }", "--raw"), evaluate('"x"', "--json"), evaluate("x: x", "--json"), evaluate("x: x", "--xml"), evaluate("{ a ? 1, ... }@b: a", "--xml"),
  ...["[ 1 (throw \"x\") ]", "{ a = 1; b = throw \"x\"; c = 2; }", "let x = { a = x; }; in { b = 1; } // x // { c = builtins.toXML x; }", "{ a = builtins.toXML [ (throw \"x\") ]; }"].map((text) => evaluate(text, "--xml", "--strict", "--max-call-depth", "20")),
  ...["derivation { name = \"a\"; system = \"b\"; builder = \"c\"; }", "[ (derivation { name = \"a\"; system = \"b\"; builder = \"c\"; }) { f = x: x; g = { a ? 1, b, ... }@c: 1; h = builtins.add 1; } ]", "{ type = throw \"x\"; a = 1; }"].flatMap((text) => [evaluate(text, "--xml", "--strict"), evaluate(text, "--xml")]),
  evaluate("{ a = 1 / 0; }", "--json", "--strict"), evaluate("[ 1.0 1e100 0.1 (-0.0) ]", "--strict"), evaluate("[ 1.0 1e100 0.1 ]", "--json", "--strict"), evaluate('"\\t\\${x}\\""'), evaluate("builtins.head"), evaluate("builtins.add 1"), evaluate("./text"), evaluate("[ ./text ]", "--json", "--strict"), evaluate("null"), evaluate("-5"),
  evaluate("{ a.b.c = 1; }"), evaluate("{ a.b.c = 1; }", "--strict"), evaluate("let x = { y = x; }; in x", "--strict"), evaluate('{ outPath = "/x"; a = 1; }', "--json", "--strict"), evaluate('{ __toString = s: "t"; }', "--json", "--strict"),
  instantiate("--parse", "plain.nix"), instantiate("--parse", "-E", "x: x + 1"), instantiate("--parse", "-E", "y"), instantiate("--parse", "bad.nix"), instantiate("--parse-only", "-E", "let a = 1; in { inherit a; }"), instantiate("--parse", "list.nix", "plain.nix"), instantiate("--parse", "--eval", "-E", "1"),
  instantiate("--find-file", "p", "-I", "p=FOLDER/path"), instantiate("--find-file", "p/sub", "p/inner.nix", "-I", "p=FOLDER/path"), instantiate("--find-file", "q", "-I", "p=FOLDER/path"), instantiate("--find-file", "inner.nix", "-I", "FOLDER/path"), instantiate("--find-file"),
  // Attributes and arguments.
  instantiate("--eval", "-A", "a"), instantiate("--eval", "-A", "c.d.1"), instantiate("--eval", "-A", "c.d.9"), instantiate("--eval", "-A", "c.x"), instantiate("--eval", "-A", "a.x"), instantiate("--eval", "-A", ""), instantiate("--eval", "-A", "a", "-A", "b"), instantiate("--eval", "-A", "c.e"), instantiate("--eval", "plain.nix", "-A", '"odd name"'), instantiate("--eval", "plain.nix", "-A", "."),
  instantiate("--eval", "--attr", "a", "--arg", "a", "10 + 1"), instantiate("--eval", "-A", "b", "--argstr", "b", "bee"), instantiate("--eval", "-A", "a", "--arg", "a"), instantiate("--eval", "-A", "a", "--arg", "a", "throw \"x\""), instantiate("--eval", "-A", "a", "--arg", "nope", "1"), instantiate("--eval", "-A", "a", "--arg", "a", "("),
  instantiate("--eval", "shadow"), instantiate("--eval", "shadow", "--argstr", "system", "mine"), instantiate("--eval", "list.nix", "-A", "1.a"), instantiate("--eval", "-A", "a..b"), { ...instantiate("--eval", "-A", "b", "--arg-from-stdin", "b"), input: "from stdin" }, instantiate("--eval", "-A", "b", "--arg-from-file", "b", "text"),
  // Errors and traces.
  instantiate("--eval", "fails.nix"), instantiate("--eval", "fails.nix", "--show-trace"), instantiate("--eval", "deep.nix"), instantiate("--eval", "deep.nix", "--show-trace"), instantiate("--eval", "bad.nix"), evaluate("{ a = 1; a = 2; }"), evaluate("undefined"), evaluate("{ abc = 1; }.abd"), evaluate("({ a }: a) { b = 1; }"),
  evaluate("let x = x; in x"), evaluate("assert 1 == 2; 3"), evaluate('abort "stop"'), evaluate("if 1 then 2 else 3"), evaluate('builtins.addErrorContext "context" (throw "inner")'), evaluate("[ 1 ] + { }"), evaluate('"${{ }}"'), evaluate("9223372036854775807 + 1"), evaluate("1 / 0"), evaluate("builtins.fromJSON \"{\""),
  instantiate("--eval", "warns.nix"), instantiate("--eval", "warns.nix", "--abort-on-warn"), { ...instantiate("--eval", "warns.nix"), env: { NIX_ABORT_ON_WARN: "1" } }, instantiate("--eval", "warns.nix", "--quiet"), evaluate("builtins.traceVerbose 1 2"), evaluate("builtins.traceVerbose 1 2", "--trace-verbose"),
  // Flags and settings.
  instantiate("--no-such-flag"), instantiate("--eval", "--option"), evaluate("1", "--option", "no-such", "1"), evaluate("1", "--option", "max-call-depth", "x"), evaluate("let f = x: f x; in f 1", "--option", "max-call-depth", "5"), evaluate("let f = x: f x; in f 1", "--max-call-depth", "5"),
  evaluate("1 |> (x: x)"), evaluate("1 |> (x: x + 1)", "--extra-experimental-features", "pipe-operators"), { ...evaluate("1 |> (x: x + 1)"), env: { NIX_CONFIG: "experimental-features = pipe-operators" } }, { ...evaluate("1"), env: { NIX_CONFIG: "no-such-setting = 1" } }, { ...evaluate("1"), env: { NIX_CONFIG: "broken line" } },
  evaluate("builtins.currentSystem", "--system", "weird-system"), evaluate("builtins.currentSystem", "--eval-system", "other-system"), evaluate("builtins.currentSystem", "--option", "system", "x-y"), evaluate("builtins.getEnv \"SOME\""), { ...evaluate("builtins.getEnv \"SOME\""), env: { SOME: "thing" } },
  evaluate("builtins.readFile ./text", "--restrict-eval"), evaluate("builtins.readFile ./text", "--restrict-eval", "-I", "FOLDER"), evaluate("builtins.readFile ./text", "--pure-eval"), evaluate("builtins.getEnv \"SOME\"", "--pure-eval"), evaluate("1", "-v", "--quiet", "--quiet"), evaluate("1", "-j", "3", "--cores", "2", "-k", "-K", "-Q"),
  evaluate("http://a.b/c"), evaluate("http://a.b/c", "--lint-url-literals", "fatal"), evaluate("./text", "--lint-short-path-literals", "warn"), evaluate("/tmp/x", "--lint-absolute-path-literals", "fatal"),
  // Derivations.
  instantiate("drv.nix"), instantiate("drv.nix", "-A", "two"), instantiate("drv.nix", "-A", "multi"), instantiate("drv.nix", "-A", "multi.dev"), instantiate("drv.nix", "-A", "hidden"), instantiate("drv.nix", "-A", "set.three", "--no-gc-warning"), instantiate("plain.nix"), instantiate("-E", "1"), instantiate("-E", "{ }"), instantiate("drv.nix", "-A", "one", "--add-root", "FOLDER/root"), instantiate("drv.nix", "-A", "one", "-A", "two", "--add-root", "FOLDER/root", "--indirect"),
  instantiate("--eval", "drv.nix", "-A", "one.drvPath"), instantiate("--eval", "drv.nix", "-A", "multi.dev.outPath", "--raw"), instantiate("--dry-run", "drv.nix", "-A", "one"), instantiate("--eval", "drv.nix", "-A", "one", "--strict", "--json"), instantiate("--eval", "drv.nix", "-A", "one"),
  build("drv.nix", "-A", "one", "--no-out-link"), build("drv.nix", "-A", "multi", "--no-out-link"), build("drv.nix", "-A", "fails", "--no-out-link", "--quiet"), build("drv.nix", "-A", "nothing", "--no-out-link"), build("plain.nix", "--no-out-link"), build("--no-such"), build("drv.nix", "-A", "set", "--no-out-link"),
  store("-q", "--no-such", "x"), store("--no-such"), store(), store("-q", "/nix/store/nothing"), store("-q", "FOLDER/text"), store("--print-fixed-path", "sha256", SHA, "n"), store("--print-fixed-path", "--recursive", "sha256", SHA, "n"), store("--print-fixed-path", "sha256", "nothash", "n"), store("--check-validity", "/nix/store/00000000000000000000000000000000-x"), store("--add", "text"), store("--add-fixed", "sha256", "text"), store("--add-fixed", "--recursive", "sha1", "text"), store("-r", "/nix/store/00000000000000000000000000000000-x"),
  // Builds that fail, and builds during an evaluation.
  ...["bad", "two", "user", "top", "fixed", "none"].map((name) => build("builds.nix", "-A", name, "--no-out-link")), build("builds.nix", "-A", "top", "--no-out-link", "-Q"), build("builds.nix", "-A", "bad", "--no-out-link", "-Q", "--log-lines", "1"), build("builds.nix", "-A", "bad", "--no-out-link", "--option", "experimental-features", "", "-Q"),
  build("builds.nix", "-A", "slow", "--no-out-link", "--timeout", "1"), build("builds.nix", "-A", "slow", "--no-out-link", "--max-silent-time", "1"), build("builds.nix", "-A", "loud", "--no-out-link", "-Q", "--max-build-log-size", "100"),
  ...["bad", "top", "fixed", "none", "dev", "good"].map((name) => instantiate("--eval", "--read-write-mode", "builds.nix", "-A", `reads.${name}`)), instantiate("--eval", "--read-write-mode", "builds.nix", "-A", "reads.slow", "--timeout", "1"), instantiate("--eval", "builds.nix", "-A", "reads.bad"),
  // Hashes.
  hash("text"), hash("--flat", "text"), hash("--flat", "--base32", "--type", "sha256", "text"), hash("--flat", "--sri", "--type", "sha512", "text"), hash("--type", "sha1", "path"), hash("--type", "sha256", "--truncate", "--base32", "path"), hash("--type", "crc", "text"), hash("nothing"), hash(), hash("--to-base16", "--type", "sha256", `sha256:${SHA}`), hash("--to-base32", "--type", "sha256", SHA), hash("--to-base64", "--type", "sha256", SHA), hash("--to-sri", "--type", "sha256", SHA), hash("--to-base32", "--type", "md5", SHA), hash("--no-such", "text"), hash("--flat", "--type", "md5", "--base64", "text"),
  // nix eval.
  nixEval("--expr", "1 + 1"), nixEval("--expr", "{ a = 1; b = x: x; }"), nixEval("--expr", '{ a.b = "c"; }', "a.b"), nixEval("--raw", "--expr", '"x"'), nixEval("--raw", "--expr", "1"), nixEval("--json", "--expr", "{ a = [ 1 null ]; }"), nixEval("--expr", "{ a = 1; }", "c"), nixEval("-f", "plain.nix"), nixEval("-f", "plain.nix", "y.z"), nixEval("-f", "plain.nix", "x", "--apply", "x: x + 1"), nixEval("--expr", "./text"), nixEval("--impure", "--expr", "builtins.pathExists FOLDER/text"), nixEval("--expr", "builtins.pathExists FOLDER/text"), nixEval("--json", "--raw", "--expr", "1"), nixEval("--no-such"), nixEval("--expr", "{ a = let f = x: 1 + f x; in f 1; b = throw \"x\"; }", "--max-call-depth", "50"),
];
