import { existsSync } from "node:fs";
import { basename, isAbsolute, join, relative, resolve, sep } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { equalAttributes, withoutAttributes, type SourceAttributes } from "../fetch/source/attributes.ts";
import { fetchSource, showSource, type FetchedSource } from "../fetch/source/fetch-source.ts";
import type { SourceContext } from "../fetch/source/scheme.ts";
import { checkSource, parseSource } from "../fetch/source/source.ts";
import { formatSourceUrl, hidePassword, parseSourceUrl } from "../fetch/source/source-url.ts";
import type { DeclaredInput, InputTree } from "../option/declared-input.ts";
import { parseHash } from "../hash/hash.ts";
import { makeFixedOutputPath } from "../store-path/make-store-path.ts";
import { DEFAULT_STORE_DIR, formatStorePath } from "../store-path/store-path.ts";
import { readLockFile, writeLockFile, type LockedInput, type LockFile } from "./lock-file.ts";

/** How an evaluation may get at sources outside of the project. */
export type InputSettings = {
  readonly openContext: () => Promise<SourceContext>;
  /** With `--locked` the lock file is not changed: what would change it is an error. */
  readonly locked: boolean;
  /** The configuration whose inputs they are, where the file that is evaluated is a trial of it. */
  readonly configuration?: string | undefined;
};

/** Asked only for which inputs there are: what is locked and not to be had any more stands in nobody's way. */
export type InputUse = { readonly forUpdate: boolean };

/** The inputs of one configuration while it is evaluated. */
export type ProjectInputs = {
  readonly lockPath: string;
  /** The tree of an input, as it is locked; one that is not is locked now. */
  fetch(declared: DeclaredInput): Promise<InputTree>;
  /** The folder (or file) of an input that was fetched. */
  root(name: string): string;
  /** Where its files are on disk, by name: all that were fetched. */
  roots(): ReadonlyMap<string, string>;
  /** Folders by the store path as which expressions see them; of a path on this machine the folder itself, not its copy. */
  sources(): ReadonlyMap<string, string>;
  /** Locks what is declared and was not used, forgets what is not declared any more, and writes the lock file. */
  finish(declared: readonly DeclaredInput[]): Promise<void>;
  /** Writes what was locked so far, so that the next run starts from the same. */
  keep(): void;
};

/** Where the inputs of a project's configurations are locked. */
export function lockFilePath(project: string): string {
  return join(project, "tsos.lock");
}

/** The name that a configuration has in its project's lock file. */
export function configurationName(project: string, file: string): string {
  return relative(project, file).split(sep).join("/");
}

