import { NO_POSITION, type Evaluator } from "../evaluator.ts";
import { toInteger } from "../integer.ts";
import { NixFloat, type Value } from "../value.ts";
import type { BuiltinDefinition } from "./builtin-table.ts";

export function numberBuiltins(e: Evaluator): readonly BuiltinDefinition[] {
  const bits = (name: string, compute: (a: bigint, b: bigint) => bigint): BuiltinDefinition => [name, 2, ([a, b]) => {
    const left = e.forceInteger(a!, NO_POSITION, `while evaluating the first argument passed to builtins.${name}`);
    const right = e.forceInteger(b!, NO_POSITION, `while evaluating the second argument passed to builtins.${name}`);
    return toInteger(BigInt.asIntN(64, compute(BigInt(left), BigInt(right))))!;
  }];
  const round = (name: string, compute: (x: number) => number): BuiltinDefinition => [name, 1, ([v]) => {
    const value = e.forceNumber(v!, `while evaluating the first argument passed to builtins.${name}`);
    if (!(value instanceof NixFloat)) return value;
    const result = compute(value.value);
    const whole = Number.isFinite(result) ? toInteger(BigInt(result)) : undefined;
    if (whole === undefined) throw e.error("eval", `NixFloat argument ${formatArgument(value.value)} is not in the range of NixInt`);
    return whole;
  }];
  const arithmetic = (name: string, operator: "+" | "-" | "*"): BuiltinDefinition => [name, 2, ([a, b]) => e.calculate(operator, e.force(a!), e.force(b!))];
  return [
    arithmetic("add", "+"), arithmetic("sub", "-"), arithmetic("mul", "*"),
    ["div", 2, ([a, b]) => {
      const right: Value = e.force(b!);
      const divisor = e.forceNumber(right, "while evaluating the second operand of the division");
      if ((divisor instanceof NixFloat ? divisor.value : Number(divisor)) === 0) throw e.error("eval", "division by zero");
      return e.calculate("/", e.force(a!), right);
    }],
    ["lessThan", 2, ([a, b]) => e.lessThan(e.force(a!), e.force(b!), "")],
    bits("bitAnd", (a, b) => a & b), bits("bitOr", (a, b) => a | b), bits("bitXor", (a, b) => a ^ b),
    round("ceil", Math.ceil), round("floor", Math.floor),
  ];
}

function formatArgument(value: number): string {
  return Number.isNaN(value) ? "nan" : Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}
