import type { Derivation } from "../derivation/derivation.ts";
import { derivationReferences } from "../derivation/derivation-store-path.ts";
import { hashBytes, type Hash } from "../hash/hash.ts";
import { INTERNAL_FILES } from "../nix/builtins/fetchurl-file.ts";
import { canonicalPath } from "../nix/canonical-path.ts";
import { filterLog } from "../nix/filter-log.ts";
import { NixError } from "../nix/nix-error.ts";
import type { NixFetcher, NixSource } from "../nix/nix-fetcher.ts";
import type { AddPathOptions, NixFileKind, NixIo } from "../nix/nix-io.ts";
import { resolveSymlinks } from "../nix/resolve-path.ts";
import { withStoreName } from "../nix/store-name.ts";
import { makeFixedOutputPath, makeTextPath } from "../store-path/make-store-path.ts";
import { isStorePathBaseName, storePathName, type StorePath } from "../store-path/store-path.ts";
import type { ByteString } from "../util/bytes.ts";
import type { EvaluationSettings, StoreObject } from "./evaluation-protocol.ts";
import { fingerprint, type EvaluationWorld } from "./evaluation-world.ts";
import { isPseudoUrl } from "./nix-configuration.ts";
import { createSourceFetcher } from "./source-fetcher.ts";
import { AllowedPaths } from "./allowed-paths.ts";
import type { StoreChannel } from "./store-channel.ts";

const NOTHING: ReadonlyMap<ByteString, ByteString> = new Map();

