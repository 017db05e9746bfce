import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { loadBuildSettings } from "../../core/build/load-build-settings.ts";
import { partialFolder } from "../build-options.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { formatBytes } from "../output/units.ts";
import { parseSize, parseTimeSpan } from "../parse-amount.ts";
import { deleteOldGenerations } from "../generations.ts";

/** Deletes what no root reaches; with `--older-than`, old generations first; with `--roots-older-than`, what only old results and shells keep. */
export async function gc(context: CommandContext, args: { readonly olderThan?: string; readonly rootsOlderThan?: string; readonly max?: string; readonly dryRun: boolean }): Promise<number> {
  const olderThan = args.olderThan === undefined ? undefined : parseTimeSpan(args.olderThan);
  const expiry = args.rootsOlderThan === undefined ? (await loadBuildSettings({ env: context.env })).rootsExpireAfter : parseTimeSpan(args.rootsOlderThan);
  const maxFreed = args.max === undefined ? undefined : parseSize(args.max);
  const store = await context.openStore();
  if (olderThan !== undefined && !args.dryRun) await deleteOldGenerations(context, store, olderThan);
  const { deleted, alive, bytesFreed } = await store.collectGarbage({
    dryRun: args.dryRun,
    maxFreed,
    rootsOlderThan: expiry === undefined ? undefined : new Date(Date.now() - expiry),
    signal: context.signal,
    report: context.report,
  });
  if (!args.dryRun) await removeOldDownloads(partialFolder(store));
  if (context.flags.json) context.print(JSON.stringify({ version: 1, dryRun: args.dryRun, deleted, alive, bytesFreed }));
  else {
    if (args.dryRun) for (const path of deleted) context.print(path);
    context.say(`${args.dryRun ? "would delete" : "deleted"} ${deleted.length} paths, ${formatBytes(bytesFreed)}; ${alive} are alive`);
  }
  return ExitCode.done;
}

const DAY = 86_400_000;

/** Unfinished downloads that no run has gone on with for a day. */
async function removeOldDownloads(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const file = join(folder, name);
    const stats = await stat(file).catch(() => undefined);
    if (stats !== undefined && Date.now() - stats.mtimeMs > DAY) await rm(file, { force: true });
  }
}
