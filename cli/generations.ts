import type { LocalStore } from "../core/store/store.ts";
import { deleteGenerationsOlderThan, listProfiles } from "../core/store/profile.ts";
import type { CommandContext } from "./context.ts";

/** Deletes the generations of every profile that are older than `milliseconds`; the current ones stay. */
export async function deleteOldGenerations(context: CommandContext, store: LocalStore, milliseconds: number): Promise<void> {
  const before = new Date(Date.now() - milliseconds);
  for (const profile of listProfiles(store)) {
    for (const generation of await deleteGenerationsOlderThan(store, profile, before)) context.say(`deleted generation ${generation.number} of ${profile}`);
  }
}

