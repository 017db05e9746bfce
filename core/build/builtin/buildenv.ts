import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { TsosError } from "../../error/tsos-error.ts";
import { compareUtf8 } from "../../util/ordering.ts";
import type { BuiltinBuilder, BuiltinBuildContext } from "../builtin-builder.ts";
import { getArgument, jsonArgument, outputPath, stringList } from "./builtin-arguments.ts";

// Followed: Nix, libstore/builtins/buildenv.cc.

/** A package of a profile: one with a lower number wins over one with a higher. */
export type BuildenvPackage = { readonly active: boolean; readonly priority: number; readonly paths: readonly string[] };

/**
 * `derivations`, for each package `active priority count path…` → a tree of links to all their files; a
 * folder that only one package has is one link. `manifest`, where given, is linked as `manifest.nix`;
 * `pathsToLink` is a JSON list such as `["/bin"]`; without it everything is linked. With a manifest it is a profile of Nix's, which
 * takes two equal files of one priority for a conflict too.
 *
 * @throws TsosError `buildenv.conflict` naming both files.
 */
export const buildenv: BuiltinBuilder = async (context) => {
  const out = outputPath(context);
  const packages = parseBuildenvPackages(context.env.get("derivations") ?? "");
  const farm = new LinkFarm(out, context, jsonArgument(context, "pathsToLink", stringList, ["/"]));
  mkdirSync(out);
  const done = new Set<string>();
  const propagated = new Set<string>();
  const add = (path: string, priority: number): void => {
    if (done.has(path)) return;
    done.add(path);
    if (!farm.add(path, priority)) return;
    const file = findInput(context, join(path, "nix-support/propagated-user-env-packages"));
    if (file !== undefined && existsSync(file)) for (const name of readFileSync(file, "utf8").split(/\s+/)) if (name !== "") propagated.add(name);
  };
  const asked = packages.flatMap(({ active, priority, paths }) => (active ? paths.map((path) => ({ path, priority })) : []));
  for (const { path, priority } of asked.sort((a, b) => a.priority - b.priority || compareUtf8(a.path, b.path))) add(path, priority);
  // What a package brings along never wins over what was asked for.
  for (let priority = 1000; propagated.size > 0; priority++) {
    const names = [...propagated];
    propagated.clear();
    for (const path of names) add(path, priority);
  }
  if (context.env.has("manifest")) symlinkSync(getArgument(context, "manifest"), join(out, "manifest.nix"));
};

/** Where it lies, all links followed; undefined for what leads out of the inputs. */
function findInput(context: BuiltinBuildContext, path: string): string | undefined {
  try {
    return context.resolvedPath(path);
  } catch (error) {
    if (error instanceof TsosError && (error.code === "build.not-an-input" || error.code.startsWith("store-path."))) return undefined;
    throw error;
  }
}

/** @throws TsosError `builtin.bad-argument` */
export function parseBuildenvPackages(text: string): readonly BuildenvPackage[] {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const result: BuildenvPackage[] = [];
  for (let at = 0; at < words.length; ) {
    const [active, priority, count] = [words[at]!, Number(words[at + 1]), Number(words[at + 2])];
    const paths = words.slice(at + 3, at + 3 + count);
    if (!Number.isInteger(priority) || !Number.isInteger(count) || count < 0 || paths.length !== count) {
      throw new TsosError({ code: "builtin.bad-argument", message: `"${words.slice(at, at + 3).join(" ")}" in "derivations" is not a package, expected: active priority count path…` });
    }
    result.push({ active: active !== "false", priority, paths });
    at += 3 + count;
  }
  return result;
}

type Linked = { readonly source: string; readonly priority: number };

/** Not part of any package's contents, but of how it was built. */
const SKIPPED = /\/(propagated-build-inputs|nix-support|perllocal\.pod|info\/dir|log)$/;

/** A profile that is a package of another has its own. */
const OF_PROFILES = /\/manifest\.(nix|json)$/;

/** In the words that users of Nix's profiles know. */
function profileConflict(first: string, second: string): TsosError {
  return new TsosError({
    code: "buildenv.conflict",
    message: `Unable to build profile. There is a conflict for the following files:\n\n  "${first}"\n  "${second}"`,
    hint: "leave one of them out, or give one a priority: the lower number wins",
    data: { files: [first, second] },
  });
}

class LinkFarm {
  /** What each link below `out` points to, by its path there. */
  private readonly links = new Map<string, Linked>();
  private readonly out: string;
  private readonly context: BuiltinBuildContext;
  private readonly pathsToLink: readonly string[];
  private readonly isProfile: boolean;

  constructor(out: string, context: BuiltinBuildContext, pathsToLink: readonly string[]) {
    this.out = out;
    this.context = context;
    this.isProfile = context.env.has("manifest");
    this.pathsToLink = pathsToLink.map((path) => path.replace(/\/+$/, ""));
  }

