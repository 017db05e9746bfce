import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { ts } from "@ts-morph/common";
import { formatDeclarations } from "../../../../core/config/declarations/format-declarations.ts";
import { cachingHost, sourceOptions } from "../../../../core/config/declarations/generate-declarations.ts";
import type { OptionInterface } from "../../../../core/config/declarations/option-interface.ts";
import { createOptionTreeReader } from "../../../../core/config/declarations/read-option-tree.ts";

const installation = resolve(import.meta.dirname, "../../../..");
const outFolder = join(installation, "test", "declared-options");
const options = sourceOptions({ installation, entry: join(installation, "cli/tsos.d.ts"), outFolder });
const host = cachingHost(options);
const program = ts.createProgram({ rootNames: [join(installation, "cli/tsos.d.ts")], options, host });
const reader = createOptionTreeReader(program, join(installation, "core/option/registry.ts"));
const trees = [
  { config: "Config", definitions: "Definitions", root: reader.read("OptionModules", "SystemOptions"), file: join(outFolder, "system.d.ts") },
  { config: "ShellConfig", definitions: "ShellDefinitions", root: reader.read("ShellOptionModules", "ShellOptions"), file: join(outFolder, "shell.d.ts") },
];
// Beside the sources, so that both sides of a comparison speak of the same packages.
const texts = new Map(trees.flatMap(({ root, file }) => [...formatDeclarations({ root, file, declarationOf: (source) => source })]));

function pathsOf(tree: OptionInterface): readonly (readonly string[])[] {
  return tree.members.flatMap((member) => (member.kind === "option" ? [[...tree.path, member.name]] : pathsOf(member.inner)));
}

function typeCheck(text: string): readonly string[] {
  const file = join(outFolder, "comparison.ts");
  const files = new Map([...texts, [file, text]]);
  const checked = ts.createProgram({
    rootNames: [join(installation, "cli/tsos.d.ts"), file],
    options: { ...options, declaration: false, declarationMap: false, emitDeclarationOnly: false, stripInternal: false, noEmit: true, skipLibCheck: false },
    host: {
      ...host,
      fileExists: (name) => files.has(name) || host.fileExists(name),
      readFile: (name) => files.get(name) ?? host.readFile(name),
      directoryExists: (name) => name === outFolder || [...files.keys()].some((path) => path.startsWith(`${name}/`)) || (host.directoryExists?.(name) ?? true),
      getSourceFile: (name, version) => (files.has(name) ? ts.createSourceFile(name, files.get(name)!, version) : host.getSourceFile(name, version)),
    },
  });
  // The declarations themselves too, which skipLibCheck leaves out of other programs.
  return [file, ...texts.keys()].filter((name) => name.endsWith(".ts")).flatMap((name) => {
    const source = checked.getSourceFile(name);
    assert.ok(source !== undefined, name);
    return [...checked.getSyntacticDiagnostics(source), ...checked.getSemanticDiagnostics(source)].map(({ messageText, start, file }) => {
      const line = file!.text.slice(0, start).split("\n").length - 1;
      return `${file!.text.split("\n")[line]}\n  ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  });
}

const header = `
import type { Config, Definitions, ShellConfig, ShellDefinitions, ConfigOf, DefinitionsOf } from "../../core/index.ts";
import type { SystemOptions } from "./system.d.ts";
import type { ShellOptions } from "./shell.d.ts";
type Mutual<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
function mutual<A, B>(_equal: Mutual<A, B>): void {}
`;

test("every option's declared types are the ones that are inferred of its module", () => {
  const lines = trees.flatMap(({ root, config, definitions }) =>
    pathsOf(root).flatMap((path) => {
      const keys = path.map((name) => `[${JSON.stringify(name)}]`);
      const branch = (type: string): string => keys.slice(0, -1).reduce((around, key) => `Exclude<NonNullable<${around}${key}>, import("../../core/option/modifier.ts").Modified<unknown>>`, type) + keys.at(-1)!;
      return [
        `mutual<ConfigOf<${root.name}>${keys.join("")}, ${config}${keys.join("")}>(true);`,
        `mutual<${branch(`DefinitionsOf<${root.name}>`)}, ${branch(definitions)}>(true);`,
      ];
    }),
  );
  assert.ok(lines.length > 200, `${lines.length} comparisons`);
  assert.deepEqual(typeCheck(header + lines.join("\n")), []);
});

test("the comparison finds a type that is another", () => {
  assert.equal(typeCheck(`${header}mutual<ConfigOf<SystemOptions>["networking"]["hostName"], Config["time"]["timeZone"]>(true);`).length, 1);
});

test("a declaration has the description, the default and the example of its option, and leads to its place", () => {
  const { root } = trees[0]!;
  const find = (tree: OptionInterface, [name, ...rest]: readonly string[]): OptionInterface["members"][number] => {
    const member = tree.members.find((candidate) => candidate.name === name);
    assert.ok(member !== undefined);
    return rest.length === 0 ? member : find(member.kind === "branch" ? member.inner : member.inner[0]!, rest);
  };
  const member = find(root, ["services", "nginx", "virtualHosts", "root"]);
  assert.deepEqual(member.documentation, ["The folder that requests are answered from.", "@default null", '@example "/var/www"']);
  assert.ok(member.place?.file.endsWith("modules/services/web-servers/nginx.ts"));
  const source = ts.sys.readFile(member.place!.file)!.split("\n")[member.place!.line]!;
  assert.ok(source.slice(member.place!.column).startsWith("root: option("), source);
});