/** What an evaluation of the command line sees: this machine's files as far as the settings let it, and the store. */
export function createEvaluationIo(settings: EvaluationSettings, channel: StoreChannel, world: EvaluationWorld): NixIo {
  const { storeDir, realStoreDir } = settings;
  const isRelocated = realStoreDir !== storeDir;
  const allowed = settings.pure || settings.restricted ? new AllowedPaths() : undefined;
  const kinds = new Map<ByteString, NixFileKind>();
  const copied = new Map<ByteString, StorePath>();
  const entries = new Map<ByteString, ByteString | undefined>();

  /** Where a path really is: what is not there may be in a store that has a root of its own. */
  const real = (path: ByteString): ByteString => {
    if (!isRelocated || !(path === storeDir || path.startsWith(`${storeDir}/`))) return path;
    return !settings.pure && world.kind(path) !== undefined ? path : realStoreDir + path.slice(storeDir.length);
  };
  const checkAccess = (path: ByteString): void => {
    if (allowed?.has(path) === false) {
      throw new NixError("restricted", `access to absolute path '${path}' is forbidden ${settings.pure ? "in pure evaluation mode (use '--impure' to override)" : "in restricted mode"}`);
    }
  };
  const allowStorePath = (path: string): void => allowed?.allow(`${storeDir}/${path}`);
  const allowClosure = (path: string): void => {
    if (allowed !== undefined) for (const one of channel.call({ op: "closure", path }).paths) allowStorePath(one);
  };
  const put = (object: StoreObject): void => {
    if (!settings.readOnly) channel.put(object);
  };
  const isValid = (path: StorePath): boolean => channel.call({ op: "valid", paths: [path] }).valid.length > 0;
  const addFile = (file: ByteString, name: ByteString, method: "nar" | "flat", { include: wants, references = [], expected }: AddPathOptions): StorePath | undefined => {
    // A folder on the way to what may be seen shows that alone, whoever copies it.
    const include = allowed === undefined || allowed.holds(file) ? wants : (inside: ByteString, kind: NixFileKind): boolean => allowed.has(inside) && (wants === undefined || wants(inside, kind));
    const toPath = (hash: Hash): StorePath => withStoreName(name, () => makeFixedOutputPath({ name, method, hash, references: { others: references, self: false }, storeDir }));
    const wanted = expected === undefined ? undefined : toPath(expected);
    if (wanted !== undefined && isValid(wanted)) {
      allowStorePath(wanted);
      return wanted;
    }
    const source = real(file);
    const excluded: ByteString[] | undefined = include === undefined ? undefined : [];
    const keep = include === undefined ? undefined : (path: ByteString, kind: NixFileKind): boolean => {
      if (include(file + path.slice(source.length), kind)) return true;
      excluded!.push(path);
      return false;
    };
    const contents: Hash = reading(file, () => method === "nar" ? { algorithm: "sha256", digest: world.narHash(source, keep) } : hashBytes("sha256", world.read(source)));
    const path = toPath(contents);
    put({ kind: "path", path, name, file: source, method, references, excluded });
    if (wanted !== undefined && path !== wanted) return undefined;
    allowStorePath(path);
    return path;
  };

  const kindOf = (path: ByteString): NixFileKind | undefined => {
    try {
      return world.kind(path);
    } catch (error) {
      throw new NixError("eval", `getting status of '${path}': ${reasonOf(error)}`);
    }
  };

  const io: NixIo = {
    storeDir,
    home: settings.pure ? undefined : settings.home,
    pure: settings.pure,
    currentSystem: settings.pure ? undefined : settings.currentSystem,
    currentTime: settings.pure ? undefined : () => world.time(),
    searchPath: settings.pure ? [] : settings.searchPath,
    getEnvironment: (name) => (settings.pure || settings.restricted ? "" : (world.environment(name) ?? "")),
    checkAccess,
    resolvedFolders: new Map(),
    fileKind: (path) => {
      const known = kinds.get(path);
      if (known !== undefined) return known;
      if (allowed?.has(path) === false) return undefined;
      const kind = kindOf(real(path));
      if (kind !== undefined) kinds.set(path, kind);
      return kind;
    },
    readFile: (path) => {
      checkAccess(path);
      return opening(path, () => world.read(real(path))).toString("latin1");
    },
    readSource: (path) => {
      checkAccess(path);
      const bytes = opening(path, () => world.read(real(path), true));
      return { hash: fingerprint(bytes), text: () => bytes.toString("latin1") };
    },
    readDirectory: (path) => {
      checkAccess(path);
      const found = reading(path, () => world.list(real(path)));
      const visible = allowed === undefined ? found : found.filter(({ name }) => allowed.has(path === "/" ? `/${name}` : `${path}/${name}`));
      return new Map(visible.map(({ name, kind }) => [name, kind]));
    },
    readLink: (path) => {
      checkAccess(path);
      return reading(path, () => world.link(real(path)));
    },
    copyToStore: (path) => {
      let stored = copied.get(path);
      if (stored !== undefined) return stored;
      const own = INTERNAL_FILES.get(path);
      if (own !== undefined) return io.addText(path.slice(path.lastIndexOf("/") + 1), own, []);
      const file = resolveSymlinks(io, path, "ancestors");
      checkAccess(file);
      if (path.endsWith(".drv")) throw new NixError("eval", "file names are not allowed to end in '.drv'");
      stored = addFile(file, path.slice(path.lastIndexOf("/") + 1), "nar", {})!;
      copied.set(path, stored);
      return stored;
    },
    addPath: (path, name, method, options) => {
      checkAccess(path);
      return addFile(path, name, method, options);
    },
    isValid,
    references: (path) => channel.call({ op: "references", path }).paths as StorePath[],
    ensureValid: (path) => {
      if (!settings.readOnly && !isValid(path)) throw new NixError("eval", `path '${storeDir}/${path}' is required, but there is no substituter that can build it`);
    },
    addText: (name, contents, references) => {
      const path = withStoreName(name, () => makeTextPath({ name, contents, references, storeDir }));
      put({ kind: "text", path, name, contents, references });
      allowStorePath(path);
      return path;
    },
    addDerivation: (path, contents, derivation: Derivation) => {
      if (!settings.readOnly) channel.put({ kind: "text", path, name: storePathName(path), contents, references: [...derivationReferences(derivation)] });
    },
    fetchEntry: (value) => fetchEntry(io.fetcher!, value),
    findSearchPathEntry: (value) => {
      if (entries.has(value)) return entries.get(value);
      const found = findEntry(value);
      entries.set(value, found);
      return found;
    },
    fetcher: createSourceFetcher({ channel, registries: settings.registries, overrides: settings.registryOverrides?.pairs, folder: settings.folder, realStoreDir, warn: (message) => io.log(message), allow: allowStorePath, allowedUris: settings.restricted ? (settings.allowedUris ?? []) : undefined, checkAccess }),
    realise: (context) => realise(context),
    log: (message) => channel.write("log", `${filterLog(message)}\n`),
  };

  /** An archive, or what a registry says of a name. */
  function fetchEntry(fetcher: NixFetcher, value: ByteString): ByteString {
    let source: NixSource;
    if (value.startsWith("flake:")) {
      const { dir: _, ...ref } = fetcher.parseFlakeRef(value.slice("flake:".length), { folder: settings.folder, allowMissing: true });
      const { dir: __, ...resolved } = fetcher.resolve(ref, "all");
      source = resolved;
    } else source = fetcher.check({ type: "tarball", url: value.startsWith("channel:") ? `https://channels.nixos.org/${value.slice("channel:".length)}/nixexprs.tar.xz` : value });
    return `${storeDir}/${fetcher.fetch(source, false).path}`;
  }

  function findEntry(value: ByteString): ByteString | undefined {
    if (isPseudoUrl(value) || value.startsWith("flake:")) {
      try {
        return fetchEntry(io.fetcher!, value);
      } catch (error) {
        if (!(error instanceof NixError)) throw error;
        io.log(`warning: Nix search path entry '${value}' cannot be downloaded, ignoring`);
        return undefined;
      }
    }
    const path = canonicalPath(value.startsWith("/") ? value : `${settings.folder}/${value}`);
    const target = resolveSymlinks(io, path);
    if (io.fileKind(target) !== undefined) return path;
    checkAccess(path);
    io.log(`warning: Nix search path entry '${value}' does not exist, ignoring`);
    return undefined;
  }

  /** Nix: libexpr/primops.cc, realiseContext */
  function realise(context: ReadonlySet<ByteString>): ReadonlyMap<ByteString, ByteString> {
    const needed = new Set<string>();
    const targets: { readonly drvPath: string; readonly output: string }[] = [];
    for (const element of context) {
      if (element.startsWith("!")) {
        const [, output, drvPath] = /^!(.*)!([^!]*)$/.exec(element)!;
        targets.push({ drvPath: drvPath!, output: output! });
        needed.add(drvPath!);
      } else needed.add(element.startsWith("=") ? element.slice(1) : element);
    }
    const paths = [...needed];
    const valid = new Set(channel.call({ op: "valid", paths }).valid);
    const missing = paths.find((path) => !valid.has(path));
    if (missing !== undefined) throw new NixError("eval", `path '${missing}' is not valid`);
    const [first] = targets;
    if (first === undefined) return NOTHING;
    const shown = `${storeDir}/${first.drvPath}^${first.output}`;
    if (!settings.allowImportFromDerivation) {
      throw new NixError("eval", `cannot build '${shown}' during evaluation because the option 'allow-import-from-derivation' is disabled`);
    }
    if (settings.traceImportFromDerivation) io.log(`warning: built '${shown}' during evaluation due to an import from derivation`);
    for (const output of channel.call({ op: "build", targets }).outputs) allowClosure(output);
    return NOTHING;
  }

  if (allowed !== undefined) {
    for (const { path: value } of io.searchPath) {
      if (isPseudoUrl(value) || value.startsWith("flake:")) continue;
      const path = canonicalPath(value.startsWith("/") ? value : `${settings.folder}/${value}`);
      allowed.allow(path);
      const base = path.startsWith(`${storeDir}/`) ? path.slice(storeDir.length + 1).split("/", 1)[0]! : "";
      if (isStorePathBaseName(base) && channel.call({ op: "valid", paths: [base] }).valid.length > 0) allowClosure(base);
    }
    for (const { path } of io.searchPath) io.findSearchPathEntry(path);
  }
  return io;
}

function opening<T>(path: ByteString, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new NixError("eval", `opening file '${path}': ${reasonOf(error)}`);
  }
}

function reading<T>(path: ByteString, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "syscall" in error) throw new NixError("eval", codeOf(error) === "EISDIR" ? "read of 4096 bytes: Is a directory" : `reading '${path}': ${reasonOf(error)}`);
    throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** As the C library says it. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "No such file or directory",
  EACCES: "Permission denied",
  EISDIR: "Is a directory",
  ENOTDIR: "Not a directory",
  ELOOP: "Too many levels of symbolic links",
  ENAMETOOLONG: "File name too long",
  EPERM: "Operation not permitted",
  EIO: "Input/output error",
  EMFILE: "Too many open files",
};

function reasonOf(error: unknown): string {
  return REASONS[codeOf(error)] ?? (error instanceof Error ? error.message : String(error));
}
