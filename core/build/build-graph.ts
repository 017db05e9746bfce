import { readFile } from "node:fs/promises";
import type { Derivation } from "../derivation/derivation.ts";
import { derivationOutputPaths } from "../derivation/derivation-output-paths.ts";
import { parseDerivation } from "../derivation/parse-derivation.ts";
import { TsosError } from "../error/tsos-error.ts";
import type { Realisation } from "../narinfo/realisation.ts";
import type { LocalStore } from "../store/store.ts";
import type { SubstitutablePath, Substituter } from "../store/substituter.ts";
import { formatStorePath, isDerivationPath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { maySubstitute } from "./derivation-attributes.ts";
import { checkAttributes } from "./check-attributes.ts";

/** A derivation to have, and which of its outputs; all of them by default. */
export type BuildTarget = { readonly drvPath: StorePath; readonly outputs?: Iterable<string> | undefined };

/** A derivation that was looked at; those with `build` have to be built. */
export type Goal = {
  readonly kind: "build";
  readonly path: StorePath;
  readonly derivation: Derivation;
  /** Those that are known; a floating output's is when it has been built. */
  readonly outputPaths: Map<string, StorePath>;
  /** What was learned of floating outputs elsewhere, to be remembered when they are here. */
  readonly learned: Realisation[];
  /** Outputs that a target or a user of it needs. */
  readonly wanted: Set<string>;
  build: boolean;
  /** Built although its outputs are valid, to compare. */
  check: boolean;
  /** What must be there first, and who waits for it: what is to be done only. */
  readonly needs: Set<Step>;
  readonly neededBy: Set<Step>;
};

/** A path that is taken from elsewhere instead of being built. */
export type Substitution = {
  readonly kind: "substitute";
  readonly path: StorePath;
  readonly source: SubstitutablePath;
  readonly needs: Set<Step>;
  readonly neededBy: Set<Step>;
};

export type Step = Goal | Substitution;

export type BuildGraph = {
  readonly goals: ReadonlyMap<StorePath, Goal>;
  /** Each after those that it refers to. */
  readonly substitutions: ReadonlyMap<StorePath, Substitution>;
  readonly targets: readonly Goal[];
};

export type BuildGraphOptions = {
  readonly check: boolean;
  readonly substituter?: Substituter | undefined;
  /** Paths that a substituter promised and did not give. */
  readonly lost?: ReadonlySet<StorePath> | undefined;
  /** Whether floating outputs are built; default false. */
  readonly contentAddressed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Derivations read at once. */
const READERS = 32;

/**
 * Goes from the targets down to what is valid: a derivation's inputs are looked at only when one of its wanted
 * outputs is neither there nor to be had with all that it needs from a substituter. Every path looked at is a temporary root from before its validity was asked, so that no
 * collector comes in between.
 *
 * @throws TsosError `build.no-derivation`, `build.unknown-output`, `build.floating-output`, `build.cycle`, those of `checkAttributes`
 */
export async function readBuildGraph(store: LocalStore, targets: readonly BuildTarget[], options: BuildGraphOptions): Promise<BuildGraph> {
  const substitutions = new Substitutions(store, options);
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
    for (const goal of await readGoals(store, fresh, options)) goals.set(goal.path, goal);

    const touched = new Set<Goal>();
    for (const wish of wishes) {
      const goal = goals.get(wish.path)!;
      for (const output of wish.outputs ?? goal.derivation.outputs.keys()) {
        if (!goal.derivation.outputs.has(output)) throw unknownOutput(goal, output, store.storeDir);
        goal.wanted.add(output);
      }
      touched.add(goal);
    }
    const asked = [...touched].filter((goal) => !goal.build);
    for (const goal of asked) await learnOutputs(store, goal, options);
    const wantedPaths = asked.flatMap(wantedOutputPaths);
    const valid = await store.queryValidPaths(wantedPaths);

    const missing = (goal: Goal): StorePath[] => wantedOutputPaths(goal).filter((path) => !valid.has(path));
    const allKnown = (goal: Goal): boolean => [...goal.wanted].every((output) => goal.outputPaths.has(output));
    await substitutions.find(asked.filter((goal) => maySubstitute(goal.derivation)).flatMap(missing));

    const next: typeof wishes = [];
    for (const goal of asked) {
      const complete = missing(goal).length === 0 && allKnown(goal);
      if (options.check && isTarget.has(goal.path)) {
        // What is to be compared is built, and must be there.
      } else if (complete || (allKnown(goal) && maySubstitute(goal.derivation) && missing(goal).every((path) => substitutions.has(path)))) continue;
      checkAttributes(goal.path, goal.derivation, store.storeDir);
      goal.build = true;
      goal.check = complete;
      for (const [path, outputs] of neededOutputs(goal.derivation)) next.push({ path, outputs, user: goal });
    }
    wishes = next;
  }

  const depend = (step: Step, need: Step): void => {
    step.needs.add(need);
    need.neededBy.add(step);
  };
  // What is referred to before who refers to it: the order in which they are registered.
  const chosen = new Map<StorePath, Substitution>();
  const entered = new Set<StorePath>();
  const choose = (path: StorePath): Substitution | undefined => {
    const known = substitutions.step(path);
    if (known === undefined || entered.has(path)) return known;
    entered.add(path);
    for (const reference of known.source.info.references) {
      const need = reference === path ? undefined : choose(reference);
      if (need !== undefined) depend(known, need);
    }
    chosen.set(path, known);
    return known;
  };
  for (const goal of goals.values()) {
    // A goal that is built makes all of its outputs, one that is not has those that are wanted from elsewhere.
    if (!goal.build) {
      for (const path of wantedOutputPaths(goal)) choose(path);
      continue;
    }
    for (const [path, outputs] of neededOutputs(goal.derivation)) {
      const input = goals.get(path)!;
      if (input === goal) continue;
      if (input.build) depend(goal, input);
      else for (const output of outputs) {
        const source = choose(input.outputPaths.get(output)!);
        if (source !== undefined) depend(goal, source);
      }
    }
  }
  return { goals, substitutions: chosen, targets: targetPaths.map((path) => goals.get(path)!) };
}

/** Those of its inputs that it uses, and those that are derivations of which it uses outputs. */
function neededOutputs({ inputDerivations, dynamicInputs }: Derivation): ReadonlyMap<StorePath, ReadonlySet<string>> {
  if (dynamicInputs === undefined || dynamicInputs.size === 0) return inputDerivations;
  return new Map([...inputDerivations].map(([path, outputs]) => [path, new Set([...outputs, ...(dynamicInputs.get(path)?.keys() ?? [])])]));
}

/** What can be had from elsewhere, with all that it needs. */
class Substitutions {
  readonly #store: LocalStore;
  readonly #options: BuildGraphOptions;
  /** What was asked for: undefined where it is nowhere. Valid paths are not asked for. */
  readonly #known = new Map<StorePath, SubstitutablePath | undefined>();
  readonly #valid = new Set<StorePath>();
  readonly #steps = new Map<StorePath, Substitution>();

  constructor(store: LocalStore, options: BuildGraphOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Asks for `paths` and for what they need, a level at a time. */
  async find(paths: readonly StorePath[]): Promise<void> {
    const { substituter, lost, signal } = this.#options;
    if (substituter === undefined) return;
    let level = [...new Set(paths)].filter((path) => !this.#known.has(path));
    for (let isFirst = true; level.length > 0; isFirst = false) {
      await this.#store.addTemporaryRoot(...level);
      if (!isFirst) for (const path of await this.#store.queryValidPaths(level)) this.#valid.add(path);
      const asked = level.filter((path) => !this.#valid.has(path) && lost?.has(path) !== true);
      const found = await substituter.query(asked, signal);
      for (const path of level) if (!this.#valid.has(path)) this.#known.set(path, found.get(path));
      level = [...new Set([...found.values()].flatMap(({ info }) => info.references))].filter((path) => !this.#known.has(path) && !this.#valid.has(path));
    }
    this.#dropIncomplete();
  }

  /** What needs something that is nowhere cannot be had either. */
  #dropIncomplete(): void {
    const users = new Map<StorePath, StorePath[]>();
    const gone: StorePath[] = [];
    for (const [path, source] of this.#known) {
      if (source === undefined) gone.push(path);
      for (const reference of source?.info.references ?? []) {
        const list = users.get(reference);
        if (list === undefined) users.set(reference, [path]);
        else list.push(path);
      }
    }
    for (const path of gone) {
      for (const user of users.get(path) ?? []) {
        if (this.#known.get(user) === undefined) continue;
        this.#known.set(user, undefined);
        gone.push(user);
      }
    }
  }

  has(path: StorePath): boolean {
    return this.#known.get(path) !== undefined;
  }

  step(path: StorePath): Substitution | undefined {
    const source = this.#known.get(path);
    if (source === undefined) return undefined;
    let step = this.#steps.get(path);
    if (step === undefined) this.#steps.set(path, (step = { kind: "substitute", path, source, needs: new Set(), neededBy: new Set() }));
    return step;
  }
}

function wantedOutputPaths({ wanted, outputPaths }: Goal): StorePath[] {
  return [...wanted].flatMap((output) => outputPaths.get(output) ?? []);
}

/** What floating outputs that are wanted turned out to be elsewhere. */
async function learnOutputs(store: LocalStore, goal: Goal, { substituter, lost, signal }: BuildGraphOptions): Promise<void> {
  if (substituter?.findRealisation === undefined || !maySubstitute(goal.derivation)) return;
  for (const output of goal.wanted) {
    const id = goal.outputPaths.has(output) ? undefined : await store.findOutputId(goal.path, output);
    const realisation = id === undefined ? undefined : await substituter.findRealisation(id, signal);
    if (realisation === undefined || lost?.has(realisation.path) === true) continue;
    await store.addTemporaryRoot(realisation.path);
    goal.learned.push(realisation);
    goal.outputPaths.set(output, realisation.path);
  }
}

async function readGoals(store: LocalStore, paths: readonly StorePath[], options: BuildGraphOptions): Promise<Goal[]> {
  const valid = await store.queryValidPaths(paths);
  const goals: Goal[] = [];
  for (let i = 0; i < paths.length; i += READERS) {
    goals.push(
      ...(await Promise.all(
        paths.slice(i, i + READERS).map(async (path): Promise<Goal> => {
          if (!valid.has(path) || !isDerivationPath(path)) throw noDerivation(path, store.storeDir);
          const derivation = parseDerivation(await readFile(store.realPath(path)), storePathName(path).slice(0, -".drv".length), store.storeDir);
          const outputPaths = await knownOutputPaths(store, path, derivation, options);
          return { kind: "build", path, derivation, outputPaths, learned: [], wanted: new Set(), build: false, check: false, needs: new Set(), neededBy: new Set() };
        }),
      )),
    );
  }
  await store.addTemporaryRoot(...goals.flatMap((goal) => [...goal.outputPaths.values()]));
  return goals;
}

async function knownOutputPaths(store: LocalStore, path: StorePath, derivation: Derivation, { contentAddressed = false }: BuildGraphOptions): Promise<Map<string, StorePath>> {
  const known = new Map<string, StorePath>();
  for (const [name, outputPath] of derivationOutputPaths(derivation, store.storeDir)) if (outputPath !== undefined) known.set(name, outputPath);
  const unknown = [...derivation.outputs].find(([name]) => !known.has(name));
  if (unknown === undefined) return known;
  const shown = `output "${unknown[0]}" of "${formatStorePath(path, store.storeDir)}"`;
  if (unknown[1].kind === "impure") throw new TsosError({ code: "build.impure-output", message: `${shown} is impure, and such outputs are not built`, data: { derivation: path, output: unknown[0] } });
  if (!contentAddressed) {
    throw new TsosError({
      code: "build.floating-output",
      message: `${shown} has a path only after its build: experimental Nix feature 'ca-derivations' is disabled; add '--extra-experimental-features ca-derivations' to enable it`,
      hint: "build it without __contentAddressed, or set experimental-features in nix.conf",
      data: { derivation: path, output: unknown[0] },
    });
  }
  return new Map([...known, ...(await store.queryDerivationOutputs(path))]);
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
    message: `derivation "${formatStorePath(goal.path, storeDir)}" has no output "${output}", expected one of ${[...goal.derivation.outputs.keys()].join(", ")}`,
    data: { derivation: goal.path, output },
  });
}
