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
    message: `"${key}" is not a key of a unit file's section [${section}]`,
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
  return text;
}

/** A word of `Environment=`: quoted, with `%`, `\` and `"` kept from systemd. */
export function quoteEnvironment(name: string, value: string): string {
  return `"${`${name}=${value}`.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%").replaceAll("\n", "\\n")}"`;
}

/** @throws TsosError `systemd.invalid-name` */
export function checkUnitName(name: string): string {
  // systemd.unit(5): letters, digits, ":-_.\" and "@"; 255 characters with the suffix.
  if (/^[A-Za-z0-9:_.\\@-]+$/.test(name) && name.length <= 240 && !name.startsWith(".")) return name;
  throw new TsosError({
    code: "systemd.invalid-name",
    message: `"${name}" cannot be the name of a unit`,
    hint: 'a unit\'s name has letters, digits and ":", "-", "_", ".", "\\", "@"; escape other characters as systemd-escape does',
  });
}
