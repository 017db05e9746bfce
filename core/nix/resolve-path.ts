import type { ByteString } from "../util/bytes.ts";
import { showPath } from "./builtins/fetchurl-file.ts";
import { canonicalPath } from "./canonical-path.ts";
import { NixError } from "./nix-error.ts";
import type { NixIo } from "./nix-io.ts";

const MAX_LINKS = 1024;

/**
 * The path with its symbolic links followed, `..` taken after them; `ancestors` leaves a link at its end alone. What is
 * not there, or may not be seen, is no link.
 *
 * @throws NixError when links lead to each other
 */
export function resolveSymlinks(io: NixIo, path: ByteString, mode: "full" | "ancestors" = "full"): ByteString {
  const slash = path.lastIndexOf("/");
  const folder = path.slice(0, Math.max(0, slash));
  const known = io.resolvedFolders?.get(folder);
  const pending = known === undefined ? path.split("/").reverse() : [path.slice(slash + 1)];
  let result = known ?? "";
  /** Whether all that was asked for is there, and so is as it is until the evaluation ends. */
  let certain = known === undefined;
  for (let links = 0; pending.length > 0; ) {
    if (certain && pending.length === 1) {
      io.resolvedFolders?.set(folder, result);
      certain = false;
    }
    const piece = pending.pop()!;
    if (piece === "" || piece === ".") continue;
    if (piece === "..") {
      result = result.slice(0, Math.max(0, result.lastIndexOf("/")));
      continue;
    }
    const next = `${result}/${piece}`;
    const kind = mode === "full" || pending.length > 0 ? io.fileKind(next) : undefined;
    if (kind === undefined) certain = false;
    if (kind === "symlink") {
      if (++links > MAX_LINKS) throw new NixError("eval", `infinite symlink recursion in path '${path}'`);
      const target = io.readLink(next);
      if (target.startsWith("/")) result = "";
      pending.push(...target.split("/").reverse());
    } else result = next;
  }
  return result === "" ? "/" : result;
}

/**
 * The file that a path of an expression means: links at its end are followed one by one, so that what the file names is
 * relative to where it really is, and a folder stands for its `default.nix`.
 */
export function resolveExpressionPath(io: NixIo, start: ByteString, addDefault = true): ByteString {
  let path = canonicalPath(start);
  for (let links = 0; path !== "/"; ) {
    if (++links >= MAX_LINKS) throw new NixError("eval", `too many symbolic links encountered while traversing the path '${path}'`);
    const folder = path.slice(0, path.lastIndexOf("/"));
    const real = resolveSymlinks(io, path, "ancestors");
    if (requireKind(io, real) !== "symlink") break;
    const target = io.readLink(real);
    path = canonicalPath(target.startsWith("/") ? target : `${folder}/${target}`);
  }
  if (!addDefault) return path;
  const real = resolveSymlinks(io, path);
  return requireKind(io, real) === "directory" ? canonicalPath(`${path}/default.nix`) : path;
}

/** @throws NixError where there is nothing, or nothing that may be seen */
export function requireKind(io: NixIo, path: ByteString): ReturnType<NixIo["fileKind"]> & string {
  const kind = io.fileKind(path);
  if (kind !== undefined) return kind;
  io.checkAccess(path);
  throw new NixError("eval", `path '${showPath(path)}' does not exist`);
}
