import { TsosError } from "../error/tsos-error.ts";
import type { Evaluator } from "../nix/evaluator.ts";
import type { Slot, Value } from "../nix/value.ts";
import type { LateTexts } from "./late-texts.ts";
import type { Oracle } from "./late-views.ts";
import type { ModuleCalls } from "./module-calls.ts";
import type { NixFailures } from "./nix-failures.ts";

/** What the two ways across share, of one evaluation. */
export type Border = {
  readonly evaluator: Evaluator;
  readonly failures: NixFailures;
  readonly texts: LateTexts;
  /** What modules written in TypeScript looked at, of every evaluation of modules. */
  readonly modules: ModuleCalls;
  /** What a view stands for: it goes back as that. */
  readonly origins: WeakMap<object, Slot>;
  /** What views of a running module were in the round before. */
  readonly befores: WeakMap<object, NonNullable<Oracle>>;
  /** @throws TsosError `nix.evaluation` with the trace of the expression */
  toTypeScript(slot: Slot, before?: () => Slot | undefined): unknown;
  /** The same of a value that is evaluated. */
  show(value: Value): unknown;
  /** @throws TsosError `nix.not-a-value` for what the language cannot have */
  toNix(value: unknown): Slot;
  /** The same for objects and functions when the language wants them. */
  lazily(value: unknown): Slot;
  /** A view of a value that is evaluated when it is used. */
  pending(slot: Slot): object;
  /** The user's own code, called by the language. */
  callBack(body: () => unknown): Slot;
  /** What to do instead where something depends on what is being evaluated right now; all else is an error. */
  unlessRecursive<T>(body: () => T, otherwise: (error: TsosError) => T): T;
};

/** Traps of a view that cannot be changed. */
export function readOnly(what: string): Pick<ProxyHandler<object>, "set" | "defineProperty" | "deleteProperty" | "setPrototypeOf" | "preventExtensions"> {
  const refuse = (): never => {
    throw new TsosError({ code: "nix.read-only", message: `${what} of a Nix expression cannot be changed`, hint: "make a new value: { ...set, name: value }" });
  };
  return { set: refuse, defineProperty: refuse, deleteProperty: refuse, setPrototypeOf: refuse, preventExtensions: () => false };
}
