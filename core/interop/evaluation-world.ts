import { hash } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hashToBase16 } from "../hash/hash.ts";
import { narHashOfPathSync } from "../nar/dump-path.ts";
import { toFsPath } from "../nar/fs-path.ts";
import type { NixFileKind } from "../nix/nix-io.ts";
import { fingerprintTokens } from "../nix/token-fingerprint.ts";
import type { ByteString } from "../util/bytes.ts";
import { fileKind, findKind, stampOf, stampTree, type FileStamp } from "./file-stamp.ts";

export type DirectoryEntry = { readonly name: ByteString; readonly kind: NixFileKind };

/** This machine, as far as the result of an evaluation can depend on it. Failures are the system's own errors. */
export type EvaluationWorld = {
  /** Of a path, not of what it links to; undefined where there is nothing. */
  kind(path: ByteString): NixFileKind | undefined;
  /** `asCode`: to be evaluated, and for nothing else. */
  read(path: ByteString, asCode?: boolean): Buffer;
  list(path: ByteString): readonly DirectoryEntry[];
  link(path: ByteString): ByteString;
  /** SHA-256 of the archive of a file or folder. */
  narHash(path: ByteString, include?: (path: ByteString, kind: NixFileKind) => boolean): Uint8Array;
  environment(name: ByteString): ByteString | undefined;
  /** Seconds since 1970. */
  time(): number;
  /** Of a file or folder, undefined for anything else. */
  stamp(path: ByteString): FileStamp | undefined;
  /** With all below but for what is left out. */
  stampTree(path: ByteString, excluded?: Readonly<Record<ByteString, NixFileKind>>): FileStamp;
};

export function createEvaluationWorld(environment: Readonly<Record<string, ByteString>>, time: number): EvaluationWorld {
  return {
    kind: findKind,
    read: (path) => readFileSync(toFsPath(path)),
    list: (path) => readdirSync(toFsPath(path), { withFileTypes: true, encoding: "latin1" }).map((entry) => ({ name: entry.name, kind: fileKind(entry) })),
    link: (path) => readlinkSync(toFsPath(path), "latin1"),
    narHash: (path, include) => narHashOfPathSync(path, { include }).hash.digest,
    environment: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
    time: () => time,
    stamp: stampOf,
    stampTree,
  };
}

/**
 * What an evaluation was told: the question, its argument, a fingerprint of the answer. `excluded`: what a filter left
 * out of an archive, with its kind. `stamp`: of the file or folder that had this answer, so that it need not be read.
 * `tokens`: the fingerprint of those of a file of which nothing else counts.
 */
export type Observation = readonly [question: "kind" | "read" | "list" | "link" | "nar" | "environment", of: ByteString, answer: string, excluded?: Readonly<Record<ByteString, NixFileKind>> | null, stamp?: string | null, tokens?: string];

/** File systems keep times coarsely: what changed this recently, in milliseconds, may change again without a sign. */
const UNSETTLED = 2000;

/**
 * The observations with a stamp wherever one can stand for the answer: where nothing has changed since before `since`
 * (milliseconds since 1970), when the first of the questions was asked. Those files of `tokensOnly` that changed last,
 * which are those that somebody edits, get the fingerprint of their tokens.
 */
export function stampObservations(world: EvaluationWorld, observations: readonly Observation[], since: number, tokensOnly: ReadonlySet<ByteString> = NOTHING): readonly Observation[] {
  const edited: { readonly index: number; readonly newest: number }[] = [];
  const stamped = observations.map((observation, index): Observation => {
    const [question, of, answer, excluded, , tokens] = observation;
    if (!isStamped(question)) return observation;
    try {
      const { text, newest } = takeStamp(world, observation) ?? { text: "", newest: Infinity };
      if (question === "read" && tokensOnly.has(of)) edited.push({ index, newest });
      const stamp = newest < since - UNSETTLED ? text : undefined;
      return describeAnswer(question, of, answer, excluded, stamp, tokens);
    } catch {
      return observation;
    }
  });
  let room = EDITED_BYTES;
  for (const { index } of edited.sort((a, b) => b.newest - a.newest).slice(0, EDITED)) {
    const [question, of, answer, excluded, stamp] = stamped[index]!;
    const bytes = readAgain(world, of, answer);
    if (bytes === undefined || bytes.length > room) continue;
    room -= bytes.length;
    const tokens = fingerprintTokens(bytes.toString("latin1"));
    stamped[index] = describeAnswer(question, of, answer, excluded, stamp ?? undefined, tokens);
  }
  return stamped;
}

function describeAnswer(question: Observation[0], of: ByteString, answer: string, excluded: Observation[3], stamp: string | undefined, tokens: string | undefined): Observation {
  if (tokens !== undefined) return [question, of, answer, excluded ?? null, stamp ?? null, tokens];
  return stamp === undefined ? [question, of, answer, excluded ?? null] : [question, of, answer, excluded ?? null, stamp];
}

const NOTHING: ReadonlySet<ByteString> = new Set();
/** Of so many files, and of so much text, the tokens are kept: all of a tree of packages would take longer than it is worth. */
const EDITED = 16;
const EDITED_BYTES = 64 * 1024;

/** The file that had this answer, if it has it still. */
function readAgain(world: EvaluationWorld, path: ByteString, answer: string): Buffer | undefined {
  try {
    const bytes = world.read(path);
    return fingerprint(bytes) === answer ? bytes : undefined;
  } catch {
    return undefined;
  }
}

