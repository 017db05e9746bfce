/** C's `%g`: six significant digits, no zeros at the end. */
export function formatFloat(value: number): string {
  return formatGeneral(value, 6);
}

export function formatGeneral(value: number, precision: number): string {
  if (Number.isNaN(value)) return isNegativeNan(value) ? "-nan" : "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const exponential = roundTies(value.toExponential(precision - 1), value.toExponential(precision), value.toExponential(FAR));
  const exponent = Number(exponential.slice(exponential.indexOf("e") + 1));
  if (exponent < -4 || exponent >= precision) {
    const mantissa = exponential.slice(0, exponential.indexOf("e"));
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${trimZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  // Of the same digits: no rounding of its own.
  return trimZeros(placePoint(exponential, exponent));
}

/** Digits beyond which none is left of a float that ends soon enough to lie halfway. */
const FAR = 100;

/**
 * C rounds what lies exactly halfway to the even digit, the machine's own functions away from zero. `more` has one digit
 * more than `rounded`, `exact` all of them.
 */
function roundTies(rounded: string, more: string, exact: string): string {
  const [digits, tail = ""] = more.split("e");
  if (!digits!.endsWith("5") || !/^0*$/.test(exact.split("e")[0]!.slice(digits!.length))) return rounded;
  const cut = digits!.slice(0, -1);
  if ((cut.charCodeAt(cut.endsWith(".") ? cut.length - 2 : cut.length - 1) & 1) === 1) return rounded;
  return `${cut.endsWith(".") ? cut.slice(0, -1) : cut}${tail === "" ? "" : `e${tail}`}`;
}

/** `d.ddde±n` without an exponent. */
function placePoint(exponential: string, exponent: number): string {
  const sign = exponential.startsWith("-") ? "-" : "";
  const digits = exponential.slice(sign.length, exponential.indexOf("e")).replace(".", "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  return exponent + 1 >= digits.length ? sign + digits : `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** C's `%f`, as a float becomes part of a string. */
export function coerceFloat(value: number): string {
  if (Number.isNaN(value)) return isNegativeNan(value) ? "-nan" : "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Math.abs(value) < 1e21) return Object.is(value, -0) ? "-0.000000" : roundTies(value.toFixed(6), value.toFixed(7), value.toFixed(FAR));
  // toFixed gives up here; such a float is a whole number.
  return `${BigInt(value)}.000000`;
}

const NUMBER = new Float64Array(1);
const BITS = new BigUint64Array(NUMBER.buffer);

/** What is no number has a sign too: the machine's own (∞ - ∞) is negative, and C prints it. */
function isNegativeNan(value: number): boolean {
  NUMBER[0] = value;
  return BITS[0]! >> 63n === 1n;
}
