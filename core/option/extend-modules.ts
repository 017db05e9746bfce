import { TsosError } from "../error/tsos-error.ts";
import { collectModules, collectOverlays } from "./collect-modules.ts";
import { equalValues } from "./equal-values.ts";
import type { EvaluatedModules, EvaluateModulesInit, ModuleExtension } from "./evaluate-modules.ts";
import type { Evaluation } from "./evaluation.ts";
import { prefixErrors } from "./join-errors.ts";
import { isModule } from "./module.ts";
import type { Module, ModuleInput } from "./module.ts";

/** Variants of variants that are made inside one another: more than anybody means. */
const MAX_DEPTH = 4;

export type Extended<C> = {
  readonly init: EvaluateModulesInit;
  /** How many evaluations of variants it stands in. */
  readonly depth: number;
  evaluation(): Evaluation;
  /** The evaluation itself, which may still be settling. */
  result(): EvaluatedModules<C>;
  evaluate(init: EvaluateModulesInit, depth: number): EvaluatedModules<C>;
};

/**
 * `extendModules` of one evaluation. A variant is evaluated when something of it is read, and of the same modules only
 * once.
 *
 * A module that makes a variant stands in the variant too, and there asks for a variant of the variant. Where that is of
 * the same modules (each is taken once), it is the variant itself. Any other is evaluated only when all else in the variant
 * has settled: by then a condition may have ended it.
 */
export function createExtendModules<C>(extended: Extended<C>): EvaluatedModules<C>["extendModules"] {
  const { init: { modules, userModules = [], prefix }, depth } = extended;
  const made: { readonly init: EvaluateModulesInit; readonly variant: EvaluatedModules<C> }[] = [];
  return (more) => {
    const evaluation = extended.evaluation();
    const init: EvaluateModulesInit = {
      modules,
      userModules: [...(more.withoutUserModules === true ? [] : userModules), ...(more.modules ?? [])],
      // They stay, also where the configuration that gave them is left out.
      specialArgs: { ...evaluation.init.compiled.specialArgs, ...more.specialArgs },
      prefix,
    };
    checkOverlays(more, [...modules, ...userModules], init);
    if (isSameSet(evaluation, [...modules, ...(init.userModules ?? [])], init)) return extended.result();
    const known = made.find((other) => isSameInit(other.init, init));
    if (known !== undefined) return known.variant;
    const variant = whenRead(() => labelled(more.label, () => {
      evaluation.quiet.note();
      if (depth > 0 && !evaluation.quiet.isQuiet) throw later();
      if (depth >= MAX_DEPTH) throw endless(depth);
      return extended.evaluate(init, depth + 1);
    }));
    made.push({ init, variant });
    return variant;
  };
}

function labelled<T>(label: string | undefined, evaluate: () => T): T {
  if (label === undefined) return evaluate();
  try {
    return evaluate();
  } catch (error) {
    throw error instanceof TsosError ? prefixErrors(error, `${label}: `) : error;
  }
}

function whenRead<C>(evaluate: () => EvaluatedModules<C>): EvaluatedModules<C> {
  let done: EvaluatedModules<C> | undefined;
  const get = (): EvaluatedModules<C> => (done ??= evaluate());
  return {
    get config() {
      return get().config;
    },
    get options() {
      return get().options;
    },
    get warnings() {
      return get().warnings;
    },
    get assertions() {
      return get().assertions;
    },
    extendModules: (more) => get().extendModules(more),
    update: (modules) => get().update(modules),
  };
}

function isSameSet(evaluation: Evaluation, inputs: readonly ModuleInput[], init: EvaluateModulesInit): boolean {
  const { compiled } = evaluation.init;
  const { modules, specialArgs } = collectModules(inputs, init.specialArgs ?? {});
  if (!equalValues(specialArgs, compiled.specialArgs)) return false;
  const own = compiled.modules;
  const isIn = (module: Module): boolean => own.includes(module) || own.some((other) => isSameModule(other, module));
  // What tsos itself declares is in every evaluation.
  return modules.every(isIn) && own.every((module) => module.key?.startsWith("tsos/") === true || modules.some((other) => isSameModule(other, module)));
}

/** Whether two modules are the same by what they are made of; of two functions nobody can tell. */
function isSameModule(one: Module, other: Module): boolean {
  if (one === other) return true;
  if (one.key !== undefined || other.key !== undefined) return one.key === other.key;
  return (
    one.defaults === other.defaults && one.options === other.options && one.freeformType === other.freeformType && isSameList(one.overlays, other.overlays) &&
    isSameList(one.aliases, other.aliases) && isSameList(one.disabledModules, other.disabledModules) && isSameImports(one.imports, other.imports) &&
    equalValues(one.config, other.config) && equalValues(one.meta, other.meta)
  );
}

function isSameImports(one: Module["imports"], other: Module["imports"]): boolean {
  return one === other || (typeof one !== "function" && typeof other !== "function" && one.length === other.length && one.every((input, i) => isSameInput(input, other[i])));
}

function isSameInput(one: ModuleInput, other: ModuleInput | undefined): boolean {
  return one === other || (isModule(one) && isModule(other) && isSameModule(one, other));
}

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((item, i) => item === other[i]);
}

function isSameInit(one: EvaluateModulesInit, other: EvaluateModulesInit): boolean {
  const [users = [], others = []] = [one.userModules, other.userModules];
  return users.length === others.length && users.every((input, i) => isSameInput(input, others[i])) && equalValues(one.specialArgs, other.specialArgs);
}

// A variant has the package set of what it is a variant of.
function checkOverlays(more: ModuleExtension, known: readonly ModuleInput[], { specialArgs = {} }: EvaluateModulesInit): void {
  const late = collectModules(more.modules ?? [], specialArgs).modules.find((module) => module.overlays.length > 0);
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

// The module that asks is run again when all else has settled, so nobody sees this.
function later(): TsosError {
  return new TsosError({ code: "option.endless-variant", message: "a variant of a variant is made when the variant has settled" });
}

function endless(depth: number): TsosError {
  return new TsosError({
    code: "option.endless-variant",
    message: `the configuration makes a variant of itself, and that another one of itself, without end (${depth + 1} deep): what calls extendModules is a part of each variant`,
    hint: "make the module that you extend with once, outside of the function (const variant = defineModule({ … })), so that a variant of the variant is known to be the same; or let a condition end it",
    data: { depth },
  });
}
