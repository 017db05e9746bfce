import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { buildSync } from "esbuild";
import type { TsosError } from "../../../../core/error/tsos-error.ts";
import { activate, type ActivationOutcome } from "../../../../core/system/activate/activate.ts";
import { ACTIVATION_ROOTS } from "../../../../core/system/activate/activation-roots.ts";
import { FILE_STEPS } from "../../../../core/system/activate/activation-steps.ts";
import { activateAtBoot } from "../../../../core/system/activate/boot.ts";
import { listSystemGenerations, SYSTEM_PROFILE } from "../../../../core/system/activate/system-profile.ts";
import type { SystemManifest } from "../../../../core/system/manifest.ts";
import { openFakeSystemd, readFakeState } from "../support/fake-systemd.ts";
import { addFile, addToplevel, addUnits, type FixtureStore, group, user } from "../support/toplevel-fixture.ts";

const me = { uid: process.getuid!(), gid: process.getgid!() };
let folder: string;
let store: FixtureStore;
let root: string;
let systemd: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsos-activate-"));
  root = join(folder, "root");
  systemd = join(folder, "systemd.json");
  mkdirSync(root);
  const storeFolder = join(folder, "store");
  store = { folder: storeFolder, logical: storeFolder, node: process.execPath, shell: "/bin/sh", activator: "/nonexistent" };
  mkdirSync(join(storeFolder, "sw"), { recursive: true });
  for (const name of ["os1", "os2"]) mkdirSync(join(storeFolder, name, "usr/bin"), { recursive: true });
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const unit = (command: string): string => `[Service]\nExecStart=${command}\n`;

function generation(name: string, services: Readonly<Record<string, string>>, values: Partial<SystemManifest> = {}): string {
  const links = Object.fromEntries(Object.keys(services).map((one) => [`multi-user.target.wants/${one}`, `../${one}`]));
  const units = Object.fromEntries(Object.entries(services).map(([one, command]) => [one, unit(command)]));
  return addToplevel(store, name, {
    osRoot: join(store.logical, "os1"),
    systemPath: join(store.logical, "sw"),
    checks: [{ name: "site", timeoutSeconds: 1, kind: "unit", unit: "a.service" }],
    ...values,
    etc: [
      addUnits(store, `${name}-units`, { "multi-user.target": "[Unit]\n", ...units }, links),
      { kind: "link", target: "motd", source: addFile(store, `${name}-motd`, name) },
      { kind: "copy", target: "secret/key", source: addFile(store, `${name}-key`, `key of ${name}`), mode: "0440", user: String(me.uid), group: String(me.gid) },
      ...(values.etc ?? []),
    ],
  });
}

async function run(toplevel: string, healthy = true): Promise<ActivationOutcome & { readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const outcome = await activate({
    action: "switch",
    toplevel,
    root,
    systemManager: openFakeSystemd(systemd, root),
    report: (line) => lines.push(line),
    checkHealth: async () => (healthy ? [] : [{ name: "site", reason: "no answer" }]),
  });
  return { ...outcome, lines };
}

/** A path of the machine, links resolved as inside its root. */
function readInside(path: string): string {
  const file = join(root, path);
  if (!lstatSync(file).isSymbolicLink()) return readFileSync(file, "utf8");
  const target = readlinkSync(file);
  assert.ok(target.startsWith("/etc/static/"));
  return readFileSync(join(readlinkSync(join(root, "etc/static")), target.slice("/etc/static/".length)), "utf8");
}

/** All that says which generation a machine is on. */
function observe(): unknown {
  const { running, loaded } = readFakeState(systemd);
  return {
    running,
    loaded,
    motd: readInside("/etc/motd"),
    key: readInside("/etc/secret/key"),
    usr: readlinkSync(join(root, "usr")),
    current: readlinkSync(join(root, "run/current-system")),
    hostname: readFileSync(join(root, "etc/hostname"), "utf8"),
    passwd: readFileSync(join(root, "etc/passwd"), "utf8"),
    profile: listSystemGenerations(join(root, SYSTEM_PROFILE)).find((one) => one.isCurrent)?.toplevel,
    journal: existsSync(join(root, "var/lib/tsos/activation.json")),
    leftovers: readdirSync(join(root, "etc")).filter((name) => name.includes(".tsos-new")),
  };
}

