import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, copyFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import type { SystemManifest } from "../manifest.ts";
import { type ActivationPlan, osRootLink } from "./activation-plan.ts";
import { makeFolder, replaceLink, syncFolder, writeDurably } from "./durable-file.ts";
import { STATIC_LINK_TARGET } from "./etc-plan.ts";
import { type MachineRoot, readNode, readOwnedCopies, readText, STATE_FOLDER } from "./machine-state.ts";
import { ACTIVATION_ENVIRONMENT, runCommand } from "./system-manager.ts";

export type StepContext = {
  readonly root: MachineRoot;
  /** Whether this is the running machine itself: its kernel, mounts and programs may be touched. */
  readonly live: boolean;
  readonly toplevel: string;
  readonly manifest: SystemManifest;
  readonly plan: ActivationPlan;
  readonly action: string;
  /** For people: what happens, and what went not quite well. */
  readonly report: (line: string) => void;
  readonly warn: (line: string) => void;
};

export type Step = { readonly name: string; readonly run: (context: StepContext) => void | Promise<void> };

/**
 * What makes a machine's files those of a generation. Each step may be killed at any point and run again, and
 * ends in the same state; their order is that of what needs what.
 */
export const FILE_STEPS: readonly Step[] = [
  { name: "os-root", run: linkOsRoot },
  { name: "users", run: writeUsers },
  { name: "etc", run: writeEtc },
  { name: "identity", run: writeIdentity },
  { name: "homes", run: makeHomes },
  { name: "wrappers", run: makeWrappers },
  { name: "tmpfiles", run: applyTmpfiles },
  { name: "sysctl", run: applySysctl },
  { name: "programs", run: runPrograms },
  { name: "current-system", run: linkCurrentSystem },
];

const USR_LINKS = ["bin", "sbin", "lib", "lib64"];

const ROOT_FOLDERS = [
  ["dev", 0o755],
  ["etc", 0o755],
  ["home", 0o755],
  ["proc", 0o555],
  ["root", 0o700],
  ["run", 0o755],
  ["srv", 0o755],
  ["sys", 0o555],
  ["tmp", 0o1777],
  ["var", 0o755],
] as const;

/**
 * Refuses a root that another system lives in, before anything is changed.
 *
 * @throws TsosError `activate.foreign-root`, `activate.missing-path`
 */
export function checkRoot(root: MachineRoot, manifest: SystemManifest): void {
  for (const path of [join(manifest.osRoot, "usr"), manifest.systemPath]) {
    if (!existsSync(path)) {
      throw new TsosError({ code: "activate.missing-path", message: `"${path}", which the generation needs, is not there`, hint: "the store may have been cleaned by hand; build the system again" });
    }
  }
  for (const name of ["usr", ...USR_LINKS]) {
    const path = join(root, "/", name);
    if (readNode(path).kind === "folder" && readdirSync(path).length > 0) {
      throw new TsosError({
        code: "activate.foreign-root",
        message: `"${path}" is a folder of another system, not a link into the store`,
        hint: "a generation can only be activated on a machine that tsos made: `tsos machine`, or `--root` with an empty folder",
      });
    }
  }
}

function linkOsRoot({ root, manifest }: StepContext): void {
  placeOsRoot(root, manifest.osRoot, manifest.osRoot);
}

/** The folders and links of a root, by which an OS root becomes its system. `realOsRoot` is where it can be read. */
export function placeOsRoot(root: MachineRoot, osRoot: string, realOsRoot: string): void {
  const place = (name: string, target: string): void => {
    const path = join(root, "/", name);
    const node = readNode(path);
    if (node.kind === "link" && node.target === target) return;
    // checkRoot has seen that it is empty.
    if (node.kind === "folder") rmdirSync(path);
    replaceLink(target, path);
  };
  place("usr", osRootLink(osRoot));
  for (const name of USR_LINKS) {
    if (existsSync(join(realOsRoot, "usr", name))) place(name, `usr/${name}`);
  }
  for (const [name, mode] of ROOT_FOLDERS) {
    const path = join(root, "/", name);
    if (existsSync(path)) continue;
    mkdirSync(path);
    chmodSync(path, mode);
  }
  syncFolder(join(root, "/"));
}

