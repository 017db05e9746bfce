import type { ByteString } from "../util/bytes.ts";

/**
 * A TOML date, time or both as the reference writes it: `T` between them, a fraction of three, six or nine digits, UTC as
 * `Z`. Undefined where it is none.
 */
export function formatTomlTime(text: ByteString): ByteString | undefined {
  const match = /^(?:(\d{4})-(\d{2})-(\d{2}))?(?:([Tt ])?(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})?)?$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, separator, hour, minute, second, fraction, offset] = match;
  if (year === undefined && hour === undefined) return undefined;
  if (year !== undefined && hour !== undefined && separator === undefined) return undefined;
  if (year === undefined && (separator !== undefined || offset !== undefined)) return undefined;
  let out = "";
  if (year !== undefined) {
    if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > daysOf(Number(year), Number(month))) return undefined;
    out = `${year}-${month!}-${day!}`;
  }
  if (hour === undefined) return out;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (year !== undefined) out += "T";
  out += `${hour}:${minute!}:${second!}`;
  const digits = (fraction ?? "").slice(0, 9).padEnd(9, "0");
  if (/[^0]/.test(digits)) out += `.${digits.slice(0, /[^0]/.test(digits.slice(6)) ? 9 : /[^0]/.test(digits.slice(3)) ? 6 : 3)}`;
  if (offset === undefined) return out;
  if (!/^[Zz]$/.test(offset) && (Number(offset.slice(1, 3)) > 24 || Number(offset.slice(4)) > 59)) return undefined;
  return out + (/^(?:[Zz]|[+-]00:00)$/.test(offset) ? "Z" : offset);
}

function daysOf(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