const users = (...names: readonly string[]): SystemManifest["users"] => ({ mutableUsers: true, users: names.map((name) => user(name)), groups: [group("users", 100)] });

function oldAndNew(): { readonly old: string; readonly now: string } {
  return {
    old: generation("gen1", { "a.service": "/bin/a1", "b.service": "/bin/b", "c.service": "/bin/c" }, { hostName: "one", users: users("ann"), osRoot: join(store.logical, "os1") }),
    now: generation("gen2", { "a.service": "/bin/a2", "b.service": "/bin/b", "d.service": "/bin/d" }, { hostName: "two", users: users("ann", "bob"), osRoot: join(store.logical, "os2") }),
  };
}

describe("activate", () => {
  test("takes an empty root to its first generation", async () => {
    const outcome = await run(generation("gen1", { "a.service": "/bin/a1" }, { hostName: "one", timeZone: null, locale: "C.UTF-8" }));
    assert.equal(outcome.kind, "activated");
    assert.equal(readlinkSync(join(root, "usr")), `${store.logical.slice(1)}/os1/usr`);
    assert.equal(readlinkSync(join(root, "bin")), "usr/bin");
    assert.equal(readFileSync(join(root, "etc/locale.conf"), "utf8"), "LANG=C.UTF-8\n");
    assert.match(readFileSync(join(root, "etc/machine-id"), "utf8"), /^[0-9a-f]{32}\n$/);
    assert.equal(statSync(join(root, "etc/secret/key")).mode & 0o777, 0o440);
    assert.equal(statSync(join(root, "etc/shadow")).mode & 0o777, 0o640);
    assert.deepEqual(readFakeState(systemd).running, { "a.service": "/bin/a1" });
    assert.equal(readlinkSync(join(root, SYSTEM_PROFILE)), "system-1-link");
  });

  test("goes from one generation to the next and back", async () => {
    const { old, now } = oldAndNew();
    await run(old);
    const before = observe();
    const outcome = await run(now);
    assert.equal(outcome.kind === "activated" && outcome.generation, 2);
    assert.deepEqual(readFakeState(systemd).running, { "a.service": "/bin/a2", "b.service": "/bin/b", "d.service": "/bin/d" });
    assert.deepEqual(readFakeState(systemd).calls.slice(-2), ["stop a.service c.service", "start a.service d.service"]);
    assert.equal(readInside("/etc/motd"), "gen2");
    await activate({ action: "switch", toplevel: old, root, systemManager: openFakeSystemd(systemd, root), generation: 1, report: () => {}, checkHealth: async () => [] });
    assert.deepEqual(observe(), before);
    assert.deepEqual(listSystemGenerations(join(root, SYSTEM_PROFILE)).map((one) => one.number), [1, 2]);
  });

  test("changes nothing when it is run twice", async () => {
    const { old } = oldAndNew();
    await run(old);
    const before = observe();
    const { calls } = readFakeState(systemd);
    const inode = lstatSync(join(root, "etc/secret/key")).ino;
    await run(old);
    assert.deepEqual(observe(), before);
    assert.deepEqual(readFakeState(systemd).calls, calls);
    assert.equal(lstatSync(join(root, "etc/secret/key")).ino, inode);
  });

  test("keeps the machine-id", async () => {
    const { old, now } = oldAndNew();
    await run(old);
    const id = readFileSync(join(root, "etc/machine-id"), "utf8");
    await run(now);
    assert.equal(readFileSync(join(root, "etc/machine-id"), "utf8"), id);
  });

  test("is on the old generation again when a health check does not hold", async () => {
    const { old, now } = oldAndNew();
    await run(old);
    const before = observe() as { passwd: string };
    const outcome = await run(now, false);
    assert.equal(outcome.kind, "reverted");
    assert.match(outcome.lines.join("\n"), /the health check "site" does not hold: no answer/);
    assert.deepEqual(observe(), before);
  });

  test("is on the old generation again when a step fails", async () => {
    const { old } = oldAndNew();
    await run(old);
    const before = observe();
    const bad = generation("gen3", { "a.service": "/bin/a3" }, { hostName: "three", timeZone: "Nowhere/Land" });
    const outcome = await run(bad);
    assert.equal(outcome.kind, "reverted");
    assert.match(outcome.lines.join("\n"), /the time zone "Nowhere\/Land" is not in the OS root/);
    assert.deepEqual(observe(), before);
  });

  test("says which units failed, and stays on the new generation", async () => {
    const { old } = oldAndNew();
    await run(old);
    const outcome = await run(generation("gen3", { "a.service": "/bin/a1", "d.service": "/bin/fail" }));
    assert.deepEqual(outcome.kind === "activated" && outcome.failedUnits, ["d.service"]);
    assert.equal(readInside("/etc/motd"), "gen3");
  });

  test("sets no profile on test", async () => {
    const { old, now } = oldAndNew();
    await run(old);
    await activate({ action: "test", toplevel: now, root, systemManager: openFakeSystemd(systemd, root), report: () => {}, checkHealth: async () => [] });
    assert.equal(readlinkSync(join(root, SYSTEM_PROFILE)), "system-1-link");
    assert.equal(readlinkSync(join(root, "run/current-system")), now);
  });

  test("goes back when it is interrupted", async () => {
    const { old, now } = oldAndNew();
    await run(old);
    const before = observe();
    const abort = new AbortController();
    const outcome = await activate({
      action: "switch",
      toplevel: now,
      root,
      systemManager: openFakeSystemd(systemd, root),
      report: () => {},
      signal: abort.signal,
      onStep: (step) => step === "identity" && abort.abort(new Error("interrupted")),
      checkHealth: async () => [],
    });
    assert.deepEqual(outcome, { kind: "reverted", reason: "interrupted", interrupted: true });
    assert.deepEqual(observe(), before);
  });

  test("leaves files alone that it does not own, and names them", async () => {
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "etc/motd"), "mine");
    writeFileSync(join(root, "etc/other"), "mine");
    const outcome = await run(generation("gen1", { "a.service": "/bin/a" }));
    assert.equal(readFileSync(join(root, "etc/motd"), "utf8"), "mine");
    assert.equal(readFileSync(join(root, "etc/other"), "utf8"), "mine");
    assert.match(outcome.lines.join("\n"), /\/etc\/motd is declared, but a file that tsos does not own is there/);
  });

  test("removes what it no longer declares, with the folders that only held it", async () => {
    await run(generation("gen1", {}, { etc: [{ kind: "link", target: "deep/er/file", source: addFile(store, "deep", "x") }] }));
    assert.ok(existsSync(join(root, "etc/deep/er")));
    await run(addToplevel(store, "gen2", { osRoot: join(store.logical, "os1"), systemPath: join(store.logical, "sw") }));
    assert.deepEqual([existsSync(join(root, "etc/deep")), existsSync(join(root, "etc/secret"))], [false, false]);
  });

  test("refuses a root that another system lives in, and changes nothing", async () => {
    mkdirSync(join(root, "usr/bin"), { recursive: true });
    const toplevel = generation("gen1", {});
    await assert.rejects(run(toplevel), (error: TsosError) => error.code === "activate.foreign-root");
    assert.deepEqual(readdirSync(root), ["usr"]);
  });

  test("refuses a generation whose users are wrong before it changes anything", async () => {
    const { old } = oldAndNew();
    await run(old);
    const before = observe();
    const bad = generation("gen3", {}, { users: { ...users("ann"), groups: [] } });
    await assert.rejects(run(bad), (error: TsosError) => error.code === "users.unknown-group");
    assert.deepEqual(observe(), before);
  });

  test("refuses what is no toplevel", async () => {
    await assert.rejects(run(join(store.logical, "sw")), (error: TsosError) => error.code === "manifest.unreadable");
  });

  test("refuses a name that leads out of /etc", async () => {
    const toplevel = addToplevel(store, "gen1", {
      osRoot: join(store.logical, "os1"),
      systemPath: join(store.logical, "sw"),
      etc: [{ kind: "copy", target: "../shadow", source: "/x", mode: "0644", user: "0", group: "0" }],
    });
    await assert.rejects(run(toplevel), (error: TsosError) => error.code === "manifest.invalid" && /"..\/shadow"/.test(error.message));
  });

  test("makes a home whole after it was killed while it made one", async () => {
    const home = { uid: me.uid, createHome: true, homeMode: "0750" };
    const declared = { mutableUsers: true, users: [user("me", home)], groups: [group("users", me.gid)] };
    mkdirSync(join(root, "home/me.tsos-new"), { recursive: true, mode: 0o700 });
    await run(generation("gen1", {}, { users: declared }));
    assert.deepEqual(readdirSync(join(root, "home")), ["me"]);
    assert.equal(statSync(join(root, "home/me")).mode & 0o777, 0o750);
  });

  test("makes folders that everyone can read, whatever the umask", async () => {
    const before = process.umask(0o077);
    try {
      await run(generation("gen1", {}));
    } finally {
      process.umask(before);
    }
    for (const folder of ["etc", "etc/secret", "run", "nix/var/nix/gcroots"]) assert.equal(statSync(join(root, folder)).mode & 0o777, 0o755, folder);
  });

  test("holds both generations while it switches, and only the one that runs after that", async () => {
    const held = (): readonly string[] => Object.values(ACTIVATION_ROOTS).map((link) => readlinkSync(join(root, link)));
    const [one, two] = [generation("gen1", {}), generation("gen2", {})];
    await run(one);
    assert.deepEqual(held(), [one, one]);
    const seen: (readonly string[])[] = [];
    await activate({
      action: "test",
      toplevel: two,
      root,
      systemManager: openFakeSystemd(systemd, root),
      report: () => undefined,
      checkHealth: async () => [{ name: "site", reason: "no answer" }],
      onStep: () => seen.push(held()),
    });
    assert.ok(seen.length > 10 && seen.every(([from, to]) => from === one && to === two));
    assert.deepEqual(held(), [one, one]);
    await run(two);
    assert.deepEqual(held(), [two, two]);
  });

  test("makes homes that are missing and leaves those that are there", async () => {
    const home = { uid: me.uid, createHome: true, homeMode: "0750" };
    const declared = { mutableUsers: true, users: [user("me", home)], groups: [group("users", me.gid)] };
    await run(generation("gen1", {}, { users: declared }));
    assert.equal(statSync(join(root, "home/me")).mode & 0o777, 0o750);
    writeFileSync(join(root, "home/me/file"), "kept");
    await run(generation("gen2", {}, { users: { ...declared, users: [user("me", { ...home, homeMode: "0700" })] } }));
    assert.equal(statSync(join(root, "home/me")).mode & 0o777, 0o750);
    assert.equal(readFileSync(join(root, "home/me/file"), "utf8"), "kept");
  });
});

