/** Names of options as messages of assertions write them, the longest first. */
export function optionsInMessage(message: string): readonly string[] {
  const found = [...message.matchAll(/(?<![\w./-])[A-Za-z_][\w-]*(?:\.(?:[A-Za-z_][\w-]*|"[^"\s]+"))+/g)].map(([name]) => name);
  return [...new Set(found)].sort((a, b) => b.split(".").length - a.split(".").length);
}

/** How many lines an assertion is looked for around its message. */
const AROUND = 12;

/**
 * What an assertion of a Nix module reads, as far as its text says it: `config.services.x.y`, or `cfg.y` where the file has
 * `cfg = config.services.x;`. The options of the assertion itself first, then the sets that the module's names stand for.
 *
 * @param line of its message, from 1
 */
export function optionsOfAssertion(text: string, line: number): readonly string[] {
  const aliases = new Map<string, string>();
  for (const [, name, path] of text.matchAll(/(?<![\w.-])(?!assertion\b)([A-Za-z_][\w-]*)\s*=\s*config\.([\w-]+(?:\.[\w-]+)*)\s*;/g)) if (!aliases.has(name!)) aliases.set(name!, path!);
  const read = [...conditionOf(text.split("\n"), line).matchAll(/(?<![\w.-])([A-Za-z_][\w-]*)((?:\.[A-Za-z_][\w-]*)+)/g)].flatMap(([, root, path]) => {
    if (root === "config") return [path!.slice(1)];
    const alias = aliases.get(root!);
    return alias === undefined ? [] : [alias + path!];
  });
  return [...new Set([...read, ...aliases.values()])];
}

/** What is asserted, which stands before the message in the same set, as a rule, or behind it. */
function conditionOf(lines: readonly string[], line: number): string {
  const before = lines.slice(Math.max(0, line - AROUND), line).join("\n");
  const upToMessage = before.slice(0, Math.max(0, before.lastIndexOf("message")));
  const start = upToMessage.lastIndexOf("assertion");
  // A set that ended before the message is another assertion's.
  if (start >= 0 && !/^[ \t]*\}|\}[ \t]*$/m.test(upToMessage.slice(start))) return upToMessage.slice(start);
  const behind = lines.slice(line, line + AROUND).join("\n");
  return behind.slice(0, /^[ \t]*\}/m.exec(behind)?.index);
}
