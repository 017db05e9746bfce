/** The flags that every command has. */
export type GlobalFlags = {
  readonly json: boolean;
  /** -1 quiet, 0, 1 verbose. */
  readonly verbosity: number;
  readonly color: "auto" | "always" | "never";
  readonly offline: boolean;
  readonly locked: boolean;
  readonly jobs: number | undefined;
  readonly cores: number | undefined;
  readonly keepFailed: boolean;
  readonly keepGoing: boolean;
  readonly config: string | undefined;
  readonly root: string | undefined;
  readonly store: string | undefined;
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
  store: { type: "string", describe: "use the store under this folder", requiresArg: true },
} as const;

type ParsedGlobals = {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: string;
  readonly offline: boolean;
  readonly locked: boolean;
  readonly jobs?: number | undefined;
  readonly cores?: number | undefined;
  readonly keepFailed: boolean;
  readonly keepGoing: boolean;
  readonly config?: string | undefined;
  readonly root?: string | undefined;
  readonly store?: string | undefined;
};

export function readGlobalFlags(parsed: ParsedGlobals): GlobalFlags {
  return {
    json: parsed.json,
    verbosity: parsed.quiet ? -1 : parsed.verbose ? 1 : 0,
    color: parsed.color === "always" || parsed.color === "never" ? parsed.color : "auto",
    offline: parsed.offline,
    locked: parsed.locked,
    jobs: parsed.jobs,
    cores: parsed.cores,
    keepFailed: parsed.keepFailed,
    keepGoing: parsed.keepGoing,
    config: parsed.config,
    root: parsed.root,
    store: parsed.store,
  };
}
