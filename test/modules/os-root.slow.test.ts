/** The tables that stand for an OS root, and generated files before the programs that read them on a machine. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { OS_ROOT_UNITS } from "../../modules/system/systemd/os-root-units.ts";
import { TIME_ZONES } from "../../modules/config/time-zones.ts";
import { evaluateSystem } from "./evaluate-system.ts";

/** An OS root in the store: whoever built a machine here has one. */
function findOsRoot(): string | undefined {
  const store = "/nix/store";
  if (!existsSync(store) || spawnSync("bwrap", ["--version"]).status !== 0) return undefined;
  const name = readdirSync(store).find((one) => one.endsWith("-os-root") && existsSync(join(store, one, "usr/sbin/nft")));
  return name === undefined ? undefined : join(store, name);
}

const osRoot = findOsRoot();

describe("an OS root", { skip: osRoot === undefined ? "needs bwrap and a machine's OS root in the store" : false }, () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "tsos-modules-"));
    writeFileSync(join(folder, "passwd"), "root:x:0:0::/root:/bin/bash\nsshd:x:100:100::/run/sshd:/usr/sbin/nologin\n");
    writeFileSync(join(folder, "group"), "root:x:0:\nwheel:x:10:\n");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs a program of the OS root with the test's folder at /t. */
  function run(...command: readonly string[]): { readonly status: number | null; readonly output: string } {
    const links = ["bin", "sbin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]);
    const mounts = ["--ro-bind", join(osRoot!, "usr"), "/usr", ...links, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/run", "--tmpfs", "/tmp", "--tmpfs", "/etc", "--tmpfs", "/var", "--dir", "/run/sshd"];
    const own = ["--ro-bind", join(folder, "passwd"), "/etc/passwd", "--ro-bind", join(folder, "group"), "/etc/group", "--bind", folder, "/t"];
    const result = spawnSync("bwrap", [...mounts, ...own, "--unshare-net", "--cap-add", "ALL", ...command], { encoding: "utf8" });
    return { status: result.status, output: `${result.stdout}${result.stderr}` };
  }

  test("has the units of the table and no others", () => {
    const units = join(osRoot!, "usr/lib/systemd/system");
    const found = readdirSync(units).filter((name) => {
      const isMasked = lstatSync(join(units, name)).isSymbolicLink() && readlinkSync(join(units, name)) === "/dev/null";
      return !isMasked && !lstatSync(join(units, name)).isDirectory();
    });
    assert.deepEqual([...OS_ROOT_UNITS].sort(), found.sort());
  });

  test("has the time zones of the table and no others", () => {
    const zones = join(osRoot!, "usr/share/zoneinfo");
    const list = (below: string): readonly string[] =>
      readdirSync(join(zones, below), { withFileTypes: true }).flatMap((entry) => {
        const path = below === "" ? entry.name : `${below}/${entry.name}`;
        if (entry.isDirectory()) return path === "right" || path === "posix" ? [] : list(path);
        if (path === "localtime" || path === "posixrules") return [];
        return readFileSync(realpathSync(join(zones, path))).subarray(0, 4).toString("latin1") === "TZif" ? [path] : [];
      });
    assert.deepEqual([...TIME_ZONES].sort(), [...list("")].sort());
  });

  test("takes the firewall's rules, sshd's configuration, sudoers and tmpfiles", () => {
    assert.equal(run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/t/host").status, 0);
    const { etc, manifest } = evaluateSystem({
      networking: {
        firewall: {
          allowedTCPPorts: [80, 22], allowedTCPPortRanges: [{ from: 70, to: 90 }, { from: 85, to: 100 }], allowedUDPPorts: [53], trustedInterfaces: ["docker0", "veth*"],
          interfaces: { eth1: { allowedTCPPorts: [9100] }, "wg*": { allowedUDPPorts: [1] } }, pingLimit: "2/second burst 5 packets", rejectPackets: true, logRefusedPackets: true,
          checkReversePath: "loose", extraInputRules: "ip6 saddr fd00::/8 tcp dport 24 accept", filterForward: true, extraForwardRules: "iifname wg0 accept",
        },
      },
      services: {
        openssh: {
          enable: true, hostKeys: [{ type: "ed25519", path: "/t/host" }], listenAddresses: [{ addr: "::1", port: 2222 }, { addr: "127.0.0.1" }], authorizedKeysCommand: "/usr/bin/true %u",
          settings: { AllowUsers: ["dev", "root"], Ciphers: ["aes256-ctr", "aes128-ctr"], PasswordAuthentication: false, MaxAuthTries: 3, AcceptEnv: ["LANG", "LC_*"] }, extraConfig: "Match User dev\n  X11Forwarding yes",
        },
      },
      security: { sudo: { wheelNeedsPassword: false, extraConfig: "Defaults timestamp_timeout=5", extraRules: [{ users: ["dev", 1000], groups: ["backup", 34], runAs: "root", commands: ["/usr/bin/systemctl restart nginx.service", { command: "/usr/bin/rsync", options: ["NOPASSWD", "NOFOLLOW"] }, "sudoedit /etc/hosts", "!/usr/bin/su"] }] } },
      systemd: { tmpfiles: { rules: ["d /var/cache/app 0750 root root 10d -"], settings: { "10-app": { "/var/my app": { d: { mode: "0750" } }, "/var/text": { "f+": { argument: "a b\nc" } } } } } },
    });
    mkdirSync(join(folder, "conf"));
    writeFileSync(join(folder, "conf/rules.nft"), etc("nftables.conf"));
    writeFileSync(join(folder, "conf/sshd_config"), etc("ssh/sshd_config"));
    writeFileSync(join(folder, "conf/sudoers"), etc("sudoers"), { mode: 0o440 });
    writeFileSync(join(folder, "conf/tmpfiles.conf"), `${manifest.tmpfiles.join("\n")}\n`);
    for (const command of [
      ["nft", "--check", "-f", "/t/conf/rules.nft"],
      ["/usr/sbin/sshd", "-t", "-f", "/t/conf/sshd_config"],
      ["visudo", "-c", "-f", "/t/conf/sudoers"],
      ["systemd-tmpfiles", "--dry-run", "--create", "/t/conf/tmpfiles.conf"],
    ]) {
      const { status, output } = run(...command);
      assert.equal(status, 0, `${command.join(" ")}\n${output}`);
    }
  });

  test("has every keyword that sshd may be given", () => {
    const { status, output } = run("/usr/sbin/sshd", "-T", "-h", "/t/host", "-f", "/dev/null");
    assert.equal(status, 0, output);
    const own = new Set(["port", "listenaddress", "hostkey", "subsystem", "authorizedkeysfile", "authorizedkeyscommand", "authorizedkeyscommanduser", "banner"]);
    const known = new Set(Object.keys(evaluateSystem({ services: { openssh: { enable: true } } }).config.services.openssh.settings).map((name) => name.toLowerCase()));
    const missing = [...new Set(output.trim().split("\n").map((line) => line.split(" ")[0]!))].filter((name) => !known.has(name) && !own.has(name));
    assert.deepEqual(missing, []);
  });
});
