import { compareUtf8 } from "../util/ordering.ts";
import { findUnit, readUnitFiles } from "./activate/unit-files.ts";
import { compareUnits } from "./activate/unit-plan.ts";
import { type SystemManifest, UNIT_DIRECTORY } from "./manifest.ts";
import { readdirSync, readFileSync, statSync } from "node:fs";

export type Change = { readonly added: readonly string[]; readonly removed: readonly string[]; readonly changed: readonly string[] };

export type PackageChange = { readonly name: string; readonly before: readonly string[]; readonly after: readonly string[] };

export type GenerationDifference = {
  /** By name; `before` or `after` is empty for one that came or went. A changed build of the same version is left out. */
  readonly packages: readonly PackageChange[];
  readonly units: Change;
  readonly etc: Change;
  /** Of a home. */
  readonly files: Change;
  readonly users: Change;
  readonly hostName: { readonly before: string; readonly after: string } | null;
};

/** What a generation says of itself, of whichever kind it is. */
export type GenerationDescription = Pick<SystemManifest, "etc" | "hostName" | "osRoot"> & {
  readonly users: { readonly users: readonly { readonly name: string }[] };
  /** Of a home what is linked into it. */
  readonly files?: SystemManifest["etc"];
};

export type GenerationContents = {
  readonly manifest: GenerationDescription;
  /** The base names of the store paths of its closure. */
  readonly closure: readonly string[];
};

/** What is another in `after` than in `before`. */
export function compareGenerations(before: GenerationContents, after: GenerationContents, realPath: (path: string) => string = (path) => path): GenerationDifference {
  return {
    packages: comparePackages(before.closure, after.closure),
    units: compareDeclaredUnits(before.manifest, after.manifest, realPath),
    etc: compareFiles(before.manifest.etc, after.manifest.etc, realPath),
    files: compareFiles(before.manifest.files ?? [], after.manifest.files ?? [], realPath),
    users: compareBy(
      new Map(before.manifest.users.users.map((one) => [one.name, JSON.stringify(one)])),
      new Map(after.manifest.users.users.map((one) => [one.name, JSON.stringify(one)])),
    ),
    hostName: before.manifest.hostName === after.manifest.hostName ? null : { before: before.manifest.hostName, after: after.manifest.hostName },
  };
}

/** What a person reads: a line each. */
export function describeDifference({ packages, units, etc, files, users, hostName }: GenerationDifference): readonly string[] {
  const lines: string[] = [];
  for (const { name, before, after } of packages) {
    lines.push(`package ${name}: ${before.length === 0 ? "added" : before.join(", ")}${after.length === 0 ? " removed" : before.length === 0 ? ` ${after.join(", ")}` : ` → ${after.join(", ")}`}`);
  }
  for (const [what, change] of [["unit", units], ["/etc", etc], ["file", files], ["user", users]] as const) {
    for (const kind of ["added", "removed", "changed"] as const) {
      if (change[kind].length > 0) lines.push(`${what} ${kind}: ${change[kind].join(", ")}`);
    }
  }
  if (hostName !== null) lines.push(`host name: ${hostName.before} → ${hostName.after}`);
  return lines;
}

/**
 * The name and version of a store path, as Nix splits them: the version starts at the first dash before a digit.
 *
 * @example
 * splitPackageName("00000000000000000000000000000000-nginx-1.28.0") // { name: "nginx", version: "1.28.0" }
 */
export function splitPackageName(baseName: string): { readonly name: string; readonly version: string } {
  const full = baseName.slice(33);
  const dash = /-(?=[0-9])/.exec(full);
  if (!dash || dash.index === 0) return { name: full, version: "" };
  // The name of an output other than the first stands behind the version.
  const version = full.slice(dash.index + 1).replace(/-(dev|lib|man|doc|info|bin|out)$/, "");
  return { name: full.slice(0, dash.index), version };
}

function comparePackages(before: readonly string[], after: readonly string[]): readonly PackageChange[] {
  const [old, now] = [versions(before), versions(after)];
  const changes: PackageChange[] = [];
  for (const name of [...new Set([...old.keys(), ...now.keys()])].sort(compareUtf8)) {
    const [a, b] = [[...(old.get(name) ?? [])].sort(compareUtf8), [...(now.get(name) ?? [])].sort(compareUtf8)];
    if (a.join("\0") !== b.join("\0")) changes.push({ name, before: a, after: b });
  }
  return changes;
}

/** Only what has a version is a package; the rest of a closure is files that modules write. */
function versions(closure: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const result = new Map<string, Set<string>>();
  for (const baseName of closure) {
    const { name, version } = splitPackageName(baseName);
    if (version === "") continue;
    const known = result.get(name);
    if (known) known.add(version);
    else result.set(name, new Set([version]));
  }
  return result;
}

function compareDeclaredUnits(before: GenerationDescription, after: GenerationDescription, realPath: (path: string) => string): Change {
  const [old, now] = [declaredUnits(before, realPath), declaredUnits(after, realPath)];
  const [oldFiles, newFiles] = [readUnitFiles(before, realPath), readUnitFiles(after, realPath)];
  const change = { added: [] as string[], removed: [] as string[], changed: [] as string[] };
  for (const name of new Set([...old, ...now])) {
    if (!old.has(name)) change.added.push(name);
    else if (!now.has(name)) change.removed.push(name);
    else {
      const [a, b] = [findUnit(oldFiles, name), findUnit(newFiles, name)];
      if (a === undefined || b === undefined || a.masked || b.masked ? a?.masked !== b?.masked : compareUnits(name, a.sections, b.sections) !== "equal") change.changed.push(name);
    }
  }
  return { added: change.added.sort(compareUtf8), removed: change.removed.sort(compareUtf8), changed: change.changed.sort(compareUtf8) };
}

function declaredUnits(manifest: GenerationDescription, realPath: (path: string) => string): ReadonlySet<string> {
  const source = manifest.etc.find((entry) => entry.target === UNIT_DIRECTORY)?.source;
  if (source === undefined) return new Set();
  return new Set(readdirSync(realPath(source)).filter((name) => /\.(service|socket|timer|target|path|mount|automount|swap|slice)$/.test(name)));
}

/** Entries that say the same, or whose files hold the same: NixOS gives a file another path with every change of its folder. */
function compareFiles(before: SystemManifest["etc"], after: SystemManifest["etc"], realPath: (path: string) => string): Change {
  const [old, now] = [before, after].map((entries) => new Map(entries.map((entry) => [entry.target, JSON.stringify(entry)])));
  const sources = new Map(before.map((entry) => [entry.target, entry]));
  const change = compareBy(old!, now!);
  const isSame = (target: string): boolean => {
    const [a, b] = [sources.get(target)!, after.find((entry) => entry.target === target)!];
    return a.kind === "link" && b.kind === "link" && target !== UNIT_DIRECTORY && sameFile(realPath(a.source), realPath(b.source));
  };
  return { ...change, changed: change.changed.filter((target) => !isSame(target)) };
}

function sameFile(a: string, b: string): boolean {
  try {
    return statSync(a).isFile() && statSync(b).isFile() && readFileSync(a).equals(readFileSync(b));
  } catch {
    // What is no longer there is not the same.
    return false;
  }
}

function compareBy(old: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Change {
  return {
    added: [...now.keys()].filter((name) => !old.has(name)).sort(compareUtf8),
    removed: [...old.keys()].filter((name) => !now.has(name)).sort(compareUtf8),
    changed: [...now.keys()].filter((name) => old.has(name) && old.get(name) !== now.get(name)).sort(compareUtf8),
  };
}
