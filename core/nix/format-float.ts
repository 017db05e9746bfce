/** C's `%g`: six significant digits, no zeros at the end. */
export function formatFloat(value: number): string {
  return formatGeneral(value, 6);
}

export function formatGeneral(value: number, precision: number): string {
  if (Number.isNaN(value)) return isNegativeNan(value) ? "-nan" : "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const exponential = value.toExponential(precision - 1);
  const exponent = Number(exponential.slice(exponential.indexOf("e") + 1));
  if (exponent < -4 || exponent >= precision) {
    const mantissa = exponential.slice(0, exponential.indexOf("e"));
    const digits = String(Math.abs(exponent)).padStart(2, "0");
    return `${trimZeros(mantissa)}e${exponent < 0 ? "-" : "+"}${digits}`;
  }
  return trimZeros(value.toFixed(precision - 1 - exponent));
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** C's `%f`, as a float becomes part of a string. */
export function coerceFloat(value: number): string {
  if (Number.isNaN(value)) return isNegativeNan(value) ? "-nan" : "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Math.abs(value) < 1e21) return Object.is(value, -0) ? "-0.000000" : value.toFixed(6);
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
