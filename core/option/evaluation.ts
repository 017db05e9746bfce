/**
 * Modules settle: see docs/settling.md. An option's value, the modules that define it and the evaluation that runs
 * them are one recursive computation: values hold submodules, which are evaluations.
 */
import type { TsosError } from "../error/tsos-error.ts";
import { FreeCell, Cell, isOwnLack } from "./cell.ts";
import type { AnyCell, CellEvaluation } from "./cell.ts";
import { CellView } from "./cell-view.ts";
import type { ViewedEvaluation } from "./cell-view.ts";
import { compileModules } from "./compile-modules.ts";
import type { CompiledModules } from "./compile-modules.ts";
import { findUnrepeatable, findUnrepeatableValue } from "./check-repeatable.ts";
import { createConfigView } from "./config-view.ts";
import { Tracker } from "./consumer.ts";
import { builtinOrigin } from "./defining-module.ts";
import type { DefiningModule, PlacedDefinition, RawDefinition } from "./definition.ts";
import { findFailedAssertions } from "./failed-assertions.ts";
import { equalDefinitions } from "./equal-definitions.ts";
import { MISSING } from "./equal-values.ts";
import { FlipWatch } from "./flip-watch.ts";
import { joinErrors } from "./join-errors.ts";
import { lib } from "./lib.ts";
import { definedValue, mergeDefinitions } from "./merge-definitions.ts";
import type { DeclaredOption, MergePlace, SubmoduleInstance } from "./merge-place.ts";
import { ORDER, PRIORITY } from "./modifier.ts";
import { isModuleLike, moduleOf } from "./module-like.ts";
import { createModule, isModule, isModuleList } from "./module.ts";
import type { Module, ModuleInput } from "./module.ts";
import type { Assertion } from "./base-options.ts";
import { moduleModule } from "./base-options.ts";
import { readOnlyOption, unknownOption } from "./option-errors.ts";
import { findNode } from "./option-node.ts";
import type { OptionNode } from "./option-node.ts";
import type { OptionType } from "./option-type.ts";
import { createOptionsView } from "./options-view-proxy.ts";
import type { OptionsView, OptionView } from "./options-view.ts";
import { isPlainObject, setProperty } from "./plain-object.ts";
import { QuietSource } from "./quiet-source.ts";
import { Unit } from "./unit.ts";
import type { UnitInit, UnitSurroundings } from "./unit.ts";

