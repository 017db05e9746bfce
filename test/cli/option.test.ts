import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { rankMatches } from "../../cli/rank-matches.ts";
import { declareTree, describeTree, ModuleTable } from "../../cli/runtime/describe-options.ts";
import type { OptionNode } from "../../core/option/option-node.ts";
import { formatOptionPath } from "../../core/option/option-path.ts";
import type { OptionType } from "../../core/option/option-type.ts";
import { evaluateModules } from "../../core/option/evaluate-modules.ts";
import { createModule } from "../../core/option/module.ts";
import { option } from "../../core/option/option.ts";
import { types } from "../../core/option/types.ts";
import { shellModules } from "../../core/shell/shell-module.ts";
import { systemModules } from "../../modules/index.ts";
import { installation, runTsos, type TsosResult } from "./tsos-process.ts";

describe("every option that is for people", () => {
  for (const [name, modules] of [["system", systemModules], ["shell", shellModules]] as const) {
    const root = declareTree(modules, {});
    const options = describeTree(root, new ModuleTable());

    test(`of a ${name} has a description`, () => {
      assert.ok(options.length >= 5);
      assert.deepEqual(options.filter(({ description }) => description === undefined || description.trim() === "").map(({ path }) => formatOptionPath(path)), []);
    });

    test(`of a ${name} has an example, if any, that its own type accepts`, () => {
      const wrong: string[] = [];
      const examples = [...examplesOf(root, [])];
      assert.ok(examples.length >= 3);
      for (const { path, type, example } of examples) {
        const complaint = rejects(type, example);
        if (complaint !== undefined) wrong.push(`${formatOptionPath(path)}: ${complaint}`);
      }
      assert.deepEqual(wrong, []);
    });

    test(`of a ${name} has a default whose value can be told`, () => {
      assert.deepEqual(options.filter((one) => one.default !== undefined && "text" in one.default && one.default.text === "computed").map(({ path }) => formatOptionPath(path)), []);
    });
  }
});

function* examplesOf(node: OptionNode, path: readonly string[]): Generator<{ readonly path: readonly string[]; readonly type: OptionType; readonly example: unknown }> {
  for (const [name, child] of node.children ?? []) {
    if (name === "_module") continue;
    const inner = [...path, name];
    if (child.declarations === undefined) {
      yield* examplesOf(child, inner);
      continue;
    }
    const { type, attributes } = child.option;
    if (attributes.internal === true) continue;
    if (attributes.example !== undefined) yield { path: inner, type, example: attributes.example };
    if (type.subModules !== undefined && path.length < 12) yield* examplesOf(declareTree(type.subModules, {}), [...inner, "<name>"]);
  }
}

