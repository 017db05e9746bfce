import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findPlaces } from "../../cli/places.ts";
import { hasProgram } from "../core/store/has-program.ts";
import { runTsos, startTsos, tsosProgram, type TsosProcess, type TsosResult } from "./tsos-process.ts";

/** Users of every Debian machine. */
const USER = { id: 65534, name: "nobody" };
const OTHER = { id: 2 };

const become = (id: number): readonly string[] => ["setpriv", "--reuid", String(id), "--regid", String(id), "--clear-groups"];
const needs = ["setpriv", "unshare", "bwrap"].find((program) => !hasProgram(program));
const skip =
  process.getuid?.() !== 0 ? "only root can become another user"
  : needs !== undefined ? `${needs} is not installed`
  : spawnSync("busybox", ["true"]).status !== 0 ? "there is no busybox for /bin/sh of builds"
  : !existsSync("/nix") ? "there is no /nix to show another store at"
  : spawnSync(become(USER.id)[0]!, [...become(USER.id).slice(1), "test", "-r", tsosProgram]).status !== 0 ? "another user may not read this checkout"
  : false;

describe("another user than the store's owner", { skip, timeout: 240_000 }, () => {
  const folder = skip === false ? mkdtempSync(join(tmpdir(), "tsos-unprivileged-")) : "";
  const home = join(folder, "home");
  // Of these processes alone the store is at its place, so that nobody has to say where.
  const here = ["unshare", "-m", "sh", "-c", `mount --bind ${folder}/nix /nix && exec "$@"`, "sh"];
  const env = { HOME: home, XDG_CACHE_HOME: undefined, XDG_STATE_HOME: undefined, NIX_REMOTE: undefined, NIX_CONFIG: "substituters =", USER: USER.name };
  let daemon: TsosProcess;

  const run = (args: readonly string[], id = USER.id): Promise<TsosResult> => runTsos(args, { cwd: home, stateFolder: join(home, "tsos"), env, prefix: [...here, ...become(id)] });
  const good = async (args: readonly string[]): Promise<string> => {
    const result = await run(args);
    assert.equal(result.code, 0, `tsos ${args.join(" ")}: ${result.stderr}`);
    return result.stdout.trim();
  };
  const really = (path: string): string => join(folder, path);

  before(async () => {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, "nix"));
    mkdirSync(home);
    for (const version of [1, 2]) {
      const project = join(home, `v${version}`);
      mkdirSync(project);
      writeFileSync(join(project, "file"), `version ${version}`);
      const text = `derivation { name = "thing-${version}"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo building; read x < $src || true; echo $x > $out" ]; src = ./file; }`;
      writeFileSync(join(project, "default.nix"), text);
    }
    writeFileSync(join(home, "bad.nix"), 'derivation { name = "bad"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo it breaks; exit 3" ]; }');
    execFileSync("chown", ["-R", `${USER.id}:${USER.id}`, home]);
    daemon = startTsos(["daemon"], { cwd: folder, stateFolder: join(folder, "tsos"), env, prefix: here });
    const socket = join(folder, "nix/var/nix/daemon-socket/socket");
    for (let i = 0; !existsSync(socket); i++) {
      assert.ok(i < 300, `the daemon does not start: ${daemon.stderr()}`);
      await sleep(100);
    }
  });
  after(async () => {
    if (folder === "") return;
    daemon.child.kill("SIGTERM");
    await daemon.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it("builds by way of the daemon without being told to", async () => {
    const first = await good(["nix", "build", "v1", "-o", "mine"]);
    assert.equal(readlinkSync(join(home, "mine")), first);
    assert.equal(statSync(really(first)).uid, 0);
    assert.equal(await good(["build", "-c", join(home, "v1/default.nix"), "--no-link"]), first);
    assert.equal(await good(["store", "cat", first]), "version 1");
    assert.match(await good(["store", "why", first]), new RegExp(join(home, "mine")));
    // Of a private store nothing was made.
    assert.equal(existsSync(join(home, ".local/share/tsos")), false);
  });

  it("instantiates, adds, and has a shell", async () => {
    assert.match(await good(["nix", "instantiate", "v1"]), /-thing-1\.drv$/m);
    const file = await good(["store", "add", "v1/file"]);
    assert.match(await good(["store", "info", file]), /narSize: /);
    assert.equal(await good(["store", "verify", "--check-contents"]), "");
    assert.match(await good(["nix", "shell", "v1", "--run", "echo name is $name"]), /name is thing-1/);
  });

  it("has profiles of its own, whose generations are kept and go back", async () => {
    const profile = join(folder, "nix/var/nix/profiles/per-user", USER.name);
    const paths: string[] = [];
    for (const version of [1, 2]) paths.push(await good(["build", "-c", join(home, `v${version}/default.nix`), "--profile", "things"]));
    assert.equal(lstatSync(profile).uid, USER.id);
    assert.deepEqual([readlinkSync(join(profile, "things")), readlinkSync(join(profile, "things-2-link"))], ["things-2-link", paths[1]]);
    await good(["generations", "rollback", "--profile", "things"]);
    const listed = JSON.parse(await good(["generations", "--profile", "things", "--json"])) as { readonly generations: readonly { readonly number: number; readonly isCurrent: boolean; readonly path: string }[] };
    assert.deepEqual(listed.generations.map(({ number, isCurrent, path }) => [number, isCurrent, path]), [[1, true, paths[0]], [2, false, paths[1]]]);
    rmSync(join(home, "mine"), { force: true });
    await good(["gc"]);
    assert.deepEqual(paths.map((path) => existsSync(really(path))), [true, true]);
    await good(["generations", "delete", "2", "--profile", "things"]);
    await good(["gc"]);
    assert.deepEqual(paths.map((path) => existsSync(really(path))), [true, false]);
    // Nobody else's.
    const foreign = await run(["build", "-c", join(home, "v1/default.nix"), "--profile", join(profile, "things")], OTHER.id);
    assert.notEqual(foreign.code, 0);
    assert.match(foreign.stderr, /EACCES|permission denied/i);
  });

  it("is told what failed, in the builder's own words", async () => {
    const { code, stderr } = await run(["nix", "build", "bad.nix", "--no-out-link"]);
    assert.notEqual(code, 0);
    assert.match(stderr, /exit code 3/);
    assert.match(stderr, /it breaks/);
  });

  it("can do nothing else", async () => {
    for (const args of [["store", "optimise"], ["daemon"]]) {
      const { code, stderr } = await run(args);
      assert.equal(code, 1, `tsos ${args.join(" ")}`);
      assert.match(stderr, /daemon|trusted-users/, `tsos ${args.join(" ")}`);
    }
    for (const place of ["nix/store", "nix/var/nix/db/db.sqlite", "nix/var/nix/profiles", "nix/var/nix/gcroots"]) {
      assert.notEqual(spawnSync(become(USER.id)[0]!, [...become(USER.id).slice(1), "test", "-w", join(folder, place)]).status, 0, place);
    }
  });
});

