import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, copyFileSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findRunningMachine, machineStateFile, processStartTime, type RunningMachine } from "../../../../core/system/running-machine.ts";

export type NixosToplevel = {
  readonly units: Readonly<Record<string, string>>;
  /** A shell script that ends the activation with this code; default 0. */
  readonly activationCode?: number;
  /** Before the activation's end. */
  readonly activation?: string;
  readonly bootCode?: number;
  readonly preSwitchCheck?: string;
  readonly initInterface?: string;
  readonly specialisations?: Readonly<Record<string, string>>;
};

/** A machine that runs this host's systemd, with toplevels laid out as NixOS lays them out, and NixOS' own `switch-to-configuration`. */
export type NixosContainer = {
  readonly root: string;
  readonly machine: RunningMachine;
  /** @returns its logical path */
  readonly toplevel: (name: string, toplevel: NixosToplevel) => string;
  readonly realPath: (path: string) => string;
  /** What the boot loader's script and the activation were told, since the last look. */
  readonly took: () => readonly string[];
  [Symbol.asyncDispose](): Promise<void>;
};

/** @param program the built `switch-to-configuration`, without its wrapper */
export async function startNixosContainer(root: string, program: string): Promise<NixosContainer> {
  const write = (file: string, text: string, mode = 0o644): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
    chmodSync(join(root, file), mode);
  };
  const script = (file: string, text: string): void => write(file, `#!/bin/sh\n${text}`, 0o755);
  for (const name of ["usr", "nix/store", "nix/var/nix/profiles", "boot", "run", "var", "tmp", "root", "etc/static"]) mkdirSync(join(root, name), { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) symlinkSync(`usr/${name}`, join(root, name));
  write("etc/os-release", "ID=nixos\n");
  write("etc/machine-id", "");
  write("etc/passwd", "root:x:0:0::/root:/bin/sh\nmessagebus:x:100:100::/nonexistent:/usr/sbin/nologin\n");
  write("etc/group", "root:x:0:\nmessagebus:x:100:\n");
  copyFileSync(program, join(root, "nix/store/switch-to-configuration"));
  chmodSync(join(root, "nix/store/switch-to-configuration"), 0o755);
  symlinkSync("/etc/static/systemd", join(root, "etc/systemd"));

  const toplevel: NixosContainer["toplevel"] = (name, { units, activation = "", activationCode = 0, bootCode = 0, preSwitchCheck = "", initInterface = "systemd 2", specialisations = {} }) => {
    const path = `/nix/store/${name}`;
    write(`${path}/nixos-version`, `26.11-${name}`);
    write(`${path}/init-interface-version`, initInterface);
    script(`${path}/activate`, `echo "${name} activate $NIXOS_ACTION" >> /boot/log\nln -sfn ${path}/etc /etc/static.new && mv -T /etc/static.new /etc/static 2>/dev/null || { rm -rf /etc/static; mv -T /etc/static.new /etc/static; }\n${activation}\nln -sfn ${path} /run/current-system\nexit ${activationCode}\n`);
    script(`${path}/dry-activate`, `echo "${name} dry-activate" >> /boot/log\n`);
    script(`${path}/install-bootloader`, `cd /nix/var/nix/profiles\necho "${name} boot $(ls -d system-*-link | tr -dc '0-9\\n' | tr '\\n' ,) $(readlink system)" >> /boot/log\nexit ${bootCode}\n`);
    script(`${path}/pre-switch-check`, `${preSwitchCheck}\nexit 0\n`);
    script(`${path}/bin/switch-to-configuration`, `export OUT=${path} TOPLEVEL=${path} DISTRO_ID=nixos INSTALL_BOOTLOADER=${path}/install-bootloader PRE_SWITCH_CHECK=${path}/pre-switch-check SYSTEMD=/usr\nexec /nix/store/switch-to-configuration "$@"\n`);
    // What a machine comes up with is a unit of its own there, started again where units of it were stopped.
    const all = { "multi-user.target": readFileSync("/usr/lib/systemd/system/multi-user.target", "utf8"), "sysinit-reactivation.target": "[Unit]\nDescription=Reactivate sysinit units\n", ...units };
    for (const [unit, text] of Object.entries(all)) {
      write(`${path}/etc/systemd/system/${unit}`, text);
      if (!unit.endsWith(".service")) continue;
      mkdirSync(join(root, path, "etc/systemd/system/multi-user.target.wants"), { recursive: true });
      symlinkSync(`../${unit}`, join(root, path, "etc/systemd/system/multi-user.target.wants", unit));
    }
    mkdirSync(join(root, path, "specialisation"), { recursive: true });
    for (const [variant, target] of Object.entries(specialisations)) symlinkSync(target, join(root, path, "specialisation", variant));
    return path;
  };

  // What it boots with, before anything was switched.
  const first = toplevel("empty", { units: {} });
  symlinkSync(`${first}/etc/systemd`, join(root, "etc/static/systemd"));

  const console = openSync(join(dirname(root), "console.log"), "w");
  const child = spawn(
    "unshare",
    [
      ...["--mount", "--propagation", "slave", "sh", "-c", 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"', "sh"],
      ...["systemd-nspawn", "--register=no", "--keep-unit", "--private-network", "--resolv-conf=off", "--timezone=off", "--link-journal=no", "--console=pipe", "--quiet"],
      ...["--machine=tsos-nixos", "--directory", root, "--bind-ro=/usr", "--boot"],
    ],
    { stdio: ["ignore", console, console], detached: true },
  );
  closeSync(console);
  const leader = await waitForLeader(child);
  writeFileSync(machineStateFile(root), JSON.stringify({ version: 1, name: "tsos-nixos", root, leader, leaderStartTime: processStartTime(leader) }));
  const machine = findRunningMachine(root);
  if (machine === undefined) throw new Error("the container has ended");
  await waitUntilUp(machine);
  await machine.run(["ln", "-sfn", first, "/run/current-system"]);

  return {
    root,
    machine,
    toplevel,
    realPath: (path) => join(root, path),
    took: () => {
      const log = join(root, "boot/log");
      const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
      writeFileSync(log, "");
      return lines.filter((line) => line !== "");
    },
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      if (child.exitCode === null && child.signalCode === null) {
        await machine.run(["systemctl", "poweroff", "--force"]).catch(() => undefined);
        await Promise.race([ended, sleep(20_000).then(() => process.kill(leader, "SIGKILL"))]);
        await ended;
      }
    },
  };
}

async function waitForLeader(nspawn: ChildProcess): Promise<number> {
  for (let tries = 0; tries < 1000; tries++) {
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const status = readFileSync(`/proc/${entry}/status`, "utf8");
        if (/^PPid:\s*(\d+)$/m.exec(status)?.[1] === String(nspawn.pid) && /^NSpid:.*\s1$/m.test(status) && readlinkSync(`/proc/${entry}/exe`).includes("systemd")) return Number(entry);
      } catch {
        // It has ended meanwhile.
      }
    }
    if (nspawn.exitCode !== null) break;
    await sleep(20);
  }
  throw new Error("the container does not start");
}

async function waitUntilUp(machine: RunningMachine): Promise<void> {
  let state = "";
  for (let tries = 0; tries < 300; tries++) {
    state = (await machine.run(["systemctl", "is-system-running"])).stdout.trim();
    if (state === "running" || state === "degraded") return;
    await sleep(100);
  }
  throw new Error(`the container does not come up: ${state}`);
}
