import assert from "node:assert/strict";
import { lutimesSync, readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import {
  deleteGenerations,
  deleteGenerationsBeyond,
  deleteGenerationsOlderThan,
  deleteOldGenerations,
  findCurrentGeneration,
  createGeneration,
  listGenerations,
  listProfiles,
  profilePath,
  rollbackProfile,
  setProfile,
  switchGeneration,
} from "../../../core/store/profile.ts";
import { formatStorePath, parseStorePathBaseName } from "../../../core/store-path/store-path.ts";
import { temporaryStore } from "./temporary-store.ts";

test("numbers generations and points the profile to the newest one", async (t) => {
  const { store } = await temporaryStore(t);
  const profile = profilePath(store, "system");
  const a = await store.addTextToStore("a", "1", []);
  const b = await store.addTextToStore("b", "2", []);
  assert.deepEqual(listGenerations(store, profile), []);
  assert.equal((await setProfile(store, profile, a)).number, 1);
  assert.equal((await setProfile(store, profile, b)).number, 2);
  assert.equal(readlinkSync(profile), "system-2-link");
  assert.equal(readlinkSync(`${profile}-2-link`), formatStorePath(b));
  assert.equal((await setProfile(store, profile, b)).number, 2);
  assert.deepEqual(listGenerations(store, profile).map(({ number, path, current }) => ({ number, path, current })), [
    { number: 1, path: a, current: false },
    { number: 2, path: b, current: true },
  ]);
  assert.deepEqual((await store.collectGarbage({ dryRun: true })).deleted, []);
});

test("rolls back, switches, and names what is not there", async (t) => {
  const { store } = await temporaryStore(t);
  const profile = profilePath(store, "profile", "someone");
  for (const text of ["1", "2", "3"]) await setProfile(store, profile, await store.addTextToStore("a", text, []));
  assert.equal((await rollbackProfile(store, profile)).number, 2);
  assert.equal((await rollbackProfile(store, profile)).number, 1);
  await assert.rejects(rollbackProfile(store, profile), { code: "profile.no-generation" });
  assert.equal((await switchGeneration(store, profile, 3)).number, 3);
  await assert.rejects(switchGeneration(store, profile, 7), { code: "profile.no-generation", message: /"7"/ });
  assert.deepEqual(listProfiles(store), [profile]);
});

test("a new generation after a rollback has a new number", async (t) => {
  const { store } = await temporaryStore(t);
  const profile = profilePath(store, "system");
  for (const text of ["1", "2"]) await setProfile(store, profile, await store.addTextToStore("a", text, []));
  await rollbackProfile(store, profile);
  const made = await createGeneration(store, profile, await store.addTextToStore("a", "3", []));
  assert.equal(made.number, 3);
  assert.equal(findCurrentGeneration(store, profile)!.number, 1);
});

test("deletes generations, never the current one", async (t) => {
  const { store } = await temporaryStore(t);
  const profile = profilePath(store, "system");
  for (const text of ["1", "2", "3", "4", "5"]) await setProfile(store, profile, await store.addTextToStore("a", text, []));
  const numbers = (): number[] => listGenerations(store, profile).map(({ number }) => number);
  await assert.rejects(deleteGenerations(store, profile, [1, 5]), { code: "profile.current" });
  await deleteGenerations(store, profile, [1]);
  assert.deepEqual(numbers(), [2, 3, 4, 5]);
  await deleteGenerationsBeyond(store, profile, 3);
  assert.deepEqual(numbers(), [3, 4, 5]);
  lutimesSync(`${profile}-3-link`, 1000, 1000);
  lutimesSync(`${profile}-4-link`, 2000, 2000);
  // Generation 4 was the one in use at that time.
  assert.deepEqual((await deleteGenerationsOlderThan(store, profile, new Date(3_000_000), { dryRun: true })).map(({ number }) => number), [3]);
  await deleteOldGenerations(store, profile);
  assert.deepEqual(numbers(), [5]);
  assert.deepEqual(readdirSync(`${store.stateDir}/profiles`).filter((name) => name.startsWith(".")), []);
});

test("refuses a generation of what is not valid", async (t) => {
  const { store } = await temporaryStore(t);
  const absent = parseStorePathBaseName("00000000000000000000000000000000-absent");
  await assert.rejects(setProfile(store, profilePath(store, "system"), absent), { code: "profile.invalid-path" });
});
