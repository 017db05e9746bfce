import { readFile } from "node:fs/promises";
import type { Derivation } from "../derivation/derivation.ts";
import { derivationOutputPaths } from "../derivation/derivation-output-paths.ts";
import { parseDerivation } from "../derivation/parse-derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { LocalStore } from "../store/store.ts";
import { formatStorePath, isDerivationPath, storePathName, type StorePath } from "../store-path/store-path.ts";

/** A derivation to have, and which of its outputs; all of them by default. */
export type BuildTarget = { readonly drvPath: StorePath; readonly outputs?: Iterable<string> | undefined };

/** A derivation that was looked at; those with `build` have to be built. */
export type Goal = {
  readonly path: StorePath;
  readonly derivation: Derivation;
  readonly outputPaths: ReadonlyMap<string, StorePath>;
  /** Outputs that a target or a user of it needs. */
  readonly wanted: Set<string>;
  build: boolean;
  /** Built although its outputs are valid, to compare. */
  check: boolean;
  /** What must be there first, and who waits for it: goals to be built only. */
  readonly needs: Set<Goal>;
  readonly neededBy: Set<Goal>;
};

export type BuildGraph = {
  readonly goals: ReadonlyMap<StorePath, Goal>;
  readonly targets: readonly Goal[];
};

/** Derivations read at once. */
const READERS = 32;

/**
 * Goes from the targets down to what is valid: a derivation's inputs are looked at only when one of its wanted
 * outputs is not there. Every path looked at is a temporary root from before its validity was asked, so that no
 * collector comes in between.
 *
 * @throws TsosError `build.no-derivation`, `build.unknown-output`, `build.floating-output`, `build.cycle`
 */
export async function readBuildGraph(store: LocalStore, targets: readonly BuildTarget[], options: { readonly check: boolean }): Promise<BuildGraph> {
  const goals = new Map<StorePath, Goal>();
  const targetPaths = targets.map((target) => target.drvPath);
  await store.addTemporaryRoot(...targetPaths);
  const isTarget = new Set(targetPaths);

  // Who wants which outputs of a derivation; a level of the graph at a time, so that the store is asked in bulk.
  let wishes: { readonly path: StorePath; readonly outputs: Iterable<string> | undefined; readonly user?: Goal }[] = targets.map((target) => ({
    path: target.drvPath,
    outputs: target.outputs,
  }));
  while (wishes.length > 0) {
    const fresh = [...new Set(wishes.map((wish) => wish.path))].filter((path) => !goals.has(path));
    for (const goal of await readGoals(store, fresh)) goals.set(goal.path, goal);

    const touched = new Set<Goal>();
    for (const wish of wishes) {
      const goal = goals.get(wish.path)!;
      for (const output of wish.outputs ?? goal.outputPaths.keys()) {
        if (!goal.outputPaths.has(output)) throw unknownOutput(goal, output, store.storeDir);
        goal.wanted.add(output);
      }
      touched.add(goal);
    }
    const asked = [...touched].filter((goal) => !goal.build);
    const wantedPaths = asked.flatMap((goal) => [...goal.wanted].map((output) => goal.outputPaths.get(output)!));
    const valid = await store.queryValidPaths(wantedPaths);

    const next: typeof wishes = [];
    for (const goal of asked) {
      const complete = [...goal.wanted].every((output) => valid.has(goal.outputPaths.get(output)!));
      if (complete && !(options.check && isTarget.has(goal.path))) continue;
      goal.build = true;
      goal.check = complete;
      for (const [path, outputs] of goal.derivation.inputDerivations) next.push({ path, outputs, user: goal });
    }
    wishes = next;
  }

  for (const goal of goals.values()) {
    if (!goal.build) continue;
    for (const path of goal.derivation.inputDerivations.keys()) {
      const input = goals.get(path)!;
      if (!input.build || input === goal) continue;
      goal.needs.add(input);
      input.neededBy.add(goal);
    }
  }
  return { goals, targets: targetPaths.map((path) => goals.get(path)!) };
}

async function readGoals(store: LocalStore, paths: readonly StorePath[]): Promise<Goal[]> {
  const valid = await store.queryValidPaths(paths);
  const goals: Goal[] = [];
  for (let i = 0; i < paths.length; i += READERS) {
    goals.push(
      ...(await Promise.all(
        paths.slice(i, i + READERS).map(async (path): Promise<Goal> => {
          if (!valid.has(path) || !isDerivationPath(path)) throw noDerivation(path, store.storeDir);
          const derivation = parseDerivation(await readFile(store.realPath(path)), storePathName(path).slice(0, -".drv".length), store.storeDir);
          const outputPaths = knownOutputPaths(path, derivation, store.storeDir);
          return { path, derivation, outputPaths, wanted: new Set(), build: false, check: false, needs: new Set(), neededBy: new Set() };
        }),
      )),
    );
  }
  await store.addTemporaryRoot(...goals.flatMap((goal) => [...goal.outputPaths.values()]));
  return goals;
}

function knownOutputPaths(path: StorePath, derivation: Derivation, storeDir: string): ReadonlyMap<string, StorePath> {
  const known = new Map<string, StorePath>();
  for (const [name, outputPath] of derivationOutputPaths(derivation, storeDir)) {
    if (outputPath === undefined) {
      throw new TsosError({
        code: "build.floating-output",
        message: `output "${name}" of "${formatStorePath(path, storeDir)}" has a path only after its build, and floating content-addressed outputs cannot be built yet`,
        hint: "build it without __contentAddressed, or with a fixed outputHash",
        data: { derivation: path, output: name },
      });
    }
    known.set(name, outputPath);
  }
  return known;
}

function noDerivation(path: StorePath, storeDir: string): TsosError {
  const text = formatStorePath(path, storeDir);
  return isDerivationPath(path)
    ? new TsosError({ code: "build.no-derivation", message: `derivation "${text}" is not in the store`, hint: "instantiate it again", data: { path: text } })
    : new TsosError({ code: "build.no-derivation", message: `"${text}" is not a derivation, expected a path that ends in ".drv"`, data: { path: text } });
}

function unknownOutput(goal: Goal, output: string, storeDir: string): TsosError {
  return new TsosError({
    code: "build.unknown-output",
    message: `derivation "${formatStorePath(goal.path, storeDir)}" has no output "${output}", expected one of ${[...goal.outputPaths.keys()].join(", ")}`,
    data: { derivation: goal.path, output },
  });
}
