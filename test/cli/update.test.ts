import assert from "node:assert/strict";
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeTar, openTrial, serve, writeFiles } from "../core/fetch/source/trial.ts";
import { runTsos, type TsosResult } from "./tsos-process.ts";

const folder = mkdtempSync(join(tmpdir(), "tsos-update-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const MODULE = `import { defineModule, defineOptions, option, readFile, types } from "tsos";
import { greeting } from "../lib/greeting.ts";
const options = defineOptions({ greet: { enable: option(types.bool, { default: false }) } });
declare module "tsos" { interface OptionModules { greet: typeof options } }
export default defineModule({ options, config: ({ config, lib }) => lib.mkIf(config.greet.enable, { environment: { etc: { greeting: { text: greeting + readFile("./name.txt") } } } }) });
`;

/** A shell's configuration, which needs nothing set. */
function shell(inputs: string, more = ""): string {
  return `import { defineInputs, defineShell, git, github, gitlab, path, tarball } from "tsos";\nconst inputs = defineInputs({\n${inputs}\n});\nexport default defineShell({ inputs, ${more} });\n`;
}

let count = 0;
function openProject(files: Readonly<Record<string, string>>) {
  const project = join(folder, `p${count++}`);
  mkdirSync(project);
  writeFiles(project, { "package.json": "{}", ...files });
  const run = (...args: readonly string[]): Promise<TsosResult> => runTsos(args, { cwd: project, stateFolder: folder, env: { GIT_CONFIG_GLOBAL: "/dev/null" } });
  return {
    project,
    lock: join(project, "tsos.lock"),
    run,
    /** The error of a run that must fail: its code and where it is. */
    async fail(...args: readonly string[]) {
      const { code, stdout, stderr } = await run(...args, "--json");
      assert.equal(code, 1, stderr);
      const { error } = JSON.parse(stdout) as { readonly error: { readonly code: string; readonly message: string; readonly at?: { readonly file: string; readonly line: number } } };
      return { code: error.code, line: error.at?.line, message: error.message };
    },
  };
}

test("an input's modules, files and revision are used as they are locked, until they are updated", async () => {
  using trial = openTrial();
  const repository = trial.repository("common", { "modules/greet.ts": MODULE, "modules/name.txt": "you\n", "lib/greeting.ts": 'export const greeting = "hello ";\n', motd: "first" });
  const first = trial.git(repository, "rev-parse", "HEAD");
  const config = `import { defineInputs, defineSystem, git } from "tsos";
const inputs = defineInputs({ common: git(${JSON.stringify(`file://${repository}`)}) });
export default defineSystem({
  inputs,
  imports: [inputs.common.module("modules/greet.ts")],
  config: { greet: { enable: true }, system: { stateVersion: "26.11" }, environment: { etc: { a: { text: inputs.common.readFile("motd") + inputs.common.rev }, b: { source: \`\${inputs.common}/motd\` }, c: { source: inputs.common.path("motd") } } } },
});
`;
  const { run, fail, lock } = openProject({ "system.config.ts": config });
  assert.deepEqual(await fail("check", "--locked"), { code: "lock.missing-input", line: 2, message: 'the input "common" is not in "tsos.lock", and --locked forbids to add it' });
  const checked = await run("check");
  assert.equal(checked.code, 0, checked.stderr);
  const locked = readFileSync(lock, "utf8");
  assert.ok(locked.includes(`"rev": "${first}"`));
  const value = async (path: string): Promise<unknown> => JSON.parse((await run("eval", path, "--locked")).stdout);
  assert.equal(await value("environment.etc.greeting.text"), "hello you\n");
  assert.equal(await value("environment.etc.a.text"), `first${first}`);
  assert.match(String(await value("environment.etc.b.source")), /^\/nix\/store\/[a-z0-9]{32}-source\/motd$/);
  assert.match(String(await value("environment.etc.c.source")), /^\/nix\/store\/[a-z0-9]{32}-motd$/);

  writeFiles(repository, { motd: "second" });
  trial.git(repository, "commit", "--quiet", "--all", "--message=two");
  const second = trial.git(repository, "rev-parse", "HEAD");
  assert.equal(await value("environment.etc.a.text"), `first${first}`);
  assert.equal(readFileSync(lock, "utf8"), locked);
  const updated = await run("update");
  assert.match(updated.stdout, new RegExp(`^common: .*rev=${first} \\(2023-11-14\\) → .*rev=${second} \\(2023-11-14\\)\n$`));
  assert.equal(await value("environment.etc.a.text"), `second${second}`);
  assert.match((await run("update", "common")).stdout, /^common: unchanged, /);
  assert.deepEqual(await fail("update", "comon"), { code: "update.unknown-input", line: undefined, message: 'there is no input "comon"' });

  writeFiles(repository, { "modules/greet.ts": "export default 3;\n" });
  trial.git(repository, "commit", "--quiet", "--all", "--message=three");
  await run("update");
  assert.deepEqual(await fail("check"), { code: "input.no-module", line: 2, message: '"modules/greet.ts" of the input "common" has no default export that is a module' });
});

test("another source is locked anew, what is not declared is forgotten, and --locked refuses both", async () => {
  writeFiles(join(folder, "a"), { x: "1" });
  writeFiles(join(folder, "b"), { x: "2" });
  const { run, fail, lock, project } = openProject({ "shell.config.ts": shell('  one: "path:../a",\n  two: "path:../b",') });
  assert.equal((await run("check", "--no-check")).code, 0);
  const names = (): readonly string[] => Object.keys((JSON.parse(readFileSync(lock, "utf8")) as { inputs: Record<string, object> }).inputs["shell.config.ts"] ?? {});
  assert.deepEqual(names(), ["one", "two"]);
  writeFileSync(join(project, "shell.config.ts"), shell('  one: "path:../b",'));
  assert.deepEqual(await fail("check", "--no-check", "--locked"), { code: "lock.changed-input", line: 3, message: 'the input "one" is locked as "path:../a", and the configuration asks for "path:../b"; --locked forbids to change it' });
  writeFileSync(join(project, "shell.config.ts"), shell('  one: "path:../a",'));
  assert.equal((await fail("check", "--no-check", "--locked")).code, "lock.superfluous");
  assert.equal((await run("check", "--no-check")).code, 0);
  assert.deepEqual(names(), ["one"]);
  assert.equal((await run("check", "--no-check", "--locked")).code, 0);
  assert.match((await run("update")).stdout, /^one: unchanged/);
  appendFileSync(join(folder, "a/x"), "!");
  const changed = JSON.parse((await run("update", "--json")).stdout) as { readonly inputs: readonly { readonly name: string; readonly change: string }[] };
  assert.deepEqual(changed.inputs.map(({ name, change }) => [name, change]), [["one", "updated"]]);
  // Only a tree of nixpkgs has types to be made, by a process of its own.
  assert.equal(existsSync(join(folder, "cache/pinned-types.log")), false);
});

test("what a server gives is checked against the lock, and no network is used offline", async () => {
  let body = await makeTar([{ name: "top/x", contents: "1" }]);
  await using server = await serve(() => ({ body }));
  const config = shell(`  data: tarball("${server.url}/a.tar.gz"),`, "config: { env: { X: inputs.data.readFile(\"x\") } }");
  const { run, fail } = openProject({ "shell.config.ts": config });
  assert.equal((await run("check", "--no-check")).code, 0);
  assert.equal((await run("check", "--no-check", "--offline", "--locked")).code, 0);
  body = await makeTar([{ name: "top/x", contents: "2" }]);
  rmSync(join(folder, "cache"), { recursive: true });
  assert.equal((await fail("check", "--no-check", "--offline")).code, "source.offline");
  const { code, line, message } = await fail("check", "--no-check");
  assert.deepEqual([code, line], ["lock.hash-mismatch", 3]);
  assert.match(message, /^the input "data" is not what "tsos.lock" says: expected sha256-\S{44}, got sha256-\S{44}$/);
});

test("what names no source is said with its line", async () => {
  const cases: readonly (readonly [inputs: string, code: string])[] = [
    ['  "a b": "path:../a",', "input.bad-name"],
    ['  one: github("repo"),', "input.bad-repository"],
    ["  one: 3 as never,", "input.bad-spec"],
    ['  one: "flake:nixpkgs",', "input.indirect"],
    ['  one: "pat:../a",', "source.unsupported-url"],
    ['  one: "path:../none",', "source.missing-path"],
    ['  one: "path:../a",\n});\ndefineInputs({\n  one: "path:../b",', "input.declared-twice"],
  ];
  const { project, fail, lock } = openProject({});
  for (const [inputs, code] of cases) {
    writeFileSync(join(project, "shell.config.ts"), shell(inputs));
    const error = await fail("check", "--no-check");
    assert.deepEqual([error.code, error.line], [code, code === "input.declared-twice" ? 6 : 3], error.message);
    assert.equal(existsSync(lock), false);
  }
});


test("an update does not need what is locked and not to be had any more", async () => {
  const { run, fail, project } = openProject({});
  const archive = join(project, "lib.tar");
  const config = `import { defineInputs, defineShell, tarball } from "tsos";
const inputs = defineInputs({ lib: tarball(${JSON.stringify(`file://${archive}`)}) });
export default defineShell({ inputs, config: { env: { MOTD: inputs.lib.readFile("motd") } } });
`;
  writeFiles(project, { "shell.config.ts": config });
  writeFileSync(archive, await makeTar([{ name: "lib/motd", contents: "first" }]));
  assert.equal((await run("eval", "env.MOTD")).stdout, '"first"\n');
  writeFileSync(archive, await makeTar([{ name: "lib/motd", contents: "second" }]));
  // As on a machine that has never seen it.
  rmSync(join(folder, "cache"), { recursive: true, force: true });
  const { code, line } = await fail("check", "--no-check");
  assert.deepEqual([code, line], ["lock.hash-mismatch", 2]);
  const updated = await run("update", "lib");
  assert.equal(updated.code, 0, updated.stderr);
  assert.equal((await run("eval", "env.MOTD")).stdout, '"second"\n');
});
