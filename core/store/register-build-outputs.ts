import { dirname } from "node:path";
import { TsosError } from "../error/tsos-error.ts";
import { equalHashes, formatHash, type Hash } from "../hash/hash.ts";
import { createHasher, type Hasher } from "../hash/hasher.ts";
import type { HashAlgorithm } from "../hash/hash-algorithm.ts";
import { copyPath } from "../nar/copy-path.ts";
import { dumpPath } from "../nar/dump-path.ts";
import { NarReader } from "../nar/nar-reader.ts";
import { restorePath } from "../nar/restore-path.ts";
import { outputPathName, makeContentAddressedPath } from "../store-path/make-store-path.ts";
import { storePathHash, storePathName, type StorePath } from "../store-path/store-path.ts";
import { encodeUtf8 } from "../util/bytes.ts";
import { compareByteStrings } from "../util/ordering.ts";
import { canonicalisePath, givesAttributes } from "./canonicalise.ts";
import { contentHashOfPath } from "./content-hash.ts";
import { findStats } from "./file-tree.ts";
import type { NewPathInfo } from "./path-info.ts";
import { createReferenceScanner, rewriteHashParts } from "./reference-scanner.ts";
import type { Registration } from "./registration-queue.ts";
import type { BuiltOutput, RegisterBuildOutputsOptions } from "./store.ts";

/** Where an output's final contents are, and what they are. */
type FinishedOutput = {
  readonly info: NewPathInfo;
  readonly folder: string;
  /** It is not what was promised, and is kept under the name that its contents have. */
  readonly failure?: TsosError | undefined;
};

type Scanned = {
  readonly narHash: Hash;
  readonly narSize: number;
  readonly references: Set<StorePath>;
  /** Of the bytes of all files, where it was asked for: a single file's flat hash. */
  readonly contentHash?: Hash | undefined;
};

/**
 * Reads, checks and describes the outputs of one build; registers nothing yet. The copies that fixed and rewritten
 * outputs need are made in `temporaryFolder()`, which is asked for only then.
 */
export async function finishBuildOutputs(
  options: RegisterBuildOutputsOptions,
  temporaryFolder: () => string,
  storeDir: string,
): Promise<Map<string, FinishedOutput>> {
  const { outputs, signal } = options;
  const candidates = new Set(options.candidates);
  // What the builder knew its outputs as, which for a floating one differs from its final path.
  for (const output of outputs) candidates.add(toldPath(output));

  const folders = new Map<BuiltOutput, string>();
  const scans = new Map<BuiltOutput, Scanned>();
  for (const output of outputs) {
    let folder = output.folder;
    if ((output.contentAddress !== undefined || output.floating !== undefined) && output.ownFiles !== true) {
      // A descriptor that the builder passed on could still write to its files; to a copy it cannot.
      folder = `${temporaryFolder()}/fixed-${output.name}`;
      await copyPath(output.folder, folder, { signal });
    }
    await canonicalisePath(folder, { signal });
    folders.set(output, folder);
    scans.set(output, await scan(dumpPath(folder, { signal }), candidates, flatAlgorithm(output, folder)));
  }

  const told = new Map(outputs.map((output) => [toldPath(output), output]));
  const final = new Map<StorePath, StorePath>();
  const finished = new Map<string, FinishedOutput>();
  for (const output of sortUsedFirst(outputs, scans, told)) {
    signal?.throwIfAborted();
    const result = await finishOutput(output, folders.get(output)!, scans.get(output)!, final, temporaryFolder, storeDir, options);
    final.set(toldPath(output), result.info.path);
    finished.set(output.name, result);
  }
  // In the order asked for.
  return new Map(outputs.map((output) => [output.name, finished.get(output.name)!]));
}

