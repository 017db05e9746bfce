/** The injected interface over Node's file system and a store that only computes paths, for tests. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent, type Stats } from "node:fs";
import type { NixFileKind, NixIo } from "../../../core/nix/nix-io.ts";
import { filterLog } from "../../../core/nix/filter-log.ts";
import { NixError } from "../../../core/nix/nix-error.ts";
import { hashBytes, hashByteString, type Hash } from "../../../core/hash/hash.ts";
import { withStoreName } from "../../../core/nix/store-name.ts";
import { makeFixedOutputPath, makeTextPath } from "../../../core/store-path/make-store-path.ts";
import { concatBytes, encodeUtf8 } from "../../../core/util/bytes.ts";

export type HostIo = NixIo & { readonly messages: string[]; readonly derivations: Map<string, string> };

export function createHostIo(options: { readonly home?: string; readonly searchPath?: NixIo["searchPath"]; readonly environment?: Readonly<Record<string, string>>; readonly map?: (path: string) => string } = {}): HostIo {
  const map = options.map ?? ((path: string) => path);
  const real = (path: string): Buffer => Buffer.from(map(path), "latin1");
  const stored = new Map<string, ReturnType<NixIo["copyToStore"]>>();
  const messages: string[] = [];
  const derivations = new Map<string, string>();
  /** What was written, derivations too: it can be read again. */
  const texts = new Map<string, string>();
  const referred = new Map<string, ReturnType<NixIo["references"]>>();
  return {
    messages,
    derivations,
    storeDir: "/nix/store",
    home: options.home ?? "/root",
    currentSystem: "x86_64-linux",
    currentTime: () => 1_700_000_000,
    searchPath: options.searchPath ?? [],
    pure: false,
    findSearchPathEntry: (path) => path,
    checkAccess: () => undefined,
    realise: (context) => {
      // What was only added is there; nothing is built.
      for (const element of context) if (element.startsWith("!")) throw new NixError("eval", "nothing is built here");
      return new Map();
    },
    getEnvironment: (name) => options.environment?.[name] ?? "",
    fileKind: (path) => {
      if (texts.has(path)) return "regular";
      try {
        return kindOf(lstatSync(real(path)));
      } catch {
        return undefined;
      }
    },
    readFile: (path) => {
      const text = texts.get(path);
      if (text !== undefined) return text;
      try {
        return readFileSync(real(path), "latin1");
      } catch (error) {
        throw new NixError("eval", `opening file '${path}': ${(error as Error).message}`);
      }
    },
    readDirectory: (path) => new Map(readdirSync(real(path), { withFileTypes: true, encoding: "latin1" }).map((entry) => [entry.name, kindOf(entry)])),
    readLink: (path) => readlinkSync(real(path), "latin1"),
    copyToStore: (path) => {
      let known = stored.get(path);
      if (known === undefined) {
        const name = path.slice(path.lastIndexOf("/") + 1);
        known = withStoreName(name, () => makeFixedOutputPath({ name, method: "nar", hash: hashBytes("sha256", dump(Buffer.from(map(path), "latin1"))), references: { others: [], self: false } }));
        stored.set(path, known);
      }
      return known;
    },
    addPath: (path, name, method, { include, expected }) => {
      const text = texts.get(path);
      const contents = (): Uint8Array => text !== undefined ? (method === "flat" ? Buffer.from(text, "latin1") : dumpText(text)) : method === "flat" ? readFileSync(real(path)) : dump(real(path), include === undefined ? undefined : (at, kind) => include(path + at.slice(map(path).length), kind));
      return withStoreName(name, () => {
        const toPath = (hash: Hash): ReturnType<typeof makeFixedOutputPath> => makeFixedOutputPath({ name, method, hash, references: { others: [], self: false } });
        const wanted = expected === undefined ? undefined : toPath(expected);
        const made = toPath(hashBytes("sha256", contents()));
        return wanted === undefined || wanted === made ? made : undefined;
      });
    },
    references: (path) => referred.get(path) ?? [],
    isValid: () => false,
    ensureValid: () => undefined,
    addText: (name, contents, references) => {
      const path = withStoreName(name, () => makeTextPath({ name, hash: hashByteString("sha256", contents), references }));
      referred.set(path, references);
      texts.set(`/nix/store/${path}`, contents);
      return path;
    },
    addDerivation: (path, contents) => {
      derivations.set(path, contents);
      texts.set(`/nix/store/${path}`, contents);
    },
    log: (message) => void messages.push(filterLog(message)),
  };
}

function kindOf(entry: Stats | Dirent): NixFileKind {
  return entry.isFile() ? "regular" : entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "unknown";
}

/** The archive of one file with this text. */
function dumpText(text: string): Uint8Array {
  return archive(({ words, text: bytes }) => {
    words("(", "type", "regular", "contents");
    bytes(Buffer.from(text, "latin1"));
    words(")");
  });
}

/** A NAR in memory: the evaluator is synchronous and core/nar is not. */
function dump(path: Buffer, include?: (path: string, kind: NixFileKind) => boolean): Uint8Array {
  return archive((writer) => dumpNode(path, include, writer));
}

type ArchiveWriter = { readonly text: (value: Uint8Array) => void; readonly words: (...values: string[]) => void };

function archive(write: (writer: ArchiveWriter) => void): Uint8Array {
  const parts: Uint8Array[] = [];
  const text = (value: Uint8Array): void => {
    const head = new Uint8Array(8);
    new DataView(head.buffer).setBigUint64(0, BigInt(value.length), true);
    parts.push(head, value, new Uint8Array((8 - (value.length % 8)) % 8));
  };
  const words = (...values: string[]): void => values.forEach((value) => text(encodeUtf8(value)));
  words("nix-archive-1");
  write({ text, words });
  return concatBytes(parts);
}

function dumpNode(path: Buffer, include: ((path: string, kind: NixFileKind) => boolean) | undefined, { text, words }: ArchiveWriter): void {
  const node = (at: Buffer): void => {
    words("(", "type");
    const stat = lstatSync(at);
    if (stat.isSymbolicLink()) {
      words("symlink", "target");
      text(readlinkSync(at, "buffer"));
    } else if (stat.isDirectory()) {
      words("directory");
      for (const name of readdirSync(at, "buffer").sort(Buffer.compare)) {
        const child = Buffer.concat([at, Buffer.from("/"), name]);
        if (include !== undefined && !include(child.toString("latin1"), kindOf(lstatSync(child)))) continue;
        words("entry", "(", "name");
        text(name);
        words("node");
        node(child);
        words(")");
      }
    } else {
      words("regular");
      if ((stat.mode & 0o100) !== 0) words("executable", "");
      words("contents");
      text(readFileSync(at));
    }
    words(")");
  };
  node(path);
}
