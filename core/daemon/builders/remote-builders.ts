import { setTimeout as sleep } from "node:timers/promises";
import { mkdirSync } from "node:fs";
import type { BuildResult, DerivationBuild } from "../../build/derivation-build.ts";
import { openBuildLog } from "../../build/build-log.ts";
import { derivationList } from "../../build/derivation-attributes.ts";
import type { RemoteBuilders, RemotePlace } from "../../build/remote-builders.ts";
import { copyPaths } from "../../cache/copy-paths.ts";
import type { Derivation } from "../../derivation/derivation.ts";
import { hasUnknownOutputs } from "../../derivation/resolve-derivation.ts";
import { TsosError } from "../../error/tsos-error.ts";
import type { LocalStore } from "../../store/store.ts";
import { formatStorePath, type StorePath } from "../../store-path/store-path.ts";
import { tryLockFile, type FileLock } from "../../util/file-lock.ts";
import { compareUtf8 } from "../../util/ordering.ts";
import type { ProgressListener } from "../../util/progress.ts";
import { isSuccess, type WireBuildResult } from "../wire/build-result.ts";
import { stripColour } from "../wire/error-codec.ts";
import type { RemoteStore } from "../client/remote-store.ts";
import type { Machine } from "./parse-machines.ts";

export type RemoteBuildersOptions = {
  readonly machines: readonly Machine[];
  /** `current-load` of the store's state: a lock for each place, so that all processes of this machine share them. */
  readonly loadDir: string;
  readonly open: (machine: Machine) => RemoteStore;
  /** The machines may take what a build needs from their own substituters. */
  readonly useSubstitutes: boolean;
  readonly report?: ProgressListener | undefined;
};

/** How often one looks for a free place while all are taken, in milliseconds. */
const LOOK_AGAIN = 250;

const LAST_LINES = 15;

/** Builds on other machines. Nix: build-remote.cc. One that cannot be reached is said so and left out from then on. */
export function createRemoteBuilders({ machines, loadDir, open, useSubstitutes, report }: RemoteBuildersOptions): RemoteBuilders & AsyncDisposable {
  const broken = new Set<Machine>();
  const stores = new Map<Machine, RemoteStore>();
  const storeOf = (machine: Machine): RemoteStore => {
    const known = stores.get(machine);
    if (known !== undefined) return known;
    const store = open(machine);
    stores.set(machine, store);
    return store;
  };

  /** The free place on the machine with the least to do for its speed. */
  function findPlace(fitting: readonly Machine[]): { readonly machine: Machine; readonly lock: FileLock } | undefined {
    let best: { readonly machine: Machine; readonly lock: FileLock; readonly load: number } | undefined;
    for (const machine of fitting) {
      let free: FileLock | undefined;
      let load = 0;
      for (let slot = 0; slot < machine.maxJobs; slot++) {
        const lock = tryLockFile(`${loadDir}/${machine.url.replaceAll("/", "_")}-${slot}`);
        if (lock === undefined) load++;
        else if (free === undefined) free = lock;
        else lock.release();
      }
      if (free === undefined) continue;
      if (best === undefined || isBetter({ machine, load }, best)) {
        best?.lock.release();
        best = { machine, lock: free, load };
      } else free.release();
    }
    return best;
  }

  return {
    async take(derivation, { path, canBuildHere, signal }) {
      mkdirSync(loadDir, { recursive: true });
      for (;;) {
        signal.throwIfAborted();
        const fitting = machines.filter((machine) => !broken.has(machine) && fits(machine, derivation));
        if (fitting.length === 0) {
          if (!canBuildHere && machines.length > 0) report?.({ kind: "message", level: "notice", text: noneFits(derivation, path, machines) });
          return undefined;
        }
        const found = findPlace(fitting);
        if (found === undefined) {
          if (canBuildHere) return undefined;
          await sleep(LOOK_AGAIN, undefined, { signal });
          continue;
        }
        const { machine, lock } = found;
        try {
          await storeOf(machine).isTrusted();
        } catch (error) {
          lock.release();
          broken.add(machine);
          report?.({ kind: "message", level: "warning", text: `cannot build on "${machine.url}": ${error instanceof Error ? error.message : String(error)}` });
          continue;
        }
        return makePlace(machine, storeOf(machine), lock, useSubstitutes);
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...stores.values()].map((store) => store[Symbol.asyncDispose]()));
    },
  };
}

function isBetter(a: { readonly machine: Machine; readonly load: number }, b: { readonly machine: Machine; readonly load: number }): boolean {
  const [loadA, loadB] = [a.load / a.machine.speedFactor, b.load / b.machine.speedFactor];
  if (loadA !== loadB) return loadA < loadB;
  if (a.machine.speedFactor !== b.machine.speedFactor) return a.machine.speedFactor > b.machine.speedFactor;
  return a.load < b.load;
}

/** Outputs that only their contents name are a feature that not every machine has. Nix: libstore/derivation-options.cc. */
function requiredFeatures(derivation: Derivation): readonly string[] {
  const named = derivationList(derivation, "requiredSystemFeatures") ?? [];
  return hasUnknownOutputs(derivation) && !named.includes("ca-derivations") ? [...named, "ca-derivations"] : named;
}

