import { TsosError } from "../error/tsos-error.ts";
import { equalAttributes } from "../fetch/source/attributes.ts";
import type { SourceContext } from "../fetch/source/scheme.ts";
import type { DeclaredInput } from "../option/declared-input.ts";
import { findNearestName } from "../util/suggest.ts";
import { readLockFile, writeLockFile, type LockedInput } from "./lock-file.ts";
import { configurationName, lockFilePath, lockSource, resolveOriginal, withoutSecrets } from "./project-inputs.ts";

/** A configuration and what it declares. */
export type ConfigurationInputs = { readonly file: string; readonly declared: readonly DeclaredInput[] };

/** What an update did to one input. */
export type InputChange = {
  readonly name: string;
  /** The configuration's path in the project. */
  readonly configuration: string;
  readonly kind: "added" | "updated" | "unchanged" | "removed";
  readonly from?: LockedInput | undefined;
  readonly to?: LockedInput | undefined;
  /** Where the tree that it is locked to now lies, where it was fetched for this. */
  readonly root?: string | undefined;
};

/**
 * Asks the sources of inputs what they are now, and writes that into the lock file: of all, or of those that `names`
 * has. Other configurations of the project that use the same source follow. What is not declared any more goes.
 *
 * @throws TsosError `update.unknown-input`, `source.*` with `data.input` for the place of the declaration; then
 * nothing is written
 */
export async function updateInputs(options: {
  readonly project: string;
  readonly configurations: readonly ConfigurationInputs[];
  readonly names: readonly string[];
  readonly context: SourceContext;
}): Promise<{ readonly lockPath: string; readonly changes: readonly InputChange[] }> {
  const { project, configurations, names, context } = options;
  const lockPath = lockFilePath(project);
  const lock = readLockFile(lockPath);
  const next = new Map(Object.entries(lock).map(([name, inputs]) => [name, { ...inputs }]));
  const all = configurations.flatMap(({ declared }) => declared.map(({ name }) => name));
  for (const name of names) {
    if (all.includes(name)) continue;
    const near = findNearestName(name, all);
    throw new TsosError({ code: "update.unknown-input", message: `there is no input "${name}"`, hint: near !== undefined ? `did you mean "${near}"?` : all.length === 0 ? "the configuration declares none" : `the inputs are ${[...new Set(all)].join(", ")}`, data: { name } });
  }

  const found = new Map<string, { readonly entry: LockedInput; readonly root: string }>();
  const changes: InputChange[] = [];
  for (const { file, declared } of configurations) {
    const configuration = configurationName(project, file);
    const before = lock[configuration] ?? {};
    const after: Record<string, LockedInput> = {};
    for (const input of declared) {
      const wanted = locatedAt(input, () => resolveOriginal(input, project, file));
      const original = withoutSecrets(wanted);
      const present = before[input.name];
      const isSame = present !== undefined && equalAttributes(present.original, original);
      if (names.length > 0 && !names.includes(input.name)) {
        // What was not asked for stays; what is not locked yet is for the next evaluation to lock.
        if (isSame) after[input.name] = present;
        continue;
      }
      const key = JSON.stringify(original);
      const made = found.get(key) ?? (await locatedLater(input, async () => {
        const { entry, fetched } = await lockSource(wanted, project, context);
        return { entry, root: fetched.root };
      }));
      // When a folder's files were touched is no news while they hold the same.
      const entry = isSame && sameTree(present, made.entry) ? present : made.entry;
      found.set(key, { entry, root: made.root });
      after[input.name] = entry;
      const kind = present === undefined ? "added" : equalAttributes(present.locked, entry.locked) && isSame ? "unchanged" : "updated";
      changes.push({ name: input.name, configuration, kind, from: present, to: entry, root: made.root });
    }
    for (const name of Object.keys(before)) {
      if (!declared.some((input) => input.name === name)) changes.push({ name, configuration, kind: "removed", from: before[name] });
    }
    next.set(configuration, after);
  }
  for (const [configuration, inputs] of next) {
    for (const [name, present] of Object.entries(inputs)) {
      const made = found.get(JSON.stringify(present.original));
      if (made === undefined || equalAttributes(made.entry.locked, present.locked)) continue;
      inputs[name] = made.entry;
      if (!changes.some((change) => change.configuration === configuration && change.name === name)) changes.push({ name, configuration, kind: "updated", from: present, to: made.entry, root: made.root });
    }
  }
  writeLockFile(lockPath, Object.fromEntries(next));
  return { lockPath, changes };
}

function sameTree(a: LockedInput, b: LockedInput): boolean {
  return a.locked["narHash"] === b.locked["narHash"] && a.locked["rev"] === b.locked["rev"] && a.locked["type"] === b.locked["type"];
}

/** What an error about an input carries, so that its place can be found. */
function place({ name, stack }: DeclaredInput): Readonly<Record<string, unknown>> {
  return { input: { stack, path: [name], part: "inputs" } };
}

function withPlace(input: DeclaredInput, error: unknown): unknown {
  if (!(error instanceof TsosError)) return error;
  return new TsosError({ code: error.code, message: `the input "${input.name}": ${error.message}`, hint: error.hint, at: error.at, related: error.related, data: { ...error.data, ...place(input) } });
}

function locatedAt<T>(input: DeclaredInput, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw withPlace(input, error);
  }
}

async function locatedLater<T>(input: DeclaredInput, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw withPlace(input, error);
  }
}