export type WorldRecord = {
  readonly world: EvaluationWorld;
  readonly observations: () => readonly Observation[];
  /** False where something was asked that cannot be asked again, or was answered in two ways. */
  readonly isRepeatable: () => boolean;
  /** Files that were read to be evaluated, and for nothing else. */
  readonly code: () => ReadonlySet<ByteString>;
  /** The same, whatever was spoilt. */
  readonly isTold: () => boolean;
  /** The evaluation did what no later one may be spared. */
  spoil(): void;
};

/** The same world, with a record of what was asked. */
export function recordWorld(world: EvaluationWorld): WorldRecord {
  const seen = new Map<string, Observation>();
  const code = new Set<ByteString>();
  const text = new Set<ByteString>();
  let repeatable = true;
  let isSpoilt = false;
  const note = (observation: Observation): void => {
    const key = observation[0] + observation[1];
    const before = seen.get(key);
    if (before === undefined) seen.set(key, observation);
    else if (before[2] !== observation[2]) repeatable = false;
  };
  const asking = <T>(ask: () => T): T => {
    try {
      return ask();
    } catch (error) {
      repeatable = false;
      throw error;
    }
  };
  return {
    world: {
      kind: (path) => {
        const kind = asking(() => world.kind(path));
        note(["kind", path, kind ?? ""]);
        return kind;
      },
      read: (path, asCode) => {
        const bytes = asking(() => world.read(path));
        (asCode === true ? code : text).add(path);
        note(["read", path, fingerprint(bytes)]);
        return bytes;
      },
      list: (path) => {
        const entries = asking(() => world.list(path));
        note(["list", path, fingerprintOfList(entries)]);
        return entries;
      },
      link: (path) => {
        const target = asking(() => world.link(path));
        note(["link", path, target]);
        return target;
      },
      narHash: (path, include) => {
        if (include === undefined) {
          const digest = asking(() => world.narHash(path));
          note(["nar", path, hex(digest)]);
          return digest;
        }
        const excluded: Record<ByteString, NixFileKind> = Object.create(null) as Record<ByteString, NixFileKind>;
        const digest = asking(() =>
          world.narHash(path, (inside, kind) => {
            const wanted = include(inside, kind);
            if (!wanted) excluded[inside] = kind;
            return wanted;
          }),
        );
        // The same folder may be filtered in more than one way.
        const answer = hex(digest);
        seen.set(`nar${path}\0${answer}`, ["nar", path, answer, excluded]);
        return digest;
      },
      environment: (name) => {
        const value = world.environment(name);
        note(["environment", name, value === undefined ? "" : `=${value}`]);
        return value;
      },
      time: () => {
        repeatable = false;
        return world.time();
      },
      stamp: world.stamp,
      stampTree: world.stampTree,
    },
    observations: () => [...seen.values()],
    code: () => new Set([...code].filter((path) => !text.has(path))),
    isRepeatable: () => repeatable && !isSpoilt,
    isTold: () => repeatable,
    spoil: () => void (isSpoilt = true),
  };
}

function takeStamp(world: EvaluationWorld, [question, of, , excluded]: Observation): FileStamp | undefined {
  return question === "nar" ? world.stampTree(of, excluded ?? {}) : world.stamp(of);
}

function isStamped(question: Observation[0]): boolean {
  return question === "read" || question === "list" || question === "nar";
}

/** Whether the world still answers as it did; `read`: something had to be read again to know that. */
export function compareWorld(world: EvaluationWorld, observations: readonly Observation[]): { readonly unchanged: boolean; readonly read: boolean } {
  let read = false;
  /** They are what they were, and so of the kind that they were. */
  const same = new Set<ByteString>();
  try {
    const isUnchanged = (observation: Observation): boolean => {
      const [question, of, answer, , stamp] = observation;
      if (isStamped(question)) {
        if (typeof stamp === "string" && takeStamp(world, observation)?.text === stamp) {
          same.add(of);
          return true;
        }
        read = true;
      }
      return (question === "kind" && answer !== "" && same.has(of)) || isSame(world, observation);
    };
    const unchanged = observations.every((one) => one[0] === "kind" || isUnchanged(one)) && observations.every((one) => one[0] !== "kind" || isUnchanged(one));
    return { unchanged, read };
  } catch {
    // What can no longer be asked has changed.
    return { unchanged: false, read };
  }
}

function isSame(world: EvaluationWorld, [question, of, answer, excluded, , tokens]: Observation): boolean {
  switch (question) {
    case "kind":
      return (world.kind(of) ?? "") === answer;
    case "read":
      return isSameFile(world.read(of), answer, tokens);
    case "list":
      return fingerprintOfList(world.list(of)) === answer;
    case "link":
      return world.link(of) === answer;
    case "nar":
      return hex(world.narHash(of, excluded === undefined || excluded === null ? undefined : (path, kind) => !Object.hasOwn(excluded, path) || excluded[path] !== kind)) === answer;
    case "environment": {
      const value = world.environment(of);
      return (value === undefined ? "" : `=${value}`) === answer;
    }
    default:
      return false;
  }
}

function isSameFile(bytes: Buffer, answer: string, tokens: string | undefined): boolean {
  return fingerprint(bytes) === answer || (tokens !== undefined && fingerprintTokens(bytes.toString("latin1")) === tokens);
}

/** A file's bytes, as they are told apart; also what parsed files are found by. */
export function fingerprint(bytes: Uint8Array): string {
  return hash("sha256", bytes);
}

function fingerprintOfList(entries: readonly DirectoryEntry[]): string {
  // In the order of their names: the system's own may differ from time to time.
  return hashToBase16("sha256", entries.map(({ name, kind }) => `${name}/${kind}`).sort().join("\0"));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
