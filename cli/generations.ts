import type { LocalStore } from "../core/store/store.ts";
import { deleteGenerations, deleteGenerationsOlderThan, listProfiles, type Generation } from "../core/store/profile.ts";
import { findRunningToplevel } from "../core/system/running-machine.ts";
import { formatStorePath } from "../core/store-path/store-path.ts";
import type { CommandContext } from "./context.ts";

/** Deletes the generations of every profile that are older than `milliseconds`; those in use stay. */
export async function deleteOldGenerations(context: CommandContext, store: LocalStore, milliseconds: number): Promise<void> {
  const before = new Date(Date.now() - milliseconds);
  const running = findRunningToplevel();
  for (const profile of listProfiles(store)) {
    for (const generation of await deleteOlderThan(store, profile, before, running)) context.say(`deleted generation ${generation.number} of ${profile}`);
  }
}

/** Deletes those that were no more in use at `time`, but the current one and the one of `running`, a full path. */
export async function deleteOlderThan(store: LocalStore, profile: string, time: Date, running: string | undefined): Promise<readonly Generation[]> {
  const old = await deleteGenerationsOlderThan(store, profile, time, { dryRun: true });
  const unused = old.filter(({ path }) => path === undefined || formatStorePath(path, store.storeDir) !== running);
  return await deleteGenerations(store, profile, unused.map(({ number }) => number));
}
