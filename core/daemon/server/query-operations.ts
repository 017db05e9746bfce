import { readFile } from "node:fs/promises";
import { parseDerivation } from "../../derivation/parse-derivation.ts";
import { derivationOutputPaths } from "../../derivation/derivation-output-paths.ts";
import type { Derivation } from "../../derivation/derivation.ts";
import type { SubstitutablePath } from "../../store/substituter.ts";
import { storePathName, type StorePath } from "../../store-path/store-path.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import { readOptionalContentAddress, readPath, readPaths, writeOptionalPath, writePath, writePaths } from "../wire/path-codec.ts";
import { writeUnkeyedPathInfo } from "../wire/path-info-codec.ts";
import { substitutePaths } from "../../build/substitute-paths.ts";
import type { Session } from "./session.ts";

export async function isValidPath(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  session.writer.boolean(await session.work(() => session.store.isValidPath(path)));
}

export async function queryValidPaths(session: Session): Promise<void> {
  const { store } = session;
  const paths = await readPaths(session.reader, store.storeDir);
  const substitute = await session.reader.boolean();
  const valid = await session.work(async () => {
    await store.addTemporaryRoot(...paths);
    if (substitute) await substitutePaths(store, paths, await session.buildOptions(), { keepGoing: true });
    return store.queryValidPaths(paths);
  });
  writePaths(session.writer, valid, store.storeDir);
}

export async function querySubstitutablePaths(session: Session): Promise<void> {
  const paths = await readPaths(session.reader, session.store.storeDir);
  const found = await session.work(() => findSubstitutes(session, paths));
  writePaths(session.writer, found.keys(), session.store.storeDir);
}

export async function querySubstitutablePathInfo(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  const found = (await session.work(() => findSubstitutes(session, [path]))).get(path);
  session.writer.boolean(found !== undefined);
  if (found !== undefined) writeSubstitutable(session, found);
}

export async function querySubstitutablePathInfos(session: Session): Promise<void> {
  const { reader, writer, store } = session;
  const paths = await reader.list(async () => {
    const path = await readPath(reader, store.storeDir);
    await readOptionalContentAddress(reader);
    return path;
  });
  const found = await session.work(() => findSubstitutes(session, paths));
  writer.list([...found].sort(([a], [b]) => compareByteStrings(a, b)), ([path, answer]) => {
    writePath(writer, path, store.storeDir);
    writeSubstitutable(session, answer);
  });
}

async function findSubstitutes(session: Session, paths: readonly StorePath[]): Promise<ReadonlyMap<StorePath, SubstitutablePath>> {
  return (await (await session.buildOptions()).substituter?.query(paths, session.signal)) ?? new Map<StorePath, SubstitutablePath>();
}

function writeSubstitutable({ writer, store }: Session, { info, downloadSize }: SubstitutablePath): void {
  writeOptionalPath(writer, info.deriver, store.storeDir);
  writePaths(writer, info.references, store.storeDir);
  writer.number(downloadSize ?? 0).number(info.narSize);
}

/** Requests that give paths for a path. */
function queryPaths(query: (session: Session, path: StorePath) => Promise<Iterable<StorePath>>): (session: Session) => Promise<void> {
  return async (session) => {
    const path = await readPath(session.reader, session.store.storeDir);
    writePaths(session.writer, await session.work(() => query(session, path)), session.store.storeDir);
  };
}

export const queryReferrers = queryPaths(({ store }, path) => store.queryReferrers(path));
export const queryValidDerivers = queryPaths(({ store }, path) => store.queryValidDerivers(path));
export const queryDerivationOutputs = queryPaths(async (session, path) => [...(await outputMap(session, path)).values()].filter((output) => output !== undefined));

export async function queryAllValidPaths(session: Session): Promise<void> {
  writePaths(session.writer, await session.work(() => session.store.queryAllValidPaths()), session.store.storeDir);
}

export async function queryDerivationOutputNames(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  const { outputs } = await session.work(() => readDerivationOf(session, path));
  session.writer.strings([...outputs.keys()].sort(compareByteStrings));
}

export async function queryDerivationOutputMap(session: Session): Promise<void> {
  const { writer, store } = session;
  const path = await readPath(session.reader, store.storeDir);
  const outputs = await session.work(() => outputMap(session, path));
  writer.list([...outputs].sort(([a], [b]) => compareByteStrings(a, b)), ([name, output]) => {
    writer.string(name);
    writeOptionalPath(writer, output, store.storeDir);
  });
}

/** What the database knows of outputs; a floating one that was not built has no path. */
async function outputMap(session: Session, path: StorePath): Promise<Map<string, StorePath | undefined>> {
  const { store } = session;
  return new Map<string, StorePath | undefined>([...derivationOutputPaths(await readDerivationOf(session, path), store.storeDir), ...(await store.queryDerivationOutputs(path))]);
}

export async function readDerivationOf({ store }: Session, path: StorePath): Promise<Derivation> {
  await store.getPathInfo(path);
  return parseDerivation(await readFile(store.realPath(path)), storePathName(path).replace(/\.drv$/, ""), store.storeDir);
}

export async function queryDeriver(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  const { deriver } = await session.work(() => session.store.getPathInfo(path));
  writeOptionalPath(session.writer, deriver, session.store.storeDir);
}

export async function queryPathInfo(session: Session): Promise<void> {
  const { store, writer } = session;
  const path = await readPath(session.reader, store.storeDir);
  const info = await session.work(() => store.findPathInfo(path));
  writer.boolean(info !== undefined);
  if (info !== undefined) writeUnkeyedPathInfo(writer, info, store.storeDir);
}

export async function queryPathFromHashPart(session: Session): Promise<void> {
  const hashPart = await session.reader.string(64);
  writeOptionalPath(session.writer, await session.work(() => session.store.findPathFromHashPart(hashPart)), session.store.storeDir);
}

export async function narFromPath(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  // Asked first: once the archive has begun there is no place for an error.
  await session.work(() => session.store.getPathInfo(path));
  await session.writer.stream(session.store.narFromPath(path));
}
