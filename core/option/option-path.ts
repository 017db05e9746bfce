const PLAIN = /^[A-Za-z_][A-Za-z0-9_'-]*$|^<[a-z]+>$|^\[\d+\]$/;

/**
 * An option's path for people.
 * @example
 * formatOptionPath(["services", "nginx", "virtualHosts", "a.example", "root"])
 * // services.nginx.virtualHosts."a.example".root
 */
export function formatOptionPath(path: readonly string[]): string {
  let text = "";
  for (const name of path) {
    const part = PLAIN.test(name) ? name : JSON.stringify(name);
    text += text === "" || part.startsWith("[") ? part : `.${part}`;
  }
  return text === "" ? "the configuration" : text;
}

/**
 * The names of a path as a user types it; the inverse of `formatOptionPath`. An empty text is the whole tree.
 * @throws RangeError when a quoted name does not end, or a name is empty.
 */
export function parseOptionPath(text: string): readonly string[] {
  const path: string[] = [];
  if (text === "") return path;
  const part = /"(?:[^"\\]|\\.)*"|\[\d+\]|[^."[\]]+/y;
  let offset = 0;
  for (;;) {
    part.lastIndex = offset;
    const match = part.exec(text);
    if (match === null) throw new RangeError(`"${text}" is not an option's path: a name is expected at ${offset}`);
    path.push(match[0].startsWith('"') ? parseQuoted(match[0]) : match[0]);
    offset = part.lastIndex;
    if (offset === text.length) return path;
    if (text[offset] === ".") offset++;
    else if (text[offset] !== "[") throw new RangeError(`"${text}" is not an option's path: "." is expected at ${offset}`);
  }
}

function parseQuoted(text: string): string {
  const value: unknown = JSON.parse(text);
  return String(value);
}
