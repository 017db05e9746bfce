import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, test } from "node:test";

const program = resolve(import.meta.dirname, "../../bin/tsos.js");
const folder = mkdtempSync(join(tmpdir(), "tsos-mistakes-"));
after(() => rmSync(folder, { recursive: true, force: true }));

type Mistake = {
  readonly what: string;
  /** system.config.ts, or the definitions that `defineSystem` gets. */
  readonly text: string;
  readonly files?: Readonly<Record<string, string>>;
  /** The whole of what is told, but for lines that only show the neighbours of the one that is marked. */
  readonly told: readonly string[];
};

function system(...lines: readonly string[]): string {
  return ['import { defineSystem, path } from "tsos";', "export default defineSystem(({ config, pkgs }) => ({", ...lines.map((line) => `  ${line}`), '  system: { stateVersion: "26.11" },', "}));", ""].join("\n");
}

const mistakes: readonly Mistake[] = [
  {
    what: "an unknown option at the top",
    text: system("service: { nginx: { enable: true } },"),
    told: [
      'error: the option "service" does not exist',
      "  system.config.ts:3:3",
      "  > 3 |   service: { nginx: { enable: true } },",
      '  hint: did you mean "services"? the options are …',
    ],
  },
  {
    what: "an unknown option inside a submodule",
    text: system('services: { nginx: { virtualHosts: { a: { serverAlias: ["b"] } } } },'),
    told: [
      'error: the option "services.nginx.virtualHosts.a.serverAlias" does not exist',
      "  system.config.ts:3:45",
      '  > 3 |   services: { nginx: { virtualHosts: { a: { serverAlias: ["b"] } } } },',
      '  hint: did you mean "services.nginx.virtualHosts.a.serverAliases"? "services.nginx.virtualHosts.a" has …',
    ],
  },
  {
    what: "a value of a wrong type",
    text: system('networking: { firewall: { allowedTCPPorts: [22, "80"] } },'),
    told: [
      'error: the option "networking.firewall.allowedTCPPorts[1]" must be a 16 bit unsigned integer between 0 and 65535, got "80"',
      "  system.config.ts:3:51",
      '  > 3 |   networking: { firewall: { allowedTCPPorts: [22, "80"] } },',
      "  hint: write 80, without quotes",
    ],
  },
  {
    what: "a package's name in quotes",
    text: system('environment: { systemPackages: ["git"] },'),
    told: [
      'error: the option "environment.systemPackages[0]" must be a package, got "git"',
      "  system.config.ts:3:35",
      '  > 3 |   environment: { systemPackages: ["git"] },',
      "  hint: write pkgs.git, without quotes",
    ],
  },
  {
    what: "a file's name without path()",
    text: system('services: { nginx: { virtualHosts: { a: { root: "./site" } } } },'),
    told: [
      'error: the option "services.nginx.virtualHosts.a.root" must be null or absolute path, got "./site"',
      "  system.config.ts:3:45",
      '  > 3 |   services: { nginx: { virtualHosts: { a: { root: "./site" } } } },',
      '  hint: write path("./site"), which copies it to the store',
    ],
  },
  {
    what: "two definitions that differ",
    text: 'import { defineSystem } from "tsos";\nimport base from "./base.ts";\nexport default defineSystem({\n  imports: [base],\n  config: { networking: { hostName: "web" }, system: { stateVersion: "26.11" } },\n});\n',
    files: { "base.ts": 'import { defineModule } from "tsos";\nexport default defineModule({ config: { networking: { hostName: "base" } } });\n' },
    told: [
      'error: the option "networking.hostName" has conflicting definitions: "base" (base.ts:2:55), "web" (system.config.ts:5:27)',
      "  base.ts:2:55",
      '  > 2 | export default defineModule({ config: { networking: { hostName: "base" } } });',
      "  hint: keep one of them, or let one win with lib.mkForce(value), or give way with lib.mkDefault(value)",
      "  also defined here:",
      "  system.config.ts:5:27",
      '  > 5 |   config: { networking: { hostName: "web" }, system: { stateVersion: "26.11" } },',
    ],
  },
  {
    what: "a variant that differs from its configuration",
    text: system('networking: { hostName: "web" },', 'specialisation: { debug: { configuration: { networking: { hostName: "debug" } } } },'),
    told: [
      'error: specialisation "debug": the option "networking.hostName" has conflicting definitions: "debug" (system.config.ts:4:61), "web" (system.config.ts:3:17)',
      "  system.config.ts:4:61",
      '  > 4 |   specialisation: { debug: { configuration: { networking: { hostName: "debug" } } } },',
      "  hint: keep one of them, or let one win with lib.mkForce(value), or give way with lib.mkDefault(value)",
      "  also defined here:",
      "  system.config.ts:3:17",
      '  > 3 |   networking: { hostName: "web" },',
    ],
  },
  {
    what: "a module that reads what nobody defines",
    text: [
      'import { defineModule, defineOptions, defineSystem, option, types } from "tsos";',
      'const options = defineOptions({ report: { file: option(types.str) } });',
      "const report = defineModule({",
      "  options,",
      "  config: ({ config }) => ({",
      "    environment: { etc: { report: { text: (config as { report: { file: string } }).report.file } } },",
      "  }),",
      "});",
      'export default defineSystem({ imports: [report], config: { system: { stateVersion: "26.11" } } });',
      "",
    ].join("\n"),
    told: [
      'error: the option "report.file" is used, but it has no value: no module defines it and it has no default',
      "  system.config.ts:6:91",
      "  > 6 |     environment: { etc: { report: { text: (config as { report: { file: string } }).report.file } } },",
      "  hint: define report.file in your configuration",
      "  declared here:",
      "  system.config.ts:2:43",
      '  > 2 | const options = defineOptions({ report: { file: option(types.str) } });',
    ],
  },
  {
    what: "an option that must be set and is not",
    text: 'import { defineSystem } from "tsos";\nexport default defineSystem({\n  config: { networking: { hostName: "web" } },\n});\n',
    told: [
      'error: the option "system.stateVersion" is used, but it has no value: no module defines it and it has no default',
      "  system.config.ts:2:1",
      "  > 2 | export default defineSystem({",
      "  hint: define system.stateVersion in your configuration",
    ],
  },
  {
    what: "a value that is left out",
    text: system("networking: { hostName: },"),
    told: ['error: unexpected "}"', "  system.config.ts:3:27", "  > 3 |   networking: { hostName: },"],
  },
  {
    what: "a typo in a package's name",
    text: system("environment: { systemPackages: [pkgs.git, pkgs.neovmi] },"),
    told: [
      'error: there is no package "neovmi"',
      "  system.config.ts:3:50",
      "  > 3 |   environment: { systemPackages: [pkgs.git, pkgs.neovmi] },",
      '  hint: did you mean "neovim"?',
    ],
  },
  {
    what: "a file that is not there",
    text: system('services: { nginx: { virtualHosts: { a: { root: path("./sites") } } } },'),
    files: { "site/index.html": "" },
    told: [
      'error: there is no "./sites"',
      "  system.config.ts:3:51",
      '  > 3 |   services: { nginx: { virtualHosts: { a: { root: path("./sites") } } } },',
      '  hint: did you mean "./site"?',
    ],
  },
  {
    what: "a missing comma",
    text: system('networking: { hostName: "web" }', "services: { nginx: { enable: true } },"),
    told: [
      'error: expected "}" but found "services"',
      "  system.config.ts:4:3",
      "  > 4 |   services: { nginx: { enable: true } },",
      "  hint: is a comma missing before it?",
    ],
  },
  {
    what: "a missing import",
    text: 'import { defineSystem } from "tsos";\nexport default defineSystem({\n  config: () => ({ services: { nginx: { virtualHosts: { a: { root: path("./site") } } } } }),\n});\n',
    told: [
      'error: "path" is not defined',
      "  system.config.ts:3:68",
      '  > 3 |   config: () => ({ services: { nginx: { virtualHosts: { a: { root: path("./site") } } } } }),',
      '  hint: import { path } from "tsos"',
    ],
  },
  {
    what: "an argument that was not taken",
    text: 'import { defineSystem } from "tsos";\nexport default defineSystem(() => ({\n  environment: { systemPackages: [pkgs.git] },\n}));\n',
    told: [
      'error: "pkgs" is not defined',
      "  system.config.ts:3:35",
      "  > 3 |   environment: { systemPackages: [pkgs.git] },",
      "  hint: a module is given it: defineSystem(({ pkgs }) => ({ … }))",
    ],
  },
  {
    what: "a module that does not settle",
    text: system("services: { nginx: { enable: !config.services.nginx.enable } },"),
    told: [
      'error: the configuration does not settle, after 10 rounds "services.nginx.enable" is in turn false, true (defined by system.config.ts:2:16)',
      "  system.config.ts:3:24",
      "  > 3 |   services: { nginx: { enable: !config.services.nginx.enable } },",
      "  hint: each of these options depends on itself: let one of the modules not read what follows from its own definition",
    ],
  },
  {
    what: "a user without a group, in a group that does not exist",
    text: system('users: { users: { dev: { isSystemUser: true, extraGroups: ["wheell"] } } },'),
    told: [
      'error: users.users.dev.group is not set; give the account a group of its own: users.users.dev.group = "dev" and users.groups.dev = {}',
      "  system.config.ts:3:21",
      '  > 3 |   users: { users: { dev: { isSystemUser: true, extraGroups: ["wheell"] } } },',
      'error: users.users.dev.extraGroups: there is no group "wheell"; declare it: users.groups.wheell = {}',
      "  system.config.ts:3:48",
      '  > 3 |   users: { users: { dev: { isSystemUser: true, extraGroups: ["wheell"] } } },',
    ],
  },
  {
    what: "a look at the clock",
    text: system("environment: { etc: { built: { text: `${Date.now()}` } } },"),
    told: [
      'error: "Date.now()" is not available in a configuration',
      "  system.config.ts:3:48",
      "  > 3 |   environment: { etc: { built: { text: `${Date.now()}` } } },",
      '  hint: an evaluation has no clock: write the date down, such as new Date("2026-01-31T00:00:00Z")',
    ],
  },
  {
    what: "a look at the environment",
    text: system("networking: { hostName: process.env.HOST },"),
    told: [
      'error: "process" is not available in a configuration',
      "  system.config.ts:3:27",
      "  > 3 |   networking: { hostName: process.env.HOST },",
      "  hint: an evaluation does not see the environment: write the value down, or import it from a JSON file of the project",
    ],
  },
  {
    what: "an import of the file system",
    text: 'import { readFileSync } from "node:fs";\nimport { defineSystem } from "tsos";\nexport default defineSystem({ config: { environment: { etc: { motd: { text: readFileSync("motd", "utf8") } } } } });\n',
    told: [
      'error: a configuration cannot read the file system: "node:fs" is not available',
      "  system.config.ts:1:30",
      '  > 1 | import { readFileSync } from "node:fs";',
      '  hint: use readFile("./file") from "tsos", path("./folder"), or import a JSON or text file',
    ],
  },
  {
    what: "a default export that no define function made",
    text: 'export default {\n  networking: { hostName: "web" },\n};\n',
    told: [
      "error: the default export must be what defineSystem or defineShell returns, got an object",
      "  system.config.ts:1:1",
      "  > 1 | export default {",
      "  hint: export default defineSystem(({ config, pkgs, lib }) => ({ … }))",
    ],
  },
  {
    what: "an empty file",
    text: "",
    told: ['error: "system.config.ts" exports no configuration', "  system.config.ts:1:1", "  > 1 |", "  hint: export default defineSystem({ … }), or defineShell"],
  },
];

for (const [i, { what, text, files, told }] of mistakes.entries()) {
  test(`${what} is told with the line, what was expected and how to mend it`, async () => {
    const project = join(folder, `p${i}`);
    for (const [name, contents] of Object.entries({ ...files, "system.config.ts": text })) {
      mkdirSync(dirname(join(project, name)), { recursive: true });
      writeFileSync(join(project, name), contents);
    }
    const { code, stdout, stderr } = await tsos(project, "check");
    assert.equal(stdout, "");
    assert.deepEqual(essence(stderr), told);
    assert.equal(code, 1);
  });
}

/** Without the frames' other lines, blank lines, and the ends of lists of names. */
function essence(text: string): readonly string[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s+(\d+)? *\|/.test(line))
    .map((line) => line.replace(/( the options are| has) \w+, .*$/, "$1 …").trimEnd());
}

function tsos(cwd: string, ...args: readonly string[]): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  const env = { PATH: process.env["PATH"], HOME: folder, TSOS_CACHE_DIR: join(folder, "cache"), TSOS_STATE_DIR: join(folder, "state"), NO_COLOR: "1" };
  return new Promise((done) => execFile(process.execPath, [program, ...args], { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => done({ code: error === null ? 0 : error.code, stdout, stderr })));
}