function writeUsers({ root, plan, warn, report }: StepContext): void {
  const { users } = plan;
  const state = join(root, STATE_FOLDER);
  makeFolder(state);
  makeFolder(join(root, "/etc"));
  // First the memory of what was given out: an id must not be given twice, whatever happens in between.
  writeIfChanged(join(state, "ids.json"), `${JSON.stringify(users.allocations, undefined, 2)}\n`, 0o600);
  const secret = { uid: processUid(), gid: users.gids.get("shadow") ?? processGid() };
  writeIfChanged(join(root, "/etc/group"), users.files.group, 0o644);
  writeIfChanged(join(root, "/etc/gshadow"), users.files.gshadow, 0o640, secret);
  writeIfChanged(join(root, "/etc/shadow"), users.files.shadow, 0o640, secret);
  writeIfChanged(join(root, "/etc/passwd"), users.files.passwd, 0o644);
  writeIfChanged(join(root, "/etc/subuid"), users.files.subuid, 0o644);
  writeIfChanged(join(root, "/etc/subgid"), users.files.subgid, 0o644);
  for (const warning of users.warnings) warn(warning);
  if (users.addedUsers.length > 0) report(`adding the users: ${users.addedUsers.join(", ")}`);
}

function writeEtc({ root, toplevel, plan, warn, report }: StepContext): void {
  const etc = join(root, "/etc");
  const copiesFile = join(root, STATE_FOLDER, "etc-copies.json");
  makeFolder(etc);
  makeFolder(dirname(copiesFile));
  // Old and new together until all is done, so that a copy is never taken for somebody else's file.
  writeIfChanged(copiesFile, json({ ...readOwnedCopies(root), ...plan.etc.copies }), 0o644);
  for (const operation of plan.etc.operations) {
    const path = join(etc, operation.target);
    if (operation.kind === "clear") {
      clearOwn(path);
      continue;
    }
    makeFolder(dirname(path));
    if (operation.kind === "link") {
      replaceLink(STATIC_LINK_TARGET + operation.target, path);
      continue;
    }
    const uid = resolveId(operation.user, plan.users.uids, "user", operation.target);
    const gid = resolveId(operation.group, plan.users.gids, "group", operation.target);
    // Where there was a link of tsos's own, the rename in here replaces it.
    writeIfChanged(path, readFileSync(operation.source), parseInt(operation.mode, 8), { uid, gid });
  }
  replaceLink(`${toplevel}/etc`, join(etc, "static"));
  for (const target of plan.etc.stale) removeStale(etc, target);
  writeIfChanged(copiesFile, json(plan.etc.copies), 0o644);
  syncFolder(etc);
  for (const target of plan.etc.conflicts) warn(`/etc/${target} is declared, but a file that tsos does not own is there: left alone`);
  const changes = plan.etc.stale.length + plan.changedEtc.length + plan.etc.operations.filter((operation) => operation.kind === "link").length;
  if (changes > 0) report(`setting up /etc (${changes} ${changes === 1 ? "change" : "changes"})`);
}

function clearOwn(path: string): void {
  const node = readNode(path);
  if (node.kind === "missing") return;
  if (node.kind === "folder") removeEmptyFolders(path);
  else unlinkSync(path);
}

/** A folder whose links were taken away, with the folders in it; fails where a file of somebody else is left. */
function removeEmptyFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
  }
  rmdirSync(folder);
}

function removeStale(etc: string, target: string): void {
  rmSync(join(etc, target), { force: true });
  // Folders that only held links of tsos go with the last of them.
  for (let folder = dirname(target); folder !== "."; folder = dirname(folder)) {
    try {
      rmdirSync(join(etc, folder));
    } catch {
      return;
    }
  }
}