/** In the reference's words. Nix: build-remote.cc. */
function noneFits(derivation: Derivation, path: StorePath, machines: readonly Machine[]): string {
  const list = (words: readonly string[]): string => `[${[...words].sort(compareUtf8).join(", ")}]`;
  return [
    "Failed to find a machine for remote build!",
    `derivation: ${path}`,
    `required (system, features): (${derivation.platform}, ${list(requiredFeatures(derivation))})`,
    `${machines.length} available machines:`,
    "(systems, maxjobs, supportedFeatures, mandatoryFeatures)",
    ...machines.map((machine) => `(${list(machine.systems)}, ${machine.maxJobs}, ${list(machine.supportedFeatures)}, ${list(machine.mandatoryFeatures)})`),
  ].join("\n");
}

/** Whether a machine builds such a thing at all. */
export function fits(machine: Machine, derivation: Derivation): boolean {
  const required = requiredFeatures(derivation);
  const features = [...machine.supportedFeatures, ...machine.mandatoryFeatures];
  return machine.systems.includes(derivation.platform) && required.every((feature) => features.includes(feature)) && machine.mandatoryFeatures.every((feature) => required.includes(feature));
}

function makePlace(machine: Machine, remote: RemoteStore, lock: FileLock, useSubstitutes: boolean): RemotePlace {
  let held = true;
  return {
    name: machine.url,
    release() {
      if (held) lock.release();
      held = false;
    },
    build: (store, build) => buildThere(store, remote, build, useSubstitutes),
  };
}

async function buildThere(store: LocalStore, remote: RemoteStore, build: DerivationBuild, useSubstitutes: boolean): Promise<BuildResult> {
  const { signal, derivation } = build;
  const lastLines: string[] = [];
  using log = openBuildLog(store.logDir, build.path);
  const onLine = (line: string): void => {
    log.write(Buffer.from(`${line}\n`));
    if (lastLines.push(line) > LAST_LINES) lastLines.shift();
    build.onLine(line);
  };
  try {
    const inputs = [...new Set([...derivation.inputSources, ...build.inputOutputs])];
    if (useSubstitutes) await remote.queryValidPaths(await store.closure(inputs), { substitute: true });
    if ((await remote.isTrusted()) === false && !provesItself(derivation)) {
      throw new TsosError({
        code: "daemon.untrusted-here",
        message: `"${remote.name}" does not trust this user to send derivations that are not proved by their contents`,
        hint: "name the user in trusted-users there",
      });
    }
    await copyPaths(store, remote, inputs, { signal });
    const result = await remote.buildDerivation({ drvPath: build.path, derivation, inputs }, onLine, signal);
    if (!isSuccess(result.status)) {
      const reason = ownReason(stripColour(result.errorMessage).trim().replace(/^error: */, ""));
      throw new TsosError({ code: "build.remote-failed", message: `${reason === "" ? result.status : reason} (on "${remote.name}")`, data: { status: result.status, machine: remote.name } });
    }
    build.onBuilderEnd();
    // What was not known here before, the other side says; it could not be locked either.
    const isKnown = !hasUnknownOutputs(derivation);
    const outputs = isKnown ? build.outputPaths : findOutputs(derivation, result.builtOutputs, remote.name);
    const paths = new Set(outputs.values());
    await store.addTemporaryRoot(...paths);
    await copyPaths(remote, store, paths, {
      noRecursive: true,
      locked: isKnown,
      signal,
      // What it refers to is what it was built from, or it.
      check: (info) => {
        if (!paths.has(info.path)) throw new TsosError({ code: "build.remote-failed", message: `"${remote.name}" gave "${formatStorePath(info.path, store.storeDir)}", which was not asked for` });
        if (!isKnown && info.contentAddress === undefined) throw new TsosError({ code: "build.remote-failed", message: `"${remote.name}" gave "${formatStorePath(info.path, store.storeDir)}", whose contents do not show its name` });
      },
    });
    return { kind: "built", outputs };
  } catch (cause) {
    signal.throwIfAborted();
    return { kind: "failed", cause, logFile: log.file, lastLines };
  }
}

/** Of the reference's message about a build what is not said here anyway: the derivation and the lines that were shown. */
function ownReason(message: string): string {
  return /^Cannot build '[^']*'\.\s+Reason: (.*?)\.?(?:\n|$)/.exec(message)?.[1] ?? message;
}

/** Whether what is made shows by itself that it is what was asked for. */
function provesItself({ outputs }: Derivation): boolean {
  return [...outputs.values()].every(({ kind }) => kind === "fixed" || kind === "floating");
}

/** What floating outputs turned out to be there. */
function findOutputs({ outputs }: Derivation, built: WireBuildResult["builtOutputs"], machine: string): ReadonlyMap<string, StorePath> {
  return new Map(
    [...outputs.keys()].map((name) => {
      const path = built.get(name)?.path;
      if (path === undefined) throw new TsosError({ code: "build.remote-failed", message: `"${machine}" does not say what the output "${name}" turned out to be` });
      return [name, path];
    }),
  );
}
