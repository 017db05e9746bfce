/** Section → key → its values in order; an empty assignment stands as the empty string. */
export type UnitSections = ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;

/** What systemd would load of one unit: its fragment and its drop-ins, one after the other. */
export function parseUnitFile(...texts: readonly string[]): UnitSections {
  const sections = new Map<string, Map<string, string[]>>();
  for (const text of texts) {
    let section: Map<string, string[]> | undefined;
    for (const line of logicalLines(text)) {
      const header = /^\[(.+)\]$/.exec(line);
      if (header) {
        const name = header[1]!;
        section = sections.get(name);
        if (section === undefined) sections.set(name, (section = new Map()));
        continue;
      }
      const equals = line.indexOf("=");
      if (section === undefined || equals < 0) continue;
      const key = line.slice(0, equals).trim();
      const values = section.get(key);
      const value = line.slice(equals + 1).trim();
      if (values) values.push(value);
      else section.set(key, [value]);
    }
  }
  return sections;
}

/** Lines without comments, blanks and continuations. A comment inside a continuation is skipped, as in systemd. */
function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let pending = "";
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    if (line === "" && pending === "") continue;
    if (line.startsWith("#") || line.startsWith(";")) continue;
    if (line.endsWith("\\")) {
      pending += `${line.slice(0, -1).trimEnd()} `;
      continue;
    }
    lines.push(pending + line);
    pending = "";
  }
  if (pending !== "") lines.push(pending.trimEnd());
  return lines;
}

export function unitValues(unit: UnitSections, section: string, key: string): readonly string[] {
  const values = unit.get(section)?.get(key) ?? [];
  // An empty assignment takes back those before it.
  const reset = values.lastIndexOf("");
  return reset < 0 ? values : values.slice(reset + 1);
}

export function unitValue(unit: UnitSections, section: string, key: string): string | undefined {
  return unitValues(unit, section, key).at(-1);
}

/** systemd's booleans; anything else, or nothing, is `fallback`. */
export function unitBoolean(unit: UnitSections, section: string, key: string, fallback: boolean): boolean {
  const value = unitValue(unit, section, key)?.toLowerCase();
  if (value === undefined) return fallback;
  if (["1", "yes", "y", "true", "t", "on"].includes(value)) return true;
  if (["0", "no", "n", "false", "f", "off"].includes(value)) return false;
  return fallback;
}

/** A switch for the activator, which may stand in [Unit] or [Service]. */
export function activatorBoolean(unit: UnitSections, key: string, fallback: boolean): boolean {
  return unitBoolean(unit, "Unit", key, unitBoolean(unit, "Service", key, fallback));
}

/** `foo@bar.service` → `foo@.service`; undefined for what is not an instance. */
export function templateOf(name: string): string | undefined {
  const match = /^([^@]+@)[^@].*(\.[a-z]+)$/.exec(name);
  return match ? `${match[1]}${match[2]}` : undefined;
}

/** systemd.unit(5): `/srv/my data` → `srv-my\x20data`, `/` → `-`. */
export function escapeUnitPath(path: string): string {
  const trimmed = path.replace(/\/+/g, "/").replace(/^\/|\/$/g, "");
  if (trimmed === "") return "-";
  return [...Buffer.from(trimmed)]
    .map((byte, index) => {
      const character = String.fromCharCode(byte);
      if (character === "/") return "-";
      if (/[A-Za-z0-9:_]/.test(character) || (character === "." && index > 0)) return character;
      return `\\x${byte.toString(16).padStart(2, "0")}`;
    })
    .join("");
}