function resolveId(name: string, ids: ReadonlyMap<string, number>, what: string, target: string): number {
  if (/^\d+$/.test(name)) return Number(name);
  const id = ids.get(name);
  if (id === undefined) {
    throw new TsosError({ code: "activate.unknown-owner", message: `/etc/${target} shall belong to the ${what} "${name}", which is not there`, hint: `declare the ${what}` });
  }
  return id;
}

async function writeIdentity({ root, live, manifest, warn }: StepContext): Promise<void> {
  const etc = join(root, "/etc");
  makeFolder(etc);
  const declared = new Set(manifest.etc.map((entry) => entry.target));
  const machineId = join(etc, "machine-id");
  if (!/^[0-9a-f]{32}$/.test(readText(machineId)?.trim() ?? "")) writeDurably(machineId, `${randomBytes(16).toString("hex")}\n`, 0o444);
  // Tells systemd that /etc and /var fit to /usr: else it would build hardware and library indices at each boot.
  for (const updated of ["/etc/.updated", "/var/.updated"]) {
    const file = join(root, updated);
    if (readNode(file).kind !== "missing") continue;
    makeFolder(dirname(file));
    writeFileSync(file, "# The activator of tsos keeps /etc and /var up to date with /usr.\n");
  }
  if (manifest.hostName !== "" && !declared.has("hostname")) {
    writeIfChanged(join(etc, "hostname"), `${manifest.hostName}\n`, 0o644);
    if (live && readText("/proc/sys/kernel/hostname")?.trim() !== manifest.hostName) {
      const result = await runCommand("hostname", [manifest.hostName], { seconds: 10 });
      if (result.code !== 0) warn(`the host name cannot be set: ${result.output}`);
    }
  }
  if (manifest.locale !== null && !declared.has("locale.conf")) writeIfChanged(join(etc, "locale.conf"), `LANG=${manifest.locale}\n`, 0o644);
  if (manifest.timeZone !== null && !declared.has("localtime")) {
    const target = `/usr/share/zoneinfo/${manifest.timeZone}`;
    if (!existsSync(join(manifest.osRoot, target))) {
      throw new TsosError({ code: "activate.unknown-time-zone", message: `the time zone "${manifest.timeZone}" is not in the OS root`, hint: "a time zone is a name such as \"Europe/Berlin\"; the OS root needs tzdata" });
    }
    replaceLink(target, join(etc, "localtime"));
  }
}

function makeHomes({ root, manifest, plan }: StepContext): void {
  for (const user of manifest.users.users) {
    const home = join(root, user.home);
    if (!user.createHome || existsSync(home)) continue;
    makeFolder(dirname(home));
    // Made aside, since a home that is there is the user's and is never touched again.
    const next = `${home}.tsos-new`;
    rmSync(next, { recursive: true, force: true });
    mkdirSync(next, { mode: 0o700 });
    const gid = plan.users.gids.get(user.group);
    const uid = plan.users.uids.get(user.name);
    if (uid !== undefined && gid !== undefined) chownSync(next, uid, gid);
    chmodSync(next, parseInt(user.homeMode, 8));
    renameSync(next, home);
  }
}

