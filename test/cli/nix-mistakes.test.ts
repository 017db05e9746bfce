/** Mistakes at the border of TypeScript and Nix: each names the line of TypeScript and that of Nix, what was expected and the fix. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { SMALL_NIXOS } from "../core/interop/small-nixos.ts";
import { runTsos } from "./tsos-process.ts";

const COLLECTION = `{ system, config ? { }, overlays ? [ ] }:
let
  make = name: derivation { inherit name system; builder = "/bin/sh"; };
  base = self: {
    greeting = make "greeting";
    failing = throw "nobody packaged this";
    ofMachine = builtins.currentSystem;
    greet = { name, loud ? false }: "hello \${name}";
    add = a: b: a + b;
    first = self.second;
    second = self.first;
    generated = import (make "generated.nix");
    deep = { other = self.failing; };
    callWith = f: f { a = 1; };
    useFn = f: { value = f { x = 1; }; };
    twice = f: x: f (f x);
  };
  fix = f: let x = f x; in x;
in fix (builtins.foldl' (f: overlay: self: let super = f self; in super // overlay self super) base overlays)
`;

const root = mkdtempSync(join(tmpdir(), "tsos-nix-mistakes-"));
after(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
}

/** What an older tree has instead: modules are not told where they stand. */
const OLD_NIXOS = { ...SMALL_NIXOS, "lib/.version": "22.11", "nixos/lib/eval-config.nix": SMALL_NIXOS["nixos/lib/eval-config.nix"]!.replace(" _prefix = prefix;", "") };

const ASSERTS = `config:
let
  cfg = config.services.web;
in [
  {
    assertion = cfg.enable -> config.networking.hostName != "nixos";
    message = "a web server needs a name";
  }
  { assertion = config.networking.hostName != "bad"; message = "networking.hostName must be a good one"; }
  { assertion = !(config.environment.hosts ? forbidden); message = "some host is forbidden"; }
]
`;
const ASSERTING_NIXOS = {
  ...SMALL_NIXOS,
  "nixos/asserts.nix": ASSERTS,
  "nixos/lib/eval-config.nix": SMALL_NIXOS["nixos/lib/eval-config.nix"]!
    .replace("      config = {\n", `      failed = map (one: one.message) (builtins.filter (one: !one.assertion) config.assertions);
      config = {
        assertions = builtins.concatMap (m: m.defs.assertions or [ ]) loaded ++ import ../asserts.nix config;\n`)
    .replace("text = config.environment.text;", 'text = if failed == [ ] then "" else throw "\\nFailed assertions:\\n${builtins.concatStringsSep "\\n" (map (one: "- ${one}") failed)}";'),
};

write({
  "collection/default.nix": COLLECTION,
  "hollow/nixos/lib/eval-config.nix": "{ system, modules }: { options = { }; }\n",
  ...Object.fromEntries(Object.entries(ASSERTING_NIXOS).map(([name, text]) => [`asserting/${name}`, text])),
  ...Object.fromEntries(Object.entries(SMALL_NIXOS).map(([name, text]) => [`nixos/${name}`, text])),
  ...Object.fromEntries(Object.entries(OLD_NIXOS).map(([name, text]) => [`old/${name}`, text])),
});

type Told = { readonly errors?: readonly Told[]; readonly code: string; readonly message: string; readonly hint?: string; readonly at?: Place; readonly related: readonly (Place & { readonly note: string })[]; readonly data: { readonly expected?: string; readonly trace?: string } };
type Place = { readonly file: string; readonly line: number; readonly column: number };

let count = 0;

/** The error that a configuration ends with, as `--json` has it, and as people read it. */
async function failure(name: "shell.config.ts" | "system.config.ts", text: string, files: Readonly<Record<string, string>> = {}, what = name === "shell.config.ts" ? "env" : "networking.hostName"): Promise<{ readonly error: Told; readonly stderr: string; readonly place: (place: Place | undefined) => string }> {
  const project = `p${count++}`;
  write({ [`${project}/${name}`]: text, [`${project}/package.json`]: "{}", ...Object.fromEntries(Object.entries(files).map(([file, contents]) => [`${project}/${file}`, contents])) });
  const { stdout, stderr, code } = await runTsos(["eval", what, "--json", "--store", join(root, "store")], { cwd: join(root, project), stateFolder: join(root, "state"), env: { HOME: root } });
  assert.equal(code, 1, stderr);
  const { error } = JSON.parse(stdout) as { readonly error: Told };
  return { error, stderr, place: (place) => (place === undefined ? "" : `${place.file.replace(`${root}/${project}/`, "").replace(`${root}/`, "")}:${place.line}`) };
}

