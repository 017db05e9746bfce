import type { Forcing } from "./forcing.ts";
import { addIntegers, divideIntegers, multiplyIntegers, subtractIntegers } from "./integer.ts";
import { NixFloat, NO_POSITION, type Value } from "./value.ts";

/** `-`, `*`, `/` and `+` of numbers, with the builtins' words. */
export function calculate(e: Forcing, operator: "+" | "-" | "*" | "/", left: Value, right: Value): Value {
  if (typeof left === "number" && typeof right === "number") {
    const result = compute(operator, left, right);
    if (result !== undefined) return result;
  }
  const word = operator === "+" ? "addition" : operator === "-" ? "subtraction" : operator === "*" ? "multiplication" : "division";
  const [first, second] = operator === "/" ? ["first operand", "second operand"] : ["first argument", "second argument"];
  if (left instanceof NixFloat || right instanceof NixFloat) {
    const a = e.forceNumber(left, `while evaluating the ${operator === "*" ? "first" : first} of the ${word}`);
    const b = e.forceNumber(right, `while evaluating the ${second} of the ${word}`);
    const x = a instanceof NixFloat ? a.value : Number(a);
    const y = b instanceof NixFloat ? b.value : Number(b);
    return new NixFloat(operator === "+" ? x + y : operator === "-" ? x - y : operator === "*" ? x * y : x / y);
  }
  const a = e.forceInteger(left, NO_POSITION, `while evaluating the ${first} of the ${word}`);
  const b = e.forceInteger(right, NO_POSITION, `while evaluating the ${second} of the ${word}`);
  const result = compute(operator, a, b);
  if (result !== undefined) return result;
  const doing = operator === "+" ? "adding" : operator === "-" ? "subtracting" : operator === "*" ? "multiplying" : "dividing";
  throw e.error("overflow", `integer overflow in ${doing} ${a} ${operator} ${b}`);
}

/** Undefined where the result does not fit. */
function compute(operator: "+" | "-" | "*" | "/", a: number | bigint, b: number | bigint): number | bigint | undefined {
  switch (operator) {
    case "+":
      return addIntegers(a, b);
    case "-":
      return subtractIntegers(a, b);
    case "*":
      return multiplyIntegers(a, b);
    case "/":
      return divideIntegers(a, b);
  }
}