export function openProjectInputs(project: string, file: string, settings: InputSettings | undefined, { forUpdate }: InputUse = { forUpdate: false }): ProjectInputs {
  const lockPath = lockFilePath(project);
  const configuration = configurationName(project, settings?.configuration ?? file);
  const roots = new Map<string, string>();
  const sources = new Map<string, string>();
  let lock: LockFile | undefined;
  let entries: Record<string, LockedInput> | undefined;
  let context: Promise<SourceContext> | undefined;
  const openContext = (): Promise<SourceContext> => {
    if (settings === undefined) throw new TsosError({ code: "input.unavailable", message: "this evaluation cannot fetch inputs" });
    return (context ??= settings.openContext());
  };
  const known = (): Record<string, LockedInput> => {
    lock ??= readLockFile(lockPath);
    return (entries ??= { ...lock[configuration] });
  };

  /** The entry of an input, made where it is missing or stands for another source. */
  const getEntry = async (declared: DeclaredInput): Promise<{ readonly entry: LockedInput; readonly fetched?: FetchedSource }> => {
    const wanted = resolveOriginal(declared, project, file);
    const original = withoutSecrets(wanted);
    const entry = known()[declared.name];
    if (entry !== undefined && equalAttributes(entry.original, original)) return { entry };
    if (settings?.locked === true) throw notLocked(declared.name, lockPath, entry === undefined ? undefined : [showSource(entry.original), showSource(original)]);
    // One source has one version in a project.
    const shared = findShared(lock ?? {}, original);
    if (shared !== undefined) {
      known()[declared.name] = shared;
      return { entry: shared };
    }
    const made = await lockSource(wanted, project, await openContext());
    known()[declared.name] = made.entry;
    return made;
  };

  return {
    lockPath,
    async fetch(declared) {
      const { entry, fetched } = await getEntry(declared);
      const wanted = resolveOriginal(declared, project, file);
      const tree = fetched ?? (await fetchLocked(declared.name, entry, wanted, project, await openContext()).catch(async (error: unknown) => {
        if (!forUpdate || !(error instanceof TsosError)) throw error;
        // The configuration is read with what the update will lock.
        return (await lockSource(wanted, project, await openContext())).fetched;
      }));
      roots.set(declared.name, tree.root);
      const { type, path } = onThisMachine(entry.locked, project);
      sources.set(formatStorePath(makeFixedOutputPath({ name: "source", method: "nar", hash: parseHash(tree.narHash), references: { others: [], self: false }, storeDir: DEFAULT_STORE_DIR }), DEFAULT_STORE_DIR), type === "path" && typeof path === "string" ? path : tree.root);
      return { narHash: tree.narHash, attributes: entry.locked };
    },
    root(name) {
      const root = roots.get(name);
      if (root === undefined) throw new Error(`the input "${name}" was not fetched`);
      return root;
    },
    roots: () => roots,
    sources: () => sources,
    async finish(declared) {
      // A project without inputs has no lock file.
      if (declared.length === 0 && !existsSync(lockPath)) return;
      for (const input of declared) await locatedAt(input, () => getEntry(input));
      const names = new Set(declared.map(({ name }) => name));
      const superfluous = Object.keys(known()).filter((name) => !names.has(name));
      if (settings?.locked === true) {
        if (superfluous.length > 0) {
          throw new TsosError({ code: "lock.superfluous", message: `"${basename(lockPath)}" has ${superfluous.map((name) => `"${name}"`).join(", ")}, which "${configuration}" does not declare, and --locked forbids to change it`, hint: "run the command without --locked once, and commit the file" });
        }
        return;
      }
      // Without any settings nothing is written: an evaluation for its own sake.
      if (settings === undefined) return;
      for (const name of superfluous) delete known()[name];
      writeLockFile(lockPath, { ...lock, [configuration]: known() });
    },
    keep() {
      if (settings !== undefined && !settings.locked && entries !== undefined) writeLockFile(lockPath, { ...lock, [configuration]: entries });
    },
  };
}

/** Says with an error which input it is about; its place is looked for where the others are. */
async function locatedAt<T>(declared: DeclaredInput, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    throw new TsosError({ code: error.code, message: error.message, hint: error.hint, at: error.at, related: error.related, data: { ...error.data, input: { stack: declared.stack, path: [declared.name], part: "inputs" } }, cause: error.cause });
  }
}

function findShared(lock: LockFile, original: SourceAttributes): LockedInput | undefined {
  for (const inputs of Object.values(lock)) for (const entry of Object.values(inputs)) if (equalAttributes(entry.original, original)) return entry;
  return undefined;
}

/**
 * What a configuration asks for, as it stands in the lock file: checked, and with paths relative to the project.
 * @throws TsosError `source.*` for what names no source
 */
export function resolveOriginal(declared: DeclaredInput, project: string, file: string): SourceAttributes {
  const folder = declared.folder === undefined ? resolve(file, "..") : resolve(project, declared.folder);
  const { source } = declared;
  const given = typeof source === "string" ? parseSource(relativePathUrl(source) ?? source) : source;
  const attributes = checkSource(given["type"] === "git" && isRelativeGit(given) ? { ...given, url: resolve(folder, String(given["url"])) } : given);
  if (attributes["type"] === "indirect") {
    throw new TsosError({ code: "input.indirect", message: `"${String(source)}" is a name of a registry, and what a registry says changes`, hint: 'name the source itself, such as github("owner/repo")' });
  }
  const { path, url } = attributes;
  const relativeTo = (absolute: string): string => {
    const inProject = relative(project, absolute).split(sep).join("/");
    return inProject.startsWith("../") || inProject === ".." ? inProject : `./${inProject}`;
  };
  // As the configuration names them: the project may lie elsewhere on another machine.
  if (attributes["type"] === "path" && typeof path === "string" && !isAbsolute(path)) return { ...attributes, path: relativeTo(resolve(folder, path)) };
  if (attributes["type"] === "git" && typeof url === "string" && isRelativeGit(given)) return { ...attributes, url: `file:${relativeTo(parseSourceUrl(url).path)}` };
  return attributes;
}

