import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { globSync } from "tinyglobby";
import type { TsosError } from "../../../core/error/tsos-error.ts";
import { readManifest } from "../../../core/system/activate/read-manifest.ts";
import { compareGenerations } from "../../../core/system/generation-difference.ts";
import { type Machine, type MachineOptions, startMachine } from "../../../core/system/machine.ts";
import { findRunningMachine } from "../../../core/system/running-machine.ts";
import { listSystem, switchSystem, type SwitchResult } from "../../../core/system/switch.ts";
import type { SwitchAction, SwitchTarget } from "../../../core/system/switch-target.ts";
import { bootableManifest, makeContainerStore } from "./support/container-store.ts";
import { findDebianOsRoot } from "./support/debian-os-root.ts";
import { addFile, addToplevel, group, user } from "./support/toplevel-fixture.ts";

const debian = process.getuid!() === 0 ? findDebianOsRoot() : undefined;
const NODE = "/nix/store/test-node/bin/node";

function web(page: string, rest = ""): string {
  const program = `require('http').createServer((q, r) => r.end('${page}')).listen(80)`;
  return `[Unit]\nDescription=Web\n${rest}[Service]\nExecStart=${NODE} -e "${program}"\n`;
}

const sleeper = (seconds: number): string => `[Service]\nExecStart=/usr/bin/sleep ${seconds}\n`;

