import { formatBashVariable, isBashOwn, parseBashVariables, type BashVariable } from "../../core/shell/bash-state.ts";

/** Bash that writes all of its state to the file in `__tsos_dump`, in parts that a NUL ends. */
export const DUMP_STATE = String.raw`
{
  declare -p; printf '\0'
  declare -f; printf '\0'
  shopt -p; set +o; printf '\0'
  trap -p; printf '\0'
  alias -p; printf '\0'
} > "$__tsos_dump" || true
`;

export type BashState = {
  readonly variables: readonly BashVariable[];
  /** As bash writes them, with a line for each that is exported. */
  readonly functions: string;
  /** Commands that set the options of the shell. */
  readonly options: readonly string[];
  readonly traps: string;
  readonly aliases: string;
};

export function parseBashState(text: string): BashState {
  const [variables = "", functions = "", options = "", traps = "", aliases = ""] = text.split("\0");
  return {
    variables: parseBashVariables(variables).filter(({ name }) => !isBashOwn(name)),
    functions,
    options: options.split("\n").filter((line) => line !== ""),
    traps,
    aliases,
  };
}

/**
 * Bash that brings the state `after` about in a shell that begins as the one of `before` did, but with the environment
 * `inherited` in place of `given`.
 */
export function formatStateChange(before: BashState, after: BashState, { inherited, given }: { readonly inherited: Readonly<Record<string, string>>; readonly given: Readonly<Record<string, string>> }): string {
  const known = new Set(before.options);
  const changed = after.options.filter((line) => !known.has(line));
  // What makes a shell stricter comes last: what stands before it is not written for that.
  const strict = changed.filter((line) => /^set -o (?:errexit|nounset|noexec)$/.test(line));
  const first = new Map(before.variables.map((variable) => [variable.name, variable]));
  const isSo = ({ name, flags, value }: BashVariable): boolean => {
    const was = first.get(name);
    return was !== undefined && was.flags === flags && was.value === value && inherited[name] === given[name];
  };
  const present = new Set(after.variables.map(({ name }) => name));
  const gone = Object.keys(inherited).filter((name) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !present.has(name) && !isBashOwn(name) && name !== "PATH");
  return [
    ...changed.filter((line) => !strict.includes(line)),
    ...gone.map((name) => `unset ${name}`),
    after.variables.filter((variable) => !isSo(variable)).map(formatBashVariable).join(""),
    after.functions,
    after.aliases,
    after.traps,
    ...strict,
    "",
  ].join("\n");
}
