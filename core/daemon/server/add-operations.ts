import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { untrusted } from "../../cache/untrusted.ts";
import { isTrusted } from "../../cache/trust.ts";
import { openBuildLog } from "../../build/build-log.ts";
import { parseHash } from "../../hash/hash.ts";
import { restorePath } from "../../nar/restore-path.ts";
import { formatOutputId, formatRealisation, isSignedRealisation, parseOutputId, parseRealisation } from "../../narinfo/realisation.ts";
import { narInfoFingerprint } from "../../narinfo/narinfo.ts";
import { parseSignature, verifySignature } from "../../narinfo/signature.ts";
import type { NewPathInfo } from "../../store/path-info.ts";
import { parseMethodAndAlgorithm } from "../../store-path/content-address.ts";
import { isDerivationPath, parseStorePathBaseName, type StorePath } from "../../store-path/store-path.ts";
import { concatBytes } from "../../util/bytes.ts";
import { compareByteStrings } from "../../util/ordering.ts";
import { readOptionalContentAddress, readOptionalPath, readPath, readPaths, writePath } from "../wire/path-codec.ts";
import { readPathInfo, writePathInfo } from "../wire/path-info-codec.ts";
import { DEFAULT_BUDGET, protocolError, WireReader } from "../wire/wire-reader.ts";
import { refuse } from "./refuse.ts";
import type { Session } from "./session.ts";

/** Adds by content: a NAR, the bytes of a file, or a text with references. */
export async function addToStore(session: Session): Promise<void> {
  const { reader, store, signal } = session;
  const name = await reader.string(1024);
  const { method, algorithm } = parseMethodAndAlgorithm((await reader.string(256)).replace(/^fixed:/, ""));
  const references = await readPaths(reader, store.storeDir);
  const repair = await reader.boolean();
  const path = await session.workWithFrames(async (bytes) => {
    checkRepair(session, repair);
    // Whoever has the contents can send them as an archive, which does repair.
    if (repair) throw refuse("repairing what is added by its contents is not supported; repair the path itself");
    if (method === "text") return store.addTextToStore(name, await collect(bytes), references, { signal });
    await using folder = await store.createTemporaryFolder();
    const file = join(folder.path, "contents");
    if (method === "flat") await pipeline(Readable.from(bytes), createWriteStream(file, { mode: 0o644 }));
    else await restorePath(bytes, file);
    return await store.addPathToStore(name, file, { method, algorithm, references, signal });
  });
  writePathInfo(session.writer, await store.getPathInfo(path), store.storeDir);
}

export async function addTextToStore(session: Session): Promise<void> {
  const { reader, store, signal } = session;
  const name = await reader.string(1024);
  const contents = await reader.bytes();
  const references = await readPaths(reader, store.storeDir);
  writePath(session.writer, await session.work(() => store.addTextToStore(name, contents, references, { signal })), store.storeDir);
}

async function collect(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of bytes) {
    size += part.length;
    if (size > DEFAULT_BUDGET) throw refuse(`a text larger than ${DEFAULT_BUDGET} bytes cannot be added`);
    parts.push(part);
  }
  return concatBytes(parts);
}

export async function addToStoreNar(session: Session): Promise<void> {
  const { reader, store, signal } = session;
  const path = await readPath(reader, store.storeDir);
  const deriver = await readOptionalPath(reader, store.storeDir);
  const narHash = parseHash(await reader.string(256), "sha256");
  const references = (await readPaths(reader, store.storeDir)).sort(compareByteStrings);
  const registrationTime = await reader.number();
  const narSize = await reader.number();
  const ultimate = await reader.boolean();
  const signatures = await reader.strings();
  const contentAddress = await readOptionalContentAddress(reader);
  const repair = await reader.boolean();
  const dontCheckSignatures = await reader.boolean();
  const info: NewPathInfo = { path, deriver, narHash, references, registrationTime, narSize, ultimate: ultimate && session.trusted, signatures, contentAddress };
  await session.workWithFrames(async (bytes) => {
    checkMayAdd(session, info, repair, dontCheckSignatures);
    await store.addNarToStore(info, bytes, { signal, repair });
  });
}

