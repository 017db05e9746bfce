/**
 * What a shell is, as data: `environment.json` in its output. The isolate writes it, the host reads it, so this
 * file is pure.
 */
export type ShellEnvironment = {
  readonly version: 1;
  readonly name: string;
  /** Store paths, in full; the first wins where two have a program of the same name. */
  readonly packages: readonly string[];
  /** Null takes a variable away. */
  readonly env: Readonly<Record<string, string | null>>;
  /** Bash, run after the environment is set. */
  readonly shellHook: string;
};

/** The variables that packages extend, and the folder of a package that belongs to each. */
const SEARCH_PATHS = [
  ["PATH", "bin"],
  ["MANPATH", "share/man"],
  ["XDG_DATA_DIRS", "share"],
  ["PKG_CONFIG_PATH", "lib/pkgconfig"],
] as const;

// What the search paths mean when they are not set: a shell adds to it and takes nothing away.
const WITHOUT: Readonly<Record<string, string>> = { MANPATH: "", XDG_DATA_DIRS: "/usr/local/share:/usr/share" };

/**
 * The variables of a process in the shell: the inherited ones, the packages' folders before the search paths,
 * then the shell's own. `hasFolder` tells which folders there are; `PATH` takes them all.
 */
export function shellVariables(
  environment: ShellEnvironment,
  inherited: Readonly<Record<string, string | undefined>>,
  hasFolder: (path: string) => boolean,
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(inherited)) if (value !== undefined) variables[name] = value;
  for (const [name, folder] of SEARCH_PATHS) {
    const folders = environment.packages.map((path) => `${path}/${folder}`).filter((path) => name === "PATH" || hasFolder(path));
    if (folders.length === 0) continue;
    const before = variables[name] ?? WITHOUT[name];
    // An empty part of MANPATH stands for the system's own pages.
    variables[name] = before === undefined ? folders.join(":") : `${folders.join(":")}:${before}`;
  }
  for (const [name, value] of Object.entries(environment.env)) {
    if (value === null) delete variables[name];
    else variables[name] = value;
  }
  variables["IN_TSOS_SHELL"] = environment.name;
  return variables;
}

/** What of `variables` differs from `inherited`, as a script for bash, zsh or any POSIX shell. */
export function formatEnvironmentScript(environment: ShellEnvironment, variables: Readonly<Record<string, string>>, inherited: Readonly<Record<string, string | undefined>>): string {
  const lines: string[] = [];
  for (const name of Object.keys(variables).sort()) {
    const value = variables[name];
    if (value !== undefined && value !== inherited[name] && VARIABLE.test(name)) lines.push(`export ${name}=${quote(value)}`);
  }
  for (const name of Object.keys(inherited).sort()) if (!(name in variables) && VARIABLE.test(name)) lines.push(`unset ${name}`);
  if (environment.shellHook !== "") lines.push(environment.shellHook);
  return `${lines.join("\n")}\n`;
}

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A word for a POSIX shell. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_\/:.,@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
