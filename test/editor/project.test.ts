import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { installation, runTsos } from "../cli/tsos-process.ts";
import { writeProject } from "../core/config/trial.ts";
import { openEditorProject } from "./editor-project.ts";
import { marked } from "./editor-server.ts";

const { folder, server, project, file, tsos } = openEditorProject();

const GREETING = `import { definePackage, type Package } from "tsos";

export default definePackage({
  pname: "greeting",
  version: "1.0",
  description: "a text",
  build: ({ writeText }) => writeText("greeting", "hello"),
});

declare module "tsos" {
  interface Packages {
    /** A text that greets. */
    readonly greeting: Package;
  }
}
`;
const GREETER = `import { defineModule, defineOptions, option, types } from "tsos";
import greeting from "../packages/greeting.ts";

const options = defineOptions({
  services: {
    greeter: {
      /** Whether to greet. */
      enable: option(types.bool, { default: false, description: "Whether to greet." }),
      package: option(types.package, { default: ({ pkgs }) => pkgs.greeting, defaultText: "pkgs.greeting" }),
      guests: option(types.attrsOf(types.submodule({ options: { title: option(types.nullOr(types.str), { default: null }) } })), { default: {} }),
    },
  },
});

declare module "tsos" {
  interface OptionModules {
    greeter: typeof options;
  }
}

export default defineModule({
  options,
  overlays: [() => ({ greeting })],
  config: ({ config, lib }) => lib.mkIf(config.services.greeter.enable, {
    environment: { etc: { greeting: { source: config.services.greeter.package } } },
  }),
});
`;
const SYSTEM = `import { defineSystem } from "tsos";
import greeter from "./modules/greeter.ts";

export default defineSystem({
  imports: [greeter],
  config: ({ config, pkgs, lib }) => ({
    services: {
      greeter: { enable: true, guests: { ann: { title: "Dr" } } },
      nginx: { enable: true, virtualHosts: { localhost: { root: "/srv" } } },
    },
    environment: { systemPackages: [pkgs.git], etc: { copy: { source: pkgs.greeting } } },
    networking: { hostName: config.services.greeter.guests["ann"]?.title ?? "nobody" },
    system: { stateVersion: "26.11" },
  }),
});
`;

before(async () => {
  const made = await runTsos(["init", "server", "--dir", project], { cwd: folder.path, stateFolder: join(folder.path, "state") });
  assert.equal(made.code, 0, made.stderr);
  writeProject(project, { "packages/greeting.ts": GREETING, "modules/greeter.ts": GREETER, "system.config.ts": SYSTEM });
  await server.show(file);
});

/** Asks at the mark \`|\` of what replaces \`search\` in the configuration. */
async function at(search: string, replacement: string): Promise<number> {
  assert.ok(SYSTEM.includes(search), search);
  const { text, position } = marked(SYSTEM.replace(search, replacement));
  await server.show(file, text);
  return position;
}
const names = async (search: string, replacement: string): Promise<readonly string[]> => (await server.completions(file, await at(search, replacement))).map((entry) => entry.name);
const includes = (found: readonly string[], wanted: readonly string[]): void => assert.deepEqual(wanted.filter((name) => !found.includes(name)), []);

test("a new project with a module and a package of its own has no errors, in the editor and for tsos check", async () => {
  for (const name of ["system.config.ts", "modules/greeter.ts", "packages/greeting.ts"]) {
    await server.show(join(project, name), readFileSync(join(project, name), "utf8"));
    assert.deepEqual(await server.diagnostics(join(project, name)), [], name);
  }
  const checked = await tsos("check");
  assert.equal(checked.code, 0, checked.stderr);
});

