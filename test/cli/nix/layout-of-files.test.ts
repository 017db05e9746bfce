/** What a change of comments and layout costs, and what it changes. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { startNixTrial } from "./nix-process.ts";

const trial = startNixTrial();
after(() => trial[Symbol.dispose]());

/** Long enough to be kept. */
const LONG = "builtins.foldl' (sum: n: sum + n) 0 (builtins.genList (n: n) 1000000)";
const write = (name: string, text: string): string => {
  writeFileSync(join(trial.folder, name), text);
  return join(trial.folder, name);
};
const evaluate = (...args: readonly string[]): { readonly stdout: string; readonly stderr: string } => {
  const { code, stdout, stderr } = trial.run("instantiate", "--eval", "--strict", ...args);
  assert.equal(code, 0, stderr);
  return { stdout: stdout.trim(), stderr };
};
/** A file that is parsed goes into a new one of these. */
const packs = (): number => readdirSync(join(trial.env["TSOS_CACHE_DIR"]!, "nix/parsed"), { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".pack")).length;

test("a file with other comments and layout is not evaluated again, one with another value is", () => {
  const file = write("imported.nix", `{ sum = ${LONG}; text = "one"; }`);
  const root = `(import ${file}).text + toString (import ${file}).sum`;
  assert.equal(evaluate("-E", root).stdout, '"one499999500000"');
  const before = packs();
  write("imported.nix", `# a comment\n{\n  sum = ${LONG};\n  text = "one"; # another\n}\n`);
  assert.equal(evaluate("-E", root).stdout, '"one499999500000"');
  assert.equal(packs(), before);
  // The new layout counts as the old one did.
  assert.equal(evaluate("-E", root).stdout, '"one499999500000"');
  assert.equal(packs(), before);
  write("imported.nix", `# a comment\n{\n  sum = ${LONG};\n  text = "# one"; # another\n}\n`);
  assert.equal(evaluate("-E", root).stdout, '"# one499999500000"');
  assert.equal(packs(), before + 1);
});

test("the same holds for the file that a command names", () => {
  const inner = write("inner.nix", "1");
  const file = write("root.nix", `toString (${LONG}) + toString (import ${inner})`);
  evaluate(file);
  const before = packs();
  write("root.nix", `# other\ntoString (${LONG})\n  + toString (import ${inner})`);
  assert.equal(evaluate(file).stdout, '"4999995000001"');
  assert.equal(packs(), before);
  write("root.nix", `toString (${LONG}) + toString (import ${inner}) + "!"`);
  assert.equal(evaluate(file).stdout, '"4999995000001!"');
});

const places: Readonly<Record<string, readonly [text: (long: string) => string, shown: (line: number) => string]>> = {
  "its own place": [(long) => `builtins.seq (${long}) __curPos.line`, (line) => `${line}`],
  "an attribute's place": [(long) => `builtins.seq (${long}) (builtins.unsafeGetAttrPos "a" { a = 1; }).line`, (line) => `${line}`],
  "an argument's place": [(long) => `builtins.seq (${long}) (builtins.unsafeGetAttrPos "a" (builtins.functionArgs ({ a }: a))).line`, (line) => `${line}`],
};
for (const [what, [text, shown]] of Object.entries(places)) {
  test(`a file that asks for ${what} is evaluated again`, () => {
    const file = write("places.nix", text(LONG));
    assert.equal(evaluate(file).stdout, shown(1));
    write("places.nix", `\n\n${text(LONG)}`);
    assert.equal(evaluate(file).stdout, shown(3));
    assert.equal(evaluate("-E", `import ${file}`).stdout, shown(3));
    write("places.nix", `\n${text(LONG)}`);
    assert.equal(evaluate("-E", `import ${file}`).stdout, shown(2));
  });
}

test("a file of which a place was shown is evaluated again", () => {
  const traced = write("traced.nix", `builtins.trace (x: x) (${LONG})`);
  assert.match(evaluate(traced).stderr, /trace: «lambda @ .*traced\.nix:1:17»/);
  write("traced.nix", `\nbuiltins.trace (x: x) (${LONG})`);
  assert.match(evaluate(traced).stderr, /trace: «lambda @ .*traced\.nix:2:17»/);
  const xml = write("xml.nix", `{ f = x: x; n = ${LONG}; }`);
  assert.match(evaluate("--xml", xml).stdout, /line="1"/);
  write("xml.nix", `\n{ f = x: x; n = ${LONG}; }`);
  assert.match(evaluate("--xml", xml).stdout, /line="2"/);
  const lint = ["--option", "lint-absolute-path-literals", "warn"];
  const warned = write("warned.nix", `builtins.seq (${LONG}) [ /a ]`);
  assert.match(evaluate(...lint, warned).stderr, /warned\.nix:1:/);
  write("warned.nix", `\nbuiltins.seq (${LONG}) [ /a ]`);
  assert.match(evaluate(...lint, warned).stderr, /warned\.nix:2:/);
});

test("a file that is read as a text too is evaluated again", () => {
  const file = write("read.nix", `${LONG}`);
  const root = `builtins.stringLength (builtins.readFile ${file}) + 0 * import ${file}`;
  assert.equal(evaluate("-E", root).stdout, `${LONG.length}`);
  write("read.nix", `${LONG} # more`);
  assert.equal(evaluate("-E", root).stdout, `${LONG.length + 7}`);
  const hashed = `builtins.seq (import ${file}) (builtins.hashFile "sha256" ${file})`;
  const first = evaluate("-E", hashed).stdout;
  write("read.nix", `${LONG} # less`);
  assert.notEqual(evaluate("-E", hashed).stdout, first);
  const copied = `builtins.seq (import ${file}) "\${${file}}"`;
  const path = evaluate("-E", copied).stdout;
  write("read.nix", `${LONG} # again`);
  assert.notEqual(evaluate("-E", copied).stdout, path);
});

test("a file of which an error was caught is evaluated again, since errors know their places", () => {
  const file = write("caught.nix", `{ ok = (builtins.tryEval (throw "no")).success; sum = ${LONG}; }`);
  const root = `with import ${file}; [ ok sum ]`;
  assert.equal(evaluate("-E", root).stdout, "[ false 499999500000 ]");
  const before = packs();
  write("caught.nix", `\n{ ok = (builtins.tryEval (throw "no")).success; sum = ${LONG}; }`);
  assert.equal(evaluate("-E", root).stdout, "[ false 499999500000 ]");
  assert.equal(packs(), before + 1);
});

test("line and column of a place are found when they are wanted, and the file alone is none of its places", () => {
  const file = write("where.nix", "__curPos");
  assert.equal(trial.run("instantiate", "--eval", file).stdout, `{ column = <CODE>; file = "${file}"; line = <CODE>; }\n`);
  const root = `let set = import ${file}; in builtins.seq (${LONG}) (baseNameOf set.file)`;
  assert.equal(evaluate("-E", root).stdout, '"where.nix"');
  const before = packs();
  write("where.nix", "# comment\n__curPos");
  assert.equal(evaluate("-E", root).stdout, '"where.nix"');
  assert.equal(packs(), before);
});
