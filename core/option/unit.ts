import { joinErrors } from "./join-errors.ts";
import { TsosError } from "../error/tsos-error.ts";
import { collectDefinitions } from "./collect-definitions.ts";
import type { CollectedDefinitions } from "./collect-definitions.ts";
import type { Consumer, Source, Tracker } from "./consumer.ts";
import type { DefiningModule } from "./definition.ts";
import { ORDER } from "./modifier.ts";
import { freezeDefinitions } from "./freeze-definitions.ts";
import { Guess, agreeingDefinitions } from "./guess.ts";
import type { OptionNode } from "./option-node.ts";

/** No other value of what it read makes a module that does this another. */
const HOPELESS: ReadonlySet<string> = new Set(["option.promise", "option.too-deep", "option.changed-input", "option.endless-variant"]);

const NOTHING: CollectedDefinitions = { byOption: new Map(), free: [], problems: [] };

/** What defines: a module's `config` or `defaults`, or a definition of a submodule. */
export type UnitInit = {
  readonly module: DefiningModule;
  /** Where in the module it stands. */
  readonly path: readonly string[];
  /** A function that is called with the arguments, or what such a function would return. */
  readonly body: unknown;
  readonly priority: number;
};

export type UnitSurroundings = {
  readonly owner: object;
  readonly tracker: Tracker;
  readonly root: OptionNode;
  readonly takesFree: boolean;
  readonly prefix: readonly string[];
  arguments(): object;
};

/** A part of a module that is run, and run again when what it read has changed. */
export class Unit implements Consumer {
  readonly owner: object;
  readonly init: UnitInit;
  sources: Set<Source> | undefined;
  outer: Consumer | undefined;
  /** Its place among all: the order of definitions. */
  index = 0;
  result: CollectedDefinitions = NOTHING;
  /** What its function returned when it last ran. */
  value: unknown;
  /** What it threw when it last ran. */
  error: TsosError | undefined;
  #ranAt = 0;

  constructor(owner: object, init: UnitInit) {
    this.owner = owner;
    this.init = init;
  }

  /** Whether something that it read has changed since it ran. */
  isStale(): boolean {
    for (const source of this.sources ?? []) {
      source.refresh();
      if (source.changedAt > this.#ranAt) return true;
    }
    return false;
  }

  /** Runs it against what the tree is now. What it throws is kept as its error. */
  run(surroundings: UnitSurroundings): void {
    const { tracker } = surroundings;
    this.sources?.clear();
    this.error = undefined;
    try {
      // The result's own properties may be computed when they are read: reads by getters are the module's.
      const { value, result } = tracker.run(this, () => this.#evaluate(surroundings));
      freezeDefinitions(value);
      this.value = value;
      this.result = result;
    } catch (error) {
      this.error = moduleError(error, this.init);
      this.result = HOPELESS.has(this.error.code) || typeof this.init.body !== "function" ? NOTHING : this.#guess(surroundings);
    }
    this.#ranAt = tracker.tick();
  }

  #evaluate(surroundings: UnitSurroundings): { readonly value: unknown; readonly result: CollectedDefinitions } {
    const value = typeof this.init.body === "function" ? this.#call(surroundings) : this.init.body;
    const result = collectDefinitions(
      surroundings.root,
      { site: { module: this.init.module, path: this.init.path }, value, priority: this.init.priority, order: ORDER.plain },
      surroundings.takesFree,
      surroundings.prefix,
    );
    return { value, result };
  }

  /**
   * What it defines that does not depend on what is not there yet: what it read may be its own to define. Its error
   * stays, so this never counts in a tree that has settled without errors.
   */
  #guess(surroundings: UnitSurroundings): CollectedDefinitions {
    const runs: CollectedDefinitions[] = [];
    for (const which of [0, 1] as const) {
      try {
        runs.push(surroundings.tracker.runGuessing(this, new Guess(which), () => this.#evaluate(surroundings).result));
      } catch {
        return NOTHING;
      }
    }
    const [one, other] = runs as [CollectedDefinitions, CollectedDefinitions];
    const byOption = new Map([...one.byOption].flatMap(([node, definitions]) => {
      const kept = agreeingDefinitions(node.option.type, definitions, other.byOption.get(node));
      return kept.length === 0 ? [] : [[node, kept] as const];
    }));
    const free = agreeingDefinitions(undefined, one.free, other.free);
    for (const { value } of [...byOption.values(), free].flat()) freezeDefinitions(value);
    return { byOption, free, problems: [] };
  }

  #call(surroundings: UnitSurroundings): unknown {
    // `run` has seen that it is a function.
    const body = this.init.body as (args: object) => unknown;
    const value = body(surroundings.arguments());
    if (typeof value === "object" && value !== null && typeof (value as { readonly then?: unknown }).then === "function") {
      // An abandoned promise that rejects must not end the process.
      void (value as Promise<unknown>).then(undefined, () => undefined);
      throw new TsosError({
        code: "option.promise",
        message: `the module "${this.init.module.label}" returned a promise; expected an object of definitions`,
        hint: "a module's function cannot be async: evaluation reads nothing that has to be waited for",
        data: unitData(this.init),
      });
    }
    return value;
  }
}

function unitData(init: UnitInit): Readonly<Record<string, unknown>> {
  const { label, file, stack } = init.module;
  return { definitions: [{ module: label, file, stack, path: init.path }] };
}

const MUTATION = /read[- ]only|not extensible|Cannot delete property|Cannot add property|Cannot redefine|Cannot define property|has only a getter/;

/** What a module threw, as an error that names the module. */
export function moduleError(error: unknown, init: UnitInit): TsosError {
  if (error instanceof TsosError) return error;
  if (error instanceof AggregateError && error.errors.length > 0 && error.errors.every((one) => one instanceof TsosError)) return joinErrors(error.errors);
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError && /call stack/i.test(message)) {
    return new TsosError({
      code: "option.too-deep",
      message: `the module "${init.module.label}" ran out of stack: something calls itself without end`,
      data: unitData(init),
      cause: error,
    });
  }
  if (error instanceof TypeError && MUTATION.test(message)) {
    return new TsosError({
      code: "option.changed-input",
      message: `the module "${init.module.label}" tried to change what it was given: ${message}`,
      hint: "what a module is given is frozen, and so is what others returned; copy what you want to change: [...list, value] or { ...object, name: value }",
      data: unitData(init),
      cause: error,
    });
  }
  const kind = error instanceof Error ? `${error.name}: ` : "";
  return new TsosError({
    code: "option.module-failed",
    message: `the module "${init.module.label}" failed: ${kind}${message}`,
    data: unitData(init),
    cause: error,
  });
}
