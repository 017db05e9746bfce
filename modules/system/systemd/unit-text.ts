import { TsosError, isPackage, type Package } from "../../../core/index.ts";

/** What stands behind a key of a unit file; a list gives the key several times, null leaves it out. */
export type UnitValue = string | number | boolean | Package | null | readonly (string | number | boolean | Package)[];

export type UnitSection = Readonly<Record<string, UnitValue | undefined>>;

/**
 * The text of a unit file, sections in the order given, an empty one left out.
 *
 * @example
 * formatUnit([["Unit", { Description: "nginx", After: ["network.target"] }]])
 * // [Unit]
 * // Description=nginx
 * // After=network.target
 *
 * @throws TsosError `systemd.invalid-key`, `systemd.invalid-value`
 */
export function formatUnit(sections: readonly (readonly [string, UnitSection])[]): string {
  const texts: string[] = [];
  for (const [name, section] of sections) {
    const lines: string[] = [];
    for (const [key, value] of Object.entries(section)) {
      if (value === null || value === undefined) continue;
      checkKey(key, name);
      for (const single of isList(value) ? value : [value]) lines.push(`${key}=${formatValue(single, key)}`);
    }
    if (lines.length > 0) texts.push(`[${name}]\n${lines.join("\n")}\n`);
  }
  return texts.join("\n");
}

function isList(value: UnitValue): value is readonly (string | number | boolean | Package)[] {
  return Array.isArray(value);
}

function checkKey(key: string, section: string): void {
  if (/^[A-Za-z0-9-]+$/.test(key)) return;
  throw new TsosError({
    code: "systemd.invalid-key",
    message: `${JSON.stringify(key)} is not a key of a unit file's section [${section}]`,
    hint: "a key has letters, digits and hyphens only",
  });
}

function formatValue(value: string | number | boolean | Package, key: string): string {
  const text = isPackage(value) ? value.toString() : String(value);
  if (/[\n\0]/.test(text)) {
    throw new TsosError({
      code: "systemd.invalid-value",
      message: `the value of "${key}" has a line break, which would begin another line of the unit file`,
      hint: "give a list for several values, or put a script into `script`",
    });
  }
  if (text.endsWith("\\")) {
    throw new TsosError({
      code: "systemd.invalid-value",
      message: `the value of "${key}" ends in a backslash, which would join the next line to it`,
      hint: "leave the backslash out",
    });
  }
  return text;
}

/**
 * A word of `Environment=`: quoted, with `\` and `"` kept from systemd. Specifiers (`%h`, `%S`) have their meaning,
 * as in NixOS; a percent sign is written `%%`.
 */
export function quoteEnvironment(name: string, value: string): string {
  return `"${`${name}=${value}`.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

/** A word of `ExecStart=` and the like that systemd takes as it is: quoted, nothing in it expanded. */
export function quoteExecWord(word: string): string {
  const text = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[A-Za-z0-9%$+,./:=@_-]+$/.test(text) ? text : `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

/** Whether systemd takes `name`, which has no suffix, for a unit. */
export function isUnitName(name: string): boolean {
  // systemd.unit(5): letters, digits, ":-_.\" and "@"; 255 characters with the suffix.
  return /^[A-Za-z0-9:_.\\@-]+$/.test(name) && name.length <= 240 && !name.startsWith(".") && !name.startsWith("@") && !/@.*@/.test(name);
}

const SUFFIX = /\.(service|socket|device|mount|automount|swap|target|path|timer|scope|slice)$/;

/** A unit's whole name; `%i` and the like may stand in it. */
export const UNIT_NAME = /[A-Za-z0-9@%:_.\\-]+\.(service|socket|device|mount|automount|swap|target|path|timer|scope|slice)/;

/** `service` of `nginx.service`; the empty string where there is none. */
export function unitKind(name: string): string {
  return SUFFIX.exec(name)?.[1] ?? "";
}

/** `getty@.service` of `getty@tty1.service`, undefined for what is no instance. */
export function templateOfUnit(name: string): string | undefined {
  const match = /^([^@]+@)[^@]+(\.[a-z]+)$/.exec(name);
  return match === null ? undefined : `${match[1]!}${match[2]!}`;
}
