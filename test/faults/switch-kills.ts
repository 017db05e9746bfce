import assert from "node:assert/strict";
import { existsSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findRunningMachine, type RunningMachine } from "../../core/system/running-machine.ts";
import { listSystemGenerations, SYSTEM_PROFILE } from "../../core/system/activate/system-profile.ts";
import type { TsosProcess } from "../cli/tsos-process.ts";
import type { PrivateStore } from "./private-store.ts";

/** What the machine's configurations differ in. */
export type MachineVariant = { readonly name: "first" | "second" | "sick"; readonly users: readonly string[]; readonly units: readonly string[] };

export const variants: Readonly<Record<MachineVariant["name"], MachineVariant>> = {
  first: { name: "first", users: ["ann"], units: ["both", "first"] },
  second: { name: "second", users: ["ann", "bob"], units: ["both", "second"] },
  sick: { name: "sick", users: ["bob"], units: ["both", "sick"] },
};

/** `system.config.ts` of a variant: units that start, stop and change, a user, files of /etc, a host name. */
export function writeVariant(store: PrivateStore, { name, users, units }: MachineVariant): void {
  const services = Object.fromEntries(
    units.map((unit) => [unit, { wantedBy: ["multi-user.target"], description: unit === "both" ? `as ${name} has it` : unit, serviceConfig: { ExecStart: `/usr/bin/sleep ${unit === "both" ? 1000 + name.length : 2000}` } }]),
  );
  const config = {
    networking: { hostName: `box-${name}` },
    environment: { etc: { variant: { text: name }, [`only-${name}`]: { text: name, mode: "0640" } } },
    users: { users: Object.fromEntries(users.map((user) => [user, { isNormalUser: true }])) },
    systemd: { services },
    system: { stateVersion: "26.11", healthChecks: { it: name === "sick" ? { command: ["/usr/bin/false"], timeoutSeconds: 1 } : { unit: "both.service" } } },
  };
  writeFileSync(join(store.project, "system.config.ts"), `import { defineSystem } from "tsos";\n\nexport default defineSystem({ config: ${JSON.stringify(config, undefined, 2)} });\n`);
}

/** A machine that another tsos runs: started as a user starts one, and waited for. */
export async function bootMachine(store: PrivateStore, root: string): Promise<{ readonly tsos: TsosProcess; readonly machine: RunningMachine }> {
  const tsos = store.start("machine", "--no-check", "--keep", "--root", root, "--", "/usr/bin/sleep", "infinity");
  let ended: string | undefined;
  void tsos.ended.then(({ code, stderr }) => (ended = `exit code ${code}: ${stderr}`));
  for (;;) {
    assert.equal(ended, undefined);
    const machine = findRunningMachine(root);
    if (machine !== undefined) {
      const state = (await machine.run(["systemctl", "is-system-running"])).stdout.trim();
      if (state === "running") return { tsos, machine };
      assert.notEqual(state, "degraded", (await machine.run(["systemctl", "list-units", "--failed", "--no-legend"])).stdout);
    }
    await sleep(100);
  }
}

/** Everything that says which generation a running machine is on must say `variant`. */
export async function assertOn(store: PrivateStore, root: string, machine: RunningMachine, variant: MachineVariant, toplevel: string): Promise<void> {
  const inside = async (command: string): Promise<readonly string[]> => (await machine.run(["sh", "-c", command])).stdout.trim().split("\n");
  const others = Object.values(variants).filter((one) => one !== variant);
  const user = (name: string): string => (variant.users.includes(name) ? name : "-");
  const unit = (name: string): string => (variant.units.includes(name) ? "active" : "inactive");
  assert.deepEqual(
    await inside(
      "readlink -f /run/current-system; readlink -f /nix/var/nix/profiles/system; hostname; cat /etc/variant; echo; readlink -f /etc/static; readlink -f /usr; ls /etc | grep -c tsos-new; ls -A /var/lib/tsos | grep activation;" +
        `for u in ann bob; do id -un $u 2>/dev/null || echo -; done; stat -c %a /etc/only-${variant.name}; systemctl is-active both first second sick; systemctl show -P Description both; systemctl list-units --failed --plain --no-legend; systemctl list-jobs --no-legend; echo end`,
    ),
    [
      ...[toplevel, toplevel, `box-${variant.name}`, variant.name],
      // A link of the toplevel that leads to another path of the store.
      readlinkOf(store, `${toplevel}/etc`),
      `${readlinkOf(store, `${toplevel}/os-root`)}/usr`,
      "0",
      ...[user("ann"), user("bob"), "640", unit("both"), unit("first"), unit("second"), unit("sick"), `as ${variant.name} has it`, "end"],
    ],
  );
  for (const { name } of others) assert.equal(existsSync(join(root, `etc/only-${name}`)), false);
  assertProfile(root, toplevel);
}

/** The generation that boots next, and no link half made. */
export function assertProfile(root: string, toplevel: string): void {
  const profile = join(root, SYSTEM_PROFILE);
  assert.equal(listSystemGenerations(profile).find((one) => one.isCurrent)?.toplevel, toplevel);
  assert.deepEqual(readdirSync(join(profile, "..")).filter((name) => !/^system(-\d+-link|\.lock)?$/.test(name)), []);
}

function readlinkOf(store: PrivateStore, path: string): string {
  try {
    return readlinkSync(join(store.root, path));
  } catch {
    return path;
  }
}
