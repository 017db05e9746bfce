import { pipeline } from "node:stream/promises";
import { findUntrusted } from "../../core/cache/find-untrusted.ts";
import { loadCacheSettings } from "../../core/cache/load-cache-settings.ts";
import { repairPath, type RepairSource } from "../../core/build/repair-path.ts";
import { exportPaths, importPaths } from "../../core/store/export-paths.ts";
import type { LocalStore, StoreProblem } from "../../core/store/store.ts";
import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { unreachable } from "../../core/util/unreachable.ts";
import { createBuildOptions } from "../build-options.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { StoreArguments } from "../store-arguments.ts";
import { formatBytes } from "../output/units.ts";
import { findSandboxTool } from "../tools.ts";
import { UsageError } from "../usage-error.ts";

/** `tsos store verify [--check-contents] [--check-signatures] [--repair]`: without the latter it only says what is wrong. */
export async function verify(context: CommandContext, args: StoreArguments): Promise<number> {
  const store = await context.openStore();
  let problems = await store.verify({ checkContents: args.checkContents || args.repair, keepMissing: args.repair, signal: context.signal, report: context.report });
  const repaired: StorePath[] = [];
  if (args.repair && problems.length > 0) {
    const left: StoreProblem[] = [];
    const repair = await createRepair(context, store);
    for (const problem of problems) {
      if (problem.kind === "modified-link") await store.removeLink(problem);
      else if (problem.kind === "database") left.push(problem);
      else {
        try {
          await repair(problem.path);
          repaired.push(problem.path);
        } catch (error) {
          context.signal.throwIfAborted();
          context.complain(error);
          left.push(problem);
        }
      }
    }
    // What is gone and cannot be had again is forgotten where nothing needs it.
    if (left.some(({ kind }) => kind === "missing")) await store.verify({ signal: context.signal });
    problems = left;
  }
  const full = (path: StorePath): string => formatStorePath(path, store.storeDir);
  const untrusted = args.checkSignatures === true ? await findUntrusted(store, (await loadCacheSettings({ env: context.env })).trust, { signal: context.signal }) : [];
  const all = [...problems, ...untrusted.map((path) => ({ kind: "untrusted", path }) as const)];
  if (context.flags.json) context.print(JSON.stringify({ version: 1, problems: all, ...(args.repair ? { repaired: repaired.map(full) } : {}) }));
  else {
    for (const path of repaired) context.print(`repaired ${full(path)}`);
    for (const problem of all) context.print(describe(problem, full));
  }
  context.say(all.length === 0 ? "the store is sound" : all.length === 1 ? "1 problem" : `${all.length} problems`);
  return all.length === 0 ? ExitCode.done : ExitCode.failed;
}

type Problem = StoreProblem | { readonly kind: "untrusted"; readonly path: StorePath };

function describe(problem: Problem, full: (path: StorePath) => string): string {
  switch (problem.kind) {
    case "missing":
      return `${full(problem.path)} is missing${problem.kept ? ", and other paths need it" : ""}`;
    case "modified":
      return `${full(problem.path)} was modified: its hash is ${problem.actual}, expected ${problem.expected}`;
    case "wrong-size":
      return `${full(problem.path)} has the archive size ${problem.actual}, expected ${problem.expected}`;
    case "unreadable":
      return `${full(problem.path)} cannot be read: ${problem.cause instanceof Error ? problem.cause.message : String(problem.cause)}`;
    case "untrusted":
      return `${full(problem.path)} came from elsewhere, and no trusted key signed it`;
    case "modified-link":
      return `${problem.link} was modified`;
    case "database":
      return `the database is damaged: ${problem.message}`;
    default:
      return unreachable(problem);
  }
}

/** `tsos store repair PATH…`. */
export async function repair(context: CommandContext, paths: (store: LocalStore) => readonly StorePath[]): Promise<number> {
  const store = await context.openStore();
  const repairOne = await createRepair(context, store);
  const results: { readonly path: string; readonly source: RepairSource }[] = [];
  for (const path of paths(store)) results.push({ path: formatStorePath(path, store.storeDir), source: await repairOne(path) });
  if (context.flags.json) context.print(JSON.stringify({ version: 1, paths: results }));
  else for (const { path, source } of results) context.print(`${path} ${{ sound: "was sound", substituted: "was taken from a cache", built: "was built again" }[source]}`);
  return ExitCode.done;
}

async function createRepair(context: CommandContext, store: LocalStore): Promise<(path: StorePath) => Promise<RepairSource>> {
  const build = await createBuildOptions(context, store, () => findSandboxTool(context, store));
  return (path) => repairPath(store, path, { build, substituter: build.substituter, signal: context.signal });
}

/** `tsos store optimise [PATH…]`. */
export async function optimise(context: CommandContext, args: StoreArguments, paths: (store: LocalStore) => readonly StorePath[]): Promise<number> {
  const store = await context.openStore();
  const { filesLinked, bytesFreed } = await store.optimise(args.paths.length === 0 ? undefined : paths(store), { signal: context.signal, report: context.report });
  if (context.flags.json) context.print(JSON.stringify({ version: 1, filesLinked, bytesFreed }));
  else context.say(`${filesLinked} files shared, ${formatBytes(bytesFreed)} freed`);
  return ExitCode.done;
}

/** `tsos store export PATH… > FILE`: with all they need, unless `--no-recursive`. */
export async function exportTo(context: CommandContext, args: StoreArguments, paths: (store: LocalStore) => readonly StorePath[]): Promise<number> {
  if (process.stdout.isTTY) throw new UsageError({ code: "cli.export-to-terminal", message: '"tsos store export" writes archives, which no terminal shows', hint: "write tsos store export PATH > FILE" });
  const store = await context.openStore();
  const chosen = args.recursive ? await store.closure(paths(store)) : paths(store);
  await store.addTemporaryRoot(...chosen);
  await pipeline(exportPaths(store, chosen, { signal: context.signal }), process.stdout, { end: false });
  return ExitCode.done;
}

/** `tsos store import < FILE`. */
export async function importFrom(context: CommandContext): Promise<number> {
  const store = await context.openStore();
  const added = (await importPaths(store, process.stdin, { signal: context.signal })).map((path) => formatStorePath(path, store.storeDir));
  if (context.flags.json) context.print(JSON.stringify({ version: 1, paths: added }));
  else for (const path of added) context.print(path);
  return ExitCode.done;
}
