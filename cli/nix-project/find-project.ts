import { lstatSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { CommandContext } from "../context.ts";
import { CONFIG_KINDS } from "../find-config.ts";

/** A folder's own Nix expression, used as it is. */
export type NixProject = {
  readonly kind: "flake" | "file";
  /** `flake.nix`, or the file that is evaluated. */
  readonly file: string;
  readonly folder: string;
  /** Of a flake, what stands after `#`; of a file, the path of an attribute. */
  readonly attribute: string;
};

export type NixPurpose = "shell" | "build";

/** A folder by its path, and that or the URL of a flake without an attribute. */
const PATH = /^(?:\.{1,2}$|\.{0,2}\/)/;
const REFERENCE = /^(?:\.{1,2}$|\.{0,2}\/|[a-z][a-z0-9]*(?:\+[a-z]+)?:)/;

/** In one folder the first of these is taken. A flake stands before `default.nix`, which often only leads to it. */
const FILES: Readonly<Record<NixPurpose, readonly string[]>> = {
  shell: ["shell.nix", "flake.nix", "default.nix"],
  build: ["flake.nix", "default.nix"],
};

/**
 * The Nix project that is meant in `folder`: by `target` (`.#x`, `./dir#x`; or an attribute of what is found), by `config`
 * (a `.nix` file, or a folder), else the nearest one upwards, unless a configuration of `configs` is nearer.
 */
export function findNixProject(folder: string, purpose: NixPurpose, { target, config, configs }: { readonly target?: string | undefined; readonly config?: string | undefined; readonly configs: readonly string[] }): NixProject | undefined {
  if (target !== undefined && (target.includes("#") || REFERENCE.test(target))) {
    const hash = target.includes("#") ? target.indexOf("#") : target.length;
    const place = target.slice(0, hash);
    const attribute = decodeURIComponent(target.slice(hash + 1));
    if (hash === target.length && PATH.test(place)) {
      const own = inFolder(resolve(folder, place), purpose, "");
      if (own?.kind === "file") return own;
    }
    // What is no folder of this machine is a reference that the fetcher reads.
    const at = place === "" || place === "." ? nearestFlake(folder) : PATH.test(place) ? resolve(folder, place) : place;
    return { kind: "flake", file: at.startsWith("/") ? join(at, "flake.nix") : at, folder: at, attribute };
  }
  const attribute = target ?? "";
  if (config !== undefined) {
    const named = resolve(folder, config);
    if (isFolder(named)) return inFolder(named, purpose, attribute);
    if (!named.endsWith(".nix")) return undefined;
    return { kind: named.endsWith("/flake.nix") ? "flake" : "file", file: named, folder: dirname(named), attribute };
  }
  for (let at = folder; ; at = dirname(at)) {
    if (configs.some((name) => isThere(join(at, name)))) return undefined;
    const found = inFolder(at, purpose, attribute);
    if (found !== undefined) return found;
    if (dirname(at) === at) return undefined;
  }
}

/** The project that `build`, `run` and `check` mean: where a flake is named, or no configuration of tsos is nearer. */
export function findProjectOfTarget(context: Pick<CommandContext, "folder" | "flags">, target: string | undefined): NixProject | undefined {
  // tsos' own packages have a name that no expression takes from them.
  if (target?.startsWith("pkgs.") === true) return undefined;
  return findNixProject(context.folder, "build", { target, config: context.flags.config, configs: CONFIG_KINDS.map((kind) => `${kind}.config.ts`) });
}

function inFolder(folder: string, purpose: NixPurpose, attribute: string): NixProject | undefined {
  const name = FILES[purpose].find((one) => isThere(join(folder, one)));
  return name === undefined ? undefined : { kind: name === "flake.nix" ? "flake" : "file", file: join(folder, name), folder, attribute };
}

function nearestFlake(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (isThere(join(at, "flake.nix"))) return at;
    if (dirname(at) === at) return folder;
  }
}

function isThere(file: string): boolean {
  return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
}

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