test("hover shows an option's type, description, default and example, where it is read and where it is defined", async () => {
  const written = await server.hover(file, await at('root: "/srv"', 'ro|ot: "/srv"'));
  assert.match(written?.displayString ?? "", /root\?: Definable<string \| Package \| null>/);
  const read = await server.hover(file, await at('config.services.greeter.guests["ann"]?.title', 'config.services.nginx.virtualHosts["x"]?.ro|ot'));
  assert.match(read?.displayString ?? "", /root: string \| null/);
  for (const hover of [written, read]) {
    assert.equal(hover?.documentation, "The folder that requests are answered from.");
    assert.deepEqual(hover.tags, [{ name: "default", text: "null" }, { name: "example", text: '"/var/www"' }]);
  }
  const elsewhere = [
    '({ lib }) => ({ services: { nginx: lib.mkIf(true, { virtualHosts: { x: { ro|ot: "/srv" } } }) } })',
    '({ lib }) => lib.mkMerge([lib.mkIf(true, { services: { nginx: { virtualHosts: { x: lib.mkForce({ ro|ot: "/srv" }) } } } })])',
    '() => ({ services: { nginx: { virtualHosts: { x: ({ config }) => ({ ro|ot: "/srv" }) } } } })',
    '({ config }) => { if (config.services.nginx.enable) return {}; return { services: { nginx: { virtualHosts: { x: { ro|ot: "/srv" } } } } }; }',
  ];
  for (const config of elsewhere) {
    const hover = await server.hover(file, await at(SYSTEM.slice(SYSTEM.indexOf("({ config, pkgs, lib })"), SYSTEM.lastIndexOf(",\n});")), config));
    assert.equal(hover?.documentation, "The folder that requests are answered from.", config);
    assert.deepEqual(hover.tags, [{ name: "default", text: "null" }, { name: "example", text: '"/var/www"' }], config);
  }
  const own = await server.hover(file, await at("greeter: { enable: true", "greeter: { en|able: true"));
  assert.equal(own?.documentation, "Whether to greet.");
  assert.equal((await server.hover(file, await at("pkgs.greeting", "pkgs.gree|ting")))?.documentation, "A text that greets.");
});

test("go to definition leads to the module that declares the option", async () => {
  const definitionsAt = async (search: string, replacement: string): Promise<string> => {
    const [definition] = await server.definitions(file, await at(search, replacement));
    assert.ok(definition !== undefined, replacement);
    const line = readFileSync(definition.file, "utf8").split("\n")[definition.start.line - 1]!;
    return `${definition.file}: ${line.slice(definition.start.offset - 1, definition.start.offset + 12)}`;
  };
  assert.equal(await definitionsAt('root: "/srv"', 'ro|ot: "/srv"'), `${installation}/modules/services/web-servers/nginx.ts: root: option(`);
  assert.equal(await definitionsAt('config.services.greeter.guests["ann"]?.title', "config.services.nginx.en|able ? config.networking.domain"), `${installation}/modules/services/web-servers/nginx.ts: enable: optio`);
  assert.equal(await definitionsAt('ann: { title: "Dr"', 'ann: { ti|tle: "Dr"'), `${project}/modules/greeter.ts: title: option`);
  assert.equal(await definitionsAt('nginx: { enable: true, virtualHosts: { localhost: { root: "/srv" } } }', 'nginx: lib.mkIf(true, lib.mkForce({ virtualHosts: { localhost: { ro|ot: "/srv" } } }))'), `${installation}/modules/services/web-servers/nginx.ts: root: option(`);
});

test("go to definition of a package leads to its own file", async () => {
  const definitionOf = async (replacement: string): Promise<string> => {
    const [definition] = await server.definitions(file, await at("pkgs.git", replacement));
    assert.ok(definition !== undefined, replacement);
    return `${definition.file}: ${readFileSync(definition.file, "utf8").split("\n")[definition.start.line - 1]!.slice(definition.start.offset - 1)}`;
  };
  assert.equal(await definitionOf("pkgs.gi|t"), `${installation}/pkgs/by-name/gi/git/package.ts: export default defineSeedPackage({`);
  assert.match(await definitionOf('pkgs["util-li|nux"]'), /pkgs\/by-name\/ut\/util-linux\/package\.ts: export default/);
  assert.match(await definitionOf("pkgs.gree|ting"), /project\/packages\/greeting\.ts: greeting: Package;/);
});

