import { resolve } from "node:path";

/** The flags that every command has. */
export type GlobalFlags = {
  readonly json: boolean;
  /** -1 quiet, 0, 1 verbose. */
  readonly verbosity: number;
  readonly color: "auto" | "always" | "never";
  readonly offline: boolean;
  /** Fail rather than change the lock file. */
  readonly locked: boolean;
  readonly jobs: number | undefined;
  readonly cores: number | undefined;
  readonly keepFailed: boolean;
  readonly keepGoing: boolean;
  readonly config: string | undefined;
  readonly root: string | undefined;
  readonly store: string | undefined;
  /** Other machines that build; undefined: those of the settings. */
  readonly builders: string | undefined;
};

/** What a command line without flags has. */
export const defaultFlags: GlobalFlags = {
  json: false,
  verbosity: 0,
  color: "auto",
  offline: false,
  locked: false,
  jobs: undefined,
  cores: undefined,
  keepFailed: false,
  keepGoing: false,
  config: undefined,
  root: undefined,
  store: undefined,
  builders: undefined,
};

/** As yargs takes them. */
export const globalOptions = {
  json: { type: "boolean", default: false, describe: "print the result as JSON on stdout" },
  quiet: { alias: "q", type: "boolean", default: false, describe: "say only what failed" },
  verbose: { alias: "v", type: "boolean", default: false, describe: "show builds' output and errors' stacks" },
  color: { choices: ["auto", "always", "never"], default: "auto", describe: "colour the output" },
  offline: { type: "boolean", default: false, describe: "use no network" },
  locked: { type: "boolean", default: false, describe: "fail rather than change tsos.lock" },
  jobs: { alias: "j", type: "number", describe: "how many builds run at once", requiresArg: true },
  cores: { type: "number", describe: "how many cores a build may use", requiresArg: true },
  "keep-failed": { type: "boolean", default: false, describe: "keep the folder of a failed build" },
  "keep-going": { type: "boolean", default: false, describe: "after a failed build, go on with what does not need it" },
  config: { alias: "c", type: "string", describe: "the configuration file", requiresArg: true },
  root: { type: "string", describe: "act on the machine whose root is this folder", requiresArg: true },
  store: { type: "string", describe: "use the store under this folder, or by way of a daemon: daemon, unix:///SOCKET", requiresArg: true },
  builders: { type: "string", describe: "machines that build: URL SYSTEMS KEY JOBS SPEED FEATURES MANDATORY, or @FILE" },
} as const;

/** Yargs gives a list for a flag that stands twice. */
type Given<T> = T | readonly T[];

export type ParsedGlobals = {
  readonly json: Given<boolean>;
  readonly quiet: Given<boolean>;
  readonly verbose: Given<boolean>;
  readonly color: Given<string>;
  readonly offline: Given<boolean>;
  readonly locked: Given<boolean>;
  readonly jobs?: Given<number> | undefined;
  readonly cores?: Given<number> | undefined;
  readonly keepFailed: Given<boolean>;
  readonly keepGoing: Given<boolean>;
  readonly config?: Given<string> | undefined;
  readonly root?: Given<string> | undefined;
  readonly store?: Given<string> | undefined;
  readonly builders?: Given<string> | undefined;
};

/** Of a flag that is given twice the last counts. */
export function readGlobalFlags(parsed: ParsedGlobals, folder: string): GlobalFlags {
  const color = last(parsed.color);
  const path = (given: Given<string> | undefined): string | undefined => {
    const value = given === undefined ? undefined : last(given);
    return value === undefined ? undefined : resolve(folder, value);
  };
  return {
    json: last(parsed.json),
    verbosity: last(parsed.quiet) ? -1 : last(parsed.verbose) ? 1 : 0,
    color: color === "always" || color === "never" ? color : "auto",
    offline: last(parsed.offline),
    locked: last(parsed.locked),
    jobs: parsed.jobs === undefined ? undefined : last(parsed.jobs),
    cores: parsed.cores === undefined ? undefined : last(parsed.cores),
    keepFailed: last(parsed.keepFailed),
    keepGoing: last(parsed.keepGoing),
    config: path(parsed.config),
    root: path(parsed.root),
    store: storeOf(parsed.store, folder),
    builders: parsed.builders === undefined ? undefined : last(parsed.builders),
  };
}

/** A folder, or what is no folder by its form: `daemon`, `auto`, `local`, a URL. */
function storeOf(given: Given<string> | undefined, folder: string): string | undefined {
  const value = given === undefined ? undefined : last(given);
  if (value === undefined) return undefined;
  return /^(daemon|auto|local)$|^(unix:\/\/|local\?)/.test(value) ? value : resolve(folder, value);
}

/** What is wrong with numbers and empty texts among the flags; undefined where nothing is. */
export function findWrongFlag({ jobs, cores, config, root, store }: ParsedGlobals): string | undefined {
  for (const [name, given] of Object.entries({ config, root, store })) {
    if (given !== undefined && last<string>(given) === "") return `--${name} needs a path`;
  }
  if (jobs !== undefined && !(Number.isInteger(last(jobs)) && last(jobs) >= 1)) return "--jobs must be a whole number from 1 on";
  if (cores !== undefined && !(Number.isInteger(last(cores)) && last(cores) >= 0)) return "--cores must be a whole number; 0 means all";
  return undefined;
}

function last<T>(given: Given<T>): T {
  // Yargs never gives an empty list for a flag that takes one value.
  return Array.isArray(given) ? (given as readonly T[]).at(-1)! : (given as T);
}
