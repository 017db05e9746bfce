import { isAbsolute } from "node:path";
import { formatStorePath, type StorePath } from "../../store-path/store-path.ts";
import { readPath, readPaths, writePath } from "../wire/path-codec.ts";
import { protocolError } from "../wire/wire-reader.ts";
import { repairPath } from "../../build/repair-path.ts";
import { TsosError } from "../../error/tsos-error.ts";
import type { StoreProblem } from "../../store/store.ts";
import { refuse } from "./refuse.ts";
import type { Session } from "./session.ts";

export async function addTempRoot(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  await session.work(() => session.store.addTemporaryRoot(path));
  session.writer.number(1);
}

/** A link of the client's own, which the daemon only remembers: it is never written to. */
export async function addIndirectRoot(session: Session): Promise<void> {
  const link = await session.reader.text(4096);
  await session.work(async () => {
    if (!isAbsolute(link) || link.includes("\0")) throw refuse(`"${link}" is not an absolute path`);
    await session.store.addIndirectRoot(link);
  });
  session.writer.number(1);
}

export async function addPermRoot(session: Session): Promise<void> {
  const path = await readPath(session.reader, session.store.storeDir);
  const link = await session.reader.text(4096);
  await session.work(async () => {
    if (!session.trusted) throw refuse("you are not privileged to create perm roots\n\nhint: you can just do this client-side without special privileges, and probably want to do that instead.");
    await session.store.addPermanentRoot(path, link);
  });
  session.writer.text(link);
}

export async function syncWithGc(session: Session): Promise<void> {
  await session.work(async () => {});
  session.writer.number(1);
}

/** What of the roots says what others run is not for untrusted clients. Nix: libstore/gc.cc, `censored`. */
export async function findRoots(session: Session): Promise<void> {
  const { writer, store, trusted } = session;
  const roots = await session.work(() => store.findRoots());
  const isPrivate = (source: string): boolean => source.startsWith("/proc/") || source.startsWith("{temp:");
  const shown = new Map<string, { readonly source: string; readonly path: StorePath }>();
  for (const { path, source } of roots) {
    const text = !trusted && isPrivate(source) ? "{censored}" : source;
    shown.set(`${path}\0${text}`, { path, source: text });
  }
  writer.list([...shown.values()], ({ source, path }) => {
    writer.text(source);
    writePath(writer, path, store.storeDir);
  });
}

const ACTIONS = ["return-live", "return-dead", "delete-dead", "delete-specific"] as const;

export async function collectGarbage(session: Session): Promise<void> {
  const { reader, writer, store, signal } = session;
  const number = await reader.number();
  const action = ACTIONS[number];
  if (action === undefined) throw protocolError(`${number} is no action of the garbage collector`);
  const paths = await readPaths(reader, store.storeDir);
  const ignoreLiveness = await reader.boolean();
  const maxFreed = await reader.bigint();
  for (let i = 0; i < 3; i++) await reader.bigint();
  const result = await session.work(async (): Promise<{ readonly paths: readonly string[]; readonly bytes: number }> => {
    if (ignoreLiveness) throw refuse("you are not allowed to ignore liveness");
    if (action === "return-live") {
      const dead = new Set((await store.collectGarbage({ dryRun: true, signal })).deleted);
      const all = await store.queryAllValidPaths();
      return { paths: all.map((path) => formatStorePath(path, store.storeDir)).filter((path) => !dead.has(path)), bytes: 0 };
    }
    const { deleted, bytesFreed } = await store.collectGarbage({
      dryRun: action === "return-dead",
      ...(action === "delete-specific" ? { paths } : {}),
      ...(maxFreed > BigInt(Number.MAX_SAFE_INTEGER) ? {} : { maxFreed: Number(maxFreed) }),
      signal,
      report: session.messages.report,
    });
    return { paths: deleted, bytes: action === "return-dead" ? 0 : bytesFreed };
  });
  writer.list(result.paths, (path) => writer.text(path));
  writer.number(result.bytes).number(0);
}

export async function verifyStore(session: Session): Promise<void> {
  const { reader, store, signal } = session;
  const checkContents = await reader.boolean();
  const repair = await reader.boolean();
  const hasProblems = await session.work(async () => {
    if (repair && !session.trusted) throw refuse("you are not privileged to repair paths");
    const problems = await store.verify({ checkContents, keepMissing: repair, signal, report: session.messages.report });
    let left = 0;
    for (const problem of problems) {
      if (repair && "path" in problem && (await repairQuietly(session, problem.path))) continue;
      left++;
      session.messages.warn(describeProblem(session, problem));
    }
    return left > 0;
  });
  session.writer.boolean(hasProblems);
}

async function repairQuietly(session: Session, path: StorePath): Promise<boolean> {
  try {
    const options = await session.buildOptions();
    await repairPath(session.store, path, { substituter: options.substituter, build: options, signal: session.signal });
    return true;
  } catch (error) {
    session.signal.throwIfAborted();
    if (!(error instanceof TsosError)) throw error;
    session.messages.warn(error.message);
    return false;
  }
}

function describeProblem({ store }: Session, problem: StoreProblem): string {
  if ("path" in problem) return `path '${formatStorePath(problem.path, store.storeDir)}' is ${problem.kind === "missing" ? "missing" : "not what it was registered as"}`;
  return problem.kind === "modified-link" ? `link '${problem.link}' was modified` : problem.message;
}

export async function optimiseStore(session: Session): Promise<void> {
  await session.work(() => session.store.optimise(undefined, { signal: session.signal, report: session.messages.report }));
  session.writer.number(1);
}
