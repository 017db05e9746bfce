import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildSync } from "esbuild";
import type { EtcEntry, SystemManifest } from "../../../../core/system/manifest.ts";
import { addFile, addUnits, type FixtureStore, group } from "./toplevel-fixture.ts";

/** A folder that a machine sees at /nix/store: the OS root (hard links), a Node that runs anywhere, the activator. */
export function makeContainerStore(folder: string, osRoot: string): FixtureStore & { readonly osRoot: string; readonly realOsRoot: string } {
  mkdirSync(folder, { recursive: true });
  execFileSync("cp", ["-al", join(osRoot, "os-root"), join(folder, "test-os-root")]);
  const activator = join(folder, "activate.mjs");
  buildSync({
    entryPoints: [resolve(import.meta.dirname, "../../../../core/system/activate/main.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    outfile: activator,
  });
  const library = "/nix/store/test-os-root/usr/lib/x86_64-linux-gnu";
  mkdirSync(join(folder, "test-node/bin"), { recursive: true });
  copyFileSync(join(osRoot, "node/bin/node"), join(folder, "test-node/bin/node.real"));
  writeFileSync(
    join(folder, "test-node/bin/node"),
    `#!/nix/store/test-os-root/usr/bin/dash\nexec ${library}/ld-linux-x86-64.so.2 --library-path ${library} /nix/store/test-node/bin/node.real "$@"\n`,
  );
  chmodSync(join(folder, "test-node/bin/node"), 0o755);
  mkdirSync(join(folder, "test-sw/bin"), { recursive: true });
  return {
    folder,
    logical: "/nix/store",
    node: "/nix/store/test-node/bin/node",
    shell: "/nix/store/test-os-root/usr/bin/dash",
    activator: "/nix/store/activate.mjs",
    osRoot: "/nix/store/test-os-root",
    realOsRoot: join(folder, "test-os-root"),
  };
}

const MASKED = ["systemd-sysusers.service", "systemd-firstboot.service", "ldconfig.service", "systemd-update-done.service", "console-getty.service"];

/** What a machine needs to boot, beside `values`; `units` are added to /etc/systemd/system as `NAME`. */
export function bootableManifest(
  store: ReturnType<typeof makeContainerStore>,
  name: string,
  units: Readonly<Record<string, string>>,
  wanted: readonly string[],
  values: Partial<SystemManifest> & { readonly etc?: readonly EtcEntry[] } = {},
): Partial<SystemManifest> {
  const links: Record<string, string> = { "default.target": "/usr/lib/systemd/system/multi-user.target", "multi-user.target.wants/dbus.service": "/usr/lib/systemd/system/dbus.service" };
  for (const unit of MASKED) links[unit] = "/dev/null";
  for (const unit of wanted) links[`multi-user.target.wants/${unit}`] = `../${unit}`;
  const nsswitch = addFile(store, `${name}-nsswitch.conf`, "passwd: files\ngroup: files\nshadow: files\nhosts: files myhostname dns\n");
  return {
    osRoot: store.osRoot,
    systemPath: "/nix/store/test-sw",
    hostName: name.split("-")[0]!,
    timeZone: "UTC",
    locale: "C.UTF-8",
    ...values,
    etc: [addUnits(store, `${name}-units`, units, links), { kind: "link", target: "nsswitch.conf", source: nsswitch }, { kind: "link", target: "os-release", source: "/usr/lib/os-release" }, ...(values.etc ?? [])],
    users: {
      mutableUsers: true,
      ...values.users,
      users: [
        { ...systemUser("root", 0, "root"), home: "/root", shell: "/bin/bash" },
        systemUser("nobody", 65534, "nogroup"),
        systemUser("messagebus", null, "messagebus"),
        ...(values.users?.users ?? []),
      ],
      groups: [group("root", 0), group("nogroup", 65534), group("messagebus"), group("shadow", 42), group("users", 100), group("systemd-journal"), ...(values.users?.groups ?? [])],
    },
  };
}

function systemUser(name: string, uid: number | null, groupName: string): SystemManifest["users"]["users"][number] {
  return {
    name,
    uid,
    group: groupName,
    extraGroups: [],
    description: "",
    home: "/nonexistent",
    createHome: false,
    homeMode: "0755",
    shell: "/usr/sbin/nologin",
    isNormalUser: false,
    hashedPassword: null,
    hashedPasswordFile: null,
    initialHashedPassword: null,
    autoSubUidGidRange: false,
  };
}

export function linkInto(store: FixtureStore, name: string, target: string): void {
  symlinkSync(target, join(store.folder, name));
}