const shell = (value: string, inputs = '{ coll: "path:../collection" }'): string => `import { defineInputs, defineShell, git, tarball, type NixValue } from "tsos";
const inputs = defineInputs(${inputs});
void git; void tarball; const any = (value: unknown): NixValue => value as NixValue;
void any;
export default defineShell({
  inputs,
  config: ({ pkgs }) => {
    const coll = (pkgs as NixValue).coll;
    return { packages: [], env: {
      NAME: String(${value}),
    } };
  },
});
`;
/** The line of `value`. */
const LINE = 10;

const lineOf = (text: string): number => COLLECTION.split("\n").findIndex((line) => line.includes(text)) + 1;

describe("an expression that fails, asked by TypeScript", () => {
  const cases: readonly { readonly what: string; readonly value: string; readonly message: RegExp; readonly nix: string | undefined; readonly expected?: string; readonly hint?: RegExp; readonly code?: string }[] = [
    { what: "an attribute that throws", value: "coll.failing", message: /^nobody packaged this$/, nix: "failing = " },
    { what: "one that throws deeper inside", value: "coll.deep.other", message: /^nobody packaged this$/, nix: "failing = " },
    { what: "packages for the machine that it runs on", value: "coll.ofMachine", message: /attribute 'currentSystem' missing/, nix: "ofMachine = ", hint: /system = "x86_64-linux"/ },
    { what: "a missing argument", value: 'coll.greet({ nam: "x" })', message: /called without required argument 'name'/, nix: "greet = ", expected: "an object { name, loud? }" },
    { what: "an unexpected argument", value: 'coll.greet({ name: "x", lout: true })', message: /called with unexpected argument 'lout'/, nix: "greet = ", expected: "an object { name, loud? }", hint: /did you mean "loud"/ },
    { what: "a text for a set of arguments", value: 'coll.greet("x")', message: /expected a set but found a string: "x"/, nix: "greet = ", expected: "an object { name, loud? }" },
    { what: "an argument of a wrong type", value: 'coll.add(1, "a")', message: /cannot add a string to an integer/, nix: "add = " },
    { what: "too many arguments", value: "coll.add(1, 2, 3)", message: /function 'add' called with 3 arguments, but it takes 2/, nix: "add = ", hint: /f\(a, b\) of TypeScript is f a b/ },
    { what: "too few arguments, so that a function is put into a text", value: "coll.add(1)", message: /the Nix function "add" cannot be put into a text/, nix: "add = ", code: "nix.not-a-text", hint: /lacks an argument/ },
    { what: "an import from a derivation", value: "coll.generated", message: /cannot build '.*generated\.nix\.drv\^out' during evaluation/, nix: "generated = ", hint: /build it beforehand/ },
    { what: "an infinite recursion in Nix", value: "coll.first", message: /infinite recursion/, nix: "first = self", hint: /made from itself/ },
    { what: "a function of TypeScript that asks Nix in turn", value: "coll.callWith((a: NixValue) => coll.greet(a))", message: /without required argument 'name'/, nix: "greet = " },
    { what: "a function of TypeScript that gives what Nix cannot have", value: "coll.useFn(() => new Map()).value", message: /the class Map cannot be given to a Nix expression/, nix: undefined, hint: /convert it/ },
  ];
  for (const { what, value, message, nix, expected, hint, code } of cases) {
    test(`tells ${what} with both lines`, async () => {
      const { error, stderr, place } = await failure("shell.config.ts", shell(value));
      assert.match(error.message, message);
      assert.equal(place(error.at), `shell.config.ts:${LINE}`);
      if (nix !== undefined) {
        assert.equal(place(error.related[0]), `collection/default.nix:${lineOf(nix)}`);
        assert.match(stderr, new RegExp(`> +${lineOf(nix)} \\|`), "with the line itself");
      }
      if (expected !== undefined) assert.equal(error.data.expected, expected);
      if (hint !== undefined) assert.match(error.hint ?? "", hint);
      if (code !== undefined) assert.equal(error.code, code);
    });
  }

  test("has the whole trace for who asks", async () => {
    const { error } = await failure("shell.config.ts", shell("coll.deep.other"));
    assert.match(error.data.trace ?? "", /while evaluating the attribute 'failing'[\s\S]*while calling the 'throw' builtin[\s\S]*nobody packaged this/);
  });

  test("that goes round through both languages ends, with a line of each", async () => {
    const { error, place } = await failure("shell.config.ts", shell("(() => { const loop = { get value(): unknown { return coll.greet({ name: coll.useFn(() => loop.value).value }); } }; return coll.greet({ name: loop.value }); })()"));
    assert.match(error.message, /stack overflow|calls itself too deeply/);
    assert.equal(place(error.at), `shell.config.ts:${LINE}`);
    assert.match(error.hint ?? "", /also one that goes through TypeScript and back/);
    assert.match(place(error.related[0]), /^collection\/default\.nix:/);
  });

  test("that calls itself twice at each turn ends soon, with a line of each", async () => {
    const { error, place } = await failure("shell.config.ts", shell("(() => { const again = (x: unknown): unknown => coll.twice(again, x); return again(1); })()"));
    assert.match(error.message, /stack overflow|calls itself too deeply/);
    assert.equal(place(error.at), `shell.config.ts:${LINE}`);
    assert.equal(place(error.related[0]), `collection/default.nix:${lineOf("twice = ")}`);
  });

  test("that an overlay makes from itself names the overlay and the expression", async () => {
    const { error, place } = await failure("shell.config.ts", shell("coll.greeting", '{\n  coll: { kind: "input-spec", source: "path:../collection", options: { overlays: [\n    (final: NixValue) => ({ greeting: `${final.greeting}` }),\n  ] } },\n} as never'));
    assert.match(error.message, /infinite recursion/);
    assert.equal(place(error.at), "shell.config.ts:4");
    assert.match(error.hint ?? "", /get name\(\)/);
  });
});

