import { lstatSync, readlinkSync } from "node:fs";
import { posix } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import type { LocalStore } from "../store/store.ts";
import { formatStorePath, splitStorePath, type StorePath } from "../store-path/store-path.ts";
import type { BuiltinBuildContext } from "./builtin-builder.ts";

/** As many as the kernel follows. */
const MOST_LINKS = 40;

/**
 * What a builtin builder may read. It runs inside tsos, as root where a daemon serves others, so it must see no more
 * than a sandbox would show: the closure of the inputs, and nothing that a link or `..` in them leads to elsewhere.
 */
export function createInputPaths(store: LocalStore, inputs: ReadonlySet<StorePath>): Pick<BuiltinBuildContext, "realPath" | "resolvedPath"> {
  const resolve = (target: StorePath | string, followLast: boolean): string => {
    let logical = target.startsWith("/") ? target : formatStorePath(target as StorePath, store.storeDir);
    for (let links = 0; links <= MOST_LINKS; links++) {
      const next = followOne(store, inputs, logical, followLast);
      if (next === logical) return store.realPath(logical);
      logical = next;
    }
    throw notAnInput(target, "it is a link that leads in a circle");
  };
  return { realPath: (path) => resolve(path, false), resolvedPath: (path) => resolve(path, true) };
}

/** The path with its first link replaced by what that points to; the path itself where there is none. */
function followOne(store: LocalStore, inputs: ReadonlySet<StorePath>, logical: string, followLast: boolean): string {
  const clean = posix.normalize(logical).replace(/(?<=.)\/+$/, "");
  if (!clean.startsWith(`${store.storeDir}/`)) throw notAnInput(logical, "it is outside of the store");
  const { path, rest } = splitStorePath(clean, store.storeDir);
  if (!inputs.has(path)) throw notAnInput(logical, `"${formatStorePath(path, store.storeDir)}" is not among the inputs`);
  const names = rest.split("/").filter((name) => name !== "");
  let current = formatStorePath(path, store.storeDir);
  for (let at = 0; at <= names.length; at++) {
    if (at > 0) current = `${current}/${names[at - 1]!}`;
    const isLast = at === names.length;
    if (isLast && !followLast) break;
    const real = store.realPath(current);
    if (lstatSync(real, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    const target = readlinkSync(real);
    return posix.join(target.startsWith("/") ? target : posix.join(posix.dirname(current), target), ...names.slice(at));
  }
  return clean === logical ? logical : clean;
}

function notAnInput(path: string, reason: string): TsosError {
  return new TsosError({
    code: "build.not-an-input",
    message: `a builtin builder was given "${path}": ${reason}`,
    hint: "only the closure of a derivation's inputs is visible to its build",
    data: { path },
  });
}
