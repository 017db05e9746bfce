import type { Evaluator } from "../nix/evaluator.ts";
import type { Attrs, Slot } from "../nix/value.ts";
import { toByteString } from "../util/bytes.ts";
import { TsosError } from "../error/tsos-error.ts";
import { tellFailedAssertions } from "./failed-assertions.ts";
import { unsettled } from "./module-calls.ts";
import type { NixBridge } from "./nix-bridge.ts";

/** Modules of a Nix expression with definitions of TypeScript among them, evaluated as far as they are looked at. */
export type SettledModules = {
  readonly config: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly pkgs: Readonly<Record<string, unknown>>;
  /** The derivation of the whole. */
  readonly toplevel: unknown;
  /**
   * What somebody reads of it, when what all modules read is settled: of variants and of modules in options' values that
   * is known only when they were evaluated for it.
   */
  settled<T>(read: () => T): T;
};

/** What a machine or a home is evaluated from. */
export type ModulesOfInput = {
  /** The store path of nixpkgs' tree. */
  readonly nixpkgs: string;
  readonly modules: readonly unknown[];
  /** nixpkgs' own `config`, and overlays. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  readonly overlays: readonly unknown[] | undefined;
  readonly system: string;
};

export type ModuleEvaluation = {
  /** What lists the modules: a set with `config`, `options` and `pkgs`. Called once a round. */
  readonly evaluate: () => Attrs;
  /** What modules see that look at the configuration in the first round. */
  readonly base: () => { readonly config: Slot; readonly options: Slot; readonly packages: Slot };
  /** Where the derivation of the whole stands, in `config`. */
  readonly toplevel: readonly string[];
  /** Holds back what the expression prints until it is known whether the round counts; the call that it gives prints or drops it. */
  readonly holdOutput: () => (isKept: boolean) => void;
  /** What is wrong where what evaluates the modules gives no such attribute. */
  readonly noModules: (name: string) => TsosError;
  /** What is wrong where the module system does not give what modules of TypeScript need. */
  readonly tooOld: () => TsosError;
};

const MOST_ROUNDS = 30;

/**
 * Evaluates modules again until what those of TypeScript read is so.
 *
 * @throws TsosError `nix.evaluation`, `nix.unsettled`
 */
export function settleModules(evaluator: Evaluator, bridge: NixBridge, { evaluate, base, toplevel: path, holdOutput, noModules, tooOld }: ModuleEvaluation): SettledModules {
  const e = evaluator;
  bridge.modules.begin(base, tooOld);
  const select = (name: string): Slot =>
    e.lazy(() => {
      const slot = system().get(toByteString(name));
      if (slot === undefined) throw noModules(name);
      return e.force(slot);
    });
  let found: Attrs | undefined;
  const system = (): Attrs => (found ??= evaluate());
  let rounds = 1;
  /** Evaluates again until what was read so far is so. */
  const settle = (): boolean => {
    let again = false;
    for (; ; rounds++) {
      const release = holdOutput();
      let failure: { readonly error: unknown } | undefined;
      try {
        // Enough to call every module.
        bridge.run(() => e.force(select("options")));
      } catch (error) {
        // What modules saw may not be so; then this says nothing yet.
        if (!(error instanceof TsosError)) {
          release(true);
          throw error;
        }
        failure = { error };
      }
      const changes = bridge.modules.changes();
      release(changes.length === 0);
      if (changes.length === 0) {
        if (failure !== undefined) throw failure.error;
        break;
      }
      if (rounds >= MOST_ROUNDS) throw unsettled(changes);
      again = true;
      bridge.modules.nextRound();
      found = undefined;
    }
    const [failed] = bridge.modules.failures();
    if (failed !== undefined) throw failed;
    return again;
  };
  settle();
  const view = (name: string): Readonly<Record<string, unknown>> => bridge.toTypeScript(select(name)) as Readonly<Record<string, unknown>>;
  const settled = <T>(read: () => T): T => {
    for (;;) {
      const release = holdOutput();
      let outcome: { readonly value: T } | { readonly error: unknown };
      try {
        outcome = { value: read() };
      } catch (error) {
        // Modules in values of options are called only now, and what they saw may not be so.
        outcome = { error };
      }
      const isFinal = ("error" in outcome && !(outcome.error instanceof TsosError)) || bridge.modules.changes().length === 0;
      release(isFinal);
      if (isFinal && "error" in outcome) throw tellFailedAssertions(e, (slot) => bridge.toTypeScript(slot), select("config"), outcome.error);
      if (!settle() && "value" in outcome) return outcome.value;
    }
  };
  return {
    get config() {
      return view("config");
    },
    get options() {
      return view("options");
    },
    get pkgs() {
      return view("pkgs");
    },
    get toplevel() {
      return settled(() => {
        const toplevel = path.reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>>)[name], view("config"));
        void (toplevel as { readonly drvPath: string }).drvPath;
        return toplevel;
      });
    },
    settled,
  };
}
