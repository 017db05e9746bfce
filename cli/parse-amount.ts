import { UsageError } from "./usage-error.ts";

const DAY = 86_400_000;
const SPANS: Readonly<Record<string, number>> = { h: DAY / 24, d: DAY, w: 7 * DAY, m: 30 * DAY, y: 365 * DAY };
const SIZES: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** @returns milliseconds @example parseTimeSpan("30d") // 2592000000 */
export function parseTimeSpan(text: string): number {
  const match = /^(\d+)([hdwmy])$/.exec(text);
  if (match === null) throw new UsageError({ code: "cli.bad-time-span", message: `"${text}" is not a span of time`, hint: "write a number and h, d, w, m or y, such as 30d" });
  return Number(match[1]) * SPANS[match[2]!]!;
}

/** @returns bytes @example parseSize("10G") // 10737418240 */
export function parseSize(text: string): number {
  const match = /^(\d+)([KMGT]?)$/.exec(text);
  if (match === null) throw new UsageError({ code: "cli.bad-size", message: `"${text}" is not a size`, hint: "write a number of bytes, or one with K, M, G or T, such as 10G" });
  return Number(match[1]) * SIZES[match[2]!]!;
}