async function finishOutput(
  output: BuiltOutput,
  folder: string,
  scanned: Scanned,
  final: ReadonlyMap<StorePath, StorePath>,
  temporaryFolder: () => string,
  storeDir: string,
  { derivationPath, signal }: RegisterBuildOutputsOptions,
): Promise<FinishedOutput> {
  const own = toldPath(output);
  // They are still given their final names in its contents.
  const keeps = output.discardReferences !== true;
  const common = { deriver: derivationPath, ultimate: true };
  const others = [...scanned.references].filter((path) => keeps && path !== own).map((path) => final.get(path) ?? path);
  const replacements = new Map<string, string>();
  for (const path of scanned.references) {
    const to = final.get(path);
    if (to !== undefined && to !== path) replacements.set(storePathHash(path), storePathHash(to));
  }

  if (output.contentAddress !== undefined) {
    const { method, hash: wanted } = output.contentAddress;
    const stats = findStats(folder);
    if ((method === "flat" || method === "text") && stats?.isFile() && (stats.mode & 0o111) !== 0) throw executable(derivationPath, output.name);
    const got = scanned.contentHash ?? (await contentHashOfPath(folder, method, wanted.algorithm, { signal }));
    const contentAddress = { method, hash: got };
    const path = makeContentAddressedPath(storePathName(own), contentAddress, undefined, storeDir);
    const failure = equalHashes(wanted, got) ? undefined : hashMismatch(derivationPath, output.name, { wanted, got, kept: path });
    if (keeps && scanned.references.size > 0) {
      if (failure !== undefined) throw failure;
      const example = [...scanned.references][0]!;
      throw new TsosError({
        code: "store.fixed-output-references",
        message: `fixed output "${output.name}" of "${derivationPath}" refers to store paths, such as "${storeDir}/${example}", expected none`,
        data: { derivation: derivationPath, output: output.name, references: [...scanned.references] },
      });
    }
    return { folder, info: { path, ...described(scanned, []), ...common, contentAddress }, failure };
  }

  if (output.floating !== undefined) {
    // The contents' own name is not known before they are hashed, so it counts as zeros. Nix: libstore/build, newInfoFromCA.
    const { method, algorithm } = output.floating;
    const self = keeps && scanned.references.has(own);
    const hash =
      method === "nar"
        ? await hashModuloSelf(rewriteHashParts(dumpPath(folder, { signal }), replacements), own, algorithm, { withPositions: false })
        : await contentHashOfPath(folder, method, algorithm, { signal });
    const contentAddress = { method, hash };
    const name = outputPathName(storePathName(derivationPath).replace(/\.drv$/, ""), output.name);
    const path = makeContentAddressedPath(name, contentAddress, { others, self }, storeDir);
    replacements.set(storePathHash(own), storePathHash(path));
    const rewritten = await rewrite(folder, replacements, `${temporaryFolder()}/rewritten-${output.name}`, signal);
    const references = self ? [...others, path] : others;
    return { folder: rewritten.folder, info: { path, ...described(rewritten, references), ...common, contentAddress } };
  }

  const path = output.path!;
  if (own !== path) replacements.set(storePathHash(own), storePathHash(path));
  const references = keeps && scanned.references.has(own) ? [...others, path] : others;
  if (replacements.size === 0) return { folder, info: { path, ...described(scanned, references), ...common } };
  const rewritten = await rewrite(folder, replacements, `${temporaryFolder()}/rewritten-${output.name}`, signal);
  return { folder: rewritten.folder, info: { path, ...described(rewritten, references), ...common } };
}

function described(contents: Pick<Scanned, "narHash" | "narSize">, references: readonly StorePath[]): Pick<NewPathInfo, "narHash" | "narSize" | "references"> {
  return { narHash: contents.narHash, narSize: contents.narSize, references: [...new Set(references)].sort(compareByteStrings) };
}

function toldPath(output: BuiltOutput): StorePath {
  const path = output.scratchPath ?? output.path;
  if (path === undefined) throw new Error(`output ${output.name} has neither a path nor a scratch path`);
  return path;
}

/** How a fixed output that is one file, as most downloads are, is hashed while it is scanned. */
function flatAlgorithm({ contentAddress }: BuiltOutput, folder: string): HashAlgorithm | undefined {
  if (contentAddress?.method !== "flat" && contentAddress?.method !== "text") return undefined;
  return findStats(folder)?.isFile() ? contentAddress.hash.algorithm : undefined;
}

/** Hash, size and references out of one read; with `contentAlgorithm` also the hash of the files' bytes alone. */
export async function scan(nar: AsyncIterable<Uint8Array>, candidates: Iterable<StorePath>, contentAlgorithm?: HashAlgorithm): Promise<Scanned> {
  const hasher = createHasher("sha256");
  const scanner = createReferenceScanner(candidates);
  const contents = contentAlgorithm === undefined ? undefined : createHasher(contentAlgorithm);
  const reader = contents === undefined ? undefined : new NarReader({ contents: (bytes) => contents.update(bytes) });
  let narSize = 0;
  for await (const chunk of nar) {
    hasher.update(chunk);
    scanner.update(chunk);
    reader?.write(chunk);
    narSize += chunk.length;
  }
  return {
    narHash: { algorithm: "sha256", digest: hasher.digest() },
    narSize,
    references: scanner.found(),
    ...(contents === undefined ? {} : { contentHash: { algorithm: contentAlgorithm!, digest: contents.digest() } }),
  };
}