/** Many paths in one stream, each after what it refers to; one is received while those before it are registered. */
export async function addMultipleToStore(session: Session): Promise<void> {
  const { store, signal } = session;
  const repair = await session.reader.boolean();
  const dontCheckSignatures = await session.reader.boolean();
  await session.workWithFrames(async (bytes) => {
    const reader = new WireReader(bytes);
    const count = await reader.number();
    const registering: Promise<unknown>[] = [];
    let failure: unknown;
    try {
      for (let i = 0; i < count && failure === undefined; i++) {
        reader.renewBudget();
        const info: NewPathInfo = { ...(await readPathInfo(reader, store.storeDir)), ultimate: false };
        checkMayAdd(session, info, repair, dontCheckSignatures);
        const nar = reader.section(info.narSize);
        await new Promise<void>((resolve, reject) => {
          const adding = store.addNarToStore(info, nar, { signal, repair, onReceived: resolve });
          registering.push(adding.catch((error: unknown) => void (failure ??= error)));
          adding.then(() => resolve(), reject);
        });
        // What was there already was not read.
        await nar.drain();
      }
    } finally {
      await Promise.all(registering);
    }
    if (failure !== undefined) throw failure;
  });
}

function checkRepair({ trusted }: Session, repair: boolean): void {
  if (repair && !trusted) throw refuse("repairing is not allowed because you are not in 'trusted-users'");
}

/** @throws TsosError `cache.untrusted`: an untrusted client brings only what proves itself or what somebody trusted signed. */
function checkMayAdd(session: Session, info: NewPathInfo, repair: boolean, dontCheckSignatures: boolean): void {
  checkRepair(session, repair);
  if (session.trusted && dontCheckSignatures) return;
  if (!isTrusted(info, session.host.trust, session.store.storeDir)) throw untrusted(info.path, session.store.storeDir);
}

export async function addSignatures(session: Session): Promise<void> {
  const { reader, store } = session;
  const path = await readPath(reader, store.storeDir);
  const signatures = await reader.strings();
  await session.work(async () => {
    const info = await store.getPathInfo(path);
    const fingerprint = narInfoFingerprint(info, store.storeDir);
    const parsed = signatures.map(parseSignature);
    if (!session.trusted && !parsed.every((signature) => verifySignature(fingerprint, signature, session.host.trust.publicKeys))) {
      throw refuse("you are not privileged to add signatures of keys that are not trusted");
    }
    await store.addSignatures(path, signatures);
  });
  session.writer.number(1);
}

export async function addBuildLog(session: Session): Promise<void> {
  const { reader, store } = session;
  const path = parseDerivationName(await reader.string(4096));
  await session.workWithFrames(async (bytes) => {
    if (!session.trusted) throw refuse("you are not privileged to add logs");
    using log = openBuildLog(store.logDir, path);
    for await (const part of bytes) log.write(part);
  });
  session.writer.number(1);
}

/** A base name; newer clients send it without the store's folder. */
function parseDerivationName(text: string): StorePath {
  const path = parseStorePathBaseName(text.slice(text.lastIndexOf("/") + 1), text);
  if (!isDerivationPath(path)) throw protocolError(`"${text}" is no derivation, whose log could be added`);
  return path;
}

/** Which path an output of a derivation turned out to be: on the word of who is trusted, or of who signed it. */
export async function registerDrvOutput(session: Session): Promise<void> {
  const realisation = parseRealisation(await session.reader.text());
  await session.work(async () => {
    const { publicKeys, requireSignatures } = session.host.trust;
    const isTaken = session.trusted || !requireSignatures || isSignedRealisation(realisation, publicKeys);
    if (!isTaken) throw refuse(`cannot register the realisation "${formatOutputId(realisation)}" because it lacks a signature by a trusted key`);
    await session.store.registerRealisations([realisation]);
  });
}

export async function queryRealisation(session: Session): Promise<void> {
  const id = parseOutputId(await session.reader.text());
  const found = await session.work(() => session.store.findRealisation(id));
  session.writer.list(found === undefined ? [] : [found], (realisation) => session.writer.text(formatRealisation(realisation)));
}
