import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { TsosError } from "../error/tsos-error.ts";
import type { SourcePosition } from "../error/source-position.ts";
import { sortAttributes, type SourceAttributes } from "../fetch/source/attributes.ts";
import { compareUtf8 } from "../util/ordering.ts";

/** One input as it is locked. */
export type LockedInput = {
  /** What the configuration asked for, as attributes; paths are relative to the lock file's folder. */
  readonly original: SourceAttributes;
  /** The one tree that this was found to be: `narHash` always, `rev` and `lastModified` where there are such. */
  readonly locked: SourceAttributes;
  /** The same as one line for people. */
  readonly url: string;
};

/** The inputs of each configuration of a project, by its path relative to the lock file, then by name. */
export type LockFile = Readonly<Record<string, Readonly<Record<string, LockedInput>>>>;

const VERSION = 1;

/**
 * Reads a lock file; an empty one where there is none.
 * @throws TsosError `lock.*` with the line
 */
export function readLockFile(path: string): LockFile {
  return existsSync(path) ? parseLockFile(readFileSync(path, "utf8"), path) : {};
}

/** @throws TsosError `lock.conflict`, `lock.invalid`, `lock.version` */
export function parseLockFile(text: string, path: string): LockFile {
  const lines = text.split("\n");
  const conflict = lines.findIndex((line) => /^(<{7}|>{7}|\|{7})( |$)|^={7}$/.test(line));
  if (conflict >= 0) {
    throw new TsosError({ code: "lock.conflict", message: `"${path}" holds the marks of a merge conflict`, hint: "keep the lines of one side and remove the marks, or take one side's file whole (git checkout --ours); then run tsos update for the inputs that the other side changed", at: { file: path, line: conflict + 1, column: 1 } });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const at = positionOf(text, path, cause);
    throw new TsosError({ code: "lock.invalid", message: `"${path}" is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, hint: REPAIR, at });
  }
  const reader = new LockReader(path, text);
  const file = reader.object(value, []);
  if (file["version"] !== VERSION) {
    throw new TsosError({ code: "lock.version", message: `"${path}" has the version ${JSON.stringify(file["version"]) ?? "none"}, expected ${VERSION}`, hint: "a newer tsos made it: use that one", at: reader.place(["version"]) });
  }
  const result: Record<string, Record<string, LockedInput>> = {};
  for (const [configuration, inputs] of Object.entries(reader.object(file["inputs"], ["inputs"]))) {
    const names: Record<string, LockedInput> = {};
    for (const [name, entry] of Object.entries(reader.object(inputs, ["inputs", configuration]))) {
      const at = ["inputs", configuration, name];
      const { original, locked, url } = reader.object(entry, at);
      const parsed = { original: reader.attributes(original, [...at, "original"]), locked: reader.attributes(locked, [...at, "locked"]) };
      if (typeof parsed.locked["narHash"] !== "string" || !/^sha256-[A-Za-z0-9+/]{43}=$/.test(parsed.locked["narHash"])) throw reader.wrong([...at, "locked"], `"${name}" has no narHash in SRI form`);
      names[name] = { ...parsed, url: typeof url === "string" ? url : "" };
    }
    result[configuration] = names;
  }
  return result;
}

const REPAIR = "undo the edit, or remove the file and run tsos update";

class LockReader {
  private readonly path: string;
  private readonly text: string;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  object(value: unknown, at: readonly string[]): Readonly<Record<string, unknown>> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.wrong(at, `${at.length === 0 ? "the file" : `"${at.join(".")}"`} is not an object`);
    return value as Readonly<Record<string, unknown>>;
  }

  attributes(value: unknown, at: readonly string[]): SourceAttributes {
    const result: Record<string, string | number | boolean> = {};
    for (const [name, inner] of Object.entries(this.object(value, at))) {
      if (!["string", "boolean"].includes(typeof inner) && !Number.isSafeInteger(inner)) throw this.wrong([...at, name], `"${name}" is neither a string, a whole number nor a boolean`);
      result[name] = inner as string | number | boolean;
    }
    if (typeof result["type"] !== "string") throw this.wrong(at, `"${at.join(".")}" has no type`);
    return sortAttributes(result);
  }

  wrong(at: readonly string[], reason: string): TsosError {
    return new TsosError({ code: "lock.invalid", message: `"${this.path}" is not a lock file: ${reason}`, hint: REPAIR, at: this.place(at) });
  }

  /** Where the last of the names stands, looked for in their order. */
  place(at: readonly string[]): SourcePosition {
    let offset = 0;
    for (const name of at) {
      const found = this.text.indexOf(`${JSON.stringify(name)}:`, offset);
      if (found < 0) break;
      offset = found;
    }
    return placeAt(this.text, this.path, offset);
  }
}

function positionOf(text: string, path: string, error: unknown): SourcePosition {
  const offset = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  return placeAt(text, path, offset === undefined ? text.trimEnd().length : Number(offset));
}

function placeAt(text: string, path: string, offset: number): SourcePosition {
  const before = text.slice(0, offset).split("\n");
  return { file: path, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

/** The same text for the same inputs, with a line for each fact, so that versions of it can be compared and merged. */
export function formatLockFile(lock: LockFile): string {
  const inputs: Record<string, Record<string, LockedInput>> = {};
  for (const configuration of Object.keys(lock).sort(compareUtf8)) {
    const names = Object.entries(lock[configuration]!).sort(([a], [b]) => compareUtf8(a, b));
    if (names.length === 0) continue;
    inputs[configuration] = Object.fromEntries(names.map(([name, { original, locked, url }]) => [name, { locked: sortAttributes(locked), original: sortAttributes(original), url }]));
  }
  return `${JSON.stringify({ version: VERSION, inputs }, undefined, 2)}\n`;
}

/**
 * Writes a lock file as a whole or not at all; one that would be empty is not made.
 * @returns whether anything changed
 * @throws TsosError `lock.not-writable`
 */
export function writeLockFile(path: string, lock: LockFile): boolean {
  const text = formatLockFile(lock);
  const present = existsSync(path) ? readFileSync(path, "utf8") : undefined;
  if (present === text || (present === undefined && Object.values(lock).every((inputs) => Object.keys(inputs).length === 0))) return false;
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new TsosError({ code: "lock.not-writable", message: `cannot write "${path}": ${cause instanceof Error ? cause.message : String(cause)}`, hint: "run tsos update as a user who may write there, and commit the file", cause });
  }
  return true;
}
