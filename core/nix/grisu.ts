/**
 * The digits that Grisu2 (Loitsch, 2010) finds for a float. They always read back as the same float; in a few cases of a
 * thousand they are not the shortest or not the nearest ones, and toJSON must have the same.
 */

type Scaled = { readonly f: bigint; readonly e: number };

const MASK = (1n << 64n) - 1n;

/** `value` is positive and finite; the result is digits and the power of ten of the last one. */
export function grisuDigits(value: number): { readonly digits: string; readonly exponent: number } {
  const bits = new BigUint64Array(new Float64Array([value]).buffer)[0]!;
  const fraction = bits & ((1n << 52n) - 1n);
  const biased = Number(bits >> 52n);
  const v: Scaled = biased === 0 ? { f: fraction, e: -1074 } : { f: fraction | (1n << 52n), e: biased - 1075 };
  const plus = normalise({ f: 2n * v.f + 1n, e: v.e - 1 });
  const closer = fraction === 0n && biased > 1;
  const below: Scaled = closer ? { f: 4n * v.f - 1n, e: v.e - 2 } : { f: 2n * v.f - 1n, e: v.e - 1 };
  const minus: Scaled = { f: below.f << BigInt(below.e - plus.e), e: plus.e };

  const { power, k } = powerFor(plus.e);
  const w = multiply(normalise(v), power);
  const low = multiply(minus, power).f + 1n;
  const high = multiply(plus, power);
  return generate(low, w.f, { f: high.f - 1n, e: high.e }, -k);
}

function normalise({ f, e }: Scaled): Scaled {
  const shift = 64 - f.toString(2).length;
  return { f: f << BigInt(shift), e: e - shift };
}

function multiply(x: Scaled, y: Scaled): Scaled {
  return { f: ((x.f * y.f + (1n << 63n)) >> 64n) & MASK, e: x.e + y.e + 64 };
}

/** A power of ten, of every eighth, that brings the exponent between -60 and -32. */
function powerFor(e: number): { readonly power: Scaled; readonly k: number } {
  const f = -60 - e - 1;
  const wanted = Math.trunc((f * 78913) / (1 << 18)) + (f > 0 ? 1 : 0);
  const k = -300 + 8 * Math.trunc((300 + wanted + 7) / 8);
  if (k >= 0) {
    const exact = 10n ** BigInt(k);
    const excess = exact.toString(2).length - 64;
    return { power: { f: excess > 0 ? (exact + (1n << BigInt(excess - 1))) >> BigInt(excess) : exact << BigInt(-excess), e: excess }, k };
  }
  const divisor = 10n ** BigInt(-k);
  const shift = 63 + divisor.toString(2).length;
  const numerator = 1n << BigInt(shift);
  return { power: { f: (numerator + divisor / 2n) / divisor, e: -shift }, k };
}

function generate(low: bigint, middle: bigint, high: Scaled, exponent: number): { digits: string; exponent: number } {
  let delta = high.f - low;
  let distance = high.f - middle;
  const shift = BigInt(-high.e);
  const one = 1n << shift;
  let whole = high.f >> shift;
  let rest = high.f & (one - 1n);
  const digits: number[] = [];
  let power = 10n ** BigInt(whole.toString().length - 1);
  for (let left = whole.toString().length; left > 0; power /= 10n) {
    digits.push(Number(whole / power));
    whole %= power;
    left--;
    const remaining = (whole << shift) + rest;
    if (remaining <= delta) return round(digits, exponent + left, distance, delta, remaining, power << shift);
  }
  for (let done = 1; ; done++) {
    rest *= 10n;
    digits.push(Number(rest >> shift));
    rest &= one - 1n;
    delta *= 10n;
    distance *= 10n;
    if (rest <= delta) return round(digits, exponent - done, distance, delta, rest, one);
  }
}

/** Brings the last digit nearer to the value, as far as it stays between the neighbours. */
function round(digits: number[], exponent: number, distance: bigint, delta: bigint, start: bigint, step: bigint): { digits: string; exponent: number } {
  let rest = start;
  while (rest < distance && delta - rest >= step && (rest + step < distance || distance - rest > rest + step - distance)) {
    digits[digits.length - 1]!--;
    rest += step;
  }
  return { digits: digits.join(""), exponent };
}