const DEFAULT_ORIGIN: DefiningModule = builtinOrigin("the default");

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
    this.#arguments = this.#createArguments();
    this.#units = [...init.unitsBefore, ...compiled.units, ...init.unitsAfter].map((unit) => new Unit(this, unit));
    this.#units.forEach((unit, index) => (unit.index = index));
  }

  arguments(): Readonly<Record<string, unknown>> {
    return this.#arguments;
  }

  // What a function's parameter is taken apart from: names are looked up when they are asked for, so that an
  // argument that modules define is a read like any other.
  #createArguments(): Readonly<Record<string, unknown>> {
    const { compiled, specialArgs, surroundings, name } = this.init;
    const own: Record<string, unknown> = {
      ...compiled.specialArgs,
      ...specialArgs,
      config: this.config,
      options: this.options,
      lib,
      root: surroundings?.root ?? this.config,
      name,
    };
    const argsNode = findNode(this.root, ["_module", "args"]);
    return new Proxy(own, {
      get: (target, key): unknown => {
        if (typeof key === "symbol") return undefined;
        if (Object.hasOwn(target, key)) return target[key];
        if (argsNode !== undefined) {
          // The type of the option is lazyAttrsOf.
          const args = this.read(argsNode) as Readonly<Record<string, unknown>>;
          if (Object.hasOwn(args, key)) return args[key];
        }
        return surroundings?.arguments[key];
      },
      preventExtensions: () => false,
      set: (_target, key) => {
        throw new TypeError(`Cannot assign to read only property '${String(key)}'`);
      },
    });
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
    this.#runRounds(this.#units);
    this.#settled = true;
    this.quiet.end();
    this.#throwProblems();
  }

  /** @throws TsosError `option.not-repeatable` for a function whose result depends on how often it has run. */
  checkRepeatable(): void {
    const errors = this.#units.flatMap((unit) => findUnrepeatable(unit, this) ?? []);
    if (errors.length > 0) throw joinErrors(errors);
    const unstable = [...this.#cells.values()].flatMap((cell) => findUnrepeatableValue(cell, this.place(cell.node)) ?? []);
    if (unstable.length > 0) throw joinErrors(unstable);
  }

  #runRounds(first: readonly Unit[], beforeFirst?: () => void): void {
    const watch = new FlipWatch(this);
    let dirty = first;
    for (let round = 1; round === 1 || dirty.length > 0 || this.unstable.size > 0; round++) {
      for (const unit of dirty) {
        const before = unit.result;
        unit.run(this);
        watch.ran(unit, before);
      }
      if (round === 1) beforeFirst?.();
      // Only now: all of them saw the same tree.
      for (const { unit, before } of watch.takeRuns()) this.#apply(unit, before, watch);
      for (const cell of [...this.unstable]) {
        this.unstable.delete(cell);
        cell.refresh();
        watch.touched(cell);
      }
      dirty = this.#units.filter((unit) => unit.isStale());
      // What no module reads is computed when all else is done: it may be a value that reads itself.
      if (dirty.length === 0) for (const cell of this.#cells.values()) if (cell.hasContributions) cell.refresh();
      if (dirty.length === 0 && this.unstable.size === 0 && this.quiet.begin()) dirty = this.#units.filter((unit) => unit.isStale());
      watch.endRound(round, dirty);
    }
  }

  #apply(unit: Unit, before: Unit["result"], watch: FlipWatch): void {
    const { byOption, free } = unit.result;
    for (const [node, definitions] of byOption) {
      const old = before.byOption.get(node);
      if (old !== undefined && equalDefinitions(old, definitions)) continue;
      const cell = this.cellOf(node);
      watch.changed(cell, unit, old);
      cell.contribute(unit, definitions);
    }
    for (const [node, old] of before.byOption) {
      if (byOption.has(node)) continue;
      const cell = this.cellOf(node);
      watch.changed(cell, unit, old);
      cell.contribute(unit, undefined);
    }
    if (this.#free !== undefined && !equalDefinitions(before.free, free)) {
      watch.changed(this.#free, unit, before.free);
      this.#free.contribute(unit, free.length === 0 ? undefined : free);
    }
  }

  #throwProblems(): void {
    const problems = new Set<TsosError>();
    const checkNode = findNode(this.root, ["_module", "check"]);
    const isChecked = checkNode === undefined || this.read(checkNode) !== false;
    for (const unit of this.#units) {
      if (unit.error !== undefined) problems.add(unit.error);
      for (const problem of unit.result.problems) if (isChecked || problem.code !== "option.unknown") problems.add(problem);
    }
    // Also what no one reads must be of its type.
    for (const cell of this.#cells.values()) {
      if (!cell.hasContributions) continue;
      const error = cell.findError();
      if (error !== undefined && !isOwnLack(error, cell)) problems.add(error);
    }
    const freeError = this.#free?.findError();
    if (freeError !== undefined) problems.add(freeError);
    if (problems.size === 0) return;
    // Where a module fails, what it would define has no value either; else that is an error like any other, and so is
    // what the modules assert.
    const isUndone = this.#units.some(({ error }) => error !== undefined && error.code !== "option.not-defined");
    const others = [...problems].filter((problem) => problem.code !== "option.not-defined");
    if (isUndone) throw joinErrors(others.length > 0 ? others : [...problems]);
    throw joinErrors([...problems, ...this.#failedAssertions()]);
  }

  #failedAssertions(): readonly TsosError[] {
    const node = findNode(this.root, ["assertions"]);
    if (this.init.surroundings !== undefined || node?.declarations === undefined || this.cellOf(node).findError() !== undefined) return [];
    // The type is a list of assertions.
    const failed = findFailedAssertions(this.read(node) as readonly Assertion[], this.options);
    return failed === undefined ? [] : [failed];
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
    this.#runRounds(fresh.length > 0 ? fresh : next.filter((unit) => unit.isStale()), () => {
      for (const gone of [...known.values()].flat()) {
        for (const node of gone.result.byOption.keys()) this.cellOf(node).contribute(gone, undefined);
        this.#free?.contribute(gone, undefined);
      }
    });
    this.#settled = true;
    this.#throwProblems();
  }

  evaluateSubmodule(place: MergePlace, instance: SubmoduleInstance, definitions: readonly PlacedDefinition[]): unknown {
    return this.settleSubmodule(place, instance, definitions).toPlain();
  }

  /** The settled evaluation that the value of a submodule is read from. */
  settleSubmodule(place: MergePlace, instance: SubmoduleInstance, definitions: readonly PlacedDefinition[]): Evaluation {
    // The order in which the reference merges them, where a definition that is not plain is a module that imports it,
    // and so is what an option's type declares: functions and modules, the declaration, plain definitions, of each
    // the later first. The declaration of an alternative is no import, so it comes last.
    const functions: UnitInit[] = [];
    const plain: UnitInit[] = [];
    const imports: ModuleInput[] = [];
    const isOwnModule = (value: unknown): boolean => isModule(value) || isModuleList(value) || (!instance.shorthandOnlyDefinesConfig && isModuleLike(value));
    // Beside modules, functions are modules too: so each has its place among them.
    const hasModules = place.isAlternative !== true && definitions.some(({ value }) => isOwnModule(value));
    for (const { value, site } of definitions) {
      const unit = { module: site.module, path: site.path, body: value, priority: PRIORITY.plain };
      if (isModule(value) || isModuleList(value)) imports.push(value);
      else if (hasModules && !isOwnModule(value) && (typeof value === "function" || !instance.shorthandOnlyDefinesConfig)) imports.push(createModule({ config: value as object }, { stack: site.module.stack, site }));
      else if (typeof value === "function") functions.unshift(unit);
      else if (instance.shorthandOnlyDefinesConfig) plain.unshift(unit);
      else if (isModuleLike(value)) imports.push(moduleOf(value, site));
      else functions.unshift(unit);
    }
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
  toPlain(node: OptionNode = this.root): Readonly<Record<string | symbol, unknown>> {
    const result: Record<string | symbol, unknown> = {};
    let missing: Set<string> | undefined;
    const free = this.readFree(node.path);
    if (free !== undefined && isPlainObject(free.value)) {
      for (const name of Object.keys(free.value)) if (node.children?.has(name) !== true) setProperty(result, name, free.value[name]);
    }
    for (const [name, child] of node.children ?? []) {
      if (node === this.root && name === "_module") continue;
      if (child.declarations === undefined) {
        setProperty(result, name, this.toPlain(child));
        continue;
      }
      const cell = this.#cells.get(child);
      const shared = cell === undefined ? this.findSharedDefault(child) : undefined;
      if (shared !== undefined) {
        setProperty(result, name, shared.value);
        continue;
      }
      const error = this.cellOf(child).findError();
      if (error === undefined) {
        setProperty(result, name, this.cellOf(child).read());
      } else if (isOwnLack(error, this.cellOf(child))) {
        (missing ??= new Set()).add(name);
        Object.defineProperty(result, name, {
          enumerable: true,
          get: () => {
            throw error;
          },
        });
      } else {
        throw error;
      }
    }
    if (missing !== undefined) Object.defineProperty(result, MISSING, { value: missing });
    return Object.freeze(result);
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

const closedTypes = new WeakMap<OptionType, boolean>();

// Whether values of the type are the same wherever they stand: no submodule inside, which has a name.
function isClosed(type: OptionType): boolean {
  let known = closedTypes.get(type);
  if (known === undefined) {
    known = type.name !== "submodule" && type.nested.every(isClosed);
    closedTypes.set(type, known);
  }
  return known;
}
