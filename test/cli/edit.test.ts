import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { addPackagesTo, removePackagesFrom, setOptionIn } from "../../cli/edit/edit-config.ts";
import { parseValue } from "../../cli/runtime/parse-value.ts";
import type { ValueSource } from "../../core/config/option-description.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parseOptionPath } from "../../core/option/option-path.ts";
import { types } from "../../core/option/types.ts";
import { runTsos, type TsosResult } from "./tsos-process.ts";

const FILE = "/project/system.config.ts";

const shell = (body: string): string => `import { defineShell } from "tsos";\n\nexport default defineShell(${body});\n`;
const system = (body: string): string => `import { defineSystem } from "tsos";\n\nexport default defineSystem(${body});\n`;
const json = (value: string | number | boolean | null): ValueSource => ({ kind: "json", value });

const add = async (text: string, ...names: string[]): Promise<string> => (await addPackagesTo(FILE, text, names)).text;
const remove = async (text: string, ...names: string[]): Promise<string> => (await removePackagesFrom(FILE, text, names)).text;
const set = async (text: string, path: string, value: ValueSource): Promise<string> => (await setOptionIn(FILE, text, parseOptionPath(path), value)).text;

/** Refused with the place at which `begin` stands in the text. */
async function refused(text: string, edit: (text: string) => Promise<string>, message: RegExp, begin: string): Promise<void> {
  await assert.rejects(edit(text), (error) => {
    assert.ok(error instanceof TsosError, String(error));
    assert.match(error.message, message);
    assert.ok(error.at !== undefined && error.at.file === FILE);
    const rest = text.split("\n")[error.at.line - 1]!.slice(error.at.column - 1);
    assert.ok(rest.startsWith(begin), rest);
    return true;
  });
}

