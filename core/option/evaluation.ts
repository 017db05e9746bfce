/**
 * Modules settle: see docs/settling.md. An option's value, the modules that define it and the evaluation that runs
 * them are one recursive computation: values hold submodules, which are evaluations.
 */
import type { TsosError } from "../error/tsos-error.ts";
import { FreeCell, Cell } from "./cell.ts";
import type { AnyCell, CellEvaluation } from "./cell.ts";
import { CellView } from "./cell-view.ts";
import type { ViewedEvaluation } from "./cell-view.ts";
import { isClosed } from "./closed-type.ts";
import { compileModules } from "./compile-modules.ts";
import type { CompiledModules } from "./compile-modules.ts";
import { findUnrepeatable, findUnrepeatableValue } from "./check-repeatable.ts";
import { createConfigView } from "./config-view.ts";
import { Tracker } from "./consumer.ts";
import { builtinOrigin } from "./defining-module.ts";
import type { DefiningModule, PlacedDefinition, RawDefinition } from "./definition.ts";
import type { EvaluationInit } from "./evaluation-init.ts";
import { joinErrors } from "./join-errors.ts";
import { lib } from "./lib.ts";
import { definedValue, mergeDefinitions } from "./merge-definitions.ts";
import type { DeclaredOption, MergePlace, SubmoduleInstance } from "./merge-place.ts";
import { ORDER, PRIORITY } from "./modifier.ts";
import { createModuleArguments } from "./module-arguments.ts";
import { createModule } from "./module.ts";
import type { Module } from "./module.ts";
import { moduleModule } from "./base-options.ts";
import { readOnlyOption, unknownOption } from "./option-errors.ts";
import type { OptionNode } from "./option-node.ts";
import { createOptionsView } from "./options-view-proxy.ts";
import type { OptionsView, OptionView } from "./options-view.ts";
import { isPlainObject } from "./plain-object.ts";
import { toPlainTree } from "./plain-tree.ts";
import { QuietSource } from "./quiet-source.ts";
import { throwProblems } from "./settled-problems.ts";
import { settleRounds } from "./settle-rounds.ts";
import { sortDefinitions } from "./submodule-definitions.ts";
import { Unit } from "./unit.ts";
import type { UnitInit, UnitSurroundings } from "./unit.ts";

const DEFAULT_ORIGIN: DefiningModule = builtinOrigin("the default");

const NO_DEFINITIONS: readonly RawDefinition[] = [];

export class Evaluation implements UnitSurroundings, CellEvaluation, ViewedEvaluation {
  readonly init: EvaluationInit;
  readonly owner: object = this;
  readonly tracker: Tracker;
  readonly root: OptionNode;
  readonly prefix: readonly string[];
  readonly takesFree: boolean;
  /** The tree as modules read it. */
  readonly config: object;
  readonly options: OptionsView;
  readonly #cells = new Map<OptionNode, Cell>();
  readonly #free: FreeCell | undefined;
  readonly #arguments: Readonly<Record<string, unknown>>;
  readonly #compiled: Map<readonly Module[], CompiledModules>;
  readonly #rootArgs: Readonly<Record<string, unknown>>;
  #units: Unit[];
  /** Cells whose value was read while it was computed and came out different. */
  readonly unstable = new Set<AnyCell>();
  /** Whether all is settled but what waits for that. */
  readonly quiet: QuietSource;

  constructor(init: EvaluationInit) {
    const { compiled, surroundings } = init;
    this.init = init;
    this.tracker = surroundings?.tracker ?? new Tracker();
    this.#compiled = surroundings?.compiled ?? new Map<readonly Module[], CompiledModules>();
    this.#rootArgs = surroundings?.specialArgs ?? { ...compiled.specialArgs, ...init.specialArgs };
    this.quiet = new QuietSource(this, this.tracker);
    this.root = compiled.root;
    this.prefix = init.prefix;
    this.takesFree = compiled.freeformType !== undefined;
    this.#free = compiled.freeformType === undefined ? undefined : new FreeCell(this, compiled.freeformType);
    this.config = createConfigView(this, this.root);
    this.options = createOptionsView(this, this.root);
    const own = { ...compiled.specialArgs, ...init.specialArgs, config: this.config, options: this.options, lib, root: surroundings?.root ?? this.config, name: init.name };
    this.#arguments = createModuleArguments(own, this, surroundings?.arguments);
    this.#units = [...init.unitsBefore, ...compiled.units, ...init.unitsAfter].map((unit) => new Unit(this, unit));
    this.#units.forEach((unit, index) => (unit.index = index));
  }