async function rewrite(
  folder: string,
  replacements: ReadonlyMap<string, string>,
  target: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly folder: string; readonly narHash: Hash; readonly narSize: number }> {
  const hasher = createHasher("sha256");
  let narSize = 0;
  const tee = async function* (source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      hasher.update(chunk);
      narSize += chunk.length;
      yield chunk;
    }
  };
  await restorePath(tee(rewriteHashParts(dumpPath(folder, { signal }), replacements)), target);
  if (givesAttributes(dirname(target))) await canonicalisePath(target, { signal });
  return { folder: target, narHash: { algorithm: "sha256", digest: hasher.digest() }, narSize };
}

/** The hash with the own hash part as zeros, followed by where it stood. Nix: libstore/references.cc, HashModuloSink. */
export async function hashModuloSelf(nar: AsyncIterable<Uint8Array>, self: StorePath, algorithm: Hash["algorithm"], { withPositions = true } = {}): Promise<Hash> {
  const part = storePathHash(self);
  const hasher: Hasher = createHasher(algorithm);
  const positions: number[] = [];
  for await (const chunk of rewriteHashParts(nar, new Map([[part, "\0".repeat(part.length)]]), (position) => positions.push(position))) hasher.update(chunk);
  if (withPositions) for (const position of positions) hasher.update(encodeUtf8(`|${position}`));
  return { algorithm, digest: hasher.digest() };
}

/** Outputs before those that refer to them; a floating one's path is part of what its users contain. */
function sortUsedFirst(
  outputs: readonly BuiltOutput[],
  scans: ReadonlyMap<BuiltOutput, Scanned>,
  told: ReadonlyMap<StorePath, BuiltOutput>,
): BuiltOutput[] {
  const sorted: BuiltOutput[] = [];
  const state = new Map<BuiltOutput, "open" | "done">();
  const visit = (output: BuiltOutput, way: readonly string[]): void => {
    if (state.get(output) === "done") return;
    const through = [...way, output.name];
    if (state.get(output) === "open") {
      throw new TsosError({
        code: "store.output-cycle",
        message: `the outputs refer to each other in a circle: ${through.map((name) => `"${name}"`).join(" → ")}`,
        hint: "move what both need into one of them",
        data: { cycle: through },
      });
    }
    state.set(output, "open");
    // Where they are of no account they only say what has to be renamed.
    if (output.discardReferences !== true || output.scratchPath !== undefined) for (const path of scans.get(output)!.references) {
      const used = told.get(path);
      if (used !== undefined && used !== output) visit(used, through);
    }
    state.set(output, "done");
    sorted.push(output);
  };
  for (const output of outputs) visit(output, []);
  return sorted;
}

// Nix: libstore/unix/build/derivation-builder.cc. The hash of the bytes alone would not tell the two apart.
function executable(derivation: StorePath, output: string): TsosError {
  return new TsosError({
    code: "store.executable-output",
    message: `output "${output}" of "${derivation}" is executable, expected a plain file since its hash is flat`,
    hint: 'set outputHashMode = "recursive"',
    data: { derivation, output },
  });
}

function hashMismatch(derivation: StorePath, output: string, { wanted, got, kept }: { readonly wanted: Hash; readonly got: Hash; readonly kept: StorePath }): TsosError {
  const data = { derivation, output, wanted: formatHash(wanted, "sri"), got: formatHash(got, "sri"), kept };
  return new TsosError({
    code: "store.hash-mismatch",
    message: `output "${output}" of "${derivation}" has the hash "${data.got}", expected "${data.wanted}"`,
    hint: "if the new contents are the right ones, put their hash into the derivation",
    data,
  });
}

/** What the queue makes valid, and the output paths that the derivation learns. */
export function registrationOf(
  finished: ReadonlyMap<string, FinishedOutput>,
  { derivationPath, outputs }: RegisterBuildOutputsOptions,
  realStoreDir: string,
): Registration {
  const floating = new Set(outputs.filter((output) => output.floating !== undefined).map(({ name }) => name));
  const isOther = [...finished.values()].some(({ failure }) => failure !== undefined);
  const objects = [...finished.values()].map(({ info, folder }) => ({
    info,
    temporary: folder === `${realStoreDir}/${info.path}` ? undefined : folder,
  }));
  return {
    objects,
    // Nobody could lock a path that was not known.
    locked: floating.size === 0 && !isOther,
    also(database) {
      if (isOther || database.findId(derivationPath) === undefined) return;
      database.addDerivationOutputs(derivationPath, [...finished].filter(([name]) => !floating.has(name)).map(([name, { info }]) => [name, info.path] as const));
    },
  };
}