describe("adds a package", () => {
  test("to a list on one line", async () => {
    assert.equal(await add(shell("({ pkgs }) => ({ packages: [pkgs.git] })"), "jq"), shell("({ pkgs }) => ({ packages: [pkgs.git, pkgs.jq] })"));
  });
  test("to an empty list, and one with blanks", async () => {
    assert.equal(await add(shell("({ pkgs }) => ({ packages: [ ] })"), "jq", "git"), shell("({ pkgs }) => ({ packages: [ pkgs.jq, pkgs.git ] })"));
    assert.equal(await add(shell("({ pkgs }) => ({ packages: [] })"), "jq", "git"), shell("({ pkgs }) => ({ packages: [pkgs.jq, pkgs.git] })"));
    assert.equal(await add(shell("({ pkgs }) => ({\n\tpackages: [\n\t],\n})"), "jq"), shell("({ pkgs }) => ({\n\tpackages: [\n\t\tpkgs.jq,\n\t],\n})"));
  });
  test("behind what is said of the last one", async () => {
    const list = (items: string): string => shell(`({ pkgs }) => ({ packages: [${items}] })`);
    assert.equal(await add(list("pkgs.git /* vcs */"), "jq"), list("pkgs.git /* vcs */, pkgs.jq"));
    assert.equal(await add(list("\n    pkgs.git // vcs\n  "), "jq"), list("\n    pkgs.git, // vcs\n    pkgs.jq\n  "));
    assert.equal(await add(list("pkgs.git, // vcs\n  "), "jq"), list("pkgs.git, // vcs\n  pkgs.jq,\n  "));
  });
  test("to a list of a line each, with its comments, indentation and last comma", async () => {
    const before = "({ pkgs }) => ({\n\tpackages: [\n\t\t// versions\n\t\tpkgs.git, // why\n\t\t/* two */ pkgs.jq, // last\n\t],\n})";
    assert.equal(await add(shell(before), "ripgrep"), shell(before.replace("// last\n", "// last\n\t\tpkgs.ripgrep,\n")));
  });
  test("to a list of a line each without a last comma", async () => {
    const before = "({ pkgs }) => ({\n  packages: [\n    pkgs.git,\n    pkgs.jq // last\n  ]\n})";
    assert.equal(await add(shell(before), "ripgrep"), shell(before.replace("pkgs.jq // last", "pkgs.jq, // last\n    pkgs.ripgrep")));
  });
  test("to a list that holds only a comment", async () => {
    assert.equal(await add(shell("({ pkgs }) => ({\n  packages: [\n    // none yet\n  ],\n})"), "jq"), shell("({ pkgs }) => ({\n  packages: [\n    // none yet\n    pkgs.jq,\n  ],\n})"));
  });
  test("inside a priority or an order, which stays", async () => {
    assert.equal(await add(shell("({ pkgs, lib }) => ({ packages: lib.mkForce([pkgs.git]) })"), "jq"), shell("({ pkgs, lib }) => ({ packages: lib.mkForce([pkgs.git, pkgs.jq]) })"));
    assert.equal(await add(shell("({ pkgs, lib }) => ({ packages: lib.mkOrder(400, lib.mkForce([])) })"), "jq"), shell("({ pkgs, lib }) => ({ packages: lib.mkOrder(400, lib.mkForce([pkgs.jq])) })"));
  });
  test("behind a spread, which stays", async () => {
    assert.equal(await add(shell("({ pkgs }) => ({ packages: [...base] })"), "jq"), shell("({ pkgs }) => ({ packages: [...base, pkgs.jq] })"));
  });
  test("not twice", async () => {
    const text = shell("({ pkgs }) => ({ packages: [pkgs.git, pkgs.jq] })");
    assert.equal(await add(text, "jq"), text);
    assert.equal(await add(text, "jq", "fd", "fd"), shell("({ pkgs }) => ({ packages: [pkgs.git, pkgs.jq, pkgs.fd] })"));
  });
  test("to a configuration without the list", async () => {
    assert.equal(await add(system('({ pkgs }) => ({\n  networking: { hostName: "a" },\n})'), "git"), system('({ pkgs }) => ({\n  networking: { hostName: "a" },\n  environment: { systemPackages: [pkgs.git] },\n})'));
    assert.equal(await add(system("({ pkgs }) => ({ environment: { variables: {} } })"), "git"), system("({ pkgs }) => ({ environment: { variables: {}, systemPackages: [pkgs.git] } })"));
  });
  test("and the argument pkgs where the function has none", async () => {
    assert.equal(await add(shell("() => ({ packages: [] })"), "jq"), shell("({ pkgs }) => ({ packages: [pkgs.jq] })"));
    assert.equal(await add(shell("({}) => ({ packages: [] })"), "jq"), shell("({ pkgs }) => ({ packages: [pkgs.jq] })"));
    assert.equal(await add(shell("({ config, lib }) => ({ packages: [] })"), "jq"), shell("({ config, lib, pkgs }) => ({ packages: [pkgs.jq] })"));
    assert.equal(await add(shell("({ config, ...rest }) => ({ packages: [] })"), "jq"), shell("({ config, pkgs, ...rest }) => ({ packages: [pkgs.jq] })"));
  });
  test("by the name that the set has there", async () => {
    assert.equal(await add(shell("(args) => ({ packages: [args.pkgs.git] })"), "jq"), shell("(args) => ({ packages: [args.pkgs.git, args.pkgs.jq] })"));
    assert.equal(await add(shell("({ pkgs: p }) => ({ packages: [p.git] })"), "git", "jq"), shell("({ pkgs: p }) => ({ packages: [p.git, p.jq] })"));
  });
  test("in a function with a body, a constant, a module's config", async () => {
    assert.equal(await add(shell("function ({ pkgs }) {\n  return { packages: [pkgs.git] };\n}"), "jq"), shell("function ({ pkgs }) {\n  return { packages: [pkgs.git, pkgs.jq] };\n}"));
    const constant = (list: string): string => `import { defineShell as make } from 'tsos';\nconst parts = ({ pkgs }) => ({ packages: [${list}] });\nconst it = make(parts);\nexport default it;\n`;
    assert.equal(await add(constant("pkgs.git"), "7zip"), constant("pkgs.git, pkgs['7zip']"));
    assert.equal(await add(system("{ imports: [a], config: { environment: { systemPackages: [] } } }"), "jq"), system("{ imports: [a], config: ({ pkgs }) => ({ environment: { systemPackages: [pkgs.jq] } }) }"));
    assert.equal(await add(system("{ imports: [a] }"), "jq"), system("{ imports: [a], config: ({ pkgs }) => ({ environment: { systemPackages: [pkgs.jq] } }) }"));
  });
  test("and keeps the line ends of the file", async () => {
    const text = shell("({ pkgs }) => ({\n  packages: [\n    pkgs.git,\n  ],\n})").replaceAll("\n", "\r\n");
    assert.equal(await add(text, "jq"), text.replace("pkgs.git,\r\n", "pkgs.git,\r\n    pkgs.jq,\r\n"));
  });
  test("or refuses with the place where it cannot", async () => {
    await refused(shell("({ pkgs }) => ({ packages: tools(pkgs) })"), (text) => add(text, "jq"), /the list "packages" is computed here/, "tools(pkgs)");
    await refused(shell("({ pkgs }) => ({ packages: lib.mkIf(wanted, [pkgs.git]) })"), (text) => add(text, "jq"), /"packages" is computed/, "lib.mkIf");
    await refused(shell("({ pkgs }) => ({ ...common })"), (text) => add(text, "jq"), /this spread may define "packages"/, "...common");
    await refused(shell("({ pkgs }) => ({ packages: [], ...common })"), (text) => add(text, "jq"), /this spread may define "packages"/, "...common");
    await refused(shell("({ pkgs }) => ({ [name]: [] })"), (text) => add(text, "jq"), /this computed name may be "packages"/, "[name]");
    await refused(shell("({ pkgs }) => ({ packages })"), (text) => add(text, "jq"), /"packages" is computed here/, "packages })");
    await refused(shell("({ pkgs }) => { if (a) return { packages: [] }; return { packages: [] }; }"), (text) => add(text, "jq"), /returned in several places/, "{ packages: [] }; })");
    await refused(system("({ pkgs }) => lib.mkMerge([])"), (text) => add(text, "jq"), /the configuration is computed here/, "lib.mkMerge");
    await refused("export default 3;\n", (text) => add(text, "jq"), /not made by defineSystem, defineShell/, "3;");
    await refused("export const a = 3;\n", (text) => add(text, "jq"), /no default export/, "export const");
  });
});

