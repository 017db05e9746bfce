import type { SeededRandom } from "../../../faults/seeded-random.ts";
import type { Condition, ModuleBody, OptionDeclaration, PlainType, Rename, Scenario, ScenarioModule, Type, Value } from "./scenario.ts";

/** Draws a scenario: a few options of random types, a few modules that define them. */
export function randomScenario(random: SeededRandom): Scenario {
  return new Generator(random).scenario();
}

const PLAIN: readonly PlainType[] = [
  "bool", "boolByOr", "int", "str", "lines", "commas", "anything", "unspecified", "path", "nonEmptyStr",
  "singleLineStr", "port", "number", "positive", "unsigned", "s8", "u8", "attrs", "json", "raw",
];
const NAMES = ["a", "b", "c", "d"];
const TEXTS = ["x", "y", "", "/etc/x", "one\n", "a b"];

type Scope = { readonly inModule: boolean; readonly inSubmodule: boolean };
const FIXED: Scope = { inModule: false, inSubmodule: false };

class Generator {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  #chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  #below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #pick<T>(values: readonly T[]): T {
    return values[this.#below(values.length)]!;
  }

  #times<T>(most: number, make: (index: number) => T): T[] {
    return Array.from({ length: this.#below(most + 1) }, (_, index) => make(index));
  }

  /** Whether definitions may have an order: a renamed option of the reference forgets it. */
  #withOrder = true;

  scenario(): Scenario {
    const options: [readonly string[], OptionDeclaration][] = [];
    const count = 1 + this.#below(4);
    for (let i = 0; i < count; i++) options.push([i % 3 === 2 ? ["tree", `o${i}`] : [`o${i}`], this.#declaration(2)]);
    const renames = this.#chance(0.3) ? [this.#rename(options)] : [];
    this.#withOrder = renames.length === 0;
    const base: ScenarioModule = {
      key: "base",
      imports: [],
      disabled: [],
      renames,
      body: {
        options: [
          ...options,
          [["base", "flag"], { type: { kind: "plain", name: "bool" } }],
          [["base", "number"], { type: { kind: "plain", name: "int" } }],
          [["base", "text"], { type: { kind: "plain", name: "str" }, default: { kind: "literal", value: "t" } }],
        ],
        config: set([["base", set([["flag", literal(this.#chance(0.5))], ["number", literal(this.#below(2))]])]]),
      },
    };
    const mergeable = options.filter(([, { type }]) => !/"(?:json|nonEmptyListOf|port|positive|unsigned|[su]8|between)"/.test(JSON.stringify(type)));
    const keys = Array.from({ length: 1 + this.#below(4) }, (_, i) => `m${i}`);
    const renamed = base.renames.flatMap((rename): [readonly string[], OptionDeclaration][] => {
      const target = rename.kind === "removed" ? undefined : options.find(([path]) => path === rename.to);
      const declared = target === undefined || rename.kind === "merged" ? { type: { kind: "plain", name: "str" } as const } : target[1];
      return (rename.kind === "merged" ? rename.from : [rename.from]).map((path) => [path, declared]);
    });
    const modules = keys.map((key, i): ScenarioModule => ({
      key,
      // Not in a circle: the reference does not end.
      imports: keys.filter((other) => other > key && this.#chance(0.15)),
      disabled: this.#chance(0.05) ? [this.#pick(keys)] : [],
      renames: [],
      body: {
        // Of a `nonEmptyListOf` and of the ranges the reference forgets the check when they are declared twice.
        // Two declarations with the type `json`, which is made of itself: there the reference does not end.
        options: mergeable.length > 0 && this.#chance(0.12) ? [this.#again(mergeable)] : [],
        config: this.#definitions([...options, ...renamed], i),
      },
    }));
    const imported = new Set(modules.flatMap((module) => module.imports));
    return { modules: [base, ...modules], roots: ["base", ...keys.filter((key, i) => i === 0 || !imported.has(key) || this.#chance(0.5))] };
  }

  /** A second declaration of an option. */
  #again(options: readonly (readonly [readonly string[], OptionDeclaration])[]): readonly [readonly string[], OptionDeclaration] {
    const [path, { type }] = this.#pick(options);
    const other = this.#chance(0.7) ? this.#vary(type) : this.#type(1);
    return [path, { type: other, ...(this.#chance(0.05) ? { default: this.#value(other, 1, FIXED) } : {}) }];
  }

  // The same kind of type, made of something else.
  #vary(type: Type): Type {
    switch (type.kind) {
      case "enum":
        return { kind: "enum", values: ["more", ...type.values.slice(0, 1)] };
      case "of":
        return { ...type, element: this.#vary(type.element) };
      case "either":
        return { ...type, first: this.#vary(type.first) };
      case "submodule":
        return { kind: "submodule", shorthand: type.shorthand, body: { options: [[["more"], { type: { kind: "plain", name: "int" }, default: literal(7) }]], config: undefined } };
      case "attrTag":
        return { kind: "attrTag", tags: [["more", { type: { kind: "plain", name: "int" } }], ...(this.#chance(0.5) ? type.tags.slice(0, 1).map(([name, tag]) => [name, { type: tag.type }] as const) : [])] };
      default:
        return type;
    }
  }

  #rename(options: readonly (readonly [readonly string[], OptionDeclaration])[]): Rename {
    const [to] = this.#pick(options);
    const from = this.#chance(0.5) ? ["old"] : ["older", "name"];
    const kind = this.#pick(["renamed", "alias", "alias", "removed", "merged"] as const);
    if (kind === "removed") return { kind, from };
    return kind === "merged" ? { kind, from: this.#chance(0.5) ? [from] : [from, ["oldest"]], to } : { kind, from, to };
  }

  #declaration(depth: number): OptionDeclaration {
    const type = this.#type(depth);
    const isFunction = type.kind === "of" && type.name === "functionTo";
    return {
      type,
      ...(this.#chance(0.95) ? { default: this.#value(type, depth, FIXED) } : {}),
      ...(isFunction ? { apply: "call" as const } : this.#chance(0.08) ? { apply: "wrap" as const } : {}),
    };
  }

  #type(depth: number): Type {
    const plain = (): Type => {
      switch (this.#below(12)) {
        case 0:
          return { kind: "enum", values: this.#chance(0.5) ? ["x", "y"] : ["x", 1, "a b"] };
        case 1:
          return { kind: "between", lowest: -1, highest: 3 };
        case 2:
          return { kind: "strMatching", pattern: this.#pick(["[a-z]+", "x|y b", "(a|b)?.*"]) };
        case 3:
          return { kind: "separatedString", separator: this.#pick([" ", ":", ", "]) };
        default:
          return { kind: "plain", name: this.#pick(PLAIN) };
      }
    };
    if (depth === 0 || this.#chance(0.35)) return plain();
    switch (this.#below(13)) {
      case 0:
      case 1:
        return { kind: "of", name: this.#pick(["listOf", "listOf", "nonEmptyListOf"] as const), element: this.#type(depth - 1) };
      case 2:
      case 3:
        return { kind: "of", name: this.#pick(["attrsOf", "attrsOf", "lazyAttrsOf"] as const), element: this.#type(depth - 1) };
      case 4:
        return { kind: "of", name: "nullOr", element: this.#type(depth - 1) };
      case 5:
        return { kind: "of", name: "uniq", element: this.#type(depth - 1) };
      case 6:
        return this.#either(depth - 1);
      case 7:
        return { kind: "coerced", to: { kind: "of", name: "listOf", element: this.#pick<Type>([{ kind: "plain", name: "str" }, { kind: "plain", name: "anything" }, { kind: "plain", name: "path" }]) } };
      case 8:
        return { kind: "attrTag", tags: [["left", this.#tag(depth - 1)], ["right", this.#tag(depth - 1)]] };
      case 9:
        return depth === 2 ? { kind: "of", name: "functionTo", element: this.#type(depth - 1) } : plain();
      default:
        return this.#submodule(depth - 1);
    }
  }

  // A path is a file to read for the reference where it may stand for a submodule.
  #either(depth: number): Type {
    const first = this.#type(depth);
    const second = this.#type(depth);
    return isSubmodule(first) || isSubmodule(second) ? { kind: "either", first: this.#submodule(depth - 1 < 0 ? 0 : depth - 1), second: { kind: "plain", name: "int" } } : { kind: "either", first, second };
  }

  #tag(depth: number): OptionDeclaration {
    const type = this.#type(depth);
    return { type, ...(this.#chance(0.2) ? { default: this.#value(type, depth, FIXED) } : {}), ...(this.#chance(0.2) ? { apply: "wrap" as const } : {}) };
  }

  #submodule(depth: number): Type {
    const count = 1 + this.#below(3);
    const options = Array.from({ length: count }, (_, i): readonly [readonly string[], OptionDeclaration] => {
      const type = this.#type(depth);
      const isFunction = type.kind === "of" && type.name === "functionTo";
      return [i === 2 ? ["deep", NAMES[i]!] : [NAMES[i]!], {
        type,
        ...(this.#chance(0.95) ? { default: this.#value(type, depth, FIXED) } : {}),
        ...(isFunction ? { apply: "call" as const } : this.#chance(0.05) ? { apply: "wrap" as const } : {}),
      }];
    });
    const free: Type | undefined = this.#chance(0.25)
      ? { kind: "of", name: this.#pick(["attrsOf", "lazyAttrsOf"] as const), element: this.#pick<Type>([{ kind: "plain", name: "int" }, { kind: "plain", name: "json" }, { kind: "plain", name: "anything" }, { kind: "plain", name: "str" }]) }
      : undefined;
    const body: ModuleBody = { options, config: undefined, freeform: free };
    return { kind: "submodule", shorthand: this.#chance(0.7), body: { ...body, config: this.#chance(0.3) ? this.#body(body, depth, { inModule: false, inSubmodule: true }, false) : undefined } };
  }

  #definitions(options: readonly (readonly [readonly string[], OptionDeclaration])[], index: number): Value {
    const body = { options, config: undefined, freeform: undefined };
    const one = this.#body(body, 2, { inModule: true, inSubmodule: false }, index > 0 || this.#chance(0.7));
    if (this.#chance(0.15)) return { kind: "merge", items: [one, this.#body(body, 2, { inModule: true, inSubmodule: false }, true)] };
    return this.#modify(one, { inModule: true, inSubmodule: false }, 0.1, "set");
  }

  // Definitions of a tree of options, as nested sets.
  #body(body: ModuleBody, depth: number, scope: Scope, sparse: boolean): Value {
    const entries: [string, Value][] = [];
    for (const [path, { type }] of body.options) {
      if (this.#chance(sparse ? 0.6 : 0.3)) continue;
      const value = this.#modify(this.#value(type, depth, scope), scope, 0.35, type);
      if (path.length === 1) {
        entries.push([path[0]!, value]);
      } else {
        const known = entries.find(([name]) => name === path[0]);
        if (known === undefined) entries.push([path[0]!, this.#modify(set([[path[1]!, value]]), scope, 0.15, "set")]);
        else if (known[1].kind === "set") known[1] = set([...known[1].entries, [path[1]!, value]]);
      }
    }
    if (body.freeform?.kind === "of" && this.#chance(0.6)) entries.push(["free", this.#modify(this.#value(body.freeform.element, 1, scope), scope, 0.3, body.freeform.element)]);
    if (this.#chance(0.006)) entries.push(["unknown", literal(1)]);
    return set(entries);
  }

  #condition(scope: Scope): Condition {
    if (!scope.inModule || this.#chance(0.4)) return this.#chance(0.6);
    return this.#chance(0.5) ? { read: "base.flag", equals: this.#chance(0.5) } : { read: "base.number", equals: this.#below(2) };
  }

  // The nesting that the reference takes: conditions and merges, in them a priority, in it an order. Around a set of
  // options it takes no order, and a priority only where none is inside.
  #modify(value: Value, scope: Scope, probability: number, around: Type | "set"): Value {
    let result = value;
    if (around !== "set") {
      // The reference trips over an order around a submodule's definition.
      if (this.#withOrder && !isSubmodule(around) && this.#chance(probability * 0.3)) result = { kind: "order", how: this.#pick(["mkBefore", "mkAfter", 700, 1200] as const), content: result };
      if (this.#chance(probability * 0.45)) result = { kind: "override", how: this.#pick(["mkForce", "mkDefault", "mkVMOverride", "mkOptionDefault", 70, 1400] as const), content: result };
    }
    for (let i = 0; i < 2; i++) {
      if (this.#chance(probability * 0.3)) result = { kind: "if", condition: this.#condition(scope), content: result };
      if (this.#chance(probability * 0.1)) result = { kind: "merge", items: [result, ...(this.#chance(0.5) ? [value] : [])] };
    }
    return around !== "set" && this.#chance(probability * 0.01) ? { kind: "assert", condition: this.#condition(scope), content: result } : result;
  }

  /** A value that a type takes, or now and then one that it does not. */
  #value(type: Type, depth: number, scope: Scope): Value {
    if (this.#chance(0.006)) return this.#pick<Value>([literal(null), literal(true), literal(4), literal("z"), { kind: "list", items: [literal(1)] }, set([["q", literal(1)]])]);
    const inside = (element: Type): Value => this.#modify(this.#value(element, depth - 1, scope), scope, 0.15, element);
    switch (type.kind) {
      case "plain":
        return this.#plainValue(type.name, scope);
      case "enum":
        return literal(this.#pick(type.values));
      case "between":
        return literal(this.#below(5) - 1);
      case "strMatching":
        return literal(this.#pick(["x", "y b", "ab"]));
      case "separatedString":
        return literal(this.#pick(TEXTS));
      case "of":
        switch (type.name) {
          case "listOf":
          case "nonEmptyListOf":
            return { kind: "list", items: this.#times(3, () => inside(type.element)) };
          case "attrsOf":
          case "lazyAttrsOf":
            return set(NAMES.filter(() => this.#chance(0.4)).map((name) => [name, inside(type.element)]));
          case "nullOr":
            return this.#chance(0.3) ? literal(null) : this.#value(type.element, depth, scope);
          case "uniq":
            return this.#value(type.element, depth, scope);
          case "functionTo":
            return { kind: "lambda", content: inside(type.element) };
        }
      // eslint-disable-next-line no-fallthrough
      case "either":
        return this.#value(this.#chance(0.6) ? type.first : type.second, depth, scope);
      case "coerced":
        return this.#chance(0.5) ? literal(this.#pick(TEXTS)) : this.#value(type.to, depth, scope);
      case "attrTag": {
        const [name, tag] = this.#chance(0.75) ? type.tags[0]! : this.#pick(type.tags);
        return set([[name, inside(tag.type)]]);
      }
      case "submodule": {
        const body = this.#body(type.body, depth, scope, true);
        if (scope.inModule && this.#chance(0.15)) return { kind: "function", content: body };
        return type.shorthand || this.#chance(0.5) ? body : set([["config", body]]);
      }
    }
  }

  #plainValue(name: PlainType, scope: Scope): Value {
    switch (name) {
      case "bool":
      case "boolByOr":
        return scope.inModule && this.#chance(0.2) ? { kind: "read", name: "flag" } : literal(this.#chance(0.5));
      case "int":
      case "number":
      case "port":
      case "positive":
      case "unsigned":
      case "s8":
      case "u8":
        if (this.#chance(0.05)) return literal(this.#pick([-1, 0, 128, 256, 65536, -129]));
        return scope.inModule && this.#chance(0.2) ? { kind: "read", name: "number" } : literal(1 + this.#below(2));
      case "path":
        return literal(this.#pick(["/etc/x", "/var", "/etc/x"]));
      case "str":
      case "lines":
      case "commas":
      case "nonEmptyStr":
      case "singleLineStr":
        return scope.inModule && this.#chance(0.2) ? { kind: "read", name: "text" } : literal(this.#pick(TEXTS));
      case "attrs":
        return set(NAMES.filter(() => this.#chance(0.4)).map((key) => [key, this.#data(1)]));
      default:
        return this.#data(2);
    }
  }

  #data(depth: number): Value {
    if (depth === 0 || this.#chance(0.5)) return literal(this.#pick([null, true, false, 1, 2, "x", "y"]));
    return this.#chance(0.4)
      ? { kind: "list", items: this.#times(2, () => this.#data(depth - 1)) }
      : set(NAMES.filter(() => this.#chance(0.4)).map((key) => [key, this.#data(depth - 1)]));
  }
}

function isSubmodule(type: Type): boolean {
  switch (type.kind) {
    case "submodule":
      return true;
    case "of":
      return (type.name === "nullOr" || type.name === "uniq") && isSubmodule(type.element);
    case "either":
      return isSubmodule(type.first) || isSubmodule(type.second);
    default:
      return false;
  }
}

function literal(value: null | boolean | number | string): Value {
  return { kind: "literal", value };
}

function set(entries: readonly (readonly [string, Value])[]): Value {
  return { kind: "set", entries };
}
