/**
 * Modules settle: see docs/settling.md. One file, because an option's value, the modules that define it and the
 * evaluation that runs them are one recursive computation: values hold submodules, which are evaluations.
 */
import { TsosError } from "../error/tsos-error.ts";
import { Tracker } from "./consumer.ts";
import type { Consumer, Source } from "./consumer.ts";
import { createConfigView } from "./config-view.ts";
import { builtinOrigin, definingModule } from "./defining-module.ts";
import type { DefiningModule, DefinitionSite, PlacedDefinition, RawDefinition } from "./definition.ts";
import { MISSING, equalValues } from "./equal-values.ts";
import { collectModules } from "./collect-modules.ts";
import { lib } from "./lib.ts";
import type { MergeContext, MergePlace, SubmoduleInstance } from "./merge-place.ts";
import { dischargeDefinitions, highestPriority, mergeDefinitions } from "./merge-definitions.ts";
import { ORDER, PRIORITY } from "./modifier.ts";
import { isModule, isModuleList } from "./module.ts";
import type { Module, ModuleInput } from "./module.ts";
import { moduleModule } from "./base-options.ts";
import { definitionData, notDefined, readOnlyOption, unknownOption } from "./option-errors.ts";
import { declareOptions, findNode } from "./option-node.ts";
import type { OptionNode } from "./option-node.ts";
import { formatOptionPath } from "./option-path.ts";
import type { OptionType } from "./option-type.ts";
import { createOptionsView } from "./options-view-proxy.ts";
import type { OptionsView, OptionView } from "./options-view.ts";
import { isPlainObject, setProperty } from "./plain-object.ts";
import { previewValue } from "./preview-value.ts";
import { Unit } from "./unit.ts";
import type { UnitInit, UnitSurroundings } from "./unit.ts";

const DEFAULT_ORIGIN: DefiningModule = builtinOrigin("the default");

/** Modules whose options are known: what all evaluations of them share. */
export type CompiledModules = {
  readonly modules: readonly Module[];
  readonly root: OptionNode;
  readonly freeformType: OptionType | undefined;
  readonly units: readonly UnitInit[];
};

/** @throws TsosError when modules or their declarations do not go together. */
export function compileModules(inputs: readonly ModuleInput[]): CompiledModules {
  const modules = collectModules(inputs);
  const root = declareOptions(modules);
  return { modules, root, freeformType: findFreeformType(modules), units: modules.flatMap((module) => unitsOf(module, root)) };
}

function findFreeformType(modules: readonly Module[]): OptionType | undefined {
  let found: OptionType | undefined;
  for (const { freeformType } of modules) {
    if (freeformType === undefined || freeformType === found) continue;
    const merged = found === undefined ? freeformType : found.mergeType(freeformType);
    if (merged === undefined) {
      throw new TsosError({
        code: "option.declared-twice",
        message: `two modules give different types to undeclared options: ${found?.description} and ${freeformType.description}`,
      });
    }
    found = merged;
  }
  return found;
}

/** What of a module is run. */
export function unitsOf(module: Module, root: OptionNode): readonly UnitInit[] {
  const units: UnitInit[] = [];
  const origin = definingModule(module);
  if (module.meta !== undefined && root.children?.has("meta") === true) {
    units.push({ module: origin, path: ["meta"], body: { meta: module.meta }, priority: PRIORITY.plain });
  }
  if (module.defaults !== undefined) units.push({ module: origin, path: [], body: module.defaults, priority: PRIORITY.moduleDefault });
  if (module.config !== undefined) units.push({ module: origin, path: [], body: module.config, priority: PRIORITY.plain });
  return units;
}

/** What an evaluation inside another takes from it. */
export type Surroundings = {
  readonly tracker: Tracker;
  /** The outermost configuration. */
  readonly root: object | undefined;
  /** Arguments of the evaluation around: what is not found in one's own is looked for there. */
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Trees of submodules, made once. */
  readonly compiled: Map<readonly Module[], CompiledModules>;
};

