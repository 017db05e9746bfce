import { TsosError } from "../error/tsos-error.ts";
import type { RawDefinition } from "./definition.ts";
import { equalValues } from "./equal-values.ts";
import { isPackageValue, isSecretValue } from "./foreign-types.ts";
import type { DeclaredOption } from "./merge-place.ts";
import { findModifier } from "./modifier.ts";
import type { OptionType } from "./option-type.ts";
import { isPlainObject, setProperty } from "./plain-object.ts";

/** What a guess gave out, so that no definition keeps it. */
const givenOut = new WeakSet<object>();

/** Who walks along what is not there comes to an end. */
const MAX_STEPS = 50;
const MAX_DEPTH = 100;

/** Of two runs with one of each, what comes out the same does not follow from what was guessed. */
const PAIRS: readonly (readonly [unknown, unknown])[] = [["guess-1", "guess-2"], ["/guess-1", "/guess-2"], [1, 2], [1025, 1026], [true, false]];

/**
 * What a module reads where something is not there yet: an option without a value, a name that no one has put into a
 * set. It is run so, twice, after it threw, to see what it defines that does not depend on that.
 */
export class Guess {
  readonly #which: 0 | 1;
  readonly #views = new WeakMap<object, object>();

  constructor(which: 0 | 1) {
    this.#which = which;
  }

  /** For an option without a value: one of its type, where that is a plain one. */
  option({ type, attributes }: DeclaredOption): unknown {
    const pair = attributes.apply === undefined ? PAIRS.find((values) => values.every((value) => accepts(type, value))) : undefined;
    return pair === undefined ? this.#anything() : pair[this.#which];
  }

  /** A value of the tree: itself, but that a name that is missing in it is there. */
  view(value: unknown): unknown {
    if (!isPlainObject(value) || isPackageValue(value) || isSecretValue(value)) return value;
    const known = this.#views.get(value);
    if (known !== undefined) return known;
    const read = (key: string | symbol): unknown => {
      try {
        return this.view(Reflect.get(value, key));
      } catch (error) {
        // An option of a submodule that has no value.
        if (error instanceof TsosError && error.code === "option.not-defined") return this.#anything();
        throw error;
      }
    };
    // The target is empty, since what is frozen may not be shown otherwise.
    const view = new Proxy({}, {
      get: (_target, key) => (typeof key === "symbol" || key in value ? read(key) : this.#anything()),
      has: (_target, key) => Reflect.has(value, key),
      ownKeys: () => Reflect.ownKeys(value),
      getOwnPropertyDescriptor: (_target, key) => {
        const property = Reflect.getOwnPropertyDescriptor(value, key);
        return property === undefined ? undefined : { value: read(key), enumerable: property.enumerable === true, configurable: true, writable: false };
      },
      set: refuse,
      defineProperty: refuse,
      deleteProperty: refuse,
      preventExtensions: refuse,
    });
    givenOut.add(view);
    this.#views.set(value, view);
    return view;
  }

  /** Something that has every property, can be called, and is a text and a number. */
  #anything(steps = 0): unknown {
    const text = `guess-${this.#which + 1}`;
    const primitive = (hint: string): unknown => (hint === "number" ? this.#which + 1 : text);
    const anything = new Proxy(() => undefined, {
      get: (_target, key) => {
        if (key === Symbol.toPrimitive) return primitive;
        if (key === Symbol.iterator) return () => [][Symbol.iterator]();
        if (typeof key === "symbol" || key === "then" || key === "toJSON" || steps > MAX_STEPS) return undefined;
        if (key === "toString" || key === "valueOf") return () => text;
        return key === "length" ? this.#which + 1 : this.#anything(steps + 1);
      },
      apply: () => (steps > MAX_STEPS ? undefined : this.#anything(steps + 1)),
      set: refuse,
      defineProperty: refuse,
      deleteProperty: refuse,
      preventExtensions: refuse,
    });
    givenOut.add(anything);
    return anything;
  }
}

function refuse(): never {
  throw new TypeError("Cannot assign to read only property");
}

function accepts(type: DeclaredOption["type"], value: unknown): boolean {
  try {
    return type.check(value);
  } catch {
    return false;
  }
}

/**
 * Of what two runs with other guesses define, what is the same in both: whole definitions, and of those that name
 * several things, such as users, each thing.
 *
 * @param type undefined for what no option is declared for
 */
export function agreeingDefinitions(type: OptionType | undefined, one: readonly RawDefinition[], other: readonly RawDefinition[] | undefined): readonly RawDefinition[] {
  if (other === undefined || one.length !== other.length) return [];
  return one.flatMap((definition, i) => {
    const { value, priority, order } = other[i]!;
    if (definition.priority !== priority || definition.order !== order) return [];
    const agreed = agree(type, definition.value, value);
    return agreed === undefined ? [] : [{ ...definition, ...agreed }];
  });
}

function agree(type: OptionType | undefined, one: unknown, other: unknown): { readonly value: unknown } | undefined {
  if (!holdsGuess(one) && !holdsGuess(other) && equalValues(one, other)) return { value: one };
  if (type?.name === "submodule" && isOwnFunction(one) && isOwnFunction(other)) {
    return { value: (args: unknown) => agree(type, one(args), other(args))?.value ?? {} };
  }
  if (type === undefined || !NAMING.has(type.name) || !isPlainObject(one) || !isPlainObject(other)) return undefined;
  if (givenOut.has(one) || givenOut.has(other) || findModifier(one) !== undefined || findModifier(other) !== undefined) return undefined;
  const value: Record<string, unknown> = {};
  for (const name of Object.keys(one)) {
    const agreed = Object.hasOwn(other, name) ? agree(type.name === "submodule" ? undefined : type.nested[0], one[name], other[name]) : undefined;
    if (agreed !== undefined) setProperty(value, name, agreed.value);
  }
  return Object.keys(value).length === 0 ? undefined : { value };
}

/** A definition that is a function, which looks at its own arguments. */
function isOwnFunction(value: unknown): value is (args: unknown) => unknown {
  return typeof value === "function" && !givenOut.has(value) && !isPackageValue(value);
}

/** Types of which a definition without some of its names is still one. */
const NAMING: ReadonlySet<string> = new Set(["attrsOf", "lazyAttrsOf", "submodule"]);

/** Whether something that a guess gave out is inside. */
function holdsGuess(value: unknown, depth = 0): boolean {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  if (givenOut.has(value)) return true;
  if (depth > MAX_DEPTH || isPackageValue(value) || isSecretValue(value)) return false;
  if (!Array.isArray(value) && !isPlainObject(value)) return false;
  return Reflect.ownKeys(value).some((key) => {
    const property = Reflect.getOwnPropertyDescriptor(value, key);
    return property !== undefined && "value" in property && holdsGuess(property.value, depth + 1);
  });
}