describe("removes a package", () => {
  test("from a list on one line, wherever it stands", async () => {
    const text = shell("({ pkgs }) => ({ packages: [pkgs.git, pkgs.jq, pkgs.fd] })");
    assert.equal(await remove(text, "git"), text.replace("pkgs.git, ", ""));
    assert.equal(await remove(text, "jq"), text.replace(", pkgs.jq", ""));
    assert.equal(await remove(text, "fd"), text.replace(", pkgs.fd", ""));
    assert.equal(await remove(text, "fd", "git", "jq"), shell("({ pkgs }) => ({ packages: [] })"));
  });
  test("with the line and the comment that it has for itself", async () => {
    const text = shell("({ pkgs }) => ({\n  packages: [\n    // tools\n    pkgs.git,\n    pkgs.jq, // for scripts\n    pkgs.fd,\n  ],\n})");
    assert.equal(await remove(text, "jq"), text.replace("    pkgs.jq, // for scripts\n", ""));
    assert.equal(await remove(text, "git"), text.replace("    pkgs.git,\n", ""));
    assert.equal(await remove(text, "fd"), text.replace("    pkgs.fd,\n", ""));
  });
  test("and leaves no comma where the list has none", async () => {
    assert.equal(await remove(shell("({ pkgs }) => ({\n  packages: [\n    pkgs.git,\n    pkgs.fd\n  ]\n})"), "fd"), shell("({ pkgs }) => ({\n  packages: [\n    pkgs.git\n  ]\n})"));
  });
  test("or says what there is, and where it cannot", async () => {
    await assert.rejects(remove(shell("({ pkgs }) => ({ packages: [pkgs.ripgrep] })"), "ripgre"), (error) => error instanceof TsosError && error.code === "edit.not-listed" && /did you mean "ripgrep"/.test(error.hint ?? ""));
    await assert.rejects(remove(shell("({ pkgs }) => ({})"), "jq"), /"jq" is not in "packages" of this file/);
    await refused(shell("({ pkgs }) => ({ packages: [pkgs.git, ...common] })"), (text) => remove(text, "jq"), /may come from here/, "...common");
    await refused(shell("({ pkgs }) => ({ packages: [pkgs.jq.override({})] })"), (text) => remove(text, "jq"), /may come from here/, "pkgs.jq.override");
  });
});