export type EvaluationInit = {
  readonly compiled: CompiledModules;
  /** Definitions beside those of the modules, in the order of definitions. */
  readonly extraUnits: readonly UnitInit[];
  readonly specialArgs: Readonly<Record<string, unknown>>;
  readonly prefix: readonly string[];
  /** The name of a submodule's value. */
  readonly name: string;
  readonly surroundings: Surroundings | undefined;
};

const NO_DEFINITIONS: readonly RawDefinition[] = [];

export class Evaluation implements UnitSurroundings, MergeContext {
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
  #units: Unit[];
  /** Cells whose value was read while it was computed and came out different. */
  readonly unstable = new Set<Cell>();

  constructor(init: EvaluationInit) {
    const { compiled, surroundings } = init;
    this.init = init;
    this.tracker = surroundings?.tracker ?? new Tracker();
    this.#compiled = surroundings?.compiled ?? new Map<readonly Module[], CompiledModules>();
    this.root = compiled.root;
    this.prefix = init.prefix;
    this.takesFree = compiled.freeformType !== undefined;
    this.#free = compiled.freeformType === undefined ? undefined : new FreeCell(this, compiled.freeformType);
    this.config = createConfigView(this, this.root);
    this.options = createOptionsView(this, this.root);
    this.#arguments = this.#createArguments();
    this.#units = [...compiled.units, ...init.extraUnits].map((unit) => new Unit(this, unit));
    this.#units.forEach((unit, index) => (unit.index = index));
  }

  arguments(): Readonly<Record<string, unknown>> {
    return this.#arguments;
  }

