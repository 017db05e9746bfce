import type { PackageValue, SecretValue } from "./foreign-types.ts";
import type { Module } from "./module.ts";
import type { AnyModified, Definable, Modified } from "./modifier.ts";
import type { Option, OptionDefinition, OptionValue } from "./option.ts";
import type { OptionsOf } from "./options-view.ts";
import type { JsonObjectDefinition } from "./types/json.ts";
import type { DeclaredOptions, DeclaredShellOptions, OptionModules, ShellOptionModules } from "./registry.ts";

/** What `config` reads of a tree of declared options. */
export type ConfigOf<T> = {
  readonly [K in keyof T]: T[K] extends Option ? OptionValue<T[K]> : ConfigOf<T[K]>;
};

/** What a module may define of a tree of declared options: any part of it, modified at any depth. */
export type DefinitionsOf<T> = {
  readonly [K in keyof T]?: Definable<T[K] extends Option ? OptionDefinition<T[K]> : DefinitionsOf<T[K]>> | undefined;
};

export type IntersectionOf<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never;

// The trees are intersected before they are mapped: so an option's type is computed when it is looked at, and an
// option that two modules declare has both types.
type AllOptions = DeclaredOptions & IntersectionOf<TreeOf<OptionModules[keyof OptionModules]>>;
type AllShellOptions = DeclaredShellOptions & IntersectionOf<TreeOf<ShellOptionModules[keyof ShellOptionModules]>>;

declare const DECLARED: unique symbol;

/** A module that says by its type what it declares: `typeof` of it may stand in `OptionModules`. */
export type DeclaringModule<Tree> = Module & { readonly [DECLARED]: Tree };

type TreeOf<T> = T extends { readonly [DECLARED]: infer Tree } ? Tree : T;

type Path = readonly string[];

// An interface, whose members are looked at only when a path is: what is in the trees may name a path in them.
interface Trees {
  readonly system: AllOptions;
  readonly shell: AllShellOptions;
}

type OptionIn<T, P extends Path> = P extends readonly [infer Name extends string, ...infer Rest extends Path] ? (Name extends keyof T ? OptionIn<T[Name], Rest> : never) : T;

/**
 * The option that stands at a path: what another name of it is declared as. What is inside an option's value, or of no
 * known module, is checked by the evaluation alone.
 * @example
 * declare module "tsos" {
 *   interface OptionModules {
 *     mine: { services: { /** @deprecated It is `services.openssh`. *\/ sshd: OptionAt<["services", "openssh"]> } };
 *   }
 * }
 */
export type OptionAt<P extends Path> = [OptionIn<Trees, readonly ["system", ...P]>] extends [never]
  ? [OptionIn<Trees, readonly ["shell", ...P]>] extends [never] ? Option : OptionIn<Trees, readonly ["shell", ...P]>
  : OptionIn<Trees, readonly ["system", ...P]>;

/** The tree with one option, at `From`, which is another name of that at `To`. Its type is looked for when it is asked for. */
export type AliasTree<From extends Path, To extends Path> = From extends readonly [infer Name extends string, ...infer Rest extends Path]
  ? Rest extends readonly [] ? { readonly [N in Name]: OptionAt<To> } : { readonly [N in Name]: AliasTree<Rest, To> }
  : unknown;

/** The tree with one option of a given type. */
export type SingleTree<P extends Path, O extends Option> = P extends readonly [infer Name extends string, ...infer Rest extends Path]
  ? Rest extends readonly [] ? { readonly [N in Name]: O } : { readonly [N in Name]: SingleTree<Rest, O> }
  : unknown;

declare const REMOVED: unique symbol;

/** What may be written where an option was that is gone: nothing. Its name is in the type checker's error, with what to do. */
export interface OptionRemoved<Replacement extends string> {
  readonly [REMOVED]: Replacement;
}

// Interfaces, not aliases: their members are resolved when first used, which is what keeps the type of an option
// whose default mentions `pkgs` from depending on itself.
/** The whole configuration as modules read it. */
export interface Config extends ConfigOf<AllOptions> {}
/** The declared options as modules see them: whether they are defined, by whom, with which priority. */
export interface Options extends OptionsOf<AllOptions> {}
/** What a module may define. */
export interface Definitions extends DefinitionsOf<AllOptions> {}
/** The configuration of a dev shell. */
export interface ShellConfig extends ConfigOf<AllShellOptions> {}
/** The declared options of a dev shell. */
export interface ShellOptions extends OptionsOf<AllShellOptions> {}
/** What a dev shell may define. */
export interface ShellDefinitions extends DefinitionsOf<AllShellOptions> {}

declare const NO_SUCH_OPTION: unique symbol;

/** What the type checker names where a definition has no option, with the nearest name that there is. */
export interface NoSuchOption<Name, DidYouMean = never> {
  readonly [NO_SUCH_OPTION]: readonly [Name, DidYouMean];
}

// No symbols: `Modified` is one, and what it holds is looked into.
type Opaque = PackageValue | SecretValue | string | number | bigint | boolean | null | undefined;
type Function = (...args: never) => unknown;
type KeysOf<D> = D extends unknown ? keyof D : never;
type At<D, K> = D extends unknown ? (K extends keyof D ? D[K] : never) : never;
type Plain<D> = Exclude<D, AnyModified | undefined>;

