import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { MANIFEST_VERSION, type EtcEntry, type GroupEntry, type SystemManifest, type UserEntry } from "../../../../core/system/manifest.ts";
import { toplevelEntries } from "../../../../core/system/toplevel.ts";

export const EMPTY_MANIFEST: SystemManifest = {
  version: MANIFEST_VERSION,
  system: "x86_64-linux",
  label: "test",
  stateVersion: "26.11",
  osRoot: "/nonexistent",
  systemPath: "/nonexistent",
  etc: [],
  users: { mutableUsers: true, users: [], groups: [] },
  tmpfiles: [],
  sysctl: {},
  hostName: "",
  timeZone: null,
  locale: null,
  firewall: null,
  wrappers: [],
  activationPrograms: [],
  defaultTarget: "multi-user.target",
  unitTimeoutSeconds: 60,
  checks: [],
};

export function user(name: string, values: Partial<UserEntry> = {}): UserEntry {
  return {
    name,
    uid: null,
    group: "users",
    extraGroups: [],
    description: "",
    home: `/home/${name}`,
    createHome: false,
    homeMode: "0700",
    shell: "/usr/bin/bash",
    isNormalUser: true,
    hashedPassword: null,
    hashedPasswordFile: null,
    initialHashedPassword: null,
    autoSubUidGidRange: false,
    ...values,
  };
}

export function group(name: string, gid: number | null = null, members: readonly string[] = []): GroupEntry {
  return { name, gid, members };
}

export type FixtureStore = {
  /** A real folder that stands for the store. */
  readonly folder: string;
  /** Where the generations will see it. */
  readonly logical: string;
  readonly node: string;
  readonly shell: string;
  /** A real file; copied into the store. */
  readonly activator: string;
};

/** Puts a file into the store; its logical path. */
export function addFile(store: FixtureStore, name: string, contents: string, mode = 0o444): string {
  const file = join(store.folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, contents);
  chmodSync(file, mode);
  return join(store.logical, name);
}

/** A folder of units: texts by name, and links by name. */
export function addUnits(store: FixtureStore, name: string, units: Readonly<Record<string, string>>, links: Readonly<Record<string, string>> = {}): EtcEntry {
  for (const [unit, text] of Object.entries(units)) addFile(store, `${name}/${unit}`, text);
  for (const [unit, target] of Object.entries(links)) {
    const link = join(store.folder, name, unit);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link);
  }
  mkdirSync(join(store.folder, name), { recursive: true });
  return { kind: "link", target: "systemd/system", source: join(store.logical, name) };
}

/** Writes a toplevel as `builtin:write-tree` would; its logical path. */
export function addToplevel(store: FixtureStore, name: string, manifest: Partial<SystemManifest>, specialisations: Readonly<Record<string, string>> = {}): string {
  const folder = join(store.folder, name);
  const entries = toplevelEntries({
    manifest: { ...EMPTY_MANIFEST, ...manifest },
    activator: store.activator,
    node: store.node,
    shell: store.shell,
    tsosVersion: "0.1.0",
    specialisations,
  });
  for (const entry of entries) {
    const path = join(folder, entry.path);
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path)) throw new Error(`"${path}" is there already`);
    if (entry.kind === "symlink") symlinkSync(entry.target, path);
    else writeFileSync(path, entry.contents, { mode: entry.executable === true ? 0o755 : 0o644 });
  }
  return join(store.logical, name);
}
