import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { ignoreAbsent } from "./activate/machine-state.ts";
import { readManifest } from "./activate/read-manifest.ts";
import type { GenerationDescription } from "./generation-difference.ts";
import { isHomeGeneration } from "./switch-home.ts";
import { isNixosToplevel } from "./switch-nixos.ts";

/**
 * What a generation says of itself: a machine of tsos in its manifest, one of NixOS' modules in its `etc` and its list of
 * users, a home in its files.
 *
 * @param path logical
 * @throws TsosError `manifest.*`
 */
export function readGeneration(path: string, realPath: (path: string) => string = (one) => one): { readonly manifest: GenerationDescription } {
  const real = realPath(path);
  if (isNixosToplevel(real)) return { manifest: readNixos(real, realPath) };
  if (isHomeGeneration(real)) return { manifest: readHome(real, realPath) };
  return { manifest: readManifest(real) };
}

function readNixos(toplevel: string, realPath: (path: string) => string): GenerationDescription {
  const etc = followLink(join(toplevel, "etc"), realPath);
  const entries = listLinks(etc, realPath, "", (target) => target === "systemd/system" || target === "systemd/user");
  const hostName = entries.find(({ target }) => target === "hostname");
  return {
    etc: entries,
    users: { users: readUsers(toplevel, realPath) },
    hostName: hostName === undefined ? "" : readText(realPath(hostName.source)).trim(),
    osRoot: toplevel,
  };
}

function readHome(generation: string, realPath: (path: string) => string): GenerationDescription {
  const files = listLinks(followLink(join(generation, "home-files"), realPath), realPath, "", () => false);
  return { etc: [], files, users: { users: [] }, hostName: "", osRoot: generation };
}

type Entry = { readonly kind: "link"; readonly target: string; readonly source: string };

/** Files and links below a folder; a link to a folder counts as one unless `isWhole` is false for it. */
function listLinks(folder: string, realPath: (path: string) => string, prefix: string, isWhole: (target: string) => boolean): readonly Entry[] {
  const entries: Entry[] = [];
  for (const name of readFolder(folder).sort()) {
    const [target, path] = [`${prefix}${name}`, join(folder, name)];
    const stats = lstatSync(path);
    if (stats.isDirectory() && !isWhole(target)) entries.push(...listLinks(path, realPath, `${target}/`, isWhole));
    else if (stats.isSymbolicLink()) {
      const source = readlinkSync(path);
      entries.push({ kind: "link", target, source: source.startsWith("/") ? source : join(folder, source) });
    }
    // A file of the folder itself: what it holds tells it from another.
    else entries.push({ kind: "link", target, source: path });
  }
  return entries;
}

/** NixOS: the list that its activation script makes users of. */
function readUsers(toplevel: string, realPath: (path: string) => string): readonly { readonly name: string }[] {
  const file = /\/[^\s'"]*-users-groups\.json/.exec(readText(join(toplevel, "activate")))?.[0];
  if (file === undefined) return [];
  const text = readText(realPath(file));
  return text === "" ? [] : (JSON.parse(text) as { readonly users: readonly { readonly name: string }[] }).users;
}

function followLink(path: string, realPath: (path: string) => string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isSymbolicLink()) return path;
  const target = realPath(readlinkSync(path));
  return statSync(target, { throwIfNoEntry: false }) === undefined ? path : target;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    ignoreAbsent(error);
    return "";
  }
}

function readFolder(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    ignoreAbsent(error);
    return [];
  }
}
