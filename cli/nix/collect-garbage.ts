import { deleteGenerationsOlderThan, deleteOldGenerations, listProfiles } from "../../core/store/profile.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { ClassicUsageError, parseClassicArguments, type ClassicOptions } from "./classic-arguments.ts";
import { answerHelp } from "./help.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { openNixStore } from "./open-store.ts";
import { locateStore } from "./store-location.ts";

/** `nix-collect-garbage`. Nix: src/nix/nix-collect-garbage */
export async function collectGarbage(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  let removeOld = false;
  let olderThan: number | undefined;
  let dryRun = false;
  let maxFreed: number | undefined;
  const options = parseClassicArguments(args, environment.env, environment.warn, (argument, value) => {
    switch (argument) {
      case "--delete-old":
      case "-d":
        removeOld = true;
        return true;
      case "--delete-older-than":
        removeOld = true;
        olderThan = parseDays(value());
        return true;
      case "--dry-run":
        dryRun = true;
        return true;
      case "--max-freed":
        maxFreed = parseSize(argument, value());
        return true;
      default:
        return false;
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  if (options.words[0] !== undefined) throw new ClassicUsageError(`unexpected argument '${options.words[0]}'`);
  if (maxFreed !== undefined && dryRun) throw new ClassicUsageError("options --max-freed and --dry-run cannot be combined");
  await using opened = openNixStore(locateStore(environment.env, environment.uid, options.storeUrl));
  const store = await opened.open();
  if (removeOld) {
    for (const profile of listProfiles(store)) {
      environment.say(`removing old generations of profile ${profile}`);
      const removed =
        olderThan === undefined
          ? await deleteOldGenerations(store, profile, { dryRun })
          : await deleteGenerationsOlderThan(store, profile, new Date(Date.now() - olderThan * 86_400_000), { dryRun });
      for (const generation of removed) environment.say(`${dryRun ? "would remove" : "removing"} profile version ${generation.number}`);
    }
  }
  environment.print(`${await deleteDead(environment, options, store, { dryRun, maxFreed })}\n`);
  return 0;
}

/** Deletes what no root reaches, and says how much that was as the reference does. */
export async function deleteDead(environment: NixEnvironment, { settings }: ClassicOptions, store: LocalStore, { dryRun, maxFreed }: { readonly dryRun: boolean; readonly maxFreed: number | undefined }): Promise<string> {
  const result = await environment.whileBuilding(() =>
    store.collectGarbage({
      dryRun,
      maxFreed,
      ...kept(settings),
      signal: environment.signal,
    }),
  );
  return describeFreed(result.deleted.length, result.bytesFreed, dryRun);
}

/** What stays for the sake of derivations and outputs that stay. */
export function kept(settings: NixConfiguration): { readonly keepOutputs: boolean; readonly keepDerivations: boolean } {
  return { keepOutputs: settings.bool("keep-outputs", false), keepDerivations: settings.bool("keep-derivations", true) };
}

export function describeFreed(count: number, bytes: number, dryRun: boolean): string {
  return dryRun ? `${count} store paths would be deleted` : `${count} store paths deleted, ${(bytes / 1024 / 1024).toFixed(2)} MiB freed`;
}

function parseDays(text: string): number {
  const match = /^([0-9]+)d$/.exec(text);
  if (match === null) throw new ClassicUsageError(`invalid number of days specifier '${text}', expected something like '14d'`);
  return Number(match[1]);
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes, with a unit where one is named. */
export function parseSize(argument: string, text: string): number {
  const match = /^(-?[0-9]+)([KMGT]?)$/i.exec(text);
  if (match === null) throw new ClassicUsageError(`'${argument}' requires an integer argument`);
  return Math.max(0, Number(match[1]) * UNITS[match[2]!.toUpperCase()]!);
}