const COMPLETIONS: readonly (readonly [where: string, config: string, wanted: readonly string[]])[] = [
  ["at the top of a function", "({ config, lib }) => ({ | })", ["services", "networking", "environment"]],
  ["below a prefix, a project's own module included", "() => ({ services: { | } })", ["nginx", "postgresql", "greeter"]],
  ["inside a submodule", "() => ({ services: { nginx: { virtualHosts: { x: { ro| } } } } })", ["root", "locations", "forceSSL"]],
  ["beside what is there", '() => ({ services: { nginx: { virtualHosts: { x: { root: "/x", | } } } } })', ["locations", "forceSSL"]],
  ["in a submodule of a submodule", '() => ({ services: { nginx: { virtualHosts: { x: { locations: { "/": { | } } } } } } })', ["proxyPass", "tryFiles"]],
  ["in a submodule's function", "() => ({ services: { nginx: { virtualHosts: { x: ({ config }) => ({ | }) } } } })", ["root", "locations"]],
  ["in a list", "() => ({ services: { postgresql: { ensureUsers: [{ | }] } } })", ["name", "ensureDBOwnership"]],
  ["in a returned object", "({ config }) => { if (config.services.nginx.enable) return {}; return { services: { nginx: { | } } }; }", ["enable", "virtualHosts"]],
  ["in mkIf around all", "({ config, lib }) => lib.mkIf(config.services.nginx.enable, { services: { nginx: { | } } })", ["enable", "virtualHosts"]],
  ["in mkIf inside", "({ lib }) => ({ services: { nginx: lib.mkIf(true, { virtualHosts: { x: { | } } }) } })", ["root", "locations"]],
  ["in mkMerge around all", "({ lib }) => lib.mkMerge([{ services: { nginx: { | } } }])", ["enable", "virtualHosts"]],
  ["in mkMerge inside", "({ lib }) => ({ services: lib.mkMerge([{}, { nginx: { | } }]) })", ["enable", "virtualHosts"]],
  ["in mkForce", "({ lib }) => ({ services: { nginx: lib.mkForce({ virtualHosts: { x: { | } } }) } })", ["root", "locations"]],
  ["in mkIf of mkMerge", "({ lib }) => lib.mkMerge([lib.mkIf(true, { services: { nginx: { | } } })])", ["enable", "virtualHosts"]],
  ["in a plain object", "{ services: { nginx: { | } } }", ["enable", "virtualHosts"]],
  ["in a plain object behind a typed letter", "{ services: { nginx: { en| } } }", ["enable", "enableReload"]],
  ["at the top of a plain object", "{ se| }", ["services", "security"]],
  ["in a submodule of a plain object", "{ services: { nginx: { virtualHosts: { x: { ro| } } } } }", ["root", "locations"]],
  ["in a submodule's function in a plain object", "{ services: { nginx: { virtualHosts: { x: ({ name }) => ({ ro| }) } } } }", ["root", "locations"]],
  ["beside another property of a plain object", '{ networking: { hostName: "x" }, services: { nginx: { | } } }', ["enable", "virtualHosts"]],
  ["of an enum's values", '() => ({ services: { openssh: { settings: { PermitRootLogin: "|" } } } })', ["prohibit-password", "no"]],
  ["of an enum's values in mkForce", '({ lib }) => ({ services: { openssh: { settings: { PermitRootLogin: lib.mkForce("|") } } } })', ["prohibit-password", "no"]],
  ["of an enum's values in mkDefault", '({ lib }) => ({ services: { openssh: { settings: { PermitRootLogin: lib.mkDefault("|") } } } })', ["prohibit-password", "no"]],
  ["of an enum's values in mkForce of mkIf", '({ lib }) => ({ services: { openssh: { settings: { PermitRootLogin: lib.mkIf(true, lib.mkForce("|")) } } } })', ["prohibit-password", "no"]],
  ["of packages", "({ pkgs }) => ({ environment: { systemPackages: [pkgs.|] } })", ["git", "greeting", "writeText"]],
  ["of what is read", 'WARNINGS', ["root", "serverName"]],
];
for (const [where, config, wanted] of COMPLETIONS) {
  test(`completion ${where} knows the options`, async () => {
    const text = config === "WARNINGS" ? '({ config }) => ({ warnings: [config.services.nginx.virtualHosts["x"]!.|] })' : config;
    const start = SYSTEM.indexOf("({ config, pkgs, lib })");
    includes(await names(SYSTEM.slice(start, SYSTEM.lastIndexOf(",\n});")), text), wanted);
  });
}

