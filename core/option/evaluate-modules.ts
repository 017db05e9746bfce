import { TsosError } from "../error/tsos-error.ts";
import { baseModule, moduleModule } from "./base-options.ts";
import type { Assertion } from "./base-options.ts";
import { collectModules } from "./collect-modules.ts";
import type { Config } from "./config-types.ts";
import { compileModules, unitsOf } from "./compile-modules.ts";
import { equalValues } from "./equal-values.ts";
import { Evaluation } from "./evaluation.ts";
import { createExtendModules } from "./extend-modules.ts";
import { findFailedAssertions } from "./failed-assertions.ts";
import type { Module, ModuleInput } from "./module.ts";
import type { OptionsView } from "./options-view.ts";

export type EvaluateModulesInit = {
  readonly modules: readonly ModuleInput[];
  /** Those of them that a user wrote, after the others: `extendModules` can leave them out. */
  readonly userModules?: readonly ModuleInput[];
  /** Told what is wrong with a tree that has settled, in place of throwing it: for who wants to see what there is all the same. */
  readonly onProblem?: ((error: TsosError) => void) | undefined;
  /** Further arguments of all functions, those of `imports` too: `pkgs` is one. */
  readonly specialArgs?: Readonly<Record<string, unknown>>;
  /** Put before every option's path in errors. */
  readonly prefix?: readonly string[];
};

/** What an evaluation of the same modules has besides them. */
export type ModuleExtension = Partial<Pick<EvaluateModulesInit, "modules" | "specialArgs">> & {
  /** Without the modules that a user wrote. */
  readonly withoutUserModules?: boolean;
  /** What it is called before the messages of its errors. */
  readonly label?: string | undefined;
};

/** Evaluates the modules that are being evaluated once more, with others: what functions get as an argument. */
export type ExtendModules<C> = (more: ModuleExtension) => EvaluatedModules<C>;

/** A settled tree of options. */
export type EvaluatedModules<C = Config> = {
  readonly config: C;
  readonly options: OptionsView;
  readonly warnings: readonly string[];
  readonly assertions: readonly Assertion[];
  /** The same modules and others besides, evaluated on their own. */
  extendModules(more: ModuleExtension): EvaluatedModules<C>;
  /**
   * Other modules in place of these: what did not change is not run again.
   * @returns a new result; this one must not be used any more.
   */
  update(modules: readonly ModuleInput[]): EvaluatedModules<C>;
};

/**
 * Runs modules until the tree settles.
 *
 * @throws TsosError `option.unsettled`, `option.unknown`, `option.wrong-type`, `option.conflict` and the others of
 * this folder; of several, the first, which carries the rest as `data.others`.
 *
 * @example
 * const { config } = evaluateModules({ modules: [nginx, system], specialArgs: { pkgs } });
 * config.services.nginx.enable // true
 */
export function evaluateModules<C = Config>(init: EvaluateModulesInit): EvaluatedModules<C> {
  return evaluate<C>(init, 0);
}

function evaluate<C>(init: EvaluateModulesInit, depth: number): EvaluatedModules<C> {
  const { modules, userModules = [], specialArgs = {}, prefix = [] } = init;
  // Called by modules, which run when it is made.
  let evaluation: Evaluation;
  const extendModules: EvaluatedModules<C>["extendModules"] = createExtendModules<C>({ init, depth, evaluation: () => evaluation, result: (): EvaluatedModules<C> => own, evaluate });
  evaluation = new Evaluation({
    compiled: compileModules(withBase([...modules, ...userModules]), specialArgs),
    unitsBefore: [],
    unitsAfter: [],
    specialArgs: { extendModules },
    prefix,
    name: "",
    surroundings: undefined,
  });
  const own = result<C>(evaluation, init, extendModules);
  try {
    evaluation.settle();
    evaluation.checkRepeatable();
  } catch (error) {
    if (init.onProblem === undefined || depth > 0 || !evaluation.isSettled || !(error instanceof TsosError)) throw error;
    init.onProblem(error);
  }
  return own;
}

function withBase(modules: readonly ModuleInput[]): readonly ModuleInput[] {
  return [...modules, baseModule, moduleModule];
}

function result<C>(evaluation: Evaluation, init: EvaluateModulesInit, extendModules: EvaluatedModules<C>["extendModules"]): EvaluatedModules<C> {
  // The two options are declared by `baseModule`.
  const config = evaluation.config as { readonly warnings: readonly string[]; readonly assertions: readonly Assertion[] };
  return {
    // What the registry's interfaces say of the tree is what its modules declare.
    config: evaluation.config as C,
    options: evaluation.options,
    get warnings() {
      return config.warnings;
    },
    get assertions() {
      return config.assertions;
    },
    extendModules,
    update(modules) {
      const before = evaluation.init.compiled;
      const { modules: found, specialArgs } = collectModules(withBase(modules), init.specialArgs ?? {});
      const declared = before.modules.filter(declares);
      const declaring = found.filter(declares);
      const isSame = declaring.length === declared.length && declaring.every((module, i) => module === declared[i]);
      if (!isSame || !equalValues(specialArgs, before.specialArgs)) {
        return evaluateModules<C>({ ...init, modules, userModules: [] });
      }
      evaluation.replaceUnits(found.flatMap((module) => unitsOf(module, before.root)));
      return result<C>(evaluation, { ...init, modules, userModules: [] }, extendModules);
    },
  };
}

// What a tree of options is made of; as long as it is the same modules, so is the tree.
function declares(module: Module): boolean {
  return module.options !== undefined || module.aliases.length > 0 || module.freeformType !== undefined;
}

/**
 * Stops on what must hold and does not.
 * @param options the tree that they are of: then each has the place of its definition
 * @throws TsosError `option.assertion-failed` that lists all of them.
 */
export function checkAssertions(assertions: readonly Assertion[], options?: OptionsView): void {
  const failed = findFailedAssertions(assertions, options);
  if (failed !== undefined) throw failed;
}
