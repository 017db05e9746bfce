/**
 * The base URLs of binary packages in a file of apt's sources: `deb URL suite component…` lines, or the
 * stanzas of a `.sources` file. Disabled entries are left out.
 */
export function parseAptSources(text: string, format: "one-line" | "deb822"): string[] {
  return format === "one-line" ? parseOneLine(text) : parseStanzas(text);
}

function parseOneLine(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+\S+/.exec(line.replace(/#.*/, ""));
    return match === null ? [] : [match[1]!];
  });
}

function parseStanzas(text: string): string[] {
  const withoutComments = text.split("\n").filter((line) => !line.startsWith("#")).join("\n");
  return withoutComments.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = new Map<string, string>();
    let name: string | undefined;
    for (const line of stanza.split("\n")) {
      const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
      if (field !== null) {
        name = field[1]!.toLowerCase();
        fields.set(name, field[2]!);
      } else if (name !== undefined && /^\s/.test(line)) fields.set(name, `${fields.get(name)!} ${line.trim()}`);
    }
    const types = (fields.get("types") ?? "").split(/\s+/);
    if (!types.includes("deb") || /^(no|false|0|off)$/i.test(fields.get("enabled") ?? "")) return [];
    return (fields.get("uris") ?? "").split(/\s+/).filter((uri) => uri !== "");
  });
}
