import type { FlakeArguments } from "../nix/flake-arguments.ts";
import { createFlakeArguments } from "../nix/flake-arguments.ts";
import { ClassicUsageError, parseClassicArguments, type ClassicOptions } from "../nix/classic-arguments.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandContext } from "../context.ts";
import type { NixProject } from "./find-project.ts";

const pair = { type: "string", array: true, nargs: 2 } as const;
const one = { type: "string", array: true, nargs: 1 } as const;

/** Flags of Nix that the commands take for flakes and `.nix` files, with the reference's names, as yargs takes them. */
export const nixOptions = {
  impure: { type: "boolean", default: false, describe: "evaluate with this machine's environment and files" },
  "override-input": { ...pair, describe: "PATH REF: this input of the flake is another; no lock file is written" },
  "write-lock-file": { type: "boolean", default: true, describe: "write flake.lock (--no-write-lock-file: what it would be is told)" },
  "update-lock-file": { type: "boolean", default: true, describe: "mend flake.lock (--no-update-lock-file, --locked: one that is not whole is an error)" },
  "recreate-lock-file": { type: "boolean", default: false, describe: "lock all inputs anew" },
  "update-input": { ...one, describe: "lock this input anew" },
  "commit-lock-file": { type: "boolean", default: false, describe: "commit flake.lock where it changes" },
  "reference-lock-file": { type: "string", requiresArg: true, describe: "read this lock file in place of the flake's" },
  "output-lock-file": { type: "string", requiresArg: true, describe: "write to this one" },
  "inputs-from": { ...one, describe: "the inputs of this flake stand before the registries" },
  "override-flake": { ...pair, describe: "FROM TO: an entry before the registries" },
  arg: { ...pair, describe: "NAME EXPRESSION: an argument for a function of a .nix file" },
  argstr: { ...pair, describe: "NAME TEXT: the same, a string" },
  include: { ...one, alias: "I", describe: "an entry of the search path" },
  option: { ...pair, describe: "NAME VALUE: a setting of nix.conf" },
} as const;

/** The same as they are read. */
export type NixFlags = {
  readonly impure: boolean;
  readonly overrideInput?: readonly string[];
  readonly writeLockFile: boolean;
  readonly updateLockFile: boolean;
  readonly recreateLockFile: boolean;
  readonly updateInput?: readonly string[];
  readonly commitLockFile: boolean;
  readonly referenceLockFile?: string;
  readonly outputLockFile?: string;
  readonly inputsFrom?: readonly string[];
  readonly overrideFlake?: readonly string[];
  readonly arg?: readonly string[];
  readonly argstr?: readonly string[];
  readonly include?: readonly string[];
  readonly option?: readonly string[];
};

/** What flags say of an evaluation. */
export type ProjectOptions = {
  readonly options: ClassicOptions;
  readonly flakes: FlakeArguments;
  /** Whether none was given. */
  readonly isPlain: boolean;
};

/** The flags as words of a classic command line, whose reader knows what they mean. */
export function nixWords(flags: NixFlags): readonly string[] {
  const repeated = (name: string, values: readonly string[] | undefined, count: 1 | 2): readonly string[] => (values ?? []).flatMap((value, index) => (index % count === 0 ? [name, value] : [value]));
  const valued = (name: string, value: string | undefined): readonly string[] => (value === undefined ? [] : [name, value]);
  const plain = (name: string, isGiven: boolean): readonly string[] => (isGiven ? [name] : []);
  return [
    ...plain("--impure", flags.impure),
    ...plain("--no-write-lock-file", !flags.writeLockFile),
    ...plain("--no-update-lock-file", !flags.updateLockFile),
    ...plain("--recreate-lock-file", flags.recreateLockFile),
    ...plain("--commit-lock-file", flags.commitLockFile),
    ...repeated("--override-input", flags.overrideInput, 2),
    ...repeated("--update-input", flags.updateInput, 1),
    ...valued("--reference-lock-file", flags.referenceLockFile),
    ...valued("--output-lock-file", flags.outputLockFile),
    ...repeated("--inputs-from", flags.inputsFrom, 1),
    ...repeated("--override-flake", flags.overrideFlake, 2),
    ...repeated("--arg", flags.arg, 2),
    ...repeated("--argstr", flags.argstr, 2),
    ...repeated("--include", flags.include, 1),
    ...repeated("--option", flags.option, 2),
  ];
}

/** Reads them for a project. `--locked` holds for the lock file of a flake too. @throws UsageError */
export function readProjectOptions(context: Pick<CommandContext, "env" | "flags" | "say">, project: Pick<NixProject, "kind">, flags: NixFlags): ProjectOptions {
  const words = nixWords(flags);
  const warn = (text: string): void => context.say(`warning: ${text}`);
  const flakes = createFlakeArguments(warn);
  try {
    const options = parseClassicArguments([...words, ...(context.flags.locked && flags.updateLockFile ? ["--no-update-lock-file"] : [])], context.env, warn, flakes.take);
    if (project.kind === "flake" && options.autoArguments.size > 0) throw new ClassicUsageError("'--arg' and '--argstr' are incompatible with flakes");
    return { options, flakes, isPlain: words.length === 0 };
  } catch (error) {
    throw error instanceof ClassicUsageError ? new UsageError({ code: error.code, message: error.message }) : error;
  }
}

/** Refuses flags where nothing of Nix is meant. @throws UsageError `cli.nix-flags` */
export function refuseNixFlags(flags: NixFlags, target: string | undefined): void {
  const [name] = nixWords(flags);
  if (name !== undefined) throw new UsageError({ code: "cli.nix-flags", message: `${name} is for flakes and .nix files, and ${target === undefined ? "this project is none" : `"${target}" is none`}`, hint: "inputs of a TypeScript configuration are changed by tsos update" });
}
