import { existsSync, realpathSync } from "node:fs";
import { TsosError } from "../../../error/tsos-error.ts";
import { fromByteString, toByteString } from "../../../util/bytes.ts";
import { runToolSandboxed } from "../../run-tool-sandboxed.ts";
import type { Tool } from "../../tool.ts";
import type { PatchPlan } from "./plan-patches.ts";
import { hasSoundSegments } from "./read-elf.ts";

/** Gives each program and library of the plan its search path and linker, many files a call. */
export function runPatchelf(task: { readonly patchelf: readonly string[]; readonly prefix: string; readonly target: string; readonly bubblewrap: Tool }, plan: PatchPlan): void {
  const [command, fixed] = locatePatchelf(task.patchelf);
  const linker = plan.linkers.length > 0 ? `${task.prefix}/${fromByteString(plan.linkers[0]!)}` : undefined;
  const run = (args: readonly string[], files: readonly string[]): void => {
    try {
      runToolSandboxed({ bubblewrap: task.bubblewrap, command, args: [...fixed, ...args, ...files], readable: task.patchelf, writable: [task.target] });
    } catch (cause) {
      const output = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim() : String(cause);
      throw new TsosError({ code: "patch.failed", message: `patchelf failed on the programs of "${task.prefix}": ${output}`, cause });
    }
  };
  for (const { kind, runPath, paths } of plan.groups) {
    const setRunPath = ["--force-rpath", "--set-rpath", fromByteString(runPath)];
    const setLinker = kind === "library" || linker === undefined ? [] : ["--set-interpreter", linker];
    for (let at = 0; at < paths.length; at += BATCH) {
      const files = paths.slice(at, at + BATCH).map((path) => `${task.target}/${fromByteString(path)}`);
      if (kind !== "fixed-program") run([...setRunPath, ...setLinker], files);
      else {
        // In one go, or in the other order, patchelf lets the new segment of such a program overlap the old one.
        run(setRunPath, files);
        if (setLinker.length > 0) run(setLinker, files);
      }
      const broken = files.find((file) => !hasSoundSegments(toByteString(file)));
      if (broken !== undefined) {
        throw new TsosError({ code: "patch.failed", message: `patchelf left "${broken}" with segments that overlap`, data: { file: broken } });
      }
    }
  }
}

// So many files a call keep the command line well below the kernel's limit.
const BATCH = 200;

function locatePatchelf(trees: readonly string[]): readonly [command: string, args: readonly string[]] {
  for (const tree of trees) if (existsSync(`${tree}/bin/patchelf`)) return [`${tree}/bin/patchelf`, []];
  const find = (path: string): string | undefined => trees.map((tree) => `${tree}/${path}`).find((candidate) => existsSync(candidate));
  const linker = find("usr/lib64/ld-linux-x86-64.so.2") ?? find("usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2");
  const patchelf = find("usr/bin/patchelf");
  if (linker === undefined || patchelf === undefined) {
    throw new TsosError({ code: "patch.no-patchelf", message: `no patchelf with its C library is in ${trees.map((tree) => `"${tree}"`).join(", ") || "no tree"}` });
  }
  const libraries = trees.map((tree) => `${tree}/usr/lib/x86_64-linux-gnu`).filter((folder) => existsSync(folder));
  return [realpathSync(linker), ["--library-path", libraries.join(":"), patchelf]];
}