describe("sets an option", () => {
  const text = system('({ pkgs }) => ({\n  // the name\n  networking: { hostName: "a", firewall: { enable: true } }, // net\n})');
  test("that is there, and touches nothing else", async () => {
    assert.equal(await set(text, "networking.hostName", json("b")), text.replace('"a"', '"b"'));
    assert.equal(await set(text, "networking.firewall.enable", json(false)), text.replace("true", "false"));
    assert.equal(await set(text, "networking.firewall.enable", json(true)), text);
  });
  test("that is not there, as deep as it is", async () => {
    assert.equal(await set(text, "networking.domain", json("x.example")), text.replace("enable: true } }", 'enable: true }, domain: "x.example" }'));
    assert.equal(await set(text, 'services.nginx.virtualHosts."a.example".root', json("/srv")), text.replace("// net\n", '// net\n  services: { nginx: { virtualHosts: { "a.example": { root: "/srv" } } } },\n'));
  });
  test("inside a list's item", async () => {
    assert.equal(await set(system('{ config: { a: [{ name: "x" }] } }'), "a[0].name", json("y")), system('{ config: { a: [{ name: "y" }] } }'));
  });
  test("to lists, objects, packages, and to paths with their import", async () => {
    const value: ValueSource = { kind: "object", entries: [["a-b", { kind: "list", items: [json(1), { kind: "package", name: "git" }] }]] };
    assert.equal(await set(system("{ config: {} }"), "x", value), system('{ config: ({ pkgs }) => ({ x: { "a-b": [1, pkgs.git] } }) }'));
    assert.equal(await set(system("{ config: { x: null } }"), "x", { kind: "path", path: "./site" }), system('{ config: { x: path("./site") } }').replace("defineSystem }", "defineSystem, path }"));
    const taken = 'import { path } from "./own.ts";\n';
    assert.equal(await set(taken + system("{ config: { x: 1 } }"), "x", { kind: "path", path: "./s" }), taken + system('{ config: { x: projectPath("./s") } }').replace("defineSystem }", "defineSystem, path as projectPath }"));
  });
  test("with the file's quotes, and a name that is special in JavaScript", async () => {
    assert.equal(await set("import { defineSystem } from 'tsos';\nexport default defineSystem({ config: {} });\n", "x.__proto__", json("it's \"so\"")), `import { defineSystem } from 'tsos';\nexport default defineSystem({ config: { x: { ['__proto__']: 'it\\'s "so"' } } });\n`);
  });
  test("with the quotes that are there, or that most strings have", async () => {
    assert.equal(await set(system("{ config: { a: 'x', b: 'y' } }"), "a", json("z")), system("{ config: { a: 'z', b: 'y' } }"));
    assert.equal(await set(system("{ config: { a: 'x', b: 'y' } }"), "c", json("z")), system("{ config: { a: 'x', b: 'y', c: 'z' } }"));
    assert.equal(await set(system("{ config: { a: `x` } }"), "a", json("z")), system('{ config: { a: "z" } }'));
  });
  test("that is a list or an object, of which what stays is left as it is written", async () => {
    const list = (...words: readonly string[]): ValueSource => ({ kind: "list", items: words.map(json) });
    const before = system('{ config: {\n  words: [\n    "a", // first\n    // about b\n    "b",\n    \'c\',\n  ],\n} }');
    assert.equal(await set(before, "words", list("a", "b", "x", "c")), before.replace("    'c',\n", "    \"x\",\n    'c',\n"));
    assert.equal(await set(before, "words", list("a", "c")), before.replace('    "b",\n', ""));
    assert.equal(await set(before, "words", list("a", "d", "c")), before.replace('"b"', '"d"'));
    assert.equal(await set(before, "words", list("a", "b", "c")), before);
    const object = system('{ config: { env: { A: "1", /* two */ B: "2" } } }');
    assert.equal(await set(object, "env", { kind: "object", entries: [["B", json("3")], ["C", json("4")], ["A", json("1")]] }), object.replace('B: "2"', 'B: "3", C: "4"'));
    await refused(object, (text) => set(text, "env", json("x")), /a comment in this value would be lost/, '{ A: "1"');
  });
  test("in a file with tabs, no last line end, `satisfies`, and values that come from elsewhere", async () => {
    const text = 'import { defineSystem } from "tsos";\r\nimport { name } from "./name.ts";\r\nexport default defineSystem(({ pkgs }) => ({\r\n\tnetworking: { hostName: name } satisfies object,\r\n\ttime: ({ timeZone: `UTC` }),\r\n\tboot: name === "x" ? {} : { kernel: {} },\r\n}))';
    assert.equal(await set(text, "time.timeZone", json("CET")), text.replace("`UTC`", '"CET"'));
    assert.equal(await set(text, "networking.domain", json("x")), text.replace("hostName: name }", 'hostName: name, domain: "x" }'));
    assert.equal(await set(text, "i18n.locale", json("x")), text.replace("},\r\n}))", '},\r\n\ti18n: { locale: "x" },\r\n}))'));
    await refused(text, (before) => set(before, "networking.hostName", json("b")), /"networking.hostName" is computed here/, "name }");
    await refused(text, (before) => set(before, "boot.kernel.x", json("b")), /"boot" is computed here/, "name === ");
  });
  test("inside a priority, which stays", async () => {
    assert.equal(await set(system('({ lib }) => ({ networking: lib.mkDefault({ hostName: lib.mkForce("a") }) })'), "networking.hostName", json("b")), system('({ lib }) => ({ networking: lib.mkDefault({ hostName: lib.mkForce("b") }) })'));
  });
  test("or refuses what is computed, with its place", async () => {
    await refused(system("({ pkgs }) => ({ networking: { hostName: name } })"), (text) => set(text, "networking.hostName", json("b")), /"networking.hostName" is computed here/, "name }");
    await refused(system("({ pkgs }) => ({ networking: net() })"), (text) => set(text, "networking.hostName", json("b")), /"networking" is computed here/, "net()");
    await refused(system("({ pkgs }) => ({ a: [1, ...b] })"), (text) => set(text, "a", { kind: "list", items: [] }), /"a" is computed/, "...b");
    await refused(system("({ pkgs }) => ({ a: `x${b}` })"), (text) => set(text, "a", json("c")), /"a" is computed/, "`x${b}`");
  });
});

