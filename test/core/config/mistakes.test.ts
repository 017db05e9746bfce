import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { buildRuntime } from "../../../cli/dev/build.js";
import { evaluateConfig } from "../../../core/config/evaluate.ts";
import { openRuntimeFolder, type RuntimeFolder } from "../../../core/config/runtime-folder.ts";
import type { TsosError } from "../../../core/error/tsos-error.ts";
import { errorsOf, makeFolder, render, writeProject } from "./trial.ts";

const folder = makeFolder();
let runtime: RuntimeFolder;
before(async () => {
  const outFolder = join(folder.path, "runtime");
  await buildRuntime({ outFolder });
  runtime = openRuntimeFolder(outFolder);
});
after(() => folder[Symbol.dispose]());

let count = 0;
async function mistakes(source: string, files: Readonly<Record<string, string>> = {}): Promise<readonly TsosError[]> {
  const project = writeProject(join(folder.path, `p${count++}`), { "system.config.ts": source, ...files });
  return errorsOf(evaluateConfig({ file: join(project, "system.config.ts"), request: { kind: "system" }, runtime }));
}

/** `file:line:column`, the file without its folders. */
function place(error: TsosError | undefined): string {
  return error?.at === undefined ? "nowhere" : `${error.at.file.split("/").at(-1)}:${error.at.line}:${error.at.column}`;
}

function find(errors: readonly TsosError[], code: string, text: string): TsosError {
  const found = errors.find((error) => error.code === code && error.message.includes(text));
  assert.ok(found, `no ${code} about ${text} among: ${errors.map((error) => `${error.code} ${error.message}`).join("; ")}`);
  return found;
}

const MANY = `import { defineModule, defineSystem } from "tsos";

const other = defineModule({
  config: {
    time: { timeZone: "Europe/Paris" },
  },
});

export default defineSystem({
  imports: [other],
  config: ({ lib, pkgs }) => ({
    networking: { hostName: 42 },
    time: { timeZone: "Europe/Berlin" },
    services: {
      ngnix: { enable: true },
      nginx: {
        enable: "yes",
        virtualHosts: { "a.example": { rooot: "/srv" } },
      },
      openssh: lib.mkIf(true, { enabel: true }),
    },
    users: { users: { dev: { extraGroups: ["wheel", 3] } } },
    environment: { systemPackages: [pkgs.git, "vim"] },
    boot: 3,
    system: { stateVersion: "26.11" },
  }),
});
`;