// Whether one letter that is missing, too many or another, or two that are exchanged, make `A` of `B`: what they begin
// with is left out, and the rest is compared once. An editor asks this of every name beside the one that is being typed.
type IsSlip<A extends string, B extends string> = A extends `${infer First}${infer RestA}`
  ? B extends `${First}${infer RestB}`
    ? IsSlip<RestA, RestB>
    : B extends `${infer Other}${infer RestB}`
      ? RestA extends RestB | B
        ? true
        : A extends RestB
          ? true
          : RestA extends `${Other}${infer End}` ? (RestB extends `${First}${End}` ? true : false) : false
      : RestA extends "" ? true : false
  : B extends `${string}${infer RestB}` ? (RestB extends "" ? true : false) : false;
/**
 * Of `Names` those that are a slip away from `Wrong`. A name that is being typed is wrong at every key, and mostly a
 * beginning of many others: so most of `Names` are told by a single look at how they begin or end.
 */
type Nearest<Wrong, Names> = Wrong extends `${infer A}${infer B}${infer Rest}`
  ? Rest extends "" ? never : Slip<Wrong, Extract<Names, `${A}${string}` | `${string}${B}${Rest}` | `${B}${A}${Rest}`>>
  : never;
type Slip<Wrong extends string, Names> = Names extends string
  ? Names extends `${Wrong}${infer _Next}${infer Rest}`
    ? Rest extends "" ? Names : never
    : IsSlip<Wrong, Names> extends true ? Names : never
  : never;

/**
 * What is asked of a function's result `R` beyond being assignable to `D`: no property that `D` does not have,
 * at any depth. The type checker looks for those only in literals that it can see the target of, and the
 * result of a function is not one.
 */
export type Exact<R, D> = R extends Opaque
  ? unknown
  : R extends Modified<infer Content>
    ? Modified<Only<Content, D>>
    : R extends (...args: never) => infer Result
      ? (...args: never) => Exact<Result, D extends (...args: never) => infer Returned ? Plain<Returned> : never>
      : R extends readonly unknown[]
        ? { readonly [I in keyof R]: Exact<R[I], D extends readonly (infer Element)[] ? Plain<Element> : never> }
        : [KeysOf<Exclude<D, Function>>] extends [never]
          ? unknown
          : { readonly [K in keyof R]: K extends KeysOf<D> ? ExactIfWrong<R[K], Plain<At<D, K>>> : NoSuchOption<K, Nearest<K, KeysOf<Exclude<D, Function>>>> };

// What is right need not be compared with what it should be.
type ExactIfWrong<R, D> = [Excess<R, D>] extends [never] ? unknown : Exact<R, D>;

/**
 * What a function that returned an `R` should have returned. Where it has nothing that a `D` has not, it is a `D`, so
 * that the type checker says at which property it is not, and an editor shows what it is; else it says what is
 * too much.
 */
export type Result<R, D> = [Excess<R, D>] extends [never] ? Definable<D> : Only<R, D>;

// The names of `R`, at any depth, that `D` does not have. It asks what `Exact` asks, but makes no type that `R` would have
// to be compared with: an editor asks it after every key, and mostly there are none. Where `R` is `D` itself, as what
// `mkIf` makes of its context, there is nothing to look for, and much to look through.
type Excess<R, D> = [D] extends [R] ? never : ExcessIn<R, D>;
type ExcessIn<R, D> = R extends Opaque
  ? never
  : R extends Modified<infer Content>
    ? Excess<Content, D>
    : R extends (...args: never) => infer Result
      ? Excess<Result, D extends (...args: never) => infer Returned ? Plain<Returned> : never>
      : R extends readonly (infer Item)[]
        ? ExcessIn<Item, D extends readonly (infer Element)[] ? Plain<Element> : never>
        : [KeysOf<Exclude<D, Function>>] extends [never]
          ? never
          : TakesJson<D> extends true
            ? never
            : { readonly [K in keyof R]-?: K extends KeysOf<D> ? ExcessIn<R[K], Plain<At<D, K>>> : K }[keyof R];

// JSON takes every name, and what a module puts there may be as deep as itself.
type TakesJson<D> = string extends KeysOf<D> ? ([JsonObjectDefinition] extends [D] ? true : false) : false;

// Each result of a function with several is looked at on its own.
type Only<R, D> = [D] extends [R] ? R : R extends unknown ? R & Exact<R, D> : never;

/**
 * What a module's `config` should have been: the function or the object that it is, of which the result is a `D`.
 * A type parameter for the whole function, and not for its result, lets the type checker show an error at its
 * property: it does so only for a parameter that is a single function.
 */
export type Checked<C, Arguments, D> = C extends (...args: never) => infer R
  ? (args: Arguments) => Result<R, D>
  : Definable<D> | InferredFrom<C>;

// It is never anything, and the type checker infers `C` from what stands in its place.
type InferredFrom<C> = unknown extends C ? never : C extends object ? never : C;

declare const UNWRITTEN: unique symbol;

/** In the default of a type parameter: there was nothing to infer it from. */
export interface Unwritten {
  readonly [UNWRITTEN]: true;
}

/**
 * What is asked once more of a part of a module that is written, such as its `config`. Where a part may be missing, its
 * type has `undefined` in it, and then the type checker shows an error at the part and not at the property inside.
 */
export type Written<Name extends string, C, Arguments, D> = C extends Unwritten ? unknown : C extends Function ? { readonly [N in Name]: Checked<C, Arguments, D> } : unknown;