const functionForm = (text: string): string => text.replace("defineSystem({\n  imports: [greeter],\n  config: ", "defineSystem(").replace("  }),\n});", "  }));");
for (const [form, write] of [["in a function", functionForm], ["in a module's config", (text: string) => text]] as const) {
  test(`a typo ${form} is an error at its place that names the nearest option`, async () => {
    const typo = async (search: string, replacement: string, message: RegExp): Promise<void> => {
      const { text, position } = marked(write(SYSTEM).replace(search, replacement));
      await server.show(file, text);
      const errors = await server.diagnostics(file);
      const before = text.slice(0, position).split("\n");
      assert.deepEqual(errors.map(({ start }) => start), [{ line: before.length, offset: before.at(-1)!.length + 1 }], JSON.stringify(errors));
      assert.match(errors[0]!.text, message);
    };
    await typo('root: "/srv"', '|roott: "/srv"', /NoSuchOption<"roott", "root">/);
    await typo("nginx: { enable: true", "nginx: { |enabel: true", /NoSuchOption<"enabel", "enable">/);
    await typo("nginx: {", "|ngixn: {", /NoSuchOption<"ngixn", "nginx">/);
    await typo("services: {", "|servics: {", /NoSuchOption<"servics", "services">/);
    await typo("nginx: { enable: true", "nginx: { |enable: 3", /Type 'number' is not assignable/);
    const nginx = 'nginx: { enable: true, virtualHosts: { localhost: { root: "/srv" } } }';
    await typo(nginx, "nginx: lib.mkIf(true, { |enabel: true })", /Did you mean to write 'enable'/);
    await typo(nginx, "nginx: lib.mkForce(lib.mkIf(true, { |enabel: true }))", /Did you mean to write 'enable'/);
    await typo(nginx, "...{}, openssh: lib.mkMerge([{}, { settings: { |PermitRootLogn: false } }])", /PermitRootLog/);
    await typo(nginx, 'nginx: lib.mkIf(true, { virtualHosts: { x: { |roott: "/srv" } } })', /'roott' does not exist/);
  });
}

test("a plain object is looked at like a function's result", async () => {
  const start = SYSTEM.indexOf("({ config, pkgs, lib })");
  const errorsOf = async (config: string): Promise<readonly string[]> => {
    const { text, position } = marked(SYSTEM.replace(SYSTEM.slice(start, SYSTEM.lastIndexOf(",\n});")), config));
    await server.show(file, text);
    const before = text.slice(0, position).split("\n");
    return (await server.diagnostics(file)).map(({ start: found, text: told }) => (found.line === before.length && found.offset === before.at(-1)!.length + 1 ? told : `elsewhere: ${JSON.stringify(found)} ${told}`));
  };
  assert.deepEqual(await errorsOf('|{ environment: { etc: { a: () => ({ text: "x" }), b: ({ name, root }) => ({ text: `${name} of ${root.networking.hostName}` }), c: { text: "x" } } } }'), []);
  for (const [config, message] of [
    ["{ |servics: { nginx: { enable: true } } }", /Did you mean to write 'services'/],
    ["{ services: { nginx: { |enabel: true } } }", /Did you mean to write 'enable'/],
    ["{ services: { nginx: { |enable: 3 } } }", /Type 'number' is not assignable/],
    ['{ services: { nginx: { virtualHosts: { x: { |roott: "/x" } } } } }', /'roott' does not exist/],
  ] as const) {
    const errors = await errorsOf(config);
    assert.equal(errors.length, 1, JSON.stringify(errors));
    assert.match(errors[0]!, message);
  }
});

test("tsos check says the same of a typo, in its own words", async () => {
  writeFileSync(file, SYSTEM.replace('title: "Dr"', 'titel: "Dr"'));
  const checked = await tsos("check");
  writeFileSync(file, SYSTEM);
  assert.equal(checked.code, 1);
  assert.match(checked.stderr, /titel/);
  assert.match(checked.stderr, /did you mean "services\.greeter\.guests\.ann\.title"/);
});
