import { readFileSync } from "node:fs";
import { TsosError } from "../../core/error/tsos-error.ts";
import { findSettingFlag, loadNixConfiguration, type NixConfiguration } from "../../core/interop/nix-configuration.ts";
import { toByteString } from "../../core/util/bytes.ts";
import type { AutoArgument } from "../../core/interop/evaluation-protocol.ts";

/** What all classic commands take besides what is their own. */
export type ClassicOptions = {
  readonly settings: NixConfiguration;
  readonly autoArguments: Map<string, AutoArgument>;
  /** Of `-I`, in order. */
  readonly lookupPath: string[];
  /** What is no flag and no flag's value. */
  readonly words: string[];
  verbosity: number;
  storeUrl: string | undefined;
  /** Of `--eval-store`: where an evaluation writes to, if not to the store that builds. */
  evaluationStoreUrl: string | undefined;
  readOnly: boolean;
  /** What is said is written as records of JSON, for programs that show builds. */
  logsJson: boolean;
  gcWarning: boolean;
  /** What builders print is shown as it comes. */
  showsBuildOutput: boolean;
  /** Its lines begin with the derivation's name. */
  namesBuildOutput?: boolean;
  /** `--help` or `--version` was asked for. */
  wants: "help" | "version" | undefined;
};

/** A command line that cannot be understood; the classic commands exit with 1 and name their help. */
export class ClassicUsageError extends TsosError {
  constructor(message: string) {
    super({ code: "nix.usage", message });
  }
}

/** One flag of a command's own: false where it is none. `value` takes the next word. */
export type OwnArgument = (argument: string, value: () => string) => boolean;

/**
 * Reads a classic command line, in the reference's order: common flags, the command's own; the rest are `words`.
 * Nix: libutil/args.cc, libmain/common-args.cc, libmain/shared.cc
 *
 * @throws ClassicUsageError
 */
export function parseClassicArguments(args: readonly string[], env: Readonly<Record<string, string | undefined>>, warn: (text: string) => void, own: OwnArgument): ClassicOptions {
  const options: ClassicOptions = {
    settings: loadNixConfiguration(env),
    autoArguments: new Map(),
    lookupPath: [],
    words: [],
    verbosity: 0,
    storeUrl: undefined,
    evaluationStoreUrl: undefined,
    readOnly: false,
    logsJson: false,
    gcWarning: true,
    showsBuildOutput: true,
    wants: undefined,
  };
  for (const name of options.settings.takeUnknown()) warn(`unknown setting '${name}'`);
  const pending = [...args];
  let positionalOnly = false;
  for (let at = 0; at < pending.length; ) {
    if (!positionalOnly) expandCompound(pending, at);
    const argument = pending[at]!;
    if (!positionalOnly && argument === "--") {
      positionalOnly = true;
      at++;
    } else if (!positionalOnly && argument.startsWith("-") && argument !== "-") {
      const take = common(argument, options, warn);
      if (take !== undefined) {
        const values = pending.slice(at + 1, at + 1 + take.values);
        if (values.length < take.values) throw new ClassicUsageError(`flag '${argument}' requires ${take.values} argument(s), but only ${values.length} were given`);
        take.run(...(values as [string, string]));
        at += 1 + take.values;
        continue;
      }
      if (argument === "--help" || argument === "--version") {
        options.wants ??= argument === "--help" ? "help" : "version";
        return options;
      }
      if (!own(argument, () => takeNext(pending, ++at, argument))) throw new ClassicUsageError(`unrecognised flag '${argument}'`);
      at++;
    } else {
      // The command's own flags are flags behind -- as well, and nothing else may look like one.
      if (argument.startsWith("-") && argument !== "-") {
        if (!own(argument, () => takeNext(pending, ++at, argument))) throw new ClassicUsageError(`unexpected argument '${argument}'`);
      } else options.words.push(argument);
      at++;
    }
  }
  for (const name of options.settings.takeUnknown()) warn(`unknown setting '${name}'`);
  return options;
}