test("a configuration with many mistakes has each told with its place, what was expected and the nearest name", async () => {
  const errors = await mistakes(MANY);
  const check = (code: string, text: string, at: string, more: { readonly hint?: RegExp; readonly message?: RegExp; readonly related?: string } = {}): void => {
    const error = find(errors, code, text);
    assert.equal(place(error), `system.config.ts:${at}`, text);
    if (more.hint !== undefined) assert.match(error.hint ?? "", more.hint);
    if (more.message !== undefined) assert.match(error.message, more.message);
    if (more.related !== undefined) assert.deepEqual(error.related.map((other) => `${other.line}:${other.column} ${other.note}`), [more.related]);
  };
  check("option.wrong-type", '"networking.hostName"', "12:19", { message: /must be .*, got 42/ });
  check("option.conflict", '"time.timeZone"', "5:13", { message: /"Europe\/Paris" \(system\.config\.ts:5:13\), "Europe\/Berlin"/, hint: /lib\.mkForce/, related: "13:13 also defined here" });
  check("option.unknown", '"services.ngnix"', "15:7", { hint: /did you mean "services\.nginx"\?/ });
  check("option.wrong-type", '"services.nginx.enable"', "17:9", { message: /must be a boolean, got "yes"/ });
  check("option.unknown", 'virtualHosts."a.example".rooot"', "18:40", { hint: /did you mean .*\.root"/ });
  check("option.unknown", '"services.openssh.enabel"', "20:33", { hint: /did you mean "services\.openssh\.enable"\?/ });
  check("option.wrong-type", '"users.users.dev.extraGroups[1]"', "22:53", { message: /must be a string, got 3/ });
  check("option.wrong-type", '"environment.systemPackages[1]"', "23:47", { message: /must be a package, got "vim"/ });
  check("option.not-a-set", '"boot"', "24:5", { message: /got 3; expected an object/ });
});

test("a package that there is not has the nearest name and its place", async () => {
  const error = find(await mistakes('import { defineSystem } from "tsos";\nexport default defineSystem(({ pkgs }) => ({\n  environment: { systemPackages: [pkgs.gti] },\n}));\n'), "package.unknown", "gti");
  assert.equal(place(error), "system.config.ts:3:40");
  assert.match(error.hint ?? "", /"git"/);
});

test("what a module throws has the line that threw", async () => {
  const errors = await mistakes('import { defineSystem } from "tsos";\nimport { name } from "./host.ts";\nexport default defineSystem(() => ({ networking: { hostName: name(undefined) } }));\n', {
    "host.ts": "export function name(hosts: any): string {\n  return hosts[0];\n}\n",
  });
  const error = find(errors, "option.module-failed", "Cannot read properties of undefined");
  assert.equal(place(error), "host.ts:2:10");
});

test("a module that gives a Promise is told", async () => {
  const errors = await mistakes('import { defineSystem } from "tsos";\nexport default defineSystem(async () => ({ networking: { hostName: "x" } }));\n');
  const error = errors.find((e) => /promise/i.test(e.message));
  assert.equal(place(error), "system.config.ts:2:16");
});

test("a module that does not settle is told with the options that flip and their values", async () => {
  const errors = await mistakes('import { defineSystem } from "tsos";\nexport default defineSystem(({ config }) => ({\n  services: { openssh: { enable: !config.services.openssh.enable } },\n  system: { stateVersion: "26.11" },\n}));\n');
  const error = find(errors, "option.unsettled", "services.openssh.enable");
  assert.equal(place(error), "system.config.ts:3:26");
});

test("a store path that was never issued is told with the text that holds it", async () => {
  const errors = await mistakes('import { defineSystem } from "tsos";\nexport default defineSystem(() => ({\n  environment: { etc: { x: { text: "/nix/store/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-hello/bin/hello" } } },\n  system: { stateVersion: "26.11" },\n}));\n');
  assert.equal(place(find(errors, "package.unknown-store-path", "aaaa-hello")), "system.config.ts:3:30");
});

test("an impure call inside a module is told at its place, with what to do", async () => {
  const errors = await mistakes('import { defineSystem } from "tsos";\nexport default defineSystem(() => ({\n  networking: { hostName: `host-${Date.now()}` },\n}));\n');
  const error = errors.find((e) => e.message.includes("Date.now()"));
  assert.equal(place(error), "system.config.ts:3:40");
});

test("the wrong kind of configuration, and none, are told", async () => {
  assert.equal((await mistakes('import { defineShell } from "tsos";\nexport default defineShell({ config: {} });\n'))[0]?.code, "config.wrong-kind");
  assert.match((await mistakes("export default { services: {} };\n"))[0]?.message ?? "", /got an object/);
  assert.equal((await mistakes("export default Promise.resolve(1);\n"))[0]?.code, "config.async");
});

test("no message or place names a script of the isolate or a file of tsos", async () => {
  const errors = await mistakes(MANY);
  for (const error of errors) {
    const text = await render(error, folder.path);
    assert.doesNotMatch(text, /tsos:(config|runtime)/);
    assert.ok(error.at === undefined || error.at.file.startsWith(folder.path), text);
  }
});

test("an error is shown with the user's lines first, its hint, and the other places", async () => {
  const errors = await mistakes(MANY);
  const text = await render(find(errors, "option.conflict", "time.timeZone"), join(folder.path, `p${count - 1}`));
  assert.equal(
    text,
    [
      'error: the option "time.timeZone" has conflicting definitions: "Europe/Paris" (system.config.ts:5:13), "Europe/Berlin" (system.config.ts:13:13)',
      "  system.config.ts:5:13",
      "    4 |   config: {",
      '  > 5 |     time: { timeZone: "Europe/Paris" },',
      "      |             ^",
      "    6 |   },",
      "  hint: keep one of them, or let one win with lib.mkForce(value), or give way with lib.mkDefault(value)",
      "  also defined here:",
      "  system.config.ts:13:13",
      "    12 |     networking: { hostName: 42 },",
      '  > 13 |     time: { timeZone: "Europe/Berlin" },',
      "       |             ^",
      "    14 |     services: {",
    ].join("\n"),
  );
});

const MOVED = `import { defineModule, defineOptions, defineSystem, lib, option, types } from "tsos";

const options = defineOptions({
  fresh: {
    port: option(types.port, { default: 1 }),
  },
});
const fresh = defineModule({
  options,
  imports: [
    lib.mkRenamedOptionModule(["stale", "port"], ["fresh", "port"]),
    lib.mkRemovedOptionModule(["stale", "gone"], "use fresh.port"),
  ],
  config: { fresh: {} },
});

export default defineSystem({
  imports: [fresh],
  config: {
    stale: { PLACEHOLDER },
    system: { stateVersion: "26.11" },
  } as object,
});
`;

test("a definition of a removed option is shown where it is written, and so is that of an old name", async () => {
  const [gone] = await mistakes(MOVED.replace("PLACEHOLDER", "gone: 1"));
  assert.deepEqual([gone?.code, place(gone)], ["option.assertion-failed", "system.config.ts:20:14"]);
  assert.match(gone?.message ?? "", /"stale\.gone" \(system\.config\.ts:20:14\) has been removed: use fresh\.port/);

  const project = writeProject(join(folder.path, `p${count++}`), { "system.config.ts": MOVED.replace("PLACEHOLDER", "port: 8080") });
  const { warnings } = await evaluateConfig({ file: join(project, "system.config.ts"), request: { kind: "system" }, runtime });
  assert.deepEqual(warnings, ['the option "stale.port" (system.config.ts:20:14) has been renamed to "fresh.port"']);
});

test("an option's declaration is looked for among the options that its module declares, not among what it defines", async () => {
  const [wrong] = await mistakes(MOVED.replace("stale: { PLACEHOLDER }", 'fresh: { port: "x" }'));
  assert.equal(wrong?.code, "option.wrong-type");
  assert.deepEqual(wrong.related.map(({ line, column, note }) => [line, column, note]), [[5, 5, "declared here"]]);
});

test("a value that refers to itself is told at once, with its place", async () => {
  const [deep] = await mistakes(`import { defineSystem } from "tsos";
const knot: Record<string, unknown> = {};
knot.again = knot;

export default defineSystem(() => ({
  meta: { knot },
  system: { stateVersion: "26.11" },
}));
`);
  assert.deepEqual([deep?.code, place(deep)], ["option.too-deep", "system.config.ts:6:11"]);
  assert.match(deep?.message ?? "", /^the value at "meta\.knot\.again\.again\.again\.again" is nested more than \d+ levels deep/);
});
