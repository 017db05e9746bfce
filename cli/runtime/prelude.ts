// Runs before any other module of the runtime: it takes clock, randomness and locale out of the realm and adds
// what the language itself lacks, so that what is loaded later never sees the one nor misses the other.
import { TsosError } from "../../core/error/tsos-error.ts";
import { CONFIG_SCRIPT } from "../../core/config/protocol.ts";
import { impureNames } from "../../core/config/impure-names.ts";
import { Utf8Decoder, Utf8Encoder } from "./text-coding.ts";

/** Lines that the configuration printed. */
export const printed: string[] = [];

function impure(what: string, hint: string): TsosError {
  return new TsosError({ code: "config.impure", message: `"${what}" is not available in a configuration`, hint, data: { name: what } });
}

function define(target: object, name: string, value: unknown, writable = true): void {
  Object.defineProperty(target, name, { value, writable, enumerable: false, configurable: writable });
}

function refuse(target: object, name: string, label: string, hint: string): void {
  define(target, name, () => {
    throw impure(label, hint);
  });
}

for (const name of impureNames.keys()) delete (globalThis as Record<string, unknown>)[name];

const noRandomness = "an evaluation has no randomness: write the value down, or make it on the machine when it starts";
refuse(Math, "random", "Math.random()", noRandomness);

const noClock = "an evaluation has no clock: write the date down, such as new Date(\"2026-01-31T00:00:00Z\")";
const noZone = "what it gives depends on the machine's time zone: use the getUTC…, setUTC… and toISOString methods";
const RealDate = Date;
// A text without a zone, and parts without one, would be read in the machine's own zone.
const ZONED = /^[+-]?\d{4,6}(-\d\d(-\d\d)?)?$|(Z|[+-]\d\d:?\d\d|GMT|UTC)$/;

function zoned(text: string): string {
  if (!ZONED.test(text.trim())) throw impure(`new Date(${JSON.stringify(text)})`, 'name the time zone, such as "2026-01-31T08:00:00Z"');
  return text;
}

class PureDate extends RealDate {
  constructor(...args: readonly unknown[]) {
    if (args.length === 0) throw impure("new Date()", noClock);
    if (args.length > 1) throw impure("new Date(year, month, …)", "use new Date(Date.UTC(year, month, …))");
    const value = args[0];
    super(value instanceof RealDate ? value.getTime() : typeof value === "string" ? zoned(value) : Number(value));
  }
  static override now(): number {
    throw impure("Date.now()", noClock);
  }
  static override parse(text: string): number {
    return RealDate.parse(zoned(text));
  }
}
for (const name of Object.getOwnPropertyNames(RealDate.prototype)) {
  if (/^([gs]et(?!UTC|Time$)|to(Locale|Date|Time)|toString$)/.test(name)) refuse(RealDate.prototype, name, `Date.prototype.${name}()`, noZone);
}
define(RealDate.prototype, Symbol.toPrimitive as unknown as string, function (this: Date, hint: string) {
  return hint === "number" ? this.getTime() : this.toISOString();
});
define(RealDate.prototype, "toString", RealDate.prototype.toISOString);
define(PureDate, "name", "Date", false);
// Called without `new` it would tell the time.
const CallableDate = new Proxy(PureDate, {
  apply: () => {
    throw impure("Date()", noClock);
  },
});
define(RealDate.prototype, "constructor", CallableDate, false);
define(PureDate.prototype, "constructor", CallableDate, false);
define(globalThis, "Date", CallableDate);

const noLocale = "what it gives depends on the machine's locale: write the text down";
for (const [name, prototype] of [["Number", Number.prototype], ["BigInt", BigInt.prototype], ["Array", Array.prototype], ["Object", Object.prototype]] as const) {
  refuse(prototype, "toLocaleString", `${name}.prototype.toLocaleString()`, noLocale);
}
refuse(Object.getPrototypeOf(Uint8Array.prototype) as object, "toLocaleString", "toLocaleString()", noLocale);
// Case and order without the machine's locale: the root locale's case, and American English for the order,
// which is what most machines would have given.
const { localeCompare, toLowerCase, toUpperCase } = String.prototype;
define(String.prototype, "toLocaleLowerCase", toLowerCase);
define(String.prototype, "toLocaleUpperCase", toUpperCase);
define(String.prototype, "localeCompare", function (this: string, that: string, locales?: string, options?: Intl.CollatorOptions) {
  return localeCompare.call(this, that, locales ?? "en-US", options);
});

define(globalThis, "TextEncoder", Utf8Encoder);
define(globalThis, "TextDecoder", Utf8Decoder);

const print = (...values: readonly unknown[]): void => {
  const line = values.map(formatPrinted).join(" ");
  // A module is run several times, and says what it says in each.
  if (!printed.includes(line)) printed.push(line);
};
define(globalThis, "console", { log: print, info: print, warn: print, error: print, debug: print, trace: print, dir: print });

function formatPrinted(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "function") return `[function ${value.name || "anonymous"}]`;
  try {
    return typeof value === "object" && value !== null && !(value instanceof Error) ? (JSON.stringify(value, null, 2) ?? String(value)) : String(value);
  } catch {
    return `[${typeof value}]`;
  }
}

// Stacks name nothing but the two scripts of the isolate: no path of the machine, no frame of the host. The
// property cannot be set again, since what it is called with comes from outside the realm.
const formatStack = (error: unknown, sites: readonly NodeJS.CallSite[]): string => {
  const lines: string[] = [];
  // Who called the configuration's code depends on how often it has run, and on the version of tsos.
  let end = 0;
  for (let i = 0; i < sites.length; i++) {
    const site = sites[i]!;
    const file = site.getFileName();
    if (typeof file !== "string" || !file.startsWith("tsos:")) continue;
    if (file === CONFIG_SCRIPT) end = lines.length + 1;
    lines.push(`    at ${site.getFunctionName() ?? "<anonymous>"} (${file}:${site.getLineNumber()}:${site.getColumnNumber()})`);
  }
  let head = "Error";
  try {
    head = String(error);
  } catch {
    // An error whose own toString throws is still an error.
  }
  if (end > 0) lines.length = end;
  return lines.length === 0 ? head : `${head}\n${lines.join("\n")}`;
};
Object.defineProperty(Error, "prepareStackTrace", { value: formatStack, writable: false, enumerable: false, configurable: false });
Object.defineProperty(globalThis, "Error", { value: Error, writable: false, enumerable: false, configurable: false });
Error.stackTraceLimit = 50;