function takeNext(args: readonly string[], at: number, flag: string): string {
  const next = args[at];
  if (next === undefined) throw new ClassicUsageError(`'${flag}' requires an argument`);
  return next;
}

/** The words of a command for which `-` means its standard input. */
export function splitStandardInput(words: readonly string[]): { readonly readStandardInput: boolean; readonly names: string[] } {
  return { readStandardInput: words.includes("-"), names: words.filter((word) => word !== "-") };
}

/** `-qlf` is `-q -l -f`, `-j3` is `-j 3`. */
function expandCompound(args: string[], at: number): void {
  const argument = args[at]!;
  if (!/^-[A-Za-z]./.test(argument)) return;
  const expanded = [argument.slice(0, 2)];
  for (let j = 2; j < argument.length; j++) {
    if (/[A-Za-z]/.test(argument[j]!)) expanded.push(`-${argument[j]!}`);
    else {
      expanded.push(argument.slice(j));
      break;
    }
  }
  args.splice(at, 1, ...expanded);
}

/** What is said looks the same in all of them but `internal-json`: there is no bar of progress. */
const LOG_FORMATS: ReadonlySet<string> = new Set(["raw", "raw-with-logs", "internal-json", "bar", "bar-with-logs", "multiline", "multiline-with-logs"]);

type Flag = { readonly values: number; readonly run: (first: string, second: string) => void };

function common(flag: string, options: ClassicOptions, warn: (text: string) => void): Flag | undefined {
  const { settings, autoArguments } = options;
  const none = (run: () => void): Flag => ({ values: 0, run });
  const one = (run: (value: string) => void): Flag => ({ values: 1, run });
  const argument = (name: string, kind: AutoArgument["kind"], text: string): void => void autoArguments.set(name, { name: toByteString(name), kind, text });
  switch (flag) {
    case "-v":
    case "--verbose":
      return none(() => void options.verbosity++);
    case "--quiet":
      return none(() => void options.verbosity--);
    case "--debug":
      return none(() => void (options.verbosity = 4));
    case "--option":
      return {
        values: 2,
        run: (name, value) => {
          try {
            settings.set(name, value);
          } catch (error) {
            if (!(error instanceof TsosError)) throw error;
            warn(error.message);
          }
        },
      };
    case "--log-format":
      return one((format) => {
        if (!LOG_FORMATS.has(format)) throw new TsosError({ code: "nix.bad-log-format", message: `option 'log-format' has an invalid value '${format}'`, data: { format } });
        options.logsJson = format === "internal-json";
      });
    case "-j":
      return one((value) => settings.set("max-jobs", value));
    case "-Q":
    case "--no-build-output":
      return none(() => void (options.showsBuildOutput = false));
    case "-K":
      return none(() => settings.set("keep-failed", "true"));
    case "-k":
      return none(() => settings.set("keep-going", "true"));
    case "--readonly-mode":
      return none(() => void (options.readOnly = true));
    case "--no-gc-warning":
      return none(() => void (options.gcWarning = false));
    case "--store":
      return one((value) => void (options.storeUrl = value));
    case "--eval-store":
      return one((value) => void (options.evaluationStoreUrl = value));
    case "--arg":
      return { values: 2, run: (name, text) => argument(name, "expression", toByteString(text)) };
    case "--argstr":
      return { values: 2, run: (name, text) => argument(name, "string", toByteString(text)) };
    case "--arg-from-file":
      return { values: 2, run: (name, file) => argument(name, "string", readFileSync(file, "latin1")) };
    case "--arg-from-stdin":
      return one((name) => argument(name, "string", readFileSync(0, "latin1")));
    case "-I":
    case "--include":
      return one((value) => void options.lookupPath.push(value));
    case "--impure":
      return none(() => settings.set("pure-eval", "false"));
    default: {
      const setting = flag.startsWith("--") ? findSettingFlag(flag.slice(2)) : undefined;
      if (setting === undefined) return undefined;
      return setting.value === "argument" ? one((value) => settings.set(setting.name, value)) : none(() => settings.set(setting.name, setting.value));
    }
  }
}
