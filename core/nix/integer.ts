import { NixFloat } from "./value.ts";

export type Integer = number | bigint;

const MINIMUM = -(2n ** 63n);
const MAXIMUM = 2n ** 63n - 1n;

/** The shortest form, or undefined when it does not fit into 64 bits. */
export function toInteger(value: bigint): Integer | undefined {
  if (value > MAXIMUM || value < MINIMUM) return undefined;
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export function addIntegers(a: Integer, b: Integer): Integer | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return toInteger(BigInt(a) + BigInt(b));
}

export function subtractIntegers(a: Integer, b: Integer): Integer | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const difference = a - b;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return toInteger(BigInt(a) - BigInt(b));
}

export function multiplyIntegers(a: Integer, b: Integer): Integer | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const product = a * b;
    // Whole numbers have no negative zero.
    if (Number.isSafeInteger(product)) return product + 0;
  }
  return toInteger(BigInt(a) * BigInt(b));
}

/** Towards zero; the divisor is not zero. */
export function divideIntegers(a: Integer, b: Integer): Integer | undefined {
  if (typeof a === "number" && typeof b === "number") return Math.trunc(a / b) + 0;
  return toInteger(BigInt(a) / BigInt(b));
}

/** a < b, an integer beside a float as a float. */
export function compareNumbers(a: Integer | NixFloat, b: Integer | NixFloat): boolean {
  if (a instanceof NixFloat || b instanceof NixFloat) return (a instanceof NixFloat ? a.value : Number(a)) < (b instanceof NixFloat ? b.value : Number(b));
  return a < b;
}
