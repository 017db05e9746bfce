/** The settings of an npmrc file; `${NAME}` in a value is the environment's. Sections do not matter here. */
export function parseNpmrc(text: string, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*([^\s=;#[]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (match === null) continue;
    const value = match[2]!.replace(/^(["'])(.*)\1$/, "$2");
    settings[match[1]!] = value.replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole);
  }
  return settings;
}

/** The registry that npm uses where none is set, from the source of npm's table of settings. */
export function parseNpmDefaultRegistry(definitions: string): string | undefined {
  return /\bregistry['"]?(?::|,)?\s*(?:new Definition\(\s*['"]registry['"]\s*,)?\s*\{\s*default:\s*(['"`])(https?:\/\/[^'"`]+)\1/.exec(definitions)?.[2];
}
