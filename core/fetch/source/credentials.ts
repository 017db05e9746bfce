/** One `machine` of a netrc file; `default` has no host. */
export type NetrcEntry = { readonly host: string | undefined; readonly login: string; readonly password: string };

/**
 * The entries of a netrc file in their order. Macros and accounts are left out.
 *
 * @example
 * parseNetrc("machine a.example login me password x") // [{ host: "a.example", login: "me", password: "x" }]
 */
export function parseNetrc(text: string): readonly NetrcEntry[] {
  const words = text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replace(/^\s*macdef[\s\S]*?(?:\n[ \t]*\n|(?![\s\S]))/gm, "\n")
    .match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  const entries: NetrcEntry[] = [];
  let current: { host: string | undefined; login: string; password: string } | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const next = (): string => unquote(words[++i] ?? "");
    if (word === "machine") entries.push((current = { host: next(), login: "", password: "" }));
    else if (word === "default") entries.push((current = { host: undefined, login: "", password: "" }));
    else if (word === "login" && current !== undefined) current.login = next();
    else if (word === "password" && current !== undefined) current.password = next();
    else if (word === "account") next();
  }
  return entries;
}

function unquote(word: string): string {
  return word.startsWith('"') && word.endsWith('"') && word.length > 1 ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word;
}

/** The `Authorization` header that a netrc file has for a host. */
export function findNetrcHeader(entries: readonly NetrcEntry[], host: string): string | undefined {
  const entry = entries.find((one) => one.host === host) ?? entries.find((one) => one.host === undefined);
  return entry === undefined ? undefined : basicAuthorization(entry.login, entry.password);
}

export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/**
 * The access token for `owner/repo` at a host: of the settings that match, the longest. A setting is a host, or a
 * host with the beginning of a path (`git.example/team`).
 */
export function findAccessToken(tokens: Readonly<Record<string, string>>, host: string, path: string): string | undefined {
  const url = `${host}/${path}`;
  const matching = Object.keys(tokens).filter((key) => url === key || url.startsWith(`${key}/`));
  const longest = matching.sort((a, b) => b.length - a.length)[0];
  return longest === undefined ? undefined : tokens[longest];
}

/** `HOST=TOKEN` pairs between white space, as in Nix's `access-tokens`. What is no pair is left out. */
export function parseAccessTokens(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(/\s+/).flatMap((pair) => {
      const equals = pair.indexOf("=");
      return equals <= 0 ? [] : [[pair.slice(0, equals), pair.slice(equals + 1)] as const];
    }),
  );
}