describe("a switch that is killed", () => {
  // Bundled once: starting each child through the type stripper would take most of the time.
  let bundle: string;
  before(() => {
    bundle = join(mkdtempSync(join(tmpdir(), "tsos-activate-child-")), "child.mjs");
    buildSync({ entryPoints: [resolve(import.meta.dirname, "../support/activate-child.ts")], bundle: true, platform: "node", format: "esm", target: "node20", outfile: bundle });
  });
  after(() => rmSync(resolve(bundle, ".."), { recursive: true, force: true }));
  const child = (toplevel: string, healthy: string, killAt = ""): { readonly signal: string | null; readonly stderr: string } => {
    const result = spawnSync(process.execPath, [bundle, root, toplevel, systemd, healthy, killAt], { encoding: "utf8" });
    return { signal: result.signal, stderr: result.stderr };
  };
  const steps = ["stop-units", ...FILE_STEPS.map((step) => step.name), "reload-systemd", "start-units", "checks", "commit"];

  for (const step of steps) {
    test(`ends on the new generation when it is killed before "${step}" and run again`, async () => {
      const { old, now } = oldAndNew();
      await run(now);
      const wanted = observe();
      rmSync(root, { recursive: true });
      rmSync(systemd);
      mkdirSync(root);
      await run(old);
      assert.equal(child(now, "yes", `forward:${step}`).signal, "SIGKILL");
      const again = await run(now);
      assert.match(again.lines.join("\n"), new RegExp(`cut off at its step "${step}"`));
      assert.deepEqual(observe(), wanted);
    });
  }

  for (const step of ["stop-units", "etc", "start-units"]) {
    test(`ends on the new generation when it is killed going back before "${step}" and run again`, async () => {
      const { old, now } = oldAndNew();
      await run(old);
      assert.equal(child(now, "no", `back:${step}`).signal, "SIGKILL");
      await run(now);
      assert.equal(readInside("/etc/motd"), "gen2");
      assert.deepEqual(readFakeState(systemd).running, { "a.service": "/bin/a2", "b.service": "/bin/b", "d.service": "/bin/d" });
    });
  }

  for (const step of ["os-root", "current-system", "start-units", "checks"]) {
    test(`ends on the old generation when it is killed before "${step}" and that is what is run next`, async () => {
      const { old, now } = oldAndNew();
      await run(old);
      const before = observe();
      assert.equal(child(now, "yes", `forward:${step}`).signal, "SIGKILL");
      await run(old);
      assert.deepEqual(observe(), before);
    });
  }

  test("ends on a third generation when that is what is run next", async () => {
    const { old, now } = oldAndNew();
    await run(old);
    assert.equal(child(now, "yes", "forward:checks").signal, "SIGKILL");
    await run(generation("gen3", { "a.service": "/bin/a3", "c.service": "/bin/c" }));
    assert.deepEqual(readFakeState(systemd).running, { "a.service": "/bin/a3", "c.service": "/bin/c" });
  });
});

