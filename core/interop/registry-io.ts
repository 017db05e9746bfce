import { equalHashes, parseHash } from "../hash/hash.ts";
import { derivationOutputPaths } from "../derivation/derivation-output-paths.ts";
import { NixError } from "../nix/nix-error.ts";
import type { AddPathOptions, NixFileKind, NixIo } from "../nix/nix-io.ts";
import type { EvaluationRegistry } from "../package/evaluation-registry.ts";
import { makeFixedOutputPath } from "../store-path/make-store-path.ts";
import { formatStorePath, parseStorePath, storePathName, type StorePath } from "../store-path/store-path.ts";
import { fromByteString, type ByteString } from "../util/bytes.ts";
import type { SourceFiles } from "../config/source-files.ts";

export type RegistryIoOptions = {
  readonly registry: EvaluationRegistry;
  readonly files: SourceFiles;
  /** Store paths in full whose files may be seen: the inputs of the configuration, as far as they are used. */
  readonly sources: ReadonlySet<string>;
  /** Lines of `builtins.trace` and warnings. */
  readonly log: (line: string) => void;
};

/**
 * What a Nix expression sees inside the evaluation of a configuration: the configuration's inputs, and what it put
 * into the evaluation's registry itself. No other file, no environment, no clock, nothing built: evaluations are pure.
 */
export function createRegistryIo({ registry, files, sources, log }: RegistryIoOptions): NixIo {
  const { storeDir } = registry;
  const kinds = new Map<ByteString, NixFileKind | undefined>();
  const copied = new Map<ByteString, StorePath>();
  /** Sources outside of the store: the project. */
  const isOutside = (path: ByteString): boolean => [...sources].some((source) => !source.startsWith(prefix) && (path === source || path.startsWith(`${source}/`)));
  const prefix = `${storeDir}/`;
  const storePathOf = (path: ByteString): ByteString | undefined => {
    if (!path.startsWith(prefix)) return undefined;
    const end = path.indexOf("/", prefix.length);
    return end < 0 ? path : path.slice(0, end);
  };
  const isVisible = (path: ByteString): boolean => {
    const root = storePathOf(path);
    return root === undefined ? isOutside(path) : sources.has(root);
  };
  /** Folders on the way to the store are there, and show nothing else. */
  const isAbove = (path: ByteString): boolean => path === "/" || storeDir === path || storeDir.startsWith(`${path}/`);
  const checkAccess = (path: ByteString): void => {
    if (!isVisible(path) && !isAbove(path)) throw new NixError("restricted", `access to absolute path '${path}' is forbidden in pure evaluation mode (a configuration's Nix expressions see its inputs only)`);
  };
  const add = (path: ByteString, name: ByteString, method: "nar" | "flat", { include, references = [], expected }: AddPathOptions = {}): StorePath | undefined => {
    checkAccess(path);
    const found = files.hash(path, method, include === undefined ? [] : findExcluded(files, path, include));
    const hash = parseHash(found.hash);
    if (expected !== undefined && !equalHashes(hash, expected)) return undefined;
    const stored = makeFixedOutputPath({ name, method, hash, references: { others: references, self: false }, storeDir });
    registry.addPath(name, formatStorePath(stored, storeDir), found.file, { method, excluded: found.excluded, references, input: found.input });
    return stored;
  };
  const isIssued = (path: StorePath): boolean => registry.findIssued(formatStorePath(path, storeDir)) !== undefined;
  const io: NixIo = {
    storeDir,
    home: undefined,
    currentSystem: undefined,
    currentTime: undefined,
    searchPath: [],
    pure: true,
    findSearchPathEntry: () => undefined,
    getEnvironment: () => "",
    checkAccess,
    fileKind: (path) => {
      if (isAbove(path)) return "directory";
      if (!isVisible(path)) return undefined;
      // Sources do not change while they are evaluated.
      if (!kinds.has(path)) kinds.set(path, files.kind(path));
      return kinds.get(path);
    },
    readFile: (path) => {
      checkAccess(path);
      return files.read(path);
    },
    readDirectory: (path) => {
      checkAccess(path);
      return isVisible(path) ? files.list(path) : new Map();
    },
    readLink: (path) => {
      checkAccess(path);
      return files.link(path);
    },
    copyToStore: (path) => {
      let stored = copied.get(path);
      if (stored === undefined) {
        // An input stands in the store already, and is itself.
        stored = sources.has(path) && storePathOf(path) !== undefined ? parseStorePath(path, storeDir) : add(path, path.slice(path.lastIndexOf("/") + 1), "nar")!;
        copied.set(path, stored);
      }
      return stored;
    },
    addPath: add,
    references: () => [],
    isValid: isIssued,
    ensureValid: (path) => {
      if (!isIssued(path)) throw new NixError("eval", `path '${storeDir}/${path}' is none of this configuration's evaluation`);
    },
    addText: (name, contents, references) => registry.addTextWithReferences(name, contents, references),
    addDerivation: (path, contents, derivation) => {
      const outputs = new Map<string, StorePath>();
      for (const [name, output] of derivationOutputPaths(derivation, storeDir)) if (output !== undefined) outputs.set(name, output);
      registry.recordOfCollection({ path, derivation, contents, outputs });
    },
    readDerivation: (path) => registry.findRecorded(path)?.derivation,
    realise: (context) => {
      for (const element of context) {
        if (!element.startsWith("!")) continue;
        const [, output, drvPath] = /^!(.*)!([^!]*)$/.exec(element)!;
        const error = new NixError("eval", `cannot build '${storeDir}/${drvPath}^${output}' during evaluation: a configuration's evaluation is pure and builds nothing (import from derivation of '${storePathName(drvPath as StorePath)}')`);
        error.advice = "build it beforehand and put what comes out into the project or an input, or use what does not import from a derivation";
        throw error;
      }
      return new Map();
    },
    log: (message) => log(fromByteString(message)),
  };
  return io;
}

/** The paths below `path` that `include` refuses, without what is below them. */
function findExcluded(files: SourceFiles, path: ByteString, include: (path: ByteString, kind: NixFileKind) => boolean): ByteString[] {
  const excluded: ByteString[] = [];
  const visit = (folder: ByteString): void => {
    for (const [name, kind] of files.list(folder)) {
      const inner = `${folder}/${name}`;
      if (!include(inner, kind)) excluded.push(inner);
      else if (kind === "directory") visit(inner);
    }
  };
  if (files.kind(path) === "directory") visit(path);
  return excluded;
}
