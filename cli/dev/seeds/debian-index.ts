import { compareDebianVersions } from "./debian-version.ts";

/** A stanza of Debian's index: field names as written there. */
export type DebianStanza = ReadonlyMap<string, string>;

/** The newest stanza of each package in a `Packages` or `Sources` index. */
export function parseDebianIndex(text: string): ReadonlyMap<string, DebianStanza> {
  const result = new Map<string, DebianStanza>();
  for (const stanza of text.split(/\n\n+/)) {
    if (stanza.trim() === "") continue;
    const fields = new Map<string, string>();
    let name = "";
    for (const line of stanza.split("\n")) {
      if (line.startsWith(" ") || line.startsWith("\t")) {
        fields.set(name, `${fields.get(name) ?? ""}\n${line.slice(1)}`);
        continue;
      }
      const colon = line.indexOf(":");
      if (colon < 0) continue;
      name = line.slice(0, colon);
      fields.set(name, line.slice(colon + 1).trim());
    }
    const packageName = fields.get("Package");
    if (packageName === undefined) continue;
    const existing = result.get(packageName);
    if (existing === undefined || compareDebianVersions(fields.get("Version") ?? "", existing.get("Version") ?? "") > 0) result.set(packageName, fields);
  }
  return result;
}

/** Dependencies in conjunction, each a list of alternatives: names alone, without versions or architectures. */
export function parseDependencies(text: string): readonly (readonly string[])[] {
  return text
    .split(",")
    .map((group) => group.split("|").map((name) => name.replace(/\(.*?\)|\[.*?\]|<.*?>/gs, "").replace(/:.*/, "").trim()))
    .map((alternatives) => alternatives.filter((name) => name !== ""))
    .filter((alternatives) => alternatives.length > 0);
}
