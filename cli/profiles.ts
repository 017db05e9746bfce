import { userInfo } from "node:os";
import { resolve } from "node:path";
import { deleteGenerations, deleteGenerationsOlderThan, listGenerations, profilePath, rollbackProfile } from "../core/store/profile.ts";
import type { LocalStore } from "../core/store/store.ts";
import { formatStorePath } from "../core/store-path/store-path.ts";
import type { CommandContext } from "./context.ts";
import { ExitCode } from "./exit-code.ts";
import { formatTable } from "./output/table.ts";
import { parseTimeSpan } from "./parse-amount.ts";

/** A path, or the name of one of the user's own profiles, which are below `profiles/per-user`. */
export function findProfile(context: Pick<CommandContext, "folder">, store: Pick<LocalStore, "stateDir">, named: string): string {
  return named.includes("/") ? resolve(context.folder, named) : profilePath(store, named, userInfo().username);
}

export type ProfileRequest = { readonly profile: string; readonly numbers: readonly number[]; readonly olderThan?: string | undefined };

/** `tsos generations --profile NAME`: the numbered states of a profile that `tsos build --profile` made. */
export function listProfile(context: CommandContext, store: LocalStore, profile: string): number {
  const all = listGenerations(store, profile).map(({ number, created, path, current }) => ({ number, created: created.toISOString(), isCurrent: current, path: path === undefined ? null : formatStorePath(path, store.storeDir) }));
  if (context.flags.json) context.print(JSON.stringify({ version: 1, profile, generations: all }));
  else if (all.length === 0) context.say(`the profile "${profile}" has no generation yet`);
  else context.print(formatTable(["generation", "date (UTC)", "", "path"], all.map((one) => [String(one.number), one.created.slice(0, 19).replace("T", " "), one.isCurrent ? "current" : "", one.path ?? ""])));
  return ExitCode.done;
}

/** @throws TsosError `profile.current`, `profile.no-generation` */
export async function deleteOfProfile(context: CommandContext, store: LocalStore, { profile, numbers, olderThan }: ProfileRequest): Promise<number> {
  const removed = olderThan === undefined ? await deleteGenerations(store, profile, numbers) : await deleteGenerationsOlderThan(store, profile, new Date(Date.now() - parseTimeSpan(olderThan)));
  if (context.flags.json) context.print(JSON.stringify({ version: 1, deleted: removed.map(({ number }) => number) }));
  else context.say(removed.length === 0 ? "nothing to delete" : `deleted ${removed.map(({ number }) => number).join(", ")}; tsos gc frees what only they needed`);
  return ExitCode.done;
}

/** @throws TsosError `profile.no-generation` */
export async function rollBack(context: CommandContext, store: LocalStore, profile: string): Promise<number> {
  const { number } = await rollbackProfile(store, profile);
  if (context.flags.json) context.print(JSON.stringify({ version: 1, current: number }));
  else context.say(`back at generation ${number}`);
  return ExitCode.done;
}