  arguments(): Readonly<Record<string, unknown>> {
    return this.#arguments;
  }

  /** The value of an option, noted as a read. */
  read(node: OptionNode): unknown {
    const cell = this.cell(node);
    if (cell === undefined) {
      const shared = this.#sharedDefault(node);
      if (shared !== undefined) return shared.value;
    }
    return this.cellOf(node).read();
  }

  cell(node: OptionNode): Cell | undefined {
    return this.#cells.get(node);
  }

  cellOf(node: OptionNode): Cell {
    let cell = this.#cells.get(node);
    if (cell === undefined) {
      cell = new Cell(this, node);
      this.#cells.set(node, cell);
    }
    return cell;
  }

  /** The value of what no option is declared for, at a path; undefined where there is none. */
  readFree(path: readonly string[]): { readonly value: unknown } | undefined {
    if (this.#free === undefined) return undefined;
    let value = this.#free.read();
    for (const name of path) {
      if (!isPlainObject(value) || !Object.hasOwn(value, name)) return undefined;
      value = value[name];
    }
    return { value };
  }

  cells(): Iterable<Cell> {
    return this.#cells.values();
  }

  get freeCell(): FreeCell | undefined {
    return this.#free;
  }

  // Of an option that nothing in this evaluation defines, the value is the same in every evaluation of the tree,
  // as long as it depends on neither arguments nor names. Readers of it need a cell only once it is defined, and
  // then there is one: so they are noted on a cell all the same while modules still run.
  #sharedDefault(node: OptionNode): { readonly value: unknown } | undefined {
    return this.#settled ? this.findSharedDefault(node) : undefined;
  }
  #settled = false;

  /** Whether all modules have run to an end; there may be errors all the same. */
  get isSettled(): boolean {
    return this.#settled;
  }

  findSharedDefault(node: OptionNode): { readonly value: unknown } | undefined {
    if (node.sharedDefault === undefined) {
      const { type, attributes } = node.option;
      const isFixed = attributes.default === undefined ? type.emptyValue !== undefined : typeof attributes.default !== "function";
      const isShared = isFixed && node.alias === undefined && isClosed(type);
      node.sharedDefault = isShared ? { value: this.#mergeOption(node, NO_DEFINITIONS) } : null;
    }
    return node.sharedDefault ?? undefined;
  }

  place(node: OptionNode): MergePlace {
    return { path: [...this.prefix, ...node.path], declarations: node.sites, context: this };
  }

  /** The definitions of an option with its default, the default first. */
  withDefault(node: OptionNode, definitions: readonly RawDefinition[]): readonly RawDefinition[] {
    return this.#withDefault(node.option, node.path, definitions);
  }

  #withDefault({ attributes }: DeclaredOption, path: readonly string[], definitions: readonly RawDefinition[]): readonly RawDefinition[] {
    const given = attributes.default;
    if (given === undefined) return definitions;
    // A default that is a function takes the arguments.
    const value: unknown = typeof given === "function" ? (given as (args: object) => unknown)(this.defaultArguments()) : given;
    const site = { module: DEFAULT_ORIGIN, path };
    return [{ site, value, priority: PRIORITY.optionDefault, order: ORDER.plain }, ...definitions];
  }

  defaultArguments(): object {
    return this.#arguments;
  }

  mergeOption(node: OptionNode, definitions: readonly RawDefinition[]): unknown {
    if (node.alias !== undefined) return this.#readAlias(node.alias.to);
    if (definitions.length === 0) {
      const shared = this.findSharedDefault(node);
      if (shared !== undefined) return shared.value;
    }
    return this.#mergeOption(node, definitions);
  }

