import assert from "node:assert/strict";
import { TsosError } from "../../../core/error/tsos-error.ts";
import { evaluateModules } from "../../../core/option/evaluate-modules.ts";
import type { EvaluatedModules } from "../../../core/option/evaluate-modules.ts";
import { createModule } from "../../../core/option/module.ts";
import type { Module, ModuleInput } from "../../../core/option/module.ts";
import type { OptionTree } from "../../../core/option/option.ts";

// Tests declare trees of their own, which the registry's types do not know.
export interface Loose {
  readonly [name: string]: Loose;
}

export type LooseArguments = { readonly config: Loose; readonly [name: string]: unknown };

/** A module that declares. */
export function declare(options: OptionTree, more: Partial<Module> = {}): Module {
  return createModule({ key: "declaring", options, ...more }, undefined);
}

/** A module that defines. */
export function define(key: string, config: object | ((args: LooseArguments) => unknown)): Module {
  return createModule({ key, config: config as object }, undefined);
}

export function evaluate(...modules: readonly ModuleInput[]): EvaluatedModules<Loose> {
  return evaluateModules<Loose>({ modules });
}

/** The error that evaluating ends with. */
export function failure(...modules: readonly ModuleInput[]): TsosError {
  return failureOf(() => evaluate(...modules));
}

export function failureOf(work: () => unknown): TsosError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof TsosError, String((error as Error).stack));
    return error;
  }
  return assert.fail("expected an error");
}
