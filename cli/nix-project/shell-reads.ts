import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { SourceAttributes } from "../../core/fetch/source/attributes.ts";
import { isLockedSource } from "../../core/fetch/source/source.ts";
import type { EvaluationReads } from "../../core/interop/evaluation-protocol.ts";
import { fromByteString, toByteString, type ByteString } from "../../core/util/bytes.ts";
import { listTree, stampSince, type PathStamp, type Look } from "./file-stamps.ts";

/** More files than this are sooner evaluated again than looked at one by one. */
const LIMIT = 20_000;

export type ReadsOfShell = { readonly stamps: readonly PathStamp[]; readonly variables: readonly (readonly [string, string | null])[]; readonly validUntil: number | null };

/**
 * What has to be the same for an evaluation to end as it did: undefined where that cannot be told from files and variables
 * that have been so since `start` (milliseconds since 1970).
 */
export function findReads(reads: EvaluationReads, { start, storeDir, more, tarballTtl, now }: { readonly start: number; readonly storeDir: string; readonly more: readonly ByteString[]; readonly tarballTtl: number; readonly now: number }): ReadsOfShell | undefined {
  if (!reads.isRepeatable) return undefined;
  const files = new Map<ByteString, Look>(more.map((file) => [file, "all"]));
  const variables: (readonly [string, string | null])[] = [];
  let validUntil: number | null = null;
  const take = (paths: readonly ByteString[] | undefined): boolean => {
    for (const path of paths ?? []) files.set(path, "all");
    return paths !== undefined && files.size <= LIMIT;
  };
  for (const [question, name, answer, excluded] of reads.observations) {
    if (question === "environment") variables.push([fromByteString(name), answer === "" ? null : fromByteString(answer.slice(1))]);
    // What is in the store does not change.
    else if (name.startsWith(`${storeDir}/`)) continue;
    else if (question === "nar") {
      if (!take(listTree(name, LIMIT, (path) => excluded !== undefined && excluded !== null && Object.hasOwn(excluded, path)))) return undefined;
    } else if (question !== "kind") files.set(name, "all");
    // Folders on the way to a file change with every file beside it.
    else if (!files.has(name)) files.set(name, "kind");
  }
  for (const call of reads.calls) {
    if (call.op === "fetch-file") validUntil = now + tarballTtl * 1000;
    if (call.op !== "fetch-source" || call.isFinal || isLocked(call.source)) continue;
    const folder = localFolder(call.source);
    if (folder === undefined) validUntil = now + tarballTtl * 1000;
    else if (!take(folder.isGit ? filesOfWorkTree(folder.path)?.map(toByteString) : listTree(toByteString(folder.path), LIMIT, () => false))) return undefined;
  }
  const stamps = stampSince(files, start);
  return stamps === undefined ? undefined : { stamps, variables, validUntil };
}

function isLocked(source: SourceAttributes): boolean {
  try {
    return isLockedSource(source);
  } catch {
    return false;
  }
}

function localFolder(source: SourceAttributes): { readonly path: string; readonly isGit: boolean } | undefined {
  const { type, path, url, ref, rev } = source;
  if (type === "path" && typeof path === "string") return { path, isGit: false };
  if (type !== "git" || typeof url !== "string" || !url.startsWith("file://") || ref !== undefined || rev !== undefined) return undefined;
  return { path: decodeURIComponent(url.slice("file://".length).replace(/\?.*$/, "")), isGit: true };
}

/** All that a checkout is: what git knows of, and what says which of that is so. */
function filesOfWorkTree(folder: string): readonly string[] | undefined {
  const git = (...args: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", ["-C", folder, "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
    return status === 0 ? stdout : undefined;
  };
  const names = git("ls-files", "-z", "--recurse-submodules");
  const own = git("rev-parse", "--absolute-git-dir", "--path-format=absolute", "--git-common-dir");
  if (names === undefined || own === undefined) return undefined;
  const [gitFolder = "", common = gitFolder] = own.trim().split("\n");
  const head = readHead(join(gitFolder, "HEAD"));
  return [
    ...names.split("\0").filter((name) => name !== "").map((name) => join(folder, name)),
    join(gitFolder, "HEAD"),
    join(gitFolder, "index"),
    join(common, "packed-refs"),
    ...(head === undefined ? [] : [join(common, head)]),
  ];
}

function readHead(file: string): string | undefined {
  return /^ref: (.+)$/m.exec(existsSync(file) ? readFileSync(file, "utf8") : "")?.[1];
}