/** Why a tree of this one option does not settle with the example as its definition. */
function rejects(type: OptionType, example: unknown): string | undefined {
  // Examples name packages as the documentation shows them.
  const value = withPackages(type, example);
  try {
    const { config } = evaluateModules<{ readonly it: unknown }>({ modules: [createModule({ options: { it: option(type) }, config: { it: value } }, undefined)] });
    void config.it;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function withPackages(type: OptionType, example: unknown): unknown {
  if (type.name === "package") return typeof example === "string" && example.startsWith("pkgs.") ? { kind: "derivation", type: "derivation", name: example, drvPath: "/d", outPath: "/o" } : example;
  if (type.name === "listOf" && Array.isArray(example)) return example.map((item: unknown) => withPackages(type.nested[0]!, item));
  return example;
}

test("an example of another type is told", () => {
  assert.match(rejects(types.listOf(types.port), [80, 65536]) ?? "", /must be a 16 bit unsigned integer/);
  assert.equal(rejects(types.listOf(types.port), [80]), undefined);
});

test("names rank before descriptions, their beginnings before their middles, short before long", () => {
  const things = ["services.nginx.virtualHosts", "networking.hostName", "host", "networking.hosts", "other"];
  const rank = (...words: string[]): readonly string[] => rankMatches(words, things, (name) => ({ name, description: name === "other" ? "what hosts are" : "" }));
  assert.deepEqual(rank("host"), ["host", "networking.hosts", "networking.hostName", "services.nginx.virtualHosts", "other"]);
  assert.deepEqual(rank("networking", "name"), ["networking.hostName"]);
  assert.deepEqual(rank("NGINX hosts"), ["services.nginx.virtualHosts"]);
  assert.deepEqual(rank("nothing"), []);
});

const CONFIG = `import { defineSystem } from "tsos";
import site from "./site.ts";

export default defineSystem({
  imports: [site],
  config: ({ lib }) => ({
    networking: { hostName: "box", firewall: { allowedTCPPorts: [80] } },
    services: { nginx: { enable: lib.mkForce(true), virtualHosts: { "a.example": { root: "/srv/a" } } } },
    system: { stateVersion: "26.11" },
  }),
});
`;
const SITE = `import { defineModule, defineOptions, option, types } from "tsos";

const options = defineOptions({
  site: {
    /** Its title. */
    title: option(types.str, { default: "none", description: "The title of the site.", example: "Home" }),
  },
});

declare module "tsos" {
  interface OptionModules {
    site: typeof options;
  }
}

export default defineModule({ options, config: { services: { nginx: { enable: false } } } });
`;

const MOVED_NAMES = `import { defineModule, lib } from "tsos";
import site from "./../project/site.ts";
const renamed = lib.mkRenamedOptionModule(["old", "title"], ["site", "title"]);
const gone = lib.mkRemovedOptionModule(["old", "gone"], "use site.title");
declare module "tsos" {
  interface OptionModules {
    "moved/renamed": typeof renamed;
    "moved/gone": typeof gone;
  }
}
export default defineModule({ imports: [site, renamed, gone] });
`;

type Shown = {
  readonly version: number;
  readonly kind: string;
  readonly name: string;
  readonly type: string;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly description: string;
  readonly value: unknown;
  readonly declarations: readonly { readonly module: string; readonly at: { readonly file: string; readonly line: number; readonly column: number } }[];
  readonly definitions: readonly { readonly module: string; readonly at?: { readonly file: string; readonly line: number; readonly column: number }; readonly value: unknown; readonly priority: number; readonly counts: boolean }[];
};

describe("tsos option", () => {
  const folder = mkdtempSync(join(tmpdir(), "tsos-option-"));
  const project = join(folder, "project");
  const empty = join(folder, "empty");
  const tsos = (args: readonly string[], cwd = project): Promise<TsosResult> => runTsos(args, { cwd, stateFolder: join(folder, "own") });
  const show = async (path: string): Promise<Shown> => {
    const { stdout, stderr } = await tsos(["option", "show", path, "--json"]);
    assert.ok(stdout.startsWith("{"), stderr);
    return JSON.parse(stdout) as Shown;
  };
  const placesOf = ({ definitions }: Shown): readonly string[] => definitions.flatMap(({ at, priority, counts }) => (at === undefined ? [] : [`${at.file.slice(at.file.lastIndexOf("/") + 1)}:${at.line}:${at.column} ${priority}${counts ? "" : " replaced"}`]));

  before(() => {
    mkdirSync(project);
    mkdirSync(empty);
    writeFileSync(join(project, "system.config.ts"), CONFIG);
    writeFileSync(join(project, "site.ts"), SITE);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test("shows type, default, description, where it is declared, every definition with priority and place, and the value", async () => {
    const shown = await show("services.nginx.enable");
    assert.deepEqual({ ...shown, declarations: 0, definitions: 0 }, { version: 1, kind: "option", name: "services.nginx.enable", path: ["services", "nginx", "enable"], type: "boolean", typescript: "boolean", description: shown.description, default: { value: false }, readOnly: false, internal: false, relatedPackages: [], declarations: 0, definitions: 0, value: true });
    assert.deepEqual(placesOf(shown), ["site.ts:16:71 100 replaced", "system.config.ts:8:26 50"]);
    const { at } = shown.declarations[0]!;
    assert.equal(at.file, join(installation, "modules/services/web-servers/nginx.ts"));
    assert.match(readFileSync(at.file, "utf8").split("\n")[at.line - 1]!.slice(at.column - 1), /^enable: option\(/);
  });

  test("shows an option of a submodule, by the name that stands there and by <name>", async () => {
    const path = 'services.nginx.virtualHosts."a.example".root';
    const shown = await show(path);
    assert.equal(shown.value, "/srv/a");
    assert.deepEqual(placesOf(shown), ["system.config.ts:8:84 100"]);
    const any = await show("services.nginx.virtualHosts.<name>.root");
    assert.equal(any.type, shown.type);
    assert.deepEqual(any.declarations, shown.declarations);
    assert.deepEqual(any.definitions, []);
  });

  test("shows an option of the project's own module", async () => {
    const shown = await show("site.title");
    assert.equal(shown.value, "none");
    assert.deepEqual(shown.declarations.map(({ at }) => at), [{ file: join(project, "site.ts"), line: 6, column: 5 }]);
  });

  test("an old name is declared by the module that says what it became, and type-checks", async () => {
    const moved = join(folder, "moved");
    mkdirSync(moved);
    writeFileSync(join(moved, "tsconfig.json"), JSON.stringify({ compilerOptions: { strict: true, noEmit: true, module: "esnext", moduleResolution: "bundler", target: "es2023", allowImportingTsExtensions: true, skipLibCheck: true, types: [], paths: { tsos: [join(installation, "dist/types/tsos.d.ts")] } }, include: ["*.ts"] }));
    writeFileSync(join(moved, "names.ts"), MOVED_NAMES);
    writeFileSync(join(moved, "system.config.ts"), 'import { defineSystem } from "tsos";\nimport names from "./names.ts";\nexport default defineSystem({ imports: [names], config: { old: { title: "x" }, system: { stateVersion: "26.11" } } });\n');
    const shown = JSON.parse((await tsos(["option", "show", "old.title", "--json"], moved)).stdout) as Shown;
    assert.deepEqual(shown.declarations.map(({ at }) => at), [{ file: join(moved, "names.ts"), line: 3, column: 21 }]);
    assert.deepEqual([shown.value, placesOf(shown)], ["x", ["system.config.ts:3:66 100"]]);
    const sound = await tsos(["check"], moved);
    assert.deepEqual([sound.code, /"old\.title" \(system\.config\.ts:3:66\) has been renamed to "site\.title"/.test(sound.stderr)], [0, true], sound.stderr);
    writeFileSync(join(moved, "system.config.ts"), 'import { defineSystem } from "tsos";\nimport names from "./names.ts";\nexport default defineSystem({ imports: [names], config: { old: { gone: true }, system: { stateVersion: "26.11" } } });\n');
    const gone = await tsos(["check"], moved);
    assert.equal(gone.code, 1);
    assert.match(gone.stderr, /has been removed: use site\.title\n +system\.config\.ts:3:66/);
  });

  test("names the nearest option for one that does not exist", async () => {
    const { code, stdout, stderr } = await tsos(["option", "show", "services.ngnix.enable"]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /the option "services.ngnix.enable" does not exist\n.*did you mean "services.nginx.enable"\?/);
  });

  test("shows an option of a shell, and of tsos alone where there is no configuration", async () => {
    const shell = join(folder, "shell");
    mkdirSync(shell);
    writeFileSync(join(shell, "shell.config.ts"), 'import { defineShell } from "tsos";\nexport default defineShell({ config: { env: { A: 1 } } });\n');
    const shown = JSON.parse((await tsos(["option", "show", "env.A", "--json"], shell)).stdout) as Shown;
    assert.equal(shown.value, 1);
    assert.deepEqual(placesOf(shown), ["shell.config.ts:2:47 100"]);
    const { at } = shown.declarations[0]!;
    assert.match(readFileSync(at.file, "utf8").split("\n")[at.line - 1]!.slice(at.column - 1), /^env: option\(/);
    const alone = JSON.parse((await tsos(["option", "show", "networking.firewall.enable", "--json"], empty)).stdout) as Shown;
    assert.deepEqual([alone.default, alone.value, alone.definitions], [{ value: true }, undefined, []]);
    assert.deepEqual(alone.declarations.map(({ module }) => module), [join(installation, "modules/services/networking/firewall.ts")]);
  });

  test("lists a branch, and prints for people", async () => {
    const { code, stdout } = await tsos(["option", "show", "time"]);
    assert.equal(code, 0);
    assert.match(stdout, /^time {2}1 option\n\ntime\.timeZone {2}null or /);
    const one = await tsos(["option", "show", "services.nginx.enable"]);
    assert.match(one.stdout, /^type +boolean$/m);
    assert.match(one.stdout, /^ {2}system\.config\.ts:8:26 {2}mkForce \(50\)\n {4}true$/m);
  });

  test("searches names and descriptions, the project's and submodules' too", async () => {
    const search = async (words: readonly string[], cwd = project): Promise<readonly string[]> => {
      const { stdout, stderr } = await tsos(["option", "search", ...words, "--json"], cwd);
      assert.ok(stdout.startsWith("{"), stderr);
      const { version, options } = JSON.parse(stdout) as { readonly version: number; readonly options: readonly { readonly name: string }[] };
      assert.equal(version, 1);
      return options.map(({ name }) => name);
    };
    assert.equal((await search(["site"]))[0], "site.title");
    assert.equal((await search(["virtualHosts", "root"]))[0], "services.nginx.virtualHosts.<name>.root");
    assert.ok(!(await search(["site"], empty)).includes("site.title"));
    assert.equal((await search(["hostname"], empty))[0], "networking.hostName");
  });

  test("still tells what there is where the configuration is wrong, tells what is wrong, and fails", async () => {
    const broken = join(folder, "broken");
    mkdirSync(broken);
    writeFileSync(join(broken, "system.config.ts"), 'import { defineSystem } from "tsos";\nexport default defineSystem({ config: { nothing: { like: "this" } } as object });\n');
    const { code, stdout, stderr } = await tsos(["option", "show", "time.timeZone", "--json"], broken);
    const shown = JSON.parse(stdout) as { readonly name: string; readonly value: unknown; readonly errors: readonly { readonly code: string; readonly at: { readonly line: number } }[] };
    assert.deepEqual([code, shown.name, shown.value, shown.errors.map((error) => [error.code, error.at.line])], [1, "time.timeZone", null, [["option.unknown", 2], ["option.not-defined", 2]]], stderr);
    assert.match(stderr, /"nothing" does not exist\n +system\.config\.ts:2:/);

    writeFileSync(join(broken, "system.config.ts"), 'import { defineSystem } from "tsos";\nexport default defineSystem(() => ({ networking: { hostName: "a", domain: 4 as never }, system: { stateVersion: "26.11" } }));\n');
    const name = await tsos(["option", "show", "networking.hostName"], broken);
    assert.equal(name.code, 1);
    assert.match(name.stdout, /value +"a"\n/);
    assert.match(name.stderr, /^error: the option "networking\.domain" must be/);
    const domain = await tsos(["option", "show", "networking.domain"], broken);
    assert.match(domain.stdout, /value +none: there is an error, see below\n\ndefinitions\n(?:.*\n.*\n)? +system\.config\.ts:2:\d+ +plain \(100\)\n +4\n/);
  });

  test("documents all options in Markdown and JSON, the same at any place", async () => {
    const markdown = (await tsos(["option", "docs"], empty)).stdout;
    const again = (await runTsos(["option", "docs", "--format", "markdown"], { cwd: folder, stateFolder: join(folder, "other") })).stdout;
    assert.equal(markdown, again);
    assert.match(markdown, /^## `services\.nginx\.virtualHosts\.<name>\.root`\n\n.+\n\n- Type: null or absolute path\n- Default: `null`\n/m);
    assert.ok(!markdown.includes(installation) && !markdown.includes("_module") && !markdown.includes("## `assertions`"));
    const { version, options } = JSON.parse((await tsos(["option", "docs", "--format", "json"], empty)).stdout) as { readonly version: number; readonly options: readonly { readonly name: string; readonly declaredIn: readonly string[] }[] };
    assert.equal(version, 1);
    assert.deepEqual(options.map(({ name }) => name), options.map(({ name }) => name).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    assert.equal(markdown.match(/^## /gm)?.length, options.length);
    for (const { name, declaredIn } of options) assert.ok(declaredIn.length > 0 && declaredIn.every((file) => existsSync(join(installation, file))), `${name}: ${declaredIn.join()}`);
  });
});
