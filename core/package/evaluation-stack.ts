import { TsosError } from "../error/tsos-error.ts";

/** The packages whose evaluation is under way, outermost first, so that one that needs itself is an error. */
export type EvaluationStack = {
  /**
   * Runs `evaluate` as the evaluation of `owner`.
   * @throws TsosError `package.infinite-recursion` when `owner` is being evaluated already; it names the cycle.
   */
  run<T>(owner: object, name: string, evaluate: () => T): T;
};

export function createEvaluationStack(): EvaluationStack {
  const frames: { readonly owner: object; readonly name: string }[] = [];
  return {
    run(owner, name, evaluate) {
      const start = frames.findIndex((frame) => frame.owner === owner);
      if (start !== -1) {
        const cycle = [...frames.slice(start).map((frame) => frame.name), name];
        // One package may stand on the stack for its definition and for its derivation: say it once.
        const names = cycle.filter((item, index) => index === 0 || item !== cycle[index - 1]);
        if (names.length === 1) names.push(name);
        throw new TsosError({
          code: "package.infinite-recursion",
          message: `package "${name}" needs itself: ${names.join(" → ")}`,
          hint: "break the cycle: one of these must not have the next among its inputs",
          data: { cycle: names },
        });
      }
      frames.push({ owner, name });
      try {
        return evaluate();
      } finally {
        frames.pop();
      }
    },
  };
}
