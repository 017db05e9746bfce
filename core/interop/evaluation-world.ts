import { hash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent, type Stats } from "node:fs";
import { narHashOfPathSync } from "../nar/dump-path.ts";
import { toFsPath } from "../nar/fs-path.ts";
import type { NixFileKind } from "../nix/nix-io.ts";
import type { ByteString } from "../util/bytes.ts";

export type DirectoryEntry = { readonly name: ByteString; readonly kind: NixFileKind };

/** This machine, as far as the result of an evaluation can depend on it. Failures are the system's own errors. */
export type EvaluationWorld = {
  /** Of a path, not of what it links to; undefined where there is nothing. */
  kind(path: ByteString): NixFileKind | undefined;
  read(path: ByteString): Buffer;
  list(path: ByteString): readonly DirectoryEntry[];
  link(path: ByteString): ByteString;
  /** SHA-256 of the archive of a file or folder. */
  narHash(path: ByteString, include?: (path: ByteString, kind: NixFileKind) => boolean): Uint8Array;
  environment(name: ByteString): ByteString | undefined;
  /** Seconds since 1970. */
  time(): number;
};

export function createEvaluationWorld(environment: Readonly<Record<string, ByteString>>, time: number): EvaluationWorld {
  return {
    kind: (path) => {
      try {
        const stats = lstatSync(toFsPath(path), { throwIfNoEntry: false });
        return stats === undefined ? undefined : kindOf(stats);
      } catch (error) {
        // A file where a folder should be.
        if (error instanceof Error && "code" in error && error.code === "ENOTDIR") return undefined;
        throw error;
      }
    },
    read: (path) => readFileSync(toFsPath(path)),
    list: (path) => readdirSync(toFsPath(path), { withFileTypes: true, encoding: "latin1" }).map((entry) => ({ name: entry.name, kind: kindOf(entry) })),
    link: (path) => readlinkSync(toFsPath(path), "latin1"),
    narHash: (path, include) => narHashOfPathSync(path, { include }).hash.digest,
    environment: (name) => (Object.hasOwn(environment, name) ? environment[name] : undefined),
    time: () => time,
  };
}

function kindOf(entry: Stats | Dirent): NixFileKind {
  return entry.isFile() ? "regular" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "unknown";
}

/**
 * What an evaluation was told: the question, its argument, a fingerprint of the answer. `excluded`: what a filter left
 * out of an archive, with its kind.
 */
export type Observation = readonly [question: "kind" | "read" | "list" | "link" | "nar" | "environment", of: ByteString, answer: string, excluded?: Readonly<Record<ByteString, NixFileKind>>];

export type WorldRecord = {
  readonly world: EvaluationWorld;
  readonly observations: () => readonly Observation[];
  /** False where something was asked that cannot be asked again, or was answered in two ways. */
  readonly isRepeatable: () => boolean;
  /** The same, whatever was spoilt. */
  readonly isTold: () => boolean;
  /** The evaluation did what no later one may be spared. */
  spoil(): void;
};

/** The same world, with a record of what was asked. */
export function recordWorld(world: EvaluationWorld): WorldRecord {
  const seen = new Map<string, Observation>();
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
      read: (path) => {
        const bytes = asking(() => world.read(path));
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
    },
    observations: () => [...seen.values()],
    isRepeatable: () => repeatable && !isSpoilt,
    isTold: () => repeatable,
    spoil: () => void (isSpoilt = true),
  };
}

/** Whether the world still answers as it did. */
export function isUnchanged(world: EvaluationWorld, observations: readonly Observation[]): boolean {
  try {
    return observations.every(([question, of, answer, excluded]) => {
      switch (question) {
        case "kind":
          return (world.kind(of) ?? "") === answer;
        case "read":
          return fingerprint(world.read(of)) === answer;
        case "list":
          return fingerprintOfList(world.list(of)) === answer;
        case "link":
          return world.link(of) === answer;
        case "nar":
          return hex(world.narHash(of, excluded === undefined ? undefined : (path, kind) => !Object.hasOwn(excluded, path) || excluded[path] !== kind)) === answer;
        case "environment": {
          const value = world.environment(of);
          return (value === undefined ? "" : `=${value}`) === answer;
        }
        default:
          return false;
      }
    });
  } catch {
    // What can no longer be asked has changed.
    return false;
  }
}

/** A file's bytes, as they are told apart; also what parsed files are found by. */
export function fingerprint(bytes: Uint8Array): string {
  return hash("sha256", bytes);
}

function fingerprintOfList(entries: readonly DirectoryEntry[]): string {
  // In the order of their names: the system's own may differ from time to time.
  return hash("sha256", Buffer.from(entries.map(({ name, kind }) => `${name}/${kind}`).sort().join("\0"), "latin1"));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
