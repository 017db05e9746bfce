import { calculate } from "../calculate.ts";
import type { Evaluator } from "../evaluator.ts";
import { formatFloat } from "../format-float.ts";
import { toInteger } from "../integer.ts";
import { NixFloat, NO_POSITION, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-definition.ts";

export function numberBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const bits = (name: string, compute: (a: bigint, b: bigint) => bigint): BuiltinDefinition => [name, 2, ([a, b]) => {
    const left = e.forceInteger(a!, NO_POSITION, `while evaluating the first argument passed to builtins.${name}`);
    const right = e.forceInteger(b!, NO_POSITION, `while evaluating the second argument passed to builtins.${name}`);
    return toInteger(BigInt.asIntN(64, compute(BigInt(left), BigInt(right))))!;
  }];
  /** Through a float, as there: an integer that no float holds is refused. */
  const round = (name: string, compute: (x: number) => number): BuiltinDefinition => [name, 1, ([v], pos) => {
    const value = e.forceNumber(v!, `while evaluating the first argument passed to builtins.${name}`);
    const result = compute(value instanceof NixFloat ? value.value : Number(value));
    const whole = Number.isFinite(result) ? toInteger(BigInt(result)) : undefined;
    if (value instanceof NixFloat) {
      if (whole === undefined) throw e.error("eval", `NixFloat argument ${formatFloat(value.value)} is not in the range of NixInt`, pos);
      return whole;
    }
    if (whole === undefined) throw e.error("eval", `${ROUNDING} the NixInt argument ${value} caused undefined behavior in previous Nix versions.\n\tFuture Nix versions might implement the correct behavior.`, pos);
    if (whole !== value) {
      throw e.error("eval", `${ROUNDING} a loss of precision occurred in previous Nix versions because the NixInt argument ${value} was rounded to ${whole}.\n\tFuture Nix versions might implement the correct behavior.`, pos);
    }
    return value;
  }];
  const arithmetic = (name: string, operator: "+" | "-" | "*"): BuiltinDefinition => [name, 2, ([a, b]) => calculate(e, operator, e.force(a!), e.force(b!))];
  return [
    arithmetic("add", "+"), arithmetic("sub", "-"), arithmetic("mul", "*"),
    ["div", 2, ([a, b]) => {
      const left = e.force(a!);
      const right: Value = e.force(b!);
      const divisor = e.forceNumber(right, "while evaluating the second operand of the division");
      if ((divisor instanceof NixFloat ? divisor.value : Number(divisor)) === 0) throw e.error("eval", "division by zero");
      return calculate(e, "/", left, right);
    }],
    ["lessThan", 2, ([a, b]) => e.lessThan(e.force(a!), e.force(b!), "")],
    bits("bitAnd", (a, b) => a & b), bits("bitOr", (a, b) => a | b), bits("bitXor", (a, b) => a ^ b),
    round("ceil", Math.ceil), round("floor", Math.floor),
  ];
}

const ROUNDING = "Due to a bug (see https://github.com/NixOS/nix/issues/12899)";
