import type { PackageValue, SecretValue } from "./foreign-types.ts";
import type { Modified, Definable } from "./modifier.ts";
import type { Option, OptionDefinition, OptionValue } from "./option.ts";
import type { OptionModules, ShellOptionModules } from "./registry.ts";

/** What `config` reads of a tree of declared options. */
export type ConfigOf<T> = {
  readonly [K in keyof T]: T[K] extends Option ? OptionValue<T[K]> : ConfigOf<T[K]>;
};

/** What a module may define of a tree of declared options: any part of it, modified at any depth. */
export type DefinitionsOf<T> = {
  readonly [K in keyof T]?: Definable<T[K] extends Option ? OptionDefinition<T[K]> : DefinitionsOf<T[K]>> | undefined;
};

type IntersectionOf<U> = (U extends unknown ? (value: U) => void : never) extends (value: infer I) => void ? I : never;

// The trees are intersected before they are mapped: so an option's type is computed when it is looked at, and an
// option that two modules declare has both types.
type AllOptions = IntersectionOf<OptionModules[keyof OptionModules]>;
type AllShellOptions = IntersectionOf<ShellOptionModules[keyof ShellOptionModules]>;

// Interfaces, not aliases: their members are resolved when first used, which is what keeps the type of an option
// whose default mentions `pkgs` from depending on itself.
/** The whole configuration as modules read it. */
export interface Config extends ConfigOf<AllOptions> {}
/** What a module may define. */
export interface Definitions extends DefinitionsOf<AllOptions> {}
/** The configuration of a dev shell. */
export interface ShellConfig extends ConfigOf<AllShellOptions> {}
/** What a dev shell may define. */
export interface ShellDefinitions extends DefinitionsOf<AllShellOptions> {}

declare const NO_SUCH_OPTION: unique symbol;

/** What the type checker names where a definition has no option. */
export interface NoSuchOption<Name> {
  readonly [NO_SUCH_OPTION]: Name;
}

type Opaque = PackageValue | SecretValue | string | number | bigint | boolean | symbol | null | undefined;
type Function = (...args: never) => unknown;
type KeysOf<D> = D extends unknown ? keyof D : never;
type At<D, K> = D extends unknown ? (K extends keyof D ? D[K] : never) : never;
type Plain<D> = Exclude<D, Modified<unknown> | undefined>;

/**
 * What is asked of a function's result `R` beyond being assignable to `D`: no property that `D` does not have,
 * at any depth. The type checker looks for those only in literals that it can see the target of, and the
 * result of a function is not one.
 */
export type Exact<R, D> = R extends Opaque
  ? unknown
  : R extends Modified<infer Content>
    ? Modified<Exact<Content, D>>
    : R extends (...args: never) => infer Result
      ? (...args: never) => Exact<Result, D extends (...args: never) => infer Returned ? Plain<Returned> : never>
      : R extends readonly unknown[]
        ? { readonly [I in keyof R]: Exact<R[I], D extends readonly (infer Element)[] ? Plain<Element> : never> }
        : [KeysOf<Exclude<D, Function>>] extends [never]
          ? unknown
          : { readonly [K in keyof R]: K extends KeysOf<D> ? Exact<R[K], Plain<At<D, K>>> : NoSuchOption<K> };

/**
 * A function's result that must be a `D` and nothing more. No union: a function with several `return`s has a union
 * for a result, and all of it must be inferred as `R`.
 */
export type Result<R, D> = R & (D extends R ? unknown : Exact<R, D>);