describe("an input", () => {
  test("that cannot be fetched is named with its line", async () => {
    const { error, place } = await failure("shell.config.ts", shell("coll.greeting", '{ coll: tarball("http://127.0.0.1:1/x.tar.gz") }'));
    assert.match(error.message, /127\.0\.0\.1:1\/x\.tar\.gz/);
    assert.equal(place(error.at), "shell.config.ts:2");
  });

  test("whose hash is another is told with both hashes and its line", async () => {
    const { error, place } = await failure("shell.config.ts", shell("coll.greeting", `{ coll: "path:../collection?narHash=sha256-${"A".repeat(43)}=" }`));
    assert.match(error.message, /sha256-AAAA[\s\S]*sha256-(?!AAAA)/);
    assert.equal(place(error.at), "shell.config.ts:2");
  });
});

const system = (input: string, modules: string): string => `import { defineInputs, defineNixosSystem, nixFile, type NixosModule } from "tsos";
const inputs = defineInputs({ nixpkgs: "path:../${input}" });
void nixFile;
const modules: readonly NixosModule[] = [
  ${modules}
];
export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules });
`;
/** The first line of `modules`. */
const MODULE = 5;

describe("a system of NixOS' modules", () => {
  test("says where TypeScript defines what Nix finds wrong", async () => {
    const { error, place } = await failure("system.config.ts", system("nixos", '{ networking: { hostName: "a" } },\n  () => ({\n    networking: { hostName: "b" },\n  }),'));
    assert.match(error.message, /^The option `networking\.hostName' has conflicting definition values/);
    assert.equal(place(error.at), `system.config.ts:${MODULE}`);
    assert.deepEqual(error.related.map((one) => place(one)).slice(0, 1), [`system.config.ts:${MODULE + 2}`]);
    assert.match(place(error.related[1]), /^nixos\/nixos\/lib\/eval-config\.nix:/);
  });

  test("says which line read a package that is not there", async () => {
    const { error, place } = await failure("system.config.ts", system("nixos", "({ pkgs }) => ({\n    networking: {\n      hostName: pkgs.nothing.name,\n    },\n  }),"));
    assert.match(error.message, /attribute 'nothing' missing/);
    assert.equal(place(error.at), `system.config.ts:${MODULE + 2}`);
    assert.match(place(error.related[0]), /^nixos\/nixos\/lib\/eval-config\.nix:/);
  });

  for (const [what, value, message, hint] of [
    ["too many arguments", 'pkgs.writeText("a", "b", "c")', /function 'writeText' called with 3 arguments, but it takes 2/, /f\(a, b\) of TypeScript is f a b/],
    ["too few arguments, in a text", 'pkgs.writeText("a")', /cannot coerce a function to a string: «lambda writeText/, undefined],
    ["a package that is not there", "pkgs.helo", /attribute 'helo' missing in 'pkgs'/, /did you mean "hello"/],
  ] as const) {
    test(`says which line gave ${what}, where NixOS evaluates it long after`, async () => {
      const { error, place } = await failure("system.config.ts", system("nixos", `({ pkgs }) => ({\n    environment: {\n      text: [\n        \`\${${value}}\`,\n      ],\n    },\n  }),`), {}, "system.build.toplevel");
      assert.match(error.message, message);
      assert.equal(place(error.at), `system.config.ts:${MODULE + 3}`);
      assert.match(place(error.related[0]), /^nixos\//);
      if (hint !== undefined) assert.match(error.hint ?? "", hint);
    });
  }

  test("says which line reads what never settles", async () => {
    const { error, place } = await failure("system.config.ts", system("nixos", "({ config }) => ({\n    networking: { hostName: `${config.networking.hostName}a` },\n  }),"));
    assert.equal(error.code, "nix.unsettled");
    assert.equal(place(error.at), `system.config.ts:${MODULE + 1}`);
  });

  test("names the line that asked for a Nix file that fails, and that file's", async () => {
    const { error, place } = await failure("system.config.ts", system("nixos", '{},\n  nixFile("./broken.nix"),'), { "broken.nix": '{\n  networking.hostName = throw "no name yet";\n}\n' });
    assert.match(error.message, /^no name yet/);
    assert.equal(place(error.at), `system.config.ts:${MODULE + 1}`);
    assert.equal(place(error.related[0]), "broken.nix:2");
  });

  test("of a Nix file that is put into a text says what stands for it", async () => {
    const { error, place } = await failure("system.config.ts", system("nixos", '() => ({ networking: { hostName: `${nixFile("./broken.nix")}` } }),'), { "broken.nix": "{ }\n" });
    assert.equal(error.code, "nix.not-a-text");
    assert.match(error.message, /broken\.nix" is put into a text/);
    assert.match(error.hint ?? "", /path\(/);
    assert.equal(place(error.at), `system.config.ts:${MODULE}`);
  });

  test("of a nixpkgs too old for functions of TypeScript says so, and objects are taken", async () => {
    const { error } = await failure("system.config.ts", system("old", '() => ({ networking: { hostName: "b" } }),'));
    assert.equal(error.code, "nix.too-old");
    assert.match(error.message, /^nixpkgs 22\.11 is too old/);
    assert.match(error.data.expected ?? "", /25\.05/);
    assert.ok(error.at !== undefined);
  });

  test("of a tree that is no nixpkgs says what is missing", async () => {
    const { error } = await failure("system.config.ts", system("collection", '{ networking: { hostName: "b" } },'));
    assert.equal(error.code, "nix.no-nixos");
  });

  test("of a tree whose eval-config.nix gives no configuration says so", async () => {
    const { error, place } = await failure("system.config.ts", system("hollow", '{ networking: { hostName: "b" } },'));
    assert.equal(error.code, "nix.no-nixos");
    assert.match(error.message, /gives no "config"$/);
    assert.match(place(error.at), /^system\.config\.ts:/);
  });

  const asserted = (modules: string, files?: Readonly<Record<string, string>>) => failure("system.config.ts", system("asserting", modules), files, "system.build.toplevel");
  const assertedAt = (text: string): string => `asserting/nixos/asserts.nix:${ASSERTS.split("\n").findIndex((line) => line.includes(text)) + 1}`;

  test("tells of an assertion where TypeScript defines the option that its message names, and where it is made", async () => {
    const { error, place } = await asserted('{\n    networking: { hostName: "bad" },\n  },');
    assert.match(error.message, /Failed assertions:\n- networking\.hostName must be a good one$/);
    assert.equal(place(error.at), `system.config.ts:${MODULE + 1}`);
    assert.deepEqual(error.related.map(place), [assertedAt("a good one")]);
  });

  test("tells of an assertion that names no option where TypeScript defines what it reads", async () => {
    const { error, place } = await asserted("{\n    environment: { text: [] },\n    services: { web: { enable: true } },\n  },");
    assert.match(error.message, /Failed assertions:\n- a web server needs a name$/);
    assert.equal(place(error.at), `system.config.ts:${MODULE + 2}`);
    assert.deepEqual(error.related.map(place), [assertedAt("needs a name")]);
  });

  test("tells of each assertion on its own, at its own line; of one of TypeScript where its message is", async () => {
    const { error, place } = await asserted('{\n    networking: { hostName: "bad" },\n    assertions: [\n      { assertion: false, message: "never mind" },\n    ],\n  },');
    const told = [error, ...(error.errors ?? [])].filter((one, i, all) => all.findIndex((other) => other.message === one.message) === i);
    assert.deepEqual(told.map((one) => [one.message.trim().split("\n")[1], place(one.at)]).sort(), [["- networking.hostName must be a good one", `system.config.ts:${MODULE + 1}`], ["- never mind", `system.config.ts:${MODULE + 3}`]]);
  });

  test("tells of an assertion that a Nix file's definitions break by that file", async () => {
    const { error, place } = await asserted('{},\n  nixFile("./host.nix"),', { "host.nix": '{ networking.hostName = "bad"; }\n' });
    assert.match(error.message, /a good one$/);
    assert.match(place(error.at), /^system\.config\.ts:/);
    assert.deepEqual(error.related.map(place), [assertedAt("a good one")]);
  });
});