  /** @returns whether it is a folder, of which there is something to link */
  add(path: string, priority: number): boolean {
    const kind = this.kindOf(path);
    if (kind === "other") {
      this.context.log(`warning: not including "${path}" in the user environment because it's not a directory`);
      return false;
    }
    if (kind === undefined) {
      throw new TsosError({ code: "buildenv.missing", message: `"${path}" of the packages of "${this.context.derivation.name}" does not exist` });
    }
    this.link(path, "", priority);
    return true;
  }

  private link(source: string, place: string, priority: number): void {
    const folder = this.resolve(source);
    const names = readdirSync(this.context.realPath(folder)).sort(compareUtf8);
    for (const name of names) {
      if (name.startsWith(".")) continue;
      const from = join(folder, name);
      const to = `${place}/${name}`;
      const wanted = this.isWanted(to);
      if (wanted === "no" || SKIPPED.test(from) || (this.isProfile && OF_PROFILES.test(from))) continue;
      const kind = this.kindOf(from);
      if (kind === undefined) {
        this.context.log(`"${from}" is a link to nothing and is left out`);
        continue;
      }
      if (kind === "directory") this.linkFolder(from, to, priority, wanted === "below");
      else this.linkFile(from, to, priority);
    }
  }

  private linkFolder(from: string, to: string, priority: number, partly: boolean): void {
    const existing = this.links.get(to);
    if (existing !== undefined) {
      if (this.kindOf(existing.source) !== "directory") throw this.conflict(from, existing.source, "one is a folder, the other is not");
      // Two packages have this folder: it becomes one of our own.
      unlinkSync(join(this.out, to));
      this.links.delete(to);
      mkdirSync(join(this.out, to));
      this.link(existing.source, to, existing.priority);
    } else if (!this.isFolder(to)) {
      if (!partly) {
        this.place(from, to, priority);
        return;
      }
      mkdirSync(join(this.out, to), { recursive: true });
    }
    this.link(from, to, priority);
  }

  private linkFile(from: string, to: string, priority: number): void {
    const existing = this.links.get(to);
    if (existing !== undefined) {
      if (this.kindOf(existing.source) === "directory") throw this.conflict(from, existing.source, "one is a folder, the other is not");
      if (existing.priority < priority) return;
      if (existing.priority === priority) {
        if (this.isProfile) throw profileConflict(existing.source, from);
        if (this.sameFile(from, existing.source)) return;
        throw this.conflict(from, existing.source, `both have the priority ${priority}`);
      }
      unlinkSync(join(this.out, to));
    } else if (this.isFolder(to)) throw this.conflict(from, `${this.out}${to}`, "one is a folder, the other is not");
    this.place(from, to, priority);
  }

  private place(from: string, to: string, priority: number): void {
    symlinkSync(from, join(this.out, to));
    this.links.set(to, { source: from, priority });
  }

  /** Whether a path is asked for, is above one that is, or neither. */
  private isWanted(path: string): "all" | "below" | "no" {
    if (this.pathsToLink.some((wanted) => path === wanted || path.startsWith(`${wanted}/`))) return "all";
    return this.pathsToLink.some((wanted) => wanted.startsWith(`${path}/`)) ? "below" : "no";
  }

  private isFolder(place: string): boolean {
    return lstatSync(join(this.out, place), { throwIfNoEntry: false })?.isDirectory() === true;
  }

  /** Packages that bring the same file along, such as a licence, are no conflict. */
  private sameFile(a: string, b: string): boolean {
    const [left, right] = [this.context.realPath(this.resolve(a)), this.context.realPath(this.resolve(b))];
    if (left === right) return true;
    const [one, two] = [statSync(left), statSync(right)];
    if (one.ino === two.ino && one.dev === two.dev) return true;
    return one.size === two.size && (one.mode & 0o111) === (two.mode & 0o111) && readFileSync(left).equals(readFileSync(right));
  }

  /** Links followed, as whoever has the store at its own place would. */
  private resolve(path: string): string {
    let current = path;
    for (let depth = 0; depth < 40; depth++) {
      const real = this.context.realPath(current);
      if (lstatSync(real, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return current;
      const target = readlinkSync(real);
      current = target.startsWith("/") ? target : join(current, "..", target);
    }
    return current;
  }

  /** What leads out of the inputs is nothing to a build, as in a sandbox. */
  private kindOf(path: string): "directory" | "other" | undefined {
    const real = findInput(this.context, path);
    const found = real === undefined ? undefined : statSync(real, { throwIfNoEntry: false });
    return found === undefined ? undefined : found.isDirectory() ? "directory" : "other";
  }

  private conflict(a: string, b: string, reason: string): TsosError {
    return new TsosError({
      code: "buildenv.conflict",
      message: `two packages have something else at the same place: "${a}" and "${b}"; ${reason}`,
      hint: "leave one of them out, or give one a priority: the lower number wins",
      data: { files: [a, b] },
    });
  }
}
