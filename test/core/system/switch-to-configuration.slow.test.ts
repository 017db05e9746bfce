import assert from "node:assert/strict";
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { listSystem, switchSystem } from "../../../core/system/switch.ts";
import type { SwitchAction, SwitchTarget } from "../../../core/system/switch-target.ts";
import { startNixosContainer, type NixosContainer, type NixosToplevel } from "./support/nixos-container.ts";

const program = process.env["TSOS_SWITCH_TO_CONFIGURATION"];
const skip = program === undefined || program === "" ? "TSOS_SWITCH_TO_CONFIGURATION names NixOS' built switch-to-configuration" : process.getuid!() !== 0 ? "needs root" : false;

const sleeper = (seconds: number): string => `[Service]\nExecStart=/usr/bin/sleep ${seconds}\n`;

describe("NixOS' own switch-to-configuration in a container", { skip }, () => {
  let folder: string;
  let container: NixosContainer;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "tsos-nixos-"));
    container = await startNixosContainer(join(folder, "root"), program!);
  });

  after(async () => {
    await container?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  type Outcome = { readonly code: number; readonly generation: number | undefined; readonly said: string; readonly took: readonly string[] };
  const to = async (action: SwitchAction, target: SwitchTarget, more: { readonly specialisation?: string; readonly signal?: AbortSignal; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Outcome> => {
    let said = "";
    const { exitCode, generation } = await switchSystem({ action, target, root: container.root, realPath: container.realPath, onOutput: (text) => void (said += text), ...more });
    return { code: exitCode, generation, said, took: container.took() };
  };
  const made = (name: string, toplevel: NixosToplevel): SwitchTarget => ({ kind: "toplevel", toplevel: container.toplevel(name, toplevel) });
  const active = async (): Promise<string> => (await container.machine.run(["systemctl", "list-units", "--plain", "--no-legend", "--state=active", "a.service", "b.service", "c.service"])).stdout.replace(/ .*$/gm, "").trim().split("\n").join(" ");
  const seconds = async (unit: string): Promise<string> => /sleep (\d+)/.exec((await container.machine.run(["systemctl", "show", "-p", "ExecStart", unit])).stdout)?.[1] ?? "";
  const running = (): string => readlinkSync(`/proc/${container.machine.leader}/root/run/current-system`);

  test("switches: what runs, then the profile, then the boot loader", async () => {
    const one = made("one", { units: { "a.service": sleeper(1000), "b.service": sleeper(1000) } });
    const { code, generation, took, said } = await to("switch", one);
    assert.deepEqual([code, generation, took], [0, 1, ["one activate test", "one boot 1, system-1-link"]], said);
    assert.equal(await active(), "a.service b.service");
    assert.equal(running(), "/nix/store/one");
  });

  test("a dry activation says what would be done, and a switch does that: stops, starts and restarts units", async () => {
    const two = made("two", { units: { "a.service": sleeper(2000), "c.service": sleeper(1000) } });
    const dry = await to("dry-activate", two);
    assert.deepEqual([dry.code, dry.generation, dry.took], [0, 1, ["two dry-activate"]]);
    assert.match(dry.said, /would stop the following units: a\.service, b\.service/);
    assert.equal(await active(), "a.service b.service");
    const real = await to("switch", two);
    assert.deepEqual([real.code, real.generation, real.took], [0, 2, ["two activate test", "two boot 1,2, system-2-link"]], real.said);
    assert.deepEqual([await active(), await seconds("a.service")], ["a.service c.service", "2000"]);
  });

  test("goes back to the generation before, and to one by its number", async () => {
    assert.deepEqual((await to("switch", { kind: "rollback" })).took, ["one activate test", "one boot 1,2, system-1-link"]);
    assert.deepEqual([await active(), await seconds("a.service")], ["a.service b.service", "1000"]);
    const { code, generation } = await to("switch", { kind: "generation", number: 2 });
    assert.deepEqual([code, generation, await active()], [0, 2, "a.service c.service"]);
  });

  test("test activates without a generation, boot makes one without activating", async () => {
    const tried = await to("test", { kind: "toplevel", toplevel: "/nix/store/one" });
    assert.deepEqual([tried.code, tried.generation, tried.took, running()], [0, 2, ["one activate test"], "/nix/store/one"]);
    const later = await to("boot", made("later", { units: {} }));
    assert.deepEqual([later.code, later.generation, later.took, running()], [0, 3, ["later boot 1,2,3, system-3-link"], "/nix/store/one"]);
    assert.deepEqual(listSystem(container.root, container.realPath).map(({ number, label, isCurrent, isRunning }) => [number, label, isCurrent, isRunning]), [
      [1, "NixOS 26.11-one", false, true],
      [2, "NixOS 26.11-two", false, false],
      [3, "NixOS 26.11-later", true, false],
    ]);
    await to("switch", { kind: "generation", number: 2 });
  });

  test("a specialisation runs, and its generation is what boots", async () => {
    const quiet = container.toplevel("quiet", { units: { "a.service": sleeper(3000) } });
    const parent = made("parent", { units: { "a.service": sleeper(1000) }, specialisations: { quiet } });
    await to("switch", parent);
    const { code, generation, took } = await to("switch", { kind: "current" }, { specialisation: "quiet" });
    assert.deepEqual([code, generation, took, running()], [0, 4, ["quiet activate test", "parent boot 1,2,3,4, system-4-link"], quiet]);
    assert.equal(await seconds("a.service"), "3000");
    await to("switch", { kind: "generation", number: 2 });
  });

  test("units that do not start are told with code 3, and undo nothing", async () => {
    const { code, generation, said } = await to("switch", made("units", { units: { "a.service": sleeper(2000), "c.service": "[Service]\nType=oneshot\nExecStart=/usr/bin/false\n" } }));
    assert.deepEqual([code, generation, running()], [3, 5, "/nix/store/units"], said);
    assert.match(said, /the following units failed: c\.service/);
    await container.machine.run(["systemctl", "reset-failed"]);
    await to("switch", { kind: "generation", number: 2 });
    assert.equal(await active(), "a.service c.service");
  });

  test("an activation that fails is taken back, to what ran before it even where that is not the default", async () => {
    await to("test", { kind: "toplevel", toplevel: "/nix/store/one" });
    const { code, generation, took, said } = await to("switch", made("broken", { units: { "a.service": sleeper(4000) }, activationCode: 1 }));
    assert.deepEqual([code, generation, took], [4, 2, ["broken activate test", "one activate test"]], said);
    assert.match(said, /Failed to run activate script[\s\S]*ended with 2\n[\s\S]*going back to \/nix\/store\/one/);
    assert.deepEqual([running(), await active(), await seconds("a.service")], ["/nix/store/one", "a.service b.service", "1000"]);
    await to("switch", { kind: "generation", number: 2 });
  });

  test("a boot loader that fails is taken back: profile, boot menu and what runs", async () => {
    const { code, generation, took } = await to("switch", made("unbootable", { units: {}, bootCode: 1 }));
    assert.deepEqual([code, generation], [4, 2]);
    assert.deepEqual(took, ["unbootable activate test", "unbootable boot 1,2,3,4,5,6, system-6-link", "two boot 1,2,3,4,5, system-2-link", "two activate test"]);
    assert.equal(await active(), "a.service c.service");
  });

  test("what NixOS' checks refuse changes nothing, and is not taken back; NIXOS_NO_CHECK is passed on", async () => {
    const refused = made("refused", { units: { "a.service": sleeper(5000) }, preSwitchCheck: "echo not this one >&2; exit 1" });
    const { code, generation, took, said } = await to("switch", refused);
    assert.deepEqual([code, generation, took, running()], [1, 2, [], "/nix/store/two"], said);
    assert.match(said, /not this one\nPre-switch checks failed\nerror: "\/nix\/store\/refused" was not activated, and nothing has changed/);
    assert.deepEqual((await to("test", refused, { env: { NIXOS_NO_CHECK: "1" } })).took, ["refused activate test"]);
    await to("test", { kind: "current" });
  });

  test("another init needs a reboot: a switch makes it the next one and says so, a test does nothing", async () => {
    const other = made("other-init", { units: {}, initInterface: "systemd 3" });
    const tried = await to("test", other);
    assert.deepEqual([tried.code, tried.generation, tried.took], [5, 2, []]);
    assert.match(tried.said, /error: nothing was activated: the system needs a reboot/);
    const { code, generation, took, said } = await to("switch", other);
    assert.deepEqual([code, generation, took, running()], [5, 6, ["other-init boot 1,2,3,4,5,6, system-6-link"], "/nix/store/two"], said);
    await to("switch", { kind: "generation", number: 2 });
  });

  test("one that is interrupted is taken back, and nothing of it goes on", async () => {
    const slow = made("slow", { units: { "a.service": sleeper(6000) }, activation: "sleep 5; echo went on >> /boot/log" });
    const controller = new AbortController();
    const ended = to("switch", slow, { signal: controller.signal });
    for (let tries = 0; tries < 100 && !(await container.machine.run(["cat", "/boot/log"])).stdout.includes("slow activate"); tries++) await sleep(50);
    controller.abort();
    const { code, generation, took, said } = await ended;
    assert.deepEqual([code, generation, took], [130, 2, ["slow activate test", "two activate test"]], said);
    await sleep(5500);
    assert.deepEqual([container.took(), running(), await seconds("a.service"), await active()], [[], "/nix/store/two", "2000", "a.service c.service"]);
  });
});