  #mergeOption(node: OptionNode, definitions: readonly RawDefinition[]): unknown {
    return this.mergeDeclared(this.place(node), node.option, definitions);
  }

  mergeDeclared(place: MergePlace, option: DeclaredOption, definitions: readonly RawDefinition[]): unknown {
    const { type, attributes } = option;
    const all = this.#withDefault(option, place.path, definitions);
    if (attributes.readOnly === true && all.length > 1) throw readOnlyOption(place, all);
    const merged = mergeDefinitions(place, type, all);
    const value = definedValue(place, type, merged);
    // `Value` of the option's type is what its merge returned.
    return attributes.apply === undefined ? value : (attributes.apply as (value: unknown) => unknown)(value);
  }

  #readAlias(to: readonly string[]): unknown {
    return to.reduce<unknown>((value, name) => (value as Readonly<Record<string, unknown>>)[name], this.config);
  }

  /**
   * Runs modules until nothing changes.
   * @throws TsosError `option.unsettled`, or the errors that are still there.
   */
  settle(): void {
    this.#settled = false;
    settleRounds(this, this.#units, this.#units);
    this.#settled = true;
    this.quiet.end();
    throwProblems(this, this.#units, this.init.surroundings === undefined);
  }

  /** @throws TsosError `option.not-repeatable` for a function whose result depends on how often it has run. */
  checkRepeatable(): void {
    const errors = this.#units.flatMap((unit) => findUnrepeatable(unit, this) ?? []);
    if (errors.length > 0) throw joinErrors(errors);
    const unstable = [...this.#cells.values()].flatMap((cell) => findUnrepeatableValue(cell, this.place(cell.node)) ?? []);
    if (unstable.length > 0) throw joinErrors(unstable);
  }

  /** Takes other modules in place of some, keeps what the others returned, and settles again. */
  replaceUnits(units: readonly UnitInit[]): void {
    const known = new Map<unknown, Unit[]>();
    for (const unit of this.#units) {
      const list = known.get(unit.init.body);
      if (list === undefined) known.set(unit.init.body, [unit]);
      else list.push(unit);
    }
    const fresh: Unit[] = [];
    this.#settled = false;
    const next = units.map((init) => {
      const list = known.get(init.body);
      const index = list?.findIndex((unit) => unit.init.priority === init.priority) ?? -1;
      if (list !== undefined && index >= 0) return list.splice(index, 1)[0]!;
      const unit = new Unit(this, init);
      fresh.push(unit);
      return unit;
    });
    next.forEach((unit, index) => (unit.index = index));
    this.#units = next;
    // The new ones read the tree as it was; what the old ones defined goes in the same moment as theirs comes.
    settleRounds(this, next, fresh.length > 0 ? fresh : next.filter((unit) => unit.isStale()), () => {
      for (const gone of [...known.values()].flat()) {
        for (const node of gone.result.byOption.keys()) this.cellOf(node).contribute(gone, undefined);
        this.#free?.contribute(gone, undefined);
      }
    });
    this.#settled = true;
    throwProblems(this, this.#units, this.init.surroundings === undefined);
  }

  evaluateSubmodule(place: MergePlace, instance: SubmoduleInstance, definitions: readonly PlacedDefinition[]): unknown {
    return this.settleSubmodule(place, instance, definitions).toPlain();
  }

  /** The settled evaluation that the value of a submodule is read from. */
  settleSubmodule(place: MergePlace, instance: SubmoduleInstance, definitions: readonly PlacedDefinition[]): Evaluation {
    const { functions, plain, imports } = sortDefinitions(place, instance, definitions);
    const compiled = imports.length === 0
      ? this.#compile(instance)
      : compileModules([moduleModule, ...instance.modules, ...imports.map((input) => createModule({ imports: [input] }, undefined))], this.#specialArgsOf(instance));
    const evaluation = new Evaluation({
      compiled,
      unitsBefore: place.isAlternative === true ? [...functions, ...plain] : functions,
      unitsAfter: place.isAlternative === true ? [] : plain,
      specialArgs: {},
      prefix: place.path,
      name: place.path.at(-1) ?? "",
      surroundings: {
        tracker: this.tracker,
        root: this.init.surroundings?.root ?? this.config,
        arguments: this.#arguments,
        specialArgs: this.#rootArgs,
        compiled: this.#compiled,
      },
    });
    evaluation.settle();
    return evaluation;
  }

  #compile(instance: SubmoduleInstance): CompiledModules {
    let compiled = this.#compiled.get(instance.modules);
    if (compiled === undefined) {
      compiled = compileModules([moduleModule, ...instance.modules], this.#specialArgsOf(instance));
      this.#compiled.set(instance.modules, compiled);
    }
    return compiled;
  }

  // Those of the configuration reach its submodules, as its other arguments do.
  #specialArgsOf(instance: SubmoduleInstance): Readonly<Record<string, unknown>> {
    return { ...this.#rootArgs, ...instance.specialArgs };
  }

  /** The settled tree as frozen plain data; reading an option that has no value throws. */
  toPlain(): Readonly<Record<string | symbol, unknown>> {
    return toPlainTree(this, this.root);
  }

  /** What `options` shows of one option. */
  view(node: OptionNode): OptionView {
    return new CellView(this, node);
  }

  /** The error for a name that is read and that no option has. */
  unknown(path: readonly string[], siblings: readonly string[]): TsosError {
    return unknownOption([...this.prefix, ...path], siblings, undefined);
  }
}