describe("edits a configuration of Nix modules", () => {
  const nixos = (before: string, modules: string): string => `import { defineNixosSystem, nixFile } from "tsos";\n\n${before}export default defineNixosSystem({ nixpkgs: inputs.nixpkgs, modules: [${modules}] });\n`;
  test("in the module that defines the option, or the most of the way to it", async () => {
    const text = nixos("const web = { services: { nginx: { enable: true } } };\n", '{ networking: { hostName: "a" } }, web');
    assert.equal(await set(text, "networking.hostName", json("b")), text.replace('"a"', '"b"'));
    assert.equal(await set(text, "services.nginx.user", json("web")), text.replace("enable: true }", 'enable: true, user: "web" }'));
    assert.equal(await set(text, "time.timeZone", json("UTC")), text.replace('"a" } }', '"a" }, time: { timeZone: "UTC" } }'));
  });
  test("inside of a module's config, whose whole takes pkgs", async () => {
    const text = nixos("", "{ imports: [], config: { networking: {} } }");
    assert.equal(await set(text, "networking.hostName", json("b")), text.replace("networking: {}", 'networking: { hostName: "b" }'));
    assert.equal(await add(text, "git"), nixos("", "({ pkgs }) => ({ imports: [], config: { networking: {}, environment: { systemPackages: [pkgs.git] } } })"));
  });
  test("as a new module where none is written out", async () => {
    const text = nixos("", 'nixFile("./configuration.nix"), { options: {} }');
    assert.equal(await set(text, "networking.hostName", json("b")), text.replace("options: {} }]", 'options: {} }, { networking: { hostName: "b" } }]'));
    assert.equal(await add(text, "git"), text.replace("options: {} }]", "options: {} }, ({ pkgs }) => ({ environment: { systemPackages: [pkgs.git] } })]"));
  });
  test("of a home", async () => {
    const text = 'import { defineHome } from "tsos";\nconst modules = [({ pkgs: p }) => ({ home: { packages: [p.git] } })];\nexport default defineHome({ nixpkgs, homeManager, modules });\n';
    assert.equal(await add(text, "jq"), text.replace("[p.git]", "[p.git, p.jq]"));
    assert.equal(await remove(text, "git"), text.replace("[p.git]", "[]"));
  });
  test("or refuses a list of modules that is computed", async () => {
    await refused(nixos("", "").replace("[]", "all()"), (text) => set(text, "a.b", json(1)), /the list of modules is computed here/, "all()");
  });
});

