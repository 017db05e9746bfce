import { defaultFlags, readGlobalFlags, type GlobalFlags } from "./global-flags.ts";
import { STORE_ACTIONS, type StoreArguments } from "./store-arguments.ts";

/** Actions that are over soon enough for their start to count; the others are read by the whole program. */
const ACTIONS: ReadonlySet<string> = new Set<StoreArguments["action"]>(["add", "cat", "ls", "dump", "restore", "info", "closure", "why", "verify", "copy", "export", "import", "optimise"]);

export type StoreCommand =
  | { readonly kind: "store"; readonly flags: GlobalFlags; readonly args: StoreArguments }
  | { readonly kind: "gc"; readonly flags: GlobalFlags; readonly args: { readonly dryRun: boolean } };

/** What the parser of the whole program gives them where they are absent. */
const STORE_DEFAULTS = { checkContents: false, repair: false, reverse: false, recursive: true, checkSignatures: true, listen: "127.0.0.1:5000" } as const;

type Given = { [name: string]: string | boolean | number };

/** Flags of their long form: what they set. `jobs` is read further. */
const SWITCHES: Readonly<Record<string, readonly [string, boolean]>> = {
  "--json": ["json", true],
  "--quiet": ["quiet", true],
  "--verbose": ["verbose", true],
  "--offline": ["offline", true],
};
const STORE_SWITCHES: Readonly<Record<string, readonly [string, boolean]>> = {
  ...SWITCHES,
  "--reverse": ["reverse", true],
  "--check-contents": ["checkContents", true],
  "--no-recursive": ["recursive", false],
  "--no-check-signatures": ["checkSignatures", false],
};
const GC_SWITCHES: Readonly<Record<string, readonly [string, boolean]>> = { ...SWITCHES, "--dry-run": ["dryRun", true] };
const VALUES: Readonly<Record<string, string>> = { "--store": "store", "--jobs": "jobs", "-j": "jobs" };
const STORE_VALUES: Readonly<Record<string, string>> = { ...VALUES, "--name": "name", "--from": "from", "--to": "to" };

/**
 * A command line of `tsos store` or `tsos gc` in which nothing is unusual: whole flags, each once, with their values as words
 * of their own. Everything else, mistakes too, is left to the parser, whose meaning this keeps.
 */
export function readStoreWords(argv: readonly string[], folder: string): StoreCommand | undefined {
  const isGc = argv.includes("gc") && !argv.includes("store");
  const words: string[] = [];
  const given: Given = {};
  const set = (name: string, value: string | boolean | number): boolean => {
    if (name in given) return false;
    given[name] = value;
    return true;
  };
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (!word.startsWith("-")) {
      // The parser makes numbers of words that look so.
      if (word === "" || /^[\d.+]/.test(word)) return undefined;
      words.push(word);
      continue;
    }
    const flag = (isGc ? GC_SWITCHES : STORE_SWITCHES)[word];
    if (flag !== undefined) {
      if (!set(...flag)) return undefined;
      continue;
    }
    const name = (isGc ? VALUES : STORE_VALUES)[word];
    const value = argv[++i];
    if (name === undefined || value === undefined || value === "" || value.startsWith("-")) return undefined;
    if (name === "jobs" && !/^[1-9]\d{0,5}$/.test(value)) return undefined;
    if (!set(name, name === "jobs" ? Number(value) : value)) return undefined;
  }
  const { json = false, quiet = false, verbose = false, offline = false, store, jobs, ...own } = given;
  const flags = readGlobalFlags(
    { ...defaultFlags, json: json as boolean, quiet: quiet as boolean, verbose: verbose as boolean, offline: offline as boolean, jobs: jobs as number | undefined, store: store as string | undefined },
    folder,
  );
  if (isGc) return words.length === 1 ? { kind: "gc", flags, args: { dryRun: own["dryRun"] === true } } : undefined;
  const [command, action, ...paths] = words;
  if (command !== "store" || action === undefined || !isAction(action)) return undefined;
  return { kind: "store", flags, args: { ...STORE_DEFAULTS, ...own, action, paths } };
}

function isAction(word: string): word is StoreArguments["action"] {
  return ACTIONS.has(word) && (STORE_ACTIONS as readonly string[]).includes(word);
}
