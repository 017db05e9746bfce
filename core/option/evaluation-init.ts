import type { CompiledModules } from "./compile-modules.ts";
import type { Tracker } from "./consumer.ts";
import type { Module } from "./module.ts";
import type { UnitInit } from "./unit.ts";

/** What an evaluation inside another takes from it. */
export type Surroundings = {
  readonly tracker: Tracker;
  /** The outermost configuration. */
  readonly root: object | undefined;
  /** Arguments of the evaluation around: what is not found in one's own is looked for there. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Of them, those that were given before anything was evaluated. */
  readonly specialArgs: Readonly<Record<string, unknown>>;
  /** Trees of submodules, made once. */
  readonly compiled: Map<readonly Module[], CompiledModules>;
};

export type EvaluationInit = {
  readonly compiled: CompiledModules;
  /** Definitions beside those of the modules, merged before and after them. */
  readonly unitsBefore: readonly UnitInit[];
  readonly unitsAfter: readonly UnitInit[];
  readonly specialArgs: Readonly<Record<string, unknown>>;
  readonly prefix: readonly string[];
  /** The name of a submodule's value. */
  readonly name: string;
  readonly surroundings: Surroundings | undefined;
};