describe("reads a value by the option's type", () => {
  const parse = (type: Parameters<typeof parseValue>[0], text: string): unknown => parseValue(type, text, ["a"]);
  const expected = (type: Parameters<typeof parseValue>[0], text: string, message: RegExp): void => assert.throws(() => parse(type, text), message);

  test("booleans, numbers, texts, enums, null", () => {
    assert.deepEqual(parse(types.bool, "true"), json(true));
    assert.deepEqual(parse(types.port, "80"), json(80));
    assert.deepEqual(parse(types.str, "80"), json("80"));
    assert.deepEqual(parse(types.str, '"quoted"'), json('"quoted"'));
    assert.deepEqual(parse(types.either(types.int, types.str), "80"), json(80));
    assert.deepEqual(parse(types.enum(["a", "b"]), "b"), json("b"));
    assert.deepEqual(parse(types.nullOr(types.str), "null"), json(null));
    assert.deepEqual(parse(types.nullOr(types.bool), "false"), json(false));
  });
  test("lists and objects as JSON, packages, paths", () => {
    assert.deepEqual(parse(types.listOf(types.port), "[80, 443]"), { kind: "list", items: [json(80), json(443)] });
    assert.deepEqual(parse(types.attrsOf(types.str), '{"a": "b"}'), { kind: "object", entries: [["a", json("b")]] });
    assert.deepEqual(parse(types.package, "pkgs.git"), { kind: "package", name: "git" });
    assert.deepEqual(parse(types.listOf(types.package), '["pkgs.git"]'), { kind: "list", items: [{ kind: "package", name: "git" }] });
    assert.deepEqual(parse(types.nullOr(types.oneOf([types.str, types.package])), "pkgs.git"), { kind: "package", name: "git" });
    assert.deepEqual(parse(types.str, "pkgs.git"), json("pkgs.git"));
    assert.deepEqual(parse(types.path, "./site"), { kind: "path", path: "./site" });
    assert.deepEqual(parse(types.path, "/srv"), json("/srv"));
  });
  test("and says what is expected of a wrong one", () => {
    expected(types.bool, "maybe", /the option "a" must be a boolean, got "maybe"/);
    expected(types.port, "65536", /must be a 16 bit unsigned integer.*got "65536"/);
    expected(types.enum(["start", "stop"]), "strat", /must be one of "start", "stop", got "strat"/);
    expected(types.listOf(types.int), '["x"]', /must be a list of integer/);
    expected(types.package, "git", /must be a package/);
    const hint = (type: Parameters<typeof parseValue>[0], text: string): string | undefined => {
      try {
        parse(type, text);
      } catch (error) {
        return error instanceof TsosError ? error.hint : undefined;
      }
      return undefined;
    };
    assert.match(hint(types.listOf(types.package), "git") ?? "", /'\["pkgs\.git", "pkgs\.jq"\]'/);
    assert.match(hint(types.listOf(types.port), "x") ?? "", /'\[80, 443\]'/);
    assert.match(hint(types.listOf(types.str), "[x]") ?? "", /'\["a", "b"\]'/);
    assert.match(hint(types.listOf(types.submodule({ options: {} })), "x") ?? "", /'\[\{"name": "value"\}\]'/);
    expected(types.path, "srv", /must be an absolute path/);
  });
});