  // What a function's parameter is taken apart from: names are looked up when they are asked for, so that an
  // argument that modules define is a read like any other.
  #createArguments(): Readonly<Record<string, unknown>> {
    const { specialArgs, surroundings, name } = this.init;
    const own: Record<string, unknown> = {
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

  findSharedDefault(node: OptionNode): { readonly value: unknown } | undefined {
    if (node.sharedDefault === undefined) {
      const { type, attributes } = node.option;
      const isShared = attributes.default !== undefined && typeof attributes.default !== "function" && node.alias === undefined && isClosed(type);
      node.sharedDefault = isShared ? { value: this.#mergeOption(node, NO_DEFINITIONS) } : null;
    }
    return node.sharedDefault ?? undefined;
  }

  place(node: OptionNode): MergePlace {
    return { path: [...this.prefix, ...node.path], declarations: node.sites, context: this };
  }

  /** The definitions of an option with its default, the default first. */
  withDefault(node: OptionNode, definitions: readonly RawDefinition[]): readonly RawDefinition[] {
    const given = node.option.attributes.default;
    if (given === undefined) return definitions;
    // A default that is a function takes the arguments.
    const value: unknown = typeof given === "function" ? (given as (args: object) => unknown)(this.defaultArguments()) : given;
    const site = { module: DEFAULT_ORIGIN, path: node.path };
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
    const { type, attributes } = node.option;
    const all = this.withDefault(node, definitions);
    const place = this.place(node);
    if (attributes.readOnly === true && all.length > 1) throw readOnlyOption(place, all);
    const merged = mergeDefinitions(place, type, all);
    if (!merged.isDefined) throw notDefined(place);
    // `Value` of the option's type is what its merge returned.
    return attributes.apply === undefined ? merged.value : (attributes.apply as (value: unknown) => unknown)(merged.value);
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
    this.#throwProblems();
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
    if (problems.size > 0) throw joinErrors([...problems]);
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
    const units: UnitInit[] = [];
    const imports: ModuleInput[] = [];
    // In the order in which a module's imports would be merged, the later first.
    for (const { value, site } of [...definitions].reverse()) {
      if (isModule(value) || isModuleList(value)) imports.push(value);
      else if (typeof value === "function" || instance.shorthandOnlyDefinesConfig || !isModuleLike(value)) {
        units.push({ module: site.module, path: site.path, body: value, priority: PRIORITY.plain });
      } else imports.push(moduleOf(value));
    }
    const compiled = imports.length === 0 ? this.#compile(instance.modules) : compileModules([...imports, ...instance.modules, moduleModule]);
    const evaluation = new Evaluation({
      compiled,
      extraUnits: units,
      specialArgs: instance.specialArgs,
      prefix: place.path,
      name: place.path.at(-1) ?? "",
      surroundings: {
        tracker: this.tracker,
        root: this.init.surroundings?.root ?? this.config,
        arguments: this.#arguments,
        compiled: this.#compiled,
      },
    });
    evaluation.settle();
    return evaluation;
  }

  #compile(modules: readonly Module[]): CompiledModules {
    let compiled = this.#compiled.get(modules);
    if (compiled === undefined) {
      compiled = compileModules([...modules, moduleModule]);
      this.#compiled.set(modules, compiled);
    }
    return compiled;
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

// That an option has no value is an error of who reads it, not of the option.
function isOwnLack(error: TsosError, cell: AnyCell): boolean {
  if (error.code !== "option.not-defined") return false;
  const path = error.data.optionPath as readonly string[];
  const own = [...cell.evaluation.prefix, ...cell.path];
  return path.length === own.length && path.every((name, i) => name === own[i]);
}

function isModuleLike(value: unknown): boolean {
  return isPlainObject(value) && ["imports", "options", "config", "freeformType"].some((name) => Object.hasOwn(value, name));
}

function moduleOf(value: unknown): Module {
  // `isModuleLike` has seen that it has a module's parts.
  const parts = value as Partial<Module>;
  return {
    kind: "module",
    key: undefined,
    file: undefined,
    origin: undefined,
    imports: parts.imports ?? [],
    disabledModules: parts.disabledModules ?? [],
    options: parts.options,
    aliases: [],
    freeformType: parts.freeformType,
    defaults: parts.defaults,
    config: parts.config,
    meta: undefined,
  };
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

function equalDefinitions(a: readonly RawDefinition[], b: readonly RawDefinition[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const one = a[i]!;
    const other = b[i]!;
    if (one.priority !== other.priority || one.order !== other.order || !equalValues(one.value, other.value)) return false;
  }
  return true;
}

type CellState =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly error: TsosError };

/** What modules define of one option, or of what has none, and the value that it makes. */
abstract class AnyCell implements Consumer, Source {
  readonly evaluation: Evaluation;
  readonly owner: object;
  sources = new Set<Source>();
  outer: Consumer | undefined;
  changedAt = 0;
  definitionsChangedAt = 0;
  #state: CellState | undefined;
  #computedAt = -1;
  #isComputing = false;
  #wasReadInside = false;
  #contributions = new Map<Unit, readonly RawDefinition[]>();
  #definitions: readonly RawDefinition[] | undefined = NO_DEFINITIONS;

  constructor(evaluation: Evaluation) {
    this.evaluation = evaluation;
    this.owner = evaluation;
  }

  protected abstract compute(): unknown;
  protected abstract computeInitial(): unknown;
  abstract get path(): readonly string[];

  get hasContributions(): boolean {
    return this.#contributions.size > 0;
  }

  get contributors(): readonly Unit[] {
    return [...this.#contributions.keys()].sort((a, b) => a.index - b.index);
  }

  contribution(unit: Unit): readonly RawDefinition[] | undefined {
    return this.#contributions.get(unit);
  }

  contribute(unit: Unit, definitions: readonly RawDefinition[] | undefined): void {
    if (definitions === undefined) {
      if (!this.#contributions.delete(unit)) return;
    } else {
      this.#contributions.set(unit, definitions);
    }
    this.#definitions = undefined;
    this.definitionsChangedAt = this.evaluation.tracker.tick();
  }

  /** All definitions in the modules' order, whatever their conditions and priorities. */
  get definitions(): readonly RawDefinition[] {
    if (this.#definitions === undefined) {
      this.#definitions =
        this.#contributions.size === 1
          ? [...this.#contributions.values()][0]!
          : this.contributors.flatMap((unit) => this.#contributions.get(unit)!);
    }
    return this.#definitions;
  }

  refresh(): void {
    if (this.#isComputing) return;
    if (this.#state !== undefined && this.definitionsChangedAt <= this.#computedAt) {
      let isFresh = true;
      for (const source of this.sources) {
        if (source !== this) source.refresh();
        if (source.changedAt > this.#computedAt) {
          isFresh = false;
          break;
        }
      }
      if (isFresh) return;
    }
    const { tracker } = this.evaluation;
    this.#isComputing = true;
    this.#wasReadInside = false;
    this.sources.clear();
    let state: CellState;
    try {
      state = { kind: "value", value: tracker.run(this, () => this.compute()) };
    } catch (error) {
      state = { kind: "error", error: cellError(error, this) };
    } finally {
      this.#isComputing = false;
    }
    const isSame = this.#state !== undefined && equalStates(this.#state, state);
    if (this.#wasReadInside && !isSame) this.evaluation.unstable.add(this as unknown as Cell);
    // An equal value stays the same object: what compares by identity is spared the work.
    if (!isSame) this.#state = state;
    const now = tracker.tick();
    // What was read inside came before this end, so its readers are older than `now` and compute once more.
    if (!isSame) this.changedAt = now;
    this.#computedAt = this.#wasReadInside && !isSame ? now - 1 : now;
  }

  read(): unknown {
    this.evaluation.tracker.note(this);
    if (this.#isComputing) {
      // A value that reads itself reads what it was in the round before, at first the default.
      this.#wasReadInside = true;
      this.#state ??= { kind: "value", value: this.computeInitial() };
    } else {
      this.refresh();
    }
    const state = this.#state!;
    if (state.kind === "error") throw state.error;
    return state.value;
  }

  /** The error in place of a value, without noting a read. */
  findError(): TsosError | undefined {
    this.refresh();
    return this.#state?.kind === "error" ? this.#state.error : undefined;
  }

  /** The value for people. */
  preview(): string {
    if (this.#state === undefined) return "nothing";
    return this.#state.kind === "value" ? previewValue(this.#state.value) : `an error (${this.#state.error.message})`;
  }
}

function equalStates(a: CellState, b: CellState): boolean {
  if (a.kind === "value") return b.kind === "value" && equalValues(a.value, b.value);
  return b.kind === "error" && a.error.code === b.error.code && a.error.message === b.error.message;
}

function cellError(error: unknown, cell: AnyCell): TsosError {
  if (error instanceof TsosError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const path = formatOptionPath([...cell.evaluation.prefix, ...cell.path]);
  const isDeep = error instanceof RangeError && /call stack/i.test(message);
  return new TsosError({
    code: isDeep ? "option.too-deep" : "option.value-failed",
    message: isDeep
      ? `the value of the option "${path}" is nested too deep, or refers to itself`
      : `the value of the option "${path}" could not be computed: ${message}`,
    data: { optionPath: [...cell.evaluation.prefix, ...cell.path], definitions: cell.definitions.map(definitionData) },
    cause: error,
  });
}

class Cell extends AnyCell {
  readonly node: OptionNode;
  readonly definitionsSource: Source;

  constructor(evaluation: Evaluation, node: OptionNode) {
    super(evaluation);
    this.node = node;
    const definitionsChangedAt = (): number => this.definitionsChangedAt;
    this.definitionsSource = {
      owner: evaluation,
      refresh: () => undefined,
      get changedAt() {
        return definitionsChangedAt();
      },
    };
  }

  get path(): readonly string[] {
    return this.node.path;
  }

  protected compute(): unknown {
    return this.evaluation.mergeOption(this.node, this.definitions);
  }

  protected computeInitial(): unknown {
    return this.evaluation.mergeOption(this.node, NO_DEFINITIONS);
  }
}

class FreeCell extends AnyCell {
  readonly #type: OptionType;

  constructor(evaluation: Evaluation, type: OptionType) {
    super(evaluation);
    this.#type = type;
  }

  get path(): readonly string[] {
    return [];
  }

  protected compute(): unknown {
    const place: MergePlace = { path: this.evaluation.prefix, declarations: [], context: this.evaluation };
    const merged = mergeDefinitions(place, this.#type, this.definitions);
    return merged.isDefined ? merged.value : {};
  }

  protected computeInitial(): unknown {
    return {};
  }
}

class CellView implements OptionView {
  readonly kind = "option";
  readonly #evaluation: Evaluation;
  readonly #node: OptionNode;

  constructor(evaluation: Evaluation, node: OptionNode) {
    this.#evaluation = evaluation;
    this.#node = node;
  }

  get path(): readonly string[] {
    return [...this.#evaluation.prefix, ...this.#node.path];
  }

  get type(): OptionType {
    return this.#node.option.type;
  }

  get #all(): readonly RawDefinition[] {
    const cell = this.#evaluation.cellOf(this.#node);
    this.#evaluation.tracker.note(cell.definitionsSource);
    return dischargeDefinitions(this.#evaluation.withDefault(this.#node, cell.definitions));
  }

  get isDefined(): boolean {
    return this.#all.length > 0;
  }

  get highestPriority(): number {
    return highestPriority(this.#all);
  }

  get definitions(): readonly RawDefinition[] {
    const all = this.#all;
    const highest = highestPriority(all);
    return all.filter((definition) => definition.priority === highest).sort((a, b) => a.order - b.order);
  }

  get allDefinitions(): readonly RawDefinition[] {
    return this.#all;
  }

  get declarations(): readonly DefinitionSite[] {
    return this.#node.sites;
  }

  get attributes(): OptionView["attributes"] {
    const { attributes } = this.#node.option;
    return {
      description: attributes.description,
      default: attributes.default,
      defaultText: attributes.defaultText,
      example: attributes.example,
      internal: attributes.internal ?? false,
      visible: attributes.visible ?? true,
      readOnly: attributes.readOnly ?? false,
      relatedPackages: attributes.relatedPackages ?? [],
    };
  }

  get value(): unknown {
    return this.#evaluation.read(this.#node);
  }

  submodule(path: readonly string[]): OptionsView | undefined {
    let found: Evaluation | undefined;
    const context: MergeContext = {
      evaluateSubmodule: (place, instance, definitions) => {
        const evaluation = this.#evaluation.settleSubmodule(place, instance, definitions);
        if (place.path.length === path.length && place.path.every((name, i) => name === path[i])) found = evaluation;
        return evaluation.toPlain();
      },
    };
    mergeDefinitions({ ...this.#evaluation.place(this.#node), context }, this.type, this.#all);
    return found?.options;
  }
}

export type { Cell, FreeCell };

/** Several errors as the first, which carries the others. */
export function joinErrors(errors: readonly TsosError[]): TsosError {
  const [first, ...others] = errors;
  if (others.length === 0) return first!;
  const joined = new TsosError({
    code: first!.code,
    message: first!.message,
    hint: first!.hint,
    at: first!.at,
    related: first!.related,
    data: {
      ...first!.data,
      others: others.map(({ code, message, hint, at, related, data, stack, cause }) => ({ code, message, hint, at, related, data, stack, cause })),
    },
    cause: first!.cause,
  });
  // Where it was thrown is where the first was.
  if (first!.stack !== undefined) joined.stack = first!.stack;
  return joined;
}

type Change = { readonly cell: AnyCell; readonly unit: Unit; readonly before: readonly RawDefinition[] | undefined };

function follows(cell: AnyCell, from: AnyCell): boolean {
  return cell.sources.has(from) || cell.contributors.some((unit) => unit.sources.has(from));
}

const WINDOW = 12;

/**
 * Watches the rounds for a tree that does not settle. See docs/settling.md: where demand-driven evaluation ends,
 * in each round that changes something an option changes for the last time; so by round n there are n options
 * that have changed. What goes on longer, or comes back to a state that was there before, goes on for ever.
 */
class FlipWatch {
  readonly #evaluation: Evaluation;
  #runs: { readonly unit: Unit; readonly before: Unit["result"] }[] = [];
  readonly #changedCells = new Set<AnyCell>();
  readonly #failedUnits = new Set<Unit>();
  #roundChanges: Change[] = [];
  /** What was there at the last checkpoint, of all that has changed since. */
  #checkpoint = new Map<AnyCell, Map<Unit, readonly RawDefinition[] | undefined>>();
  #nextCheckpoint = 8;
  readonly #history: { readonly cell: AnyCell; readonly value: string }[][] = [];

  constructor(evaluation: Evaluation) {
    this.#evaluation = evaluation;
  }

  ran(unit: Unit, before: Unit["result"]): void {
    this.#runs.push({ unit, before });
    if (unit.error !== undefined) this.#failedUnits.add(unit);
  }

  takeRuns(): readonly { readonly unit: Unit; readonly before: Unit["result"] }[] {
    const runs = this.#runs;
    this.#runs = [];
    return runs;
  }

  changed(cell: AnyCell, unit: Unit, before: readonly RawDefinition[] | undefined): void {
    this.#changedCells.add(cell);
    this.#roundChanges.push({ cell, unit, before });
  }

  touched(cell: AnyCell): void {
    this.#changedCells.add(cell);
  }

  /** @throws TsosError `option.unsettled` */
  endRound(round: number, dirty: readonly Unit[]): void {
    const changes = this.#roundChanges;
    this.#roundChanges = [];
    if (dirty.length === 0 && this.#evaluation.unstable.size === 0) return;
    if (round >= 4) this.#remember(changes);
    for (const { cell, unit, before } of changes) {
      const units = this.#checkpoint.get(cell) ?? new Map<Unit, readonly RawDefinition[] | undefined>();
      if (!units.has(unit)) units.set(unit, before);
      this.#checkpoint.set(cell, units);
    }
    if (round >= 100 && round > this.#changedCells.size + this.#failedUnits.size + 2) throw this.#unsettled(round);
    if (round > 8 && changes.length > 0 && this.#isBack()) throw this.#unsettled(round);
    if (round >= this.#nextCheckpoint) {
      this.#nextCheckpoint *= 2;
      this.#checkpoint = new Map();
    }
  }

  #isBack(): boolean {
    for (const [cell, units] of this.#checkpoint) {
      for (const [unit, before] of units) {
        const now = cell.contribution(unit);
        if (before === undefined || now === undefined ? before !== now : !equalDefinitions(before, now)) return false;
      }
    }
    return true;
  }

  #remember(changes: readonly Change[]): void {
    const cells = new Set(changes.map(({ cell }) => cell));
    this.#history.push([...cells].map((cell) => {
      cell.refresh();
      return { cell, value: cell.preview() };
    }));
    if (this.#history.length > WINDOW) this.#history.shift();
  }

  // What changes only because of the others is not the cause.
  #followsFromItself(start: AnyCell, among: ReadonlySet<AnyCell>): boolean {
    const seen = new Set<AnyCell>();
    const queue: AnyCell[] = [start];
    for (let cell = queue.pop(); cell !== undefined; cell = queue.pop()) {
      for (const next of among) {
        if (seen.has(next) || !follows(next, cell)) continue;
        if (next === start) return true;
        seen.add(next);
        queue.push(next);
      }
    }
    return false;
  }

  #unsettled(round: number): TsosError {
    const values = new Map<AnyCell, string[]>();
    for (const entry of this.#history.flat()) {
      const list = values.get(entry.cell) ?? [];
      if (list.at(-1) !== entry.value) list.push(entry.value);
      values.set(entry.cell, list);
    }
    const flipping = new Set([...values].filter(([, list]) => list.length > 1).map(([cell]) => cell));
    const circular = [...flipping].filter((cell) => this.#followsFromItself(cell, flipping));
    const flips = [...values]
      .filter(([cell]) => (circular.length > 0 ? circular.includes(cell) : flipping.has(cell)))
      .map(([cell, list]) => ({
        optionPath: [...this.#evaluation.prefix, ...cell.path],
        // A flip between two values is shown once, not as often as it was seen.
        values: [...new Set(list)].slice(-4),
        definitions: cell.definitions.map(definitionData),
      }))
      .sort((a, b) => (formatOptionPath(a.optionPath) < formatOptionPath(b.optionPath) ? -1 : 1));
    const shown = flips.slice(0, 5).map((flip) => {
      const modules = [...new Set(flip.definitions.map(({ module }) => module))];
      return `"${formatOptionPath(flip.optionPath)}" is in turn ${flip.values.join(", ")} (defined by ${modules.join(", ")})`;
    });
    return new TsosError({
      code: "option.unsettled",
      message: `the configuration does not settle, after ${round} rounds ${shown.join("; ")}`,
      hint: "each of these options depends on itself: let one of the modules not read what follows from its own definition",
      data: {
        optionPath: flips[0]?.optionPath ?? [],
        definitions: flips.flatMap(({ definitions }) => definitions),
        flips,
        rounds: round,
      },
    });
  }
}