describe("the store that is used", () => {
  const machine = (isWritable: boolean, isSocket: boolean) => ({ isWritable: () => isWritable, isSocket: () => isSocket });
  const env = { HOME: "/home/me" };

  it("is the machine's where this user may write it, else that of its daemon, else one of the user's own", () => {
    const choose = (uid: number, ...[isWritable, isSocket]: readonly [boolean, boolean]) => {
      const { storeRoot, daemon } = findPlaces(env, uid, undefined, machine(isWritable, isSocket));
      return [storeRoot, daemon];
    };
    const socket = "/nix/var/nix/daemon-socket/socket";
    assert.deepEqual(choose(0, false, true), [undefined, undefined]);
    assert.deepEqual(choose(1000, true, true), [undefined, undefined]);
    assert.deepEqual(choose(1000, false, true), [undefined, socket]);
    assert.deepEqual(choose(1000, false, false), ["/home/me/.local/share/tsos", undefined]);
  });

  it("is the one that is named", () => {
    const choose = (named: string | undefined, more: NodeJS.ProcessEnv = {}) => {
      const { storeRoot, daemon } = findPlaces({ ...env, ...more }, 1000, named, machine(true, false));
      return [storeRoot, daemon];
    };
    assert.deepEqual(choose("daemon"), [undefined, "/nix/var/nix/daemon-socket/socket"]);
    assert.deepEqual(choose("daemon", { NIX_DAEMON_SOCKET_PATH: "/run/s" }), [undefined, "/run/s"]);
    assert.deepEqual(choose("unix:///run/s?root=/srv"), ["/srv", "/run/s"]);
    assert.deepEqual(choose("local?root=/srv"), ["/srv", undefined]);
    assert.deepEqual(choose("/srv"), ["/srv", undefined]);
    assert.deepEqual(choose(undefined, { NIX_REMOTE: "daemon" }), [undefined, "/nix/var/nix/daemon-socket/socket"]);
    assert.throws(() => choose("ftp://x"), /is not supported/);
  });
});