describe("on the command line", () => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-edit-"));
  const project = join(folder, "project");
  const file = join(project, "shell.config.ts");
  const original = shell("({ pkgs }) => ({\n  packages: [pkgs.git], // tools\n})");
  const tsos = (...args: readonly string[]): Promise<TsosResult> => runTsos(args, { cwd: project, stateFolder: join(folder, "own") });

  before(() => {
    mkdirSync(project);
    writeFileSync(join(folder, "real.ts"), original);
    chmodSync(join(folder, "real.ts"), 0o640);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("a package is added to the file, whose mode stays", async () => {
    writeFileSync(file, original);
    chmodSync(file, 0o640);
    const { code, stdout, stderr } = await tsos("add", "jq", "--json");
    assert.equal(code, 0, stderr);
    const { version, changed, packages } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual({ version, changed, packages }, { version: 1, changed: true, packages: ["jq"] });
    assert.equal(readFileSync(file, "utf8"), original.replace("[pkgs.git]", "[pkgs.git, pkgs.jq]"));
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(project), ["shell.config.ts"]);
  });

  test("a package that is not there is no change", async () => {
    writeFileSync(file, original);
    const { code, stderr } = await tsos("add", "jqq");
    assert.equal(code, 1);
    assert.match(stderr, /there is no package "jqq"\n.*did you mean "jq"\?/);
    assert.equal(readFileSync(file, "utf8"), original);
  });

  test("what would not be sound is refused, with what the file would read", async () => {
    const broken = original.replace("packages", "pakages");
    writeFileSync(file, broken);
    const { code, stderr } = await tsos("set", "name", "other");
    assert.equal(code, 1);
    assert.match(stderr, /would not be sound with this change[\s\S]*caused by: .*pakages[\s\S]*the file would read/);
    assert.ok(!stderr.includes(".tsos-edit"), stderr);
    assert.equal(readFileSync(file, "utf8"), broken);
    assert.deepEqual(readdirSync(project), ["shell.config.ts"]);
  });

  test("a value of another type is refused before anything is tried", async () => {
    writeFileSync(file, original);
    const { code, stderr } = await tsos("set", "packages", "git");
    assert.equal(code, 1);
    assert.match(stderr, /the option "packages" must be a list of package, got "git"/);
    const missing = await tsos("set", "packages");
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /"tsos set packages" needs a value/);
  });

  test("a link to the file stays a link", async () => {
    rmSync(file);
    symlinkSync("../real.ts", file);
    const { code, stderr } = await tsos("set", "env.EDITOR", "--", "-vi");
    assert.equal(code, 0, stderr);
    assert.match(readFileSync(join(folder, "real.ts"), "utf8"), /env: \{ EDITOR: "-vi" \}/);
    assert.ok(existsSync(file));
  });
});
