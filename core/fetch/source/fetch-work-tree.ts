import { existsSync } from "node:fs";
import { join } from "node:path";
import { TreeWriter } from "../archive/tree-writer.ts";
import { parseTreePath } from "../archive/tree-path.ts";
import { toByteString } from "../../util/bytes.ts";
import { below, findLastModified, findRevCount, resolveCommit, writeSubmodules, type CommitOptions, type GitResult } from "./fetch-commit.ts";
import { writeWorkTree, type TreeTarget } from "./git-tree.ts";
import { runGit, tryGit, type GitRepository } from "./run-git.ts";
import type { SourceContext } from "./scheme.ts";

/**
 * The working tree of a local repository: the files that git tracks, with what is in them now. Where it is as its
 * last commit left it, it has that commit's revision.
 */
export async function fetchWorkTree(path: string, options: CommitOptions, context: SourceContext): Promise<GitResult> {
  const repository = { gitDir: join(path, ".git"), workTree: path };
  const head = await resolveCommit(repository, "HEAD", context);
  const isDirty = await hasChanges(repository, options.submodules, context);
  if (isDirty) context.warn(`Git tree '${path}' is dirty`);
  const { root, narHash } = await context.cache.addTree(async (target) => {
    const writer = new TreeWriter(target);
    await writeWorkTree(repository, writer, options.exportIgnore, context);
    if (options.submodules) await writeModules(repository, writer, context);
    return target;
  }, context.signal);
  const lastModified = head === undefined ? 0 : await findLastModified(repository, head, context);
  if (isDirty) {
    const dirty: Readonly<Record<string, string>> = head === undefined ? {} : { dirtyRev: `${head}-dirty`, dirtyShortRev: `${head.slice(0, 7)}-dirty` };
    return { root, narHash, found: { ...dirty, lastModified } };
  }
  const ref = (await tryGit(repository, ["symbolic-ref", "-q", "HEAD"], context)).output.toString("utf8").trim();
  const rev = head ?? "0".repeat(40);
  return {
    root,
    narHash,
    found: {
      ...(ref === "" ? {} : { ref }),
      rev,
      ...(options.shallow ? {} : { revCount: head === undefined ? 0 : await findRevCount(repository, head, context) }),
      lastModified,
    },
  };
}

/** What is checked out in submodules as it is; of those that are not, what the last commit names. */
async function writeModules(repository: GitRepository & { readonly workTree: string }, writer: TreeTarget, context: SourceContext): Promise<void> {
  const list = await tryGit(repository, ["config", "--file", join(repository.workTree, ".gitmodules"), "-z", "--get-regexp", "^submodule\\..*\\.path$"], context);
  const missing = new Set<string>();
  for (const item of list.output.toString("utf8").split("\0")) {
    const path = item.slice(item.indexOf("\n") + 1);
    if (item === "" || path.split("/").includes("..")) continue;
    const workTree = join(repository.workTree, path);
    const inner = { gitDir: join(workTree, ".git"), workTree };
    if (!existsSync(inner.gitDir)) {
      missing.add(path);
      continue;
    }
    const target = below(writer, parseTreePath(toByteString(path)));
    await writeWorkTree(inner, target, false, context);
    await writeModules(inner, target, context);
  }
  const head = missing.size === 0 ? undefined : await resolveCommit(repository, "HEAD", context);
  if (head !== undefined) await writeSubmodules(repository, head, writer, context, undefined, missing);
}

/** Whether tracked files differ from the last commit; filters that the repository's settings name are not run. */
async function hasChanges(repository: { readonly gitDir: string; readonly workTree: string }, withSubmodules: boolean, context: SourceContext): Promise<boolean> {
  const filters = (await tryGit(repository, ["config", "--name-only", "-z", "--get-regexp", "^filter\\..*\\.(clean|process|required)$"], context)).output.toString("utf8").split("\0");
  const without = filters.filter((name) => name !== "").flatMap((name) => ["-c", `${name}=${name.endsWith(".required") ? "false" : ""}`]);
  const status = await runGit(repository, [...without, "status", "--porcelain=v1", "-z", "--untracked-files=no", `--ignore-submodules=${withSubmodules ? "untracked" : "dirty"}`], context);
  return status.length > 0;
}