async function makeWrappers({ root, live, manifest, plan }: StepContext): Promise<void> {
  const folder = join(root, "/run/wrappers");
  if (manifest.wrappers.length === 0 && !existsSync(folder)) return;
  makeFolder(folder);
  // /run is mounted without setuid programs, so these need a file system of their own.
  if (live && lstatSync(folder).dev === lstatSync(dirname(folder)).dev) {
    const result = await runCommand("mount", ["-t", "tmpfs", "-o", "nodev,mode=755,size=64m", "tmpfs", folder], { seconds: 30 });
    if (result.code !== 0) throw new TsosError({ code: "activate.wrappers", message: `a file system for /run/wrappers cannot be mounted: ${result.output}` });
  }
  const next = join(folder, `wrappers.${randomBytes(4).toString("hex")}`);
  mkdirSync(next, { mode: 0o755 });
  for (const wrapper of manifest.wrappers) {
    const path = join(next, wrapper.name);
    copyFileSync(wrapper.source, path);
    const target = `wrappers/bin/${wrapper.name}`;
    chownSync(path, resolveId(wrapper.user, plan.users.uids, "user", target), resolveId(wrapper.group, plan.users.gids, "group", target));
    chmodSync(path, parseInt(wrapper.mode, 8));
  }
  replaceLink(basename(next), join(folder, "bin"));
  for (const name of readdirSync(folder)) {
    if (name.startsWith("wrappers.") && name !== basename(next)) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

async function applyTmpfiles({ live, manifest, warn }: StepContext): Promise<void> {
  if (!live || manifest.tmpfiles.length === 0) return;
  makeFolder("/run/tsos");
  const file = "/run/tsos/tmpfiles.conf";
  writeFileSync(file, `${manifest.tmpfiles.join("\n")}\n`);
  const result = await runCommand("systemd-tmpfiles", ["--create", "--remove", file], { seconds: 120 });
  // As for systemd's own unit, a line that cannot be applied does not stop the rest.
  if (result.code !== 0) warn(`systemd-tmpfiles: ${result.output}`);
}

function applySysctl({ live, manifest, warn }: StepContext): void {
  if (!live) return;
  for (const [key, value] of Object.entries(manifest.sysctl)) {
    // In a key, dots and slashes change places: `net.ipv4.conf.eth0/1.forwarding` is of the interface `eth0.1`.
    const file = join("/proc/sys", key.replace(/[./]/g, (one) => (one === "." ? "/" : ".")));
    try {
      if (readText(file)?.trim().replace(/\s+/g, " ") === value.trim().replace(/\s+/g, " ")) continue;
      writeFileSync(file, value, { flag: "r+" });
    } catch (error) {
      warn(`the kernel parameter "${key}" cannot be set to "${value}": ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

async function runPrograms({ live, manifest, toplevel, action }: StepContext): Promise<void> {
  if (!live) return;
  for (const { name, program } of manifest.activationPrograms) {
    const result = await runCommand(program, [], { seconds: manifest.unitTimeoutSeconds, env: { ...ACTIVATION_ENVIRONMENT, TSOS_ACTION: action, TSOS_TOPLEVEL: toplevel } });
    if (result.code === 0) continue;
    const how = result.timedOut ? `did not end within ${manifest.unitTimeoutSeconds} s` : `ended with ${result.code}`;
    throw new TsosError({ code: "activate.program-failed", message: `the activation program "${name}" ${how}: ${result.output.slice(-2000)}` });
  }
}

function linkCurrentSystem({ root, toplevel, action }: StepContext): void {
  makeFolder(join(root, "/run"));
  replaceLink(toplevel, join(root, "/run/current-system"));
  if (action === "init") replaceLink(toplevel, join(root, "/run/booted-system"));
  // What runs must outlive a garbage collection even when no profile names it any more.
  const roots = join(root, "/nix/var/nix/gcroots");
  makeFolder(roots);
  for (const name of ["current-system", "booted-system"]) {
    if (readNode(join(roots, name)).kind === "missing") symlinkSync(`/run/${name}`, join(roots, name));
  }
}

function writeIfChanged(file: string, contents: string | Uint8Array, mode: number, owner?: { readonly uid: number; readonly gid: number }): void {
  const node = readNode(file);
  if (node.kind === "file") {
    const stats = lstatSync(file);
    const sameOwner = owner === undefined || (stats.uid === owner.uid && stats.gid === owner.gid);
    if (sameOwner && (stats.mode & 0o7777) === mode && readFileSync(file).equals(Buffer.from(contents))) return;
  }
  writeDurably(file, contents, mode, owner);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function processUid(): number {
  return process.getuid?.() ?? 0;
}

function processGid(): number {
  return process.getgid?.() ?? 0;
}