describe("a machine in a container", { skip: debian === undefined ? "needs root, apt and a mirror" : false }, () => {
  let folder: string;
  let store: ReturnType<typeof makeContainerStore>;
  let options: MachineOptions;
  let machine: Machine;
  let port: number;
  const roots: string[] = [];
  const toplevels: Record<string, string> = {};
  const realPath = (path: string): string => path.replace(/^\/nix\/store/, store.folder);

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tsos-machine-"));
    store = makeContainerStore(join(folder, "store"), debian!);
    const users = { mutableUsers: true, users: [user("dev", { createHome: true, extraGroups: ["wheel"] })], groups: [group("wheel")] };
    const check = { name: "page", timeoutSeconds: 10, kind: "http" as const, url: "http://127.0.0.1/" };
    const wrappers = [{ name: "su", source: "/nix/store/test-os-root/usr/bin/su", user: "root", group: "root", mode: "4755" }];
    const make = (name: string, units: Readonly<Record<string, string>>, values: Parameters<typeof bootableManifest>[4] = {}): void => {
      toplevels[name] = addToplevel(store, name, bootableManifest(store, `box-${name}`, units, Object.keys(units), { users, checks: [check], wrappers, ...values }));
    };
    make("gen1", { "web.service": web("first"), "gone.service": sleeper(1000), "same.service": sleeper(2000) });
    make(
      "gen2",
      { "web.service": web("second"), "new.service": sleeper(3000), "same.service": sleeper(2000) },
      { users: { ...users, users: [...users.users, user("eve", { createHome: true })] }, tmpfiles: ["d /var/lib/made 0750 dev users -"], hostName: "renamed", etc: [{ kind: "link", target: "issue", source: addFile(store, "issue", "hello\n") }] },
    );
    const variant = addToplevel(store, "variant", bootableManifest(store, "box-variant", { "web.service": web("variant"), "same.service": sleeper(2000) }, ["web.service", "same.service"], { users, checks: [check], wrappers }));
    toplevels["parent"] = addToplevel(store, "parent", bootableManifest(store, "box-parent", { "web.service": web("parent"), "same.service": sleeper(2000) }, ["web.service", "same.service"], { users, checks: [check], wrappers }), { quiet: variant });
    make("unhealthy", { "web.service": web("third"), "same.service": sleeper(2000) }, { checks: [{ ...check, contains: "never", timeoutSeconds: 2 }] });
    make("failing", { "web.service": web("first"), "same.service": sleeper(2000), "bad.service": "[Service]\nType=oneshot\nExecStart=/usr/bin/false\n" });
    make("firewall", { "web.service": web("first"), "same.service": sleeper(2000) }, { firewall: { ruleset: addFile(store, "wrong.nft", "table inet t { nonsense }\n") } });
    const library = join(store.realOsRoot, "usr/lib/x86_64-linux-gnu");
    options = {
      name: "box",
      root: join(folder, "root"),
      toplevel: toplevels["gen1"]!,
      realStoreDir: store.folder,
      stateFolder: join(folder, "state"),
      nspawn: [join(library, "ld-linux-x86-64.so.2"), "--library-path", `${library}:${library}/systemd`, join(store.realOsRoot, "usr/bin/systemd-nspawn")],
      addRoot: async (link) => void roots.push(link),
    };
    machine = await startMachine(options);
    port = (await machine.forwardPort(0, 80)).hostPort;
  });

  after(async () => {
    await machine?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const page = async (): Promise<string> => {
    for (let tries = 0; ; tries++) {
      try {
        return await (await fetch(`http://127.0.0.1:${port}/`)).text();
      } catch (error) {
        if (tries === 50) throw error;
        await sleep(100);
      }
    }
  };
  const inside = async (command: string): Promise<string> => (await machine.run(["sh", "-c", command])).stdout.trim();
  const goTo = async (target: SwitchTarget | string, action: SwitchAction = "switch", specialisation?: string): Promise<SwitchResult & { readonly output: string }> => {
    let output = "";
    const result = await switchSystem({
      action,
      target: typeof target === "string" ? { kind: "toplevel", toplevel: toplevels[target]! } : target,
      specialisation,
      root: options.root,
      realPath,
      addRoot: async (link) => void roots.push(link),
      onOutput: (text) => (output += text),
    });
    return { ...result, output };
  };

  test("comes up with its units, users and host name", async () => {
    assert.deepEqual(machine.failedUnits, []);
    assert.equal(await page(), "first");
    assert.equal(await inside("hostname"), "box");
    assert.equal(await inside("readlink /run/booted-system"), "/nix/store/gen1");
    assert.equal(await inside("stat -c '%U %G %a' /home/dev"), "dev users 700");
    assert.equal(await inside("stat -c %a /run/wrappers/bin/su; findmnt -no FSTYPE /run/wrappers"), "4755\ntmpfs");
    assert.equal(await inside("touch /nix/store/x 2>&1; echo $?"), "touch: cannot touch '/nix/store/x': Read-only file system\n1");
    assert.equal(findRunningMachine(options.root)?.leader, machine.leader);
  });

  test("says what a switch would do, and does nothing", async () => {
    const { exitCode, output } = await goTo("gen2", "dry-activate");
    assert.equal(exitCode, 0);
    assert.match(output, /^would stop the following units: gone\.service, web\.service$/m);
    assert.match(output, /^would start the following units: new\.service, web\.service$/m);
    assert.match(output, /^would add the users: eve$/m);
    assert.match(output, /^would add to \/etc: issue$/m);
    assert.equal(await page(), "first");
  });

  test("runs the new generation after a switch, and what did not change runs on", async () => {
    const pid = await inside("systemctl show -P MainPID same.service");
    const { exitCode, generation, offline, output } = await goTo("gen2");
    assert.deepEqual([exitCode, generation, offline], [0, 2, false], output);
    assert.equal(await page(), "second");
    assert.equal(await inside("systemctl is-active gone.service new.service same.service"), "inactive\nactive\nactive");
    assert.equal(await inside("systemctl show -P MainPID same.service"), pid);
    assert.equal(await inside("hostname; cat /etc/issue; id -un eve; stat -c '%U %a' /var/lib/made"), "renamed\nhello\neve\ndev 750");
    assert.equal(await inside("readlink /run/current-system /run/booted-system"), "/nix/store/gen2\n/nix/store/gen1");
    assert.ok(roots.includes(join(options.root, "nix/var/nix/profiles/system-2-link")));
  });

  test("tells its generations apart", () => {
    const list = listSystem(options.root, realPath);
    assert.deepEqual(list.map((one) => [one.number, one.isCurrent, one.isRunning, one.tsosVersion]), [[1, false, false, "0.1.0"], [2, true, true, "0.1.0"]]);
    const contents = (name: string): Parameters<typeof compareGenerations>[0] => ({ manifest: readManifest(realPath(toplevels[name]!)), closure: [] });
    const difference = compareGenerations(contents("gen1"), contents("gen2"), realPath);
    assert.deepEqual(difference.units, { added: ["new.service"], removed: ["gone.service"], changed: ["web.service"] });
    assert.deepEqual([difference.users.added, difference.etc.added, difference.hostName], [["eve"], ["issue"], { before: "box", after: "renamed" }]);
  });

  test("runs the first generation again after a rollback", async () => {
    const { exitCode, generation, output } = await goTo({ kind: "rollback" });
    assert.deepEqual([exitCode, generation], [0, 1], output);
    assert.equal(await page(), "first");
    assert.equal(await inside("systemctl is-active gone.service new.service"), "active\ninactive");
    assert.equal(await inside("id -un eve; test -e /etc/issue || echo none; test -d /home/eve && echo kept"), "none\nkept");
  });

  test("says that there is nothing before the first generation", async () => {
    await assert.rejects(goTo({ kind: "rollback" }), (error: TsosError) => error.code === "switch.no-generation" && /before "1"/.test(error.message));
  });

  test("does not start what an admin stopped", async () => {
    await machine.run(["systemctl", "stop", "same.service"]);
    assert.equal((await goTo("gen2")).exitCode, 0);
    assert.equal(await inside("systemctl is-active same.service"), "inactive");
    await machine.run(["systemctl", "start", "same.service"]);
    assert.equal((await goTo({ kind: "generation", number: 1 })).generation, 1);
  });

  test("is on its old generation again when a health check does not hold", async () => {
    const { exitCode, generation, output } = await goTo("unhealthy");
    assert.deepEqual([exitCode, generation], [4, 1]);
    assert.match(output, /the health check "page" does not hold: the answer of http:\/\/127\.0\.0\.1\/ lacks "never"/);
    assert.match(output, /reverted: the machine is on its old generation again/);
    assert.equal(await page(), "first");
    assert.equal(await inside("readlink /run/current-system; systemctl is-active gone.service"), "/nix/store/gen1\nactive");
  });

  test("says which unit failed", async () => {
    const { exitCode, output } = await goTo("failing", "test");
    assert.equal(exitCode, 3, output);
    assert.match(output, /activated, but the following units failed: bad\.service/);
    assert.equal((await goTo({ kind: "generation", number: 1 })).exitCode, 0);
    assert.equal(await inside("systemctl list-units --failed --plain --no-legend"), "");
  });

  test("refuses firewall rules that nft refuses, before it changes anything", async () => {
    const { exitCode, output } = await goTo("firewall");
    assert.equal(exitCode, 1);
    assert.match(output, /the firewall's rules are refused by nft/);
    assert.equal(await inside("readlink /run/current-system"), "/nix/store/gen1");
  });

  test("ends on the new generation after switches that were killed", async () => {
    for (const delay of [30, 60, 100, 150, 220, 300, 400]) {
      const target = delay % 20 === 0 ? "gen2" : "gen1";
      const running = machine.run([`${toplevels[target]}/bin/switch-to-configuration`, "switch"]);
      await sleep(delay);
      await machine.run(["sh", "-c", "kill -KILL $(pgrep -f activate.mjs)"]);
      await running;
      const { exitCode, output } = await goTo(target);
      assert.equal(exitCode, 0, output);
      assert.equal(await page(), target === "gen2" ? "second" : "first");
      assert.equal(await inside("systemctl is-active gone.service new.service same.service"), target === "gen2" ? "inactive\nactive\nactive" : "active\ninactive\nactive");
    }
  });

  test("sets what boots next with boot, and boots it", async () => {
    await goTo("gen1");
    const { exitCode, generation } = await goTo("gen2", "boot");
    assert.equal(exitCode, 0);
    assert.equal(await page(), "first");
    await machine.stop();
    assert.equal(findRunningMachine(options.root), undefined);
    await assert.rejects(goTo("gen2", "test"), (error: TsosError) => error.code === "switch.not-running");
    assert.equal((await goTo("gen1")).offline, true);
    assert.deepEqual(listSystem(options.root, realPath).map((one) => one.isCurrent).filter(Boolean).length, 1);
    machine = await startMachine({ ...options, toplevel: toplevels["gen2"]! });
    assert.equal(await inside("readlink /run/booted-system; hostname"), "/nix/store/gen2\nrenamed");
    assert.equal(typeof generation, "number");
  });

  test("shows what its console said when it does not come up", async () => {
    const toplevel = join(store.folder, "broken");
    addToplevel(store, "broken", bootableManifest(store, "broken", {}, []));
    writeFileSync(join(toplevel, "init"), "#!/nix/store/test-os-root/usr/bin/dash\necho oh no\nexit 1\n");
    await assert.rejects(
      startMachine({ ...options, name: "broken", root: join(folder, "broken-root"), stateFolder: join(folder, "broken-state"), toplevel: "/nix/store/broken" }),
      (error: TsosError) => error.code === "machine.boot-failed" && /oh no/.test(error.hint ?? ""),
    );
  });

  test("goes to a variant of a generation, which stays what the machine boots", async () => {
    port = (await machine.forwardPort(0, 80)).hostPort;
    const parent = await goTo("parent");
    assert.deepEqual([parent.exitCode, await page()], [0, "parent"]);
    const sameBefore = await inside("systemctl show -p MainPID --value same.service");
    const variant = await goTo({ kind: "current" }, "switch", "quiet");
    assert.deepEqual([variant.exitCode, variant.toplevel, variant.generation], [0, "/nix/store/variant", parent.generation]);
    assert.equal(await page(), "variant");
    assert.equal(await inside("systemctl show -p MainPID --value same.service"), sameBefore);
    assert.deepEqual(listSystem(options.root, realPath).filter((one) => one.isCurrent).map((one) => one.toplevel), ["/nix/store/parent"]);
    await assert.rejects(goTo({ kind: "current" }, "test", "other"), { code: "switch.no-specialisation", hint: "it has quiet" });
    // Of another generation: that one becomes the default with it.
    assert.equal((await goTo("gen1")).exitCode, 0);
    const again = await goTo({ kind: "generation", number: parent.generation! }, "switch", "quiet");
    assert.deepEqual([again.exitCode, again.generation, await page()], [0, parent.generation, "variant"]);
    assert.equal((await goTo({ kind: "current" })).exitCode, 0);
    assert.equal(await page(), "parent");
  });

  test("refuses to start on a root where one is running", async () => {
    await assert.rejects(startMachine(options), (error: TsosError) => error.code === "machine.running");
  });

  test("leaves nothing behind when its process is killed", async () => {
    await machine.stop();
    const file = join(folder, "start.mts");
    writeFileSync(
      file,
      `import { startMachine } from ${JSON.stringify(resolve(import.meta.dirname, "../../../core/system/machine.ts"))};
const machine = await startMachine({ ...${JSON.stringify({ ...options, name: "orphan" })} });
await machine.forwardPort(0, 80);
console.log(machine.leader);
setInterval(() => {}, 1000);
`,
    );
    const child = spawn(process.execPath, ["--import", "tsx", file], { stdio: ["ignore", "pipe", "inherit"], cwd: resolve(import.meta.dirname, "../../..") });
    const [output] = (await once(child.stdout, "data")) as [Buffer];
    const leader = Number(String(output));
    assert.ok(existsSync(`/proc/${leader}`));
    child.kill("SIGKILL");
    await once(child, "exit");
    for (let tries = 0; tries < 100 && (existsSync(`/proc/${leader}`) || cgroups("orphan").length > 0); tries++) await sleep(50);
    assert.equal(existsSync(`/proc/${leader}`), false);
    assert.deepEqual(cgroups("orphan"), []);
    assert.equal(readFileSync("/proc/self/mountinfo", "utf8").includes(options.root), false);
    assert.equal(findRunningMachine(options.root), undefined);
    machine = await startMachine(options);
    assert.equal(await inside("systemctl is-system-running"), "running");
    await machine.stop();
    assert.deepEqual(cgroups("box"), []);
    assert.deepEqual(readdirSync(join(options.root, "nix/store")), []);
  });
});

function cgroups(name: string): readonly string[] {
  return globSync(`**/tsos-${name}-*`, { cwd: "/sys/fs/cgroup", onlyDirectories: true });
}
