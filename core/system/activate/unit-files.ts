import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { compareUtf8 } from "../../util/ordering.ts";
import { type SystemManifest, UNIT_DIRECTORY } from "../manifest.ts";
import { ignoreAbsent } from "./machine-state.ts";
import { escapeUnitPath, parseUnitFile, templateOf, type UnitSections, unitValues } from "./unit-file.ts";

/** The unit files of one generation, wherever they lie. */
export type UnitFiles = {
  /** The text of a file by its path below the units' folder, or `masked`. The first folder that has it wins. */
  read(path: string): UnitText | undefined;
  /** The names in a folder such as `multi-user.target.wants`, of all folders, sorted. */
  list(folder: string): readonly string[];
};

export type UnitText =
  | { readonly kind: "masked" }
  /** `declared`: it comes from the generation's /etc rather than from the OS root. */
  | { readonly kind: "text"; readonly text: string; readonly declared: boolean };

export type UnitDefinition = {
  readonly name: string;
  readonly masked: boolean;
  /** Its fragment or one of its drop-ins comes from the generation's /etc. */
  readonly declared: boolean;
  readonly sections: UnitSections;
};

/** A unit with its drop-ins; an instance takes its template's where it has none of its own. */
export function findUnit(files: UnitFiles, name: string): UnitDefinition | undefined {
  const template = templateOf(name);
  const fragment = files.read(name) ?? (template === undefined ? undefined : files.read(template));
  if (fragment === undefined) return undefined;
  if (fragment.kind === "masked") return { name, masked: true, declared: true, sections: new Map() };
  const texts = [fragment.text];
  let declared = fragment.declared;
  for (const folder of template === undefined ? [`${name}.d`] : [`${template}.d`, `${name}.d`]) {
    for (const file of files.list(folder)) {
      if (!file.endsWith(".conf")) continue;
      const dropIn = files.read(`${folder}/${file}`);
      if (dropIn?.kind !== "text") continue;
      texts.push(dropIn.text);
      declared ||= dropIn.declared;
    }
  }
  return { name, masked: false, declared, sections: parseUnitFile(...texts) };
}

/** What every unit with default dependencies pulls in, so what a boot reaches whatever its target. */
const ALWAYS_REACHED = ["sysinit.target", "basic.target", "sockets.target", "timers.target", "paths.target", "local-fs.target", "swap.target", "getty.target"];

/** Every unit that booting into `target` would start by itself. */
export function wantedUnits(files: UnitFiles, target: string): ReadonlySet<string> {
  const seen = new Set<string>();
  const queue = [target, ...ALWAYS_REACHED];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue;
    const unit = findUnit(files, name);
    if (unit === undefined || unit.masked) continue;
    seen.add(name);
    for (const folder of [`${name}.wants`, `${name}.requires`]) queue.push(...files.list(folder));
    for (const key of ["Wants", "Requires", "BindsTo", "Upholds"]) {
      for (const value of unitValues(unit.sections, "Unit", key)) {
        // Names with specifiers belong to templates, whose instances list what they mean elsewhere.
        queue.push(...value.split(/\s+/).filter((one) => one !== "" && !one.includes("%")));
      }
    }
  }
  return seen;
}

/** The units of a generation on disk: those of its /etc before those of its OS root. `realPath` finds store paths. */
export function readUnitFiles(manifest: Pick<SystemManifest, "etc" | "osRoot">, realPath: (path: string) => string = (path) => path): UnitFiles {
  const sourceOf = (target: string): string | undefined => manifest.etc.find((entry) => entry.target === target)?.source;
  const declared = sourceOf(UNIT_DIRECTORY);
  const folders = [
    ...(declared === undefined ? [] : [{ path: realPath(declared), declared: true }]),
    { path: join(realPath(manifest.osRoot), "usr/lib/systemd/system"), declared: false },
  ];
  const fstab = sourceOf("fstab");
  const mounts = new Map(Object.entries(fstab === undefined ? {} : fstabUnits(readText(realPath(fstab)) ?? "")));
  // A link into /usr means the OS root of the same generation, not the one that the machine is running on.
  const follow = (target: string): string => (/^\/(usr|lib)\//.test(target) ? join(realPath(manifest.osRoot), target.replace(/^\/lib\//, "/usr/lib/")) : realPath(target));
  const read = (path: string): UnitText | undefined => {
    for (const folder of folders) {
      const found = resolveUnit(join(folder.path, path), follow);
      if (found === undefined) continue;
      if (found === "/dev/null") return { kind: "masked" };
      const text = readText(found);
      if (text !== undefined) return { kind: "text", text, declared: folder.declared };
    }
    const mount = mounts.get(path);
    return mount === undefined ? undefined : { kind: "text", text: mount, declared: true };
  };
  const list = (folder: string): readonly string[] => {
    const names = new Set<string>();
    for (const { path } of folders) for (const name of readFolder(join(path, folder))) names.add(name);
    if (folder === "local-fs.target.wants") {
      for (const [name, text] of mounts) if (!/^Options=(.*,)?noauto(,|$)/m.test(text)) names.add(name);
    }
    return [...names].sort(compareUtf8);
  };
  return { read, list };
}

/** The file that a unit's links end at, `/dev/null` for a masked one; `follow` says where an absolute target is. */
function resolveUnit(file: string, follow: (target: string) => string): string | undefined {
  let path = file;
  for (let depth = 0; depth < 10; depth++) {
    let isLink: boolean;
    try {
      isLink = lstatSync(path).isSymbolicLink();
    } catch {
      return undefined;
    }
    if (!isLink) return path;
    const target = readlinkSync(path);
    if (target === "/dev/null") return target;
    path = target.startsWith("/") ? follow(target) : join(path, "..", target);
  }
  return undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    ignoreAbsent(error);
    return undefined;
  }
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    ignoreAbsent(error);
    return [];
  }
}

/** The mount units that systemd's generator would make of fstab(5), as far as a switch must compare them. */
export function fstabUnits(text: string): Readonly<Record<string, string>> {
  const units: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const fields = line.trim().split(/\s+/);
    if (line.trim().startsWith("#") || fields.length < 3) continue;
    const [what = "", where = "", type = "", options = "defaults"] = fields.map((field) =>
      field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    );
    if (!where.startsWith("/")) continue;
    units[`${escapeUnitPath(where)}.mount`] = `[Mount]\nWhat=${what}\nWhere=${where}\nType=${type}\nOptions=${options}\n`;
  }
  return units;
}