describe("activateAtBoot", () => {
  test("makes a root of the generation and forgets a switch that was under way", async () => {
    const { old, now } = oldAndNew();
    await run(old);
    writeFileSync(join(root, "var/lib/tsos/activation.json"), JSON.stringify({ version: 1, from: old, to: now, units: {} }));
    assert.equal(await activateAtBoot({ toplevel: now, root, report: () => {} }), true);
    assert.equal(readInside("/etc/motd"), "gen2");
    assert.equal(readlinkSync(join(root, "run/booted-system")), now);
    assert.equal(existsSync(join(root, "var/lib/tsos/activation.json")), false);
  });

  test("goes on after a step that fails, and says so", async () => {
    const toplevel = generation("gen1", {}, { timeZone: "Nowhere/Land" });
    const lines: string[] = [];
    assert.equal(await activateAtBoot({ toplevel, root, report: (line) => lines.push(line) }), false);
    assert.match(lines.join("\n"), /the step "identity" failed/);
    assert.equal(readlinkSync(join(root, "run/current-system")), toplevel);
  });
});

test("a profile of many generations is listed in the order of their numbers", () => {
  const profile = join(root, "profiles/system");
  mkdirSync(join(root, "profiles"));
  for (const number of [10, 9, 1]) symlinkSync(`/nix/store/g${number}`, `${profile}-${number}-link`);
  symlinkSync("system-9-link", profile);
  symlinkSync("/elsewhere", join(root, "profiles/system-x-link"));
  assert.deepEqual(listSystemGenerations(profile).map((one) => [one.number, one.isCurrent]), [[1, false], [9, true], [10, false]]);
});
