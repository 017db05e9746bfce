import { findNearestName } from "../core/util/suggest.ts";
import { nixOptions } from "./nix-project/nix-flags.ts";
import { UsageError } from "./usage-error.ts";

/**
 * What yargs complains of, in the words of tsos: what is wrong, what was expected, and the nearest name.
 *
 * @param help what yargs shows for the command that was understood, with all its options
 * @example explainUsage("Unknown argument: chekc", ["build", "--no-chekc"], help) // unknown option "--no-chekc", did you mean "--no-check"?
 */
export function explainUsage(message: string, argv: readonly string[], help: string): UsageError {
  const command = /^tsos ([a-z-]+)/.exec(help)?.[1];
  const commands = [...help.matchAll(/^ {2}tsos ([a-z-]+)/gm)].map((match) => match[1]!);
  const where = command === undefined ? "tsos --help" : `tsos ${command} --help`;

  const choice = /Argument: (\S+), Given: (.*), Choices: (.*)/.exec(message);
  if (choice !== null) {
    const given = choice[2]!.replace(/^"(.*)"$/, "$1");
    const choices = [...choice[3]!.matchAll(/"([^"]*)"/g)].map((match) => match[1]!);
    return usage(`"${given}" is no ${choice[1]!}, expected one of ${choices.join(", ")}`, didYouMean(findNearestName(given, choices)));
  }
  const following = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  if (following !== undefined) return usage(`the option "${asOption(following)}" needs ${takesTwo(following) ? "two values" : "a value"}`, `see ${where}`);
  if (message.startsWith("Not enough non-option arguments")) {
    const needed = /^tsos [^\n]*?<([a-z]+)>/.exec(help)?.[1];
    return usage(`"tsos ${command ?? ""}" needs ${needed === undefined ? "an argument" : `its <${needed}>`}`, help.split("\n")[0]);
  }
  const suggested = /^Did you mean (.*)\?$/m.exec(message)?.[1];
  const unknown =
    suggested === undefined ? (/^Unknown (?:arguments?|commands?): (.*)$/m.exec(message)?.[1]?.split(", ") ?? []) : argv.filter((word) => !word.startsWith("-") && findNearestName(word, [suggested]) !== undefined);
  const [name] = unknown;
  if (name === undefined) return usage(message.charAt(0).toLowerCase() + message.slice(1), `see ${where}`);
  const word = argv.find((one) => one.startsWith("-") && one.replace(/^-+(no-)?/, "").split("=")[0] === name);
  if (word === undefined) {
    if (command !== undefined) return usage(`"tsos ${command}" does not take "${name}"`, help.split("\n")[0]);
    return usage(`there is no command "${name}"`, didYouMean(findNearestName(name, commands)) ?? `see ${where}`);
  }
  const negated = word.startsWith("--no-");
  const options = [...help.matchAll(/--([a-z][a-z-]*)/g)].map((match) => match[1]!);
  const nearest = findNearestName(name, options);
  return usage(`there is no option "${word.split("=")[0]!}"${command === undefined ? "" : ` of "tsos ${command}"`}`, didYouMean(nearest === undefined ? undefined : `--${negated ? "no-" : ""}${nearest}`) ?? (command === "run" ? "options of the program stand after --" : `see ${where}`));
}

function takesTwo(name: string): boolean {
  return Object.entries(nixOptions).some(([one, option]) => one === name && "nargs" in option && option.nargs === 2);
}

function usage(message: string, hint: string | undefined): UsageError {
  return new UsageError({ code: "cli.usage", message, hint });
}

function didYouMean(name: string | undefined): string | undefined {
  return name === undefined ? undefined : `did you mean "${name}"?`;
}

function asOption(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
