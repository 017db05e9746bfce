import { TsosError } from "../error/tsos-error.ts";
import { baseModule, moduleModule } from "./base-options.ts";
import type { Assertion } from "./base-options.ts";
import { collectModules, collectOverlays } from "./collect-modules.ts";
import type { Config } from "./config-types.ts";
import { compileModules, unitsOf } from "./compile-modules.ts";
import { equalValues } from "./equal-values.ts";
import { Evaluation } from "./evaluation.ts";
import type { Module, ModuleInput } from "./module.ts";
import type { OptionsView } from "./options-view.ts";

export type EvaluateModulesInit = {
  readonly modules: readonly ModuleInput[];
  /** Those of them that a user wrote, after the others: `extendModules` can leave them out. */
  readonly userModules?: readonly ModuleInput[];
  /** Further arguments of all functions, those of `imports` too: `pkgs` is one. */
  readonly specialArgs?: Readonly<Record<string, unknown>>;
  /** Put before every option's path in errors. */
  readonly prefix?: readonly string[];
};

/** What an evaluation of the same modules has besides them. */
export type ModuleExtension = Partial<Pick<EvaluateModulesInit, "modules" | "specialArgs">> & {
  /** Without the modules that a user wrote. */
  readonly withoutUserModules?: boolean;
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
  const { modules, userModules = [], specialArgs = {}, prefix = [] } = init;
  const compiled = compileModules(withBase([...modules, ...userModules]), specialArgs);
  const extendModules: EvaluatedModules<C>["extendModules"] = (more) => {
    checkOverlays(more.modules ?? [], [...modules, ...userModules], { ...compiled.specialArgs, ...more.specialArgs });
    return evaluateModules<C>({
      modules,
      userModules: [...(more.withoutUserModules === true ? [] : userModules), ...(more.modules ?? [])],
      // They stay, also where the configuration that gave them is left out.
      specialArgs: { ...compiled.specialArgs, ...more.specialArgs },
      prefix,
    });
  };
  const evaluation = new Evaluation({
    compiled,
    unitsBefore: [],
    unitsAfter: [],
    specialArgs: { extendModules },
    prefix,
    name: "",
    surroundings: undefined,
  });
  evaluation.settle();
  evaluation.checkRepeatable();
  return result<C>(evaluation, init, extendModules);
}

// A variant has the package set of what it is a variant of.
function checkOverlays(more: readonly ModuleInput[], known: readonly ModuleInput[], specialArgs: Readonly<Record<string, unknown>>): void {
  const late = collectModules(more, specialArgs).modules.find((module) => module.overlays.length > 0);
  if (late === undefined) return;
  const laid = collectOverlays(known, specialArgs);
  if (late.overlays.every((overlay) => laid.includes(overlay))) return;
  throw new TsosError({
    code: "option.late-overlay",
    message: "a variant of the configuration has overlays, but the package set is made before it",
    hint: "put the overlays into the configuration itself, under other names of packages, and use those in the variant",
    data: { definitions: [{ module: late.key ?? late.file ?? "a variant", file: late.file, stack: late.origin?.stack, path: [], part: "overlays" }] },
  });
}

function withBase(modules: readonly ModuleInput[]): readonly ModuleInput[] {
  return [...modules, baseModule, moduleModule];
}

function result<C>(evaluation: Evaluation, init: EvaluateModulesInit, extendModules: EvaluatedModules<C>["extendModules"]): EvaluatedModules<C> {
  // The two options are declared by `baseModule`.
  const { warnings, assertions } = evaluation.config as { readonly warnings: readonly string[]; readonly assertions: readonly Assertion[] };
  return {
    // What the registry's interfaces say of the tree is what its modules declare.
    config: evaluation.config as C,
    options: evaluation.options,
    warnings,
    assertions,
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
 * @throws TsosError `option.assertion-failed` that lists all of them.
 */
export function checkAssertions(assertions: readonly Assertion[]): void {
  const failed = assertions.filter(({ assertion }) => !assertion).map(({ message }) => message);
  if (failed.length === 0) return;
  throw new TsosError({
    code: "option.assertion-failed",
    message:
      failed.length === 1
        ? `an assertion failed: ${failed[0]}`
        : `${failed.length} assertions failed:${failed.map((message) => `\n- ${message}`).join("")}`,
    data: { failed },
  });
}
