import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { SMALL_HOME } from "./small-home.ts";
import { runTsos, type TsosResult } from "./tsos-process.ts";

/** What the commands and activation scripts of these tests call; the machine's own Nix is not among them. */
const TOOLS = ["sh", "find", "readlink", "rm", "mkdir", "ln", "dirname", "cat", "bwrap"];

function canSandbox(): boolean {
  try {
    execFileSync("bwrap", ["--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--gid", "1000", "bwrap", "--dev-bind", "/", "/", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
const skip = canSandbox() ? false : "needs bubblewrap and user namespaces within one another";

type Home = ((...args: readonly string[]) => Promise<TsosResult>) & {
  readonly folder: string;
  readonly write: (text: string) => void;
  /** The text of a file in the home, which must be a link into the store. */
  readonly linked: (name: string) => string | undefined;
};

const CONFIG = (modules: string, more = ""): string => `import { defineHome, defineInputs, type HomeModule } from "tsos";
const inputs = defineInputs({ nixpkgs: "path:../nixpkgs", homeManager: "path:../home-manager" });
const modules: readonly HomeModule[] = [{ home: { username: "ann", homeDirectory: "@HOME@" } }, ${modules}];
export default defineHome({ nixpkgs: inputs.nixpkgs, homeManager: inputs.homeManager, modules${more} });
`;

/** A user's home and its configuration, where `/nix` is that user's own. */
function openHome(t: TestContext, modules: string, more = ""): Home {
  const folder = mkdtempSync(join(tmpdir(), "tsos-home-"));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const home = join(folder, "home");
  for (const [name, text] of Object.entries(SMALL_HOME)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const name of ["project", "home", "nix/store", "nix/var/nix", "tools"]) mkdirSync(join(folder, name), { recursive: true });
  for (const tool of TOOLS) symlinkSync(execFileSync("which", [tool], { encoding: "utf8" }).trim(), join(folder, "tools", tool));
  const write = (text: string): void => writeFileSync(join(folder, "project/home.config.ts"), text.replace("@HOME@", home));
  write(CONFIG(modules, more));
  const prefix = ["bwrap", "--dev-bind", "/", "/", "--bind", join(folder, "nix"), "/nix", "--unshare-user", "--uid", "1000", "--gid", "1000", "--die-with-parent"];
  const env = { HOME: home, USER: "ann", XDG_STATE_HOME: undefined, XDG_DATA_HOME: undefined, XDG_CACHE_HOME: undefined, PATH: join(folder, "tools"), NIX_PATH: "", NIX_CONFIG: "substituters =" };
  const run = (...args: readonly string[]): Promise<TsosResult> => runTsos(args, { cwd: join(folder, "project"), stateFolder: join(folder, "state"), prefix: [execFileSync("which", ["bwrap"], { encoding: "utf8" }).trim(), ...prefix.slice(1)], env });
  const linked = (name: string): string | undefined => {
    const file = join(home, name);
    if (lstatSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
    const target = readlinkSync(file);
    assert.match(target, /^\/nix\/store\/.*-home-manager-generation\/home-files\//);
    return readFileSync(join(folder, target), "utf8");
  };
  return Object.assign(run, { folder, write: (text: string) => write(CONFIG(text, more)), linked });
}

const FILE = (name: string, text: string): string => `{ home: { file: { ${JSON.stringify(name)}: { text: ${JSON.stringify(text)} } } } }`;

describe("a home", { skip }, () => {
  test("is what home-manager's own function gives in the Nix language, to the derivation", async (t) => {
    const run = openHome(t, '({ pkgs, config, lib, tone }) => ({ home: { packages: [pkgs.hello], file: { ".greeting": { text: `${tone} ${config.home.username}` } }, activation: { say: lib.hm.dag.entryAfter([], "true") } } })', ', extraSpecialArgs: { tone: "hi" }');
    const ours = await run("eval", "--drv");
    assert.equal(ours.code, 0, ours.stderr);
    writeFileSync(join(run.folder, "project/home.nix"), `let
      source = folder: builtins.path { path = folder; name = "source"; };
      pkgs = import (source ../nixpkgs) { system = "x86_64-linux"; };
    in ((import ((source ../home-manager) + "/lib") { inherit (pkgs) lib; }).homeManagerConfiguration {
      inherit pkgs; extraSpecialArgs.tone = "hi";
      modules = [ { home = { username = "ann"; homeDirectory = "${join(run.folder, "home")}"; }; } ({ pkgs, config, lib, tone, ... }: { home = { packages = [ pkgs.hello ]; file.".greeting".text = "\${tone} \${config.home.username}"; activation.say = lib.hm.dag.entryAfter [ ] "true"; }; }) ];
    }).activationPackage`);
    const theirs = await run("nix", "instantiate", "home.nix");
    assert.equal(ours.stdout.trim(), theirs.stdout.trim(), theirs.stderr);
  });

  test("is checked, shown and evaluated like a system", async (t) => {
    const run = openHome(t, '({ config }) => ({ home: { file: { a: { text: config.home.username } } } })');
    const checked = await run("check");
    assert.equal(checked.code, 0, checked.stderr);
    assert.equal((await run("eval", "home.file.a.text")).stdout.trim(), '"ann"');
    assert.match((await run("option", "show", "home.username")).stdout, /Whose it is/);
    assert.match((await run("eval", "home.usernam")).stderr, /did you mean "home\.username"/);
    run.write('{ home: { username: "bob" } }');
    assert.match((await run("check")).stderr, /conflicting definition values/);
  });

  test("is built, switched to and gone back from by an ordinary user, on a machine without Nix", async (t) => {
    const run = openHome(t, FILE(".one", "first"));
    const first = await run("switch");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /running generation 1/);
    assert.equal(run.linked(".one"), "first");
    const profile = join(run.folder, "home/.local/state/nix/profiles/home-manager");
    assert.equal(readlinkSync(profile), "home-manager-1-link");

    run.write(FILE(".config/two", "second"));
    const dry = await run("dry-activate");
    assert.deepEqual([dry.code, run.linked(".config/two")], [0, undefined], dry.stderr);
    assert.match(dry.stdout, /would link \.\/\.config\/two/);
    const second = await run("switch", "--json");
    assert.deepEqual([second.code, JSON.parse(second.stdout).generation], [0, 2], second.stderr);
    assert.deepEqual([run.linked(".one"), run.linked(".config/two")], [undefined, "second"]);

    const listed = JSON.parse((await run("generations", "--json")).stdout) as { generations: { number: number; label: string; isCurrent: boolean; isRunning: boolean }[] };
    assert.deepEqual(listed.generations.map(({ number, label, isCurrent, isRunning }) => [number, label, isCurrent, isRunning]), [[1, "home-manager 26.11", false, false], [2, "home-manager 26.11", true, true]]);
    const difference = await run("generations", "diff", "1", "2");
    assert.equal(difference.stdout, "file added: .config/two\nfile removed: .one\n", difference.stderr);

    const back = await run("switch", "--rollback");
    assert.equal(back.code, 0, back.stderr);
    assert.deepEqual([run.linked(".one"), run.linked(".config/two")], ["first", undefined]);
    assert.equal((await run("switch", "--generation", "2")).code, 0);
    assert.equal(run.linked(".config/two"), "second");
    // What is active and the generations of the profile are roots of the collector.
    assert.equal((await run("gc")).code, 0);
    assert.equal(run.linked(".config/two"), "second");
    assert.equal((await run("generations", "delete", "1")).code, 0);
    assert.match((await run("switch", "--rollback")).stderr, /no generation before/);
  });

  test("that cannot be activated leaves the one before, without what it had linked", async (t) => {
    const run = openHome(t, FILE(".one", "first"));
    assert.equal((await run("switch")).code, 0);
    run.write(`${FILE(".two", "second")}, ({ lib }) => ({ home: { activation: { fail: lib.hm.dag.entryAfter([], "echo no; exit 7") } } })`);
    const failed = await run("switch");
    assert.equal(failed.code, 4, failed.stderr);
    assert.match(failed.stderr, /ended with 7[\s\S]*going back/);
    assert.deepEqual([run.linked(".one"), run.linked(".two")], ["first", undefined]);
    assert.equal(readlinkSync(join(run.folder, "home/.local/state/nix/profiles/home-manager")), "home-manager-1-link");
    assert.equal((JSON.parse((await run("generations", "--json")).stdout) as { generations: unknown[] }).generations.length, 1);
  });

  test("that is tested runs and is no generation, a variant runs for its generation", async (t) => {
    const run = openHome(t, FILE(".one", "first"));
    assert.equal((await run("switch")).code, 0);
    run.write(`${FILE(".one", "first")}, { specialisation: { quiet: { home: { file: { ".quiet": { text: "q" } } } } } }`);
    assert.equal((await run("test")).code, 0);
    assert.equal(existsSync(join(run.folder, "home/.local/state/nix/profiles/home-manager-2-link")), false);
    assert.equal((await run("switch")).code, 0);
    const variant = await run("switch", "--specialisation", "quiet");
    assert.equal(variant.code, 0, variant.stderr);
    assert.match(variant.stderr, /specialisation quiet of generation 2/);
    assert.equal(run.linked(".quiet"), "q");
    assert.match((await run("switch", "--specialisation", "loud")).stderr, /has no specialisation "loud"[\s\S]*it has quiet/);
  });

  for (const [what, args, code] of [
    ["a boot", ["boot"], "cli.boot-home"],
    ["another machine", ["switch", "--home", "--root", "/x"], "cli.home-and-root"],
    ["a store of one's own", ["switch", "--store", "elsewhere"], "home.private-store"],
    ["somebody else's home", ["switch", "-c", "bob.config.ts"], "home.other-folder"],
    ["another user", ["switch", "-c", "user.config.ts"], "home.other-user"],
    ["what is no home", ["switch", "--home", "-c", "none.config.ts"], "config.not-a-configuration"],
  ] as const) {
    test(`is refused for ${what}`, async (t) => {
      const run = openHome(t, FILE("a", "b"));
      const text = readFileSync(join(run.folder, "project/home.config.ts"), "utf8");
      writeFileSync(join(run.folder, "project/bob.config.ts"), text.replace(join(run.folder, "home"), "/home/bob"));
      writeFileSync(join(run.folder, "project/user.config.ts"), text.replace('"ann"', '"bob"'));
      writeFileSync(join(run.folder, "project/none.config.ts"), "export default {};\n");
      const { code: status, stdout, stderr } = await run(...args, "--json");
      assert.notEqual(status, 0, stderr);
      assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, code, stderr);
    });
  }
});