function isRelativeGit({ url }: SourceAttributes): boolean {
  return typeof url === "string" && /^\.\.?(\/|$)/.test(url);
}

/** A plain path is taken as one. */
function relativePathUrl(source: string): string | undefined {
  return /^\.{0,2}\//.test(source) || source === "." || source === ".." ? `path:${source}` : undefined;
}

/** With paths that are absolute on this machine. */
function onThisMachine(attributes: SourceAttributes, project: string): SourceAttributes {
  const { type, path, url } = attributes;
  if (type === "path" && typeof path === "string") return { ...attributes, path: resolve(project, path) };
  return type === "git" && typeof url === "string" && /^file:\.\.?(\/|$)/.test(url) ? { ...attributes, url: formatSourceUrl({ scheme: "file", authority: "", path: resolve(project, parseSourceUrl(url).path), query: {} }) } : attributes;
}

/** Finds out what a source is now. */
export async function lockSource(original: SourceAttributes, project: string, context: SourceContext): Promise<{ readonly entry: LockedInput; readonly fetched: FetchedSource }> {
  const fetched = await fetchSource(onThisMachine(original, project), context);
  const { path, url } = original;
  const locked = path !== undefined ? { ...fetched.attributes, path } : typeof url === "string" && /^file:\./.test(url) ? { ...fetched.attributes, url } : fetched.attributes;
  const secretless = withoutSecrets(locked);
  // The line for people says no more than which version it is.
  const line = showSource(withoutAttributes(secretless, "lastModified", ...(locked["rev"] === undefined ? [] : ["narHash"])));
  return { entry: { original: withoutSecrets(original), locked: secretless, url: line }, fetched };
}

/** A lock file is published: a password in a URL is not. */
export function withoutSecrets(attributes: SourceAttributes): SourceAttributes {
  const { url } = attributes;
  return typeof url === "string" ? { ...attributes, url: hidePassword(url) } : attributes;
}

async function fetchLocked(name: string, entry: LockedInput, wanted: SourceAttributes, project: string, context: SourceContext): Promise<FetchedSource> {
  const { dirtyRev: _, dirtyShortRev: __, ...found } = onThisMachine(entry.locked, project);
  // The password is the configuration's.
  const url = typeof wanted["url"] === "string" && hidePassword(wanted["url"]) === found["url"] ? wanted["url"] : found["url"];
  const locked = url === undefined ? found : { ...found, url };
  try {
    return await fetchSource(locked, context, { isFinal: true });
  } catch (error) {
    if (!(error instanceof TsosError)) throw error;
    if (error.code !== "source.hash-mismatch") {
      throw new TsosError({ code: error.code, message: `the input "${name}" cannot be had as "tsos.lock" says: ${error.message}`, hint: `if that is gone, tsos update ${name} locks what is there now`, at: error.at, related: error.related, data: error.data, cause: error.cause });
    }
    const { expected, actual } = error.data;
    throw new TsosError({
      code: "lock.hash-mismatch",
      message: `the input "${name}" is not what "tsos.lock" says: expected ${String(expected)}, got ${String(actual)}`,
      hint: `if the source changed on purpose, run tsos update ${name}`,
      data: { expected, actual },
    });
  }
}

function notLocked(name: string, lockPath: string, changed: readonly [string, string] | undefined): TsosError {
  return changed === undefined
    ? new TsosError({ code: "lock.missing-input", message: `the input "${name}" is not in "${basename(lockPath)}", and --locked forbids to add it`, hint: `run tsos update ${name}, and commit the file`, data: { name } })
    : new TsosError({ code: "lock.changed-input", message: `the input "${name}" is locked as "${changed[0]}", and the configuration asks for "${changed[1]}"; --locked forbids to change it`, hint: `run tsos update ${name}, and commit the file`, data: { name } });
}
