import { readFileSync } from "node:fs";
import { TsosError } from "../../core/error/tsos-error.ts";
import { formatHash, parseHash, type Hash } from "../../core/hash/hash.ts";
import { narHashOfPath } from "../../core/nar/dump-path.ts";
import { canonicalisePath } from "../../core/store/canonicalise.ts";
import type { NewPathInfo } from "../../core/store/path-info.ts";
import { sortUsersFirst } from "../../core/store/sort-paths.ts";
import { parseStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { compareByteStrings } from "../../core/util/ordering.ts";
import { toStorePath } from "../follow-links.ts";
import { ClassicUsageError } from "./classic-arguments.ts";
import { allowFlags, allowNoWords, show, type StoreCall } from "./store-call.ts";

/**
 * `nix-store --dump-db`: what the database says of these paths, or of all. A record is lines: path, hash, size, deriver,
 * number of references, references. Nix: libstore/store-api.cc, makeValidityRegistration
 */
export async function dumpDb(call: StoreCall): Promise<number> {
  allowFlags(call);
  const paths = call.args.length > 0 ? call.args.map((argument) => toStorePath(call.store, argument)) : await call.store.queryAllValidPaths();
  for (const path of paths) {
    const info = await call.store.getPathInfo(path);
    const references = [...info.references].sort(compareByteStrings);
    const lines = [show(call, path), formatHash(info.narHash, "base16", false), String(info.narSize), info.deriver === undefined ? "" : show(call, info.deriver), String(references.length)];
    call.print([...lines, ...references.map((reference) => show(call, reference))].join("\n"));
  }
  return 0;
}

/** `nix-store --load-db`: such records into the database; the paths must be there. */
export async function loadDb(call: StoreCall): Promise<number> {
  allowFlags(call);
  allowNoWords(call);
  await register(call, { reregister: true, hashGiven: true, canonicalise: false });
  return 0;
}

/** `nix-store --register-validity`: records, mostly without hash and size, of paths that were put there by hand. */
export async function registerValidity(call: StoreCall): Promise<number> {
  allowFlags(call, "--reregister", "--hash-given");
  allowNoWords(call);
  await register(call, { reregister: call.flags.includes("--reregister"), hashGiven: call.flags.includes("--hash-given"), canonicalise: true });
  return 0;
}

type Ways = { readonly reregister: boolean; readonly hashGiven: boolean; readonly canonicalise: boolean };

async function register({ store }: StoreCall, { reregister, hashGiven, canonicalise }: Ways): Promise<void> {
  const infos = new Map<StorePath, NewPathInfo>();
  for (const { hash, ...record } of readRecords(readFileSync(0, "latin1"), store.storeDir, hashGiven)) {
    if (!reregister && (await store.isValidPath(record.path))) continue;
    if (canonicalise) await canonicalisePath(store.realPath(record.path));
    if (hash === undefined) {
      const found = await narHashOfPath(store.realPath(record.path));
      infos.set(record.path, { ...record, narHash: found.hash, narSize: found.size });
    } else infos.set(record.path, { ...record, narHash: hash, narSize: record.narSize });
  }
  for (const level of levelsOf(infos)) await store.registerValidPaths(level);
  await store.flush();
}

/** Records come in any order; a derivation's outputs are checked by its inputs, which must be valid before. */
function levelsOf(infos: ReadonlyMap<StorePath, NewPathInfo>): readonly (readonly NewPathInfo[])[] {
  const levels: NewPathInfo[][] = [];
  const depths = new Map<StorePath, number>();
  for (const path of sortUsersFirst(new Map([...infos.values()].map((info) => [info.path, info.references]))).reverse()) {
    const info = infos.get(path)!;
    const depth = info.references.reduce((most, reference) => Math.max(most, (depths.get(reference) ?? -1) + 1), 0);
    depths.set(path, depth);
    (levels[depth] ??= []).push(info);
  }
  return levels;
}

type ValidityRecord = Omit<NewPathInfo, "narHash"> & { readonly hash: Hash | undefined };

function* readRecords(text: string, storeDir: string, hashGiven: boolean): Iterable<ValidityRecord> {
  const lines = text.split("\n");
  let at = 0;
  const next = (): string => {
    const line = lines[at++];
    if (line === undefined) throw new TsosError({ code: "nix.bad-registration", message: "the input ends within a record of a path" });
    return line;
  };
  while (at < lines.length && !(at === lines.length - 1 && lines[at] === "")) {
    const path = parseStorePath(next(), storeDir);
    const hash = hashGiven ? parseHash(next(), "sha256") : undefined;
    const narSize = hashGiven ? readNumber(next()) : 0;
    const deriver = next();
    const references = Array.from({ length: readNumber(next()) }, () => parseStorePath(next(), storeDir));
    yield { path, hash, narSize, references: [...new Set(references)].sort(compareByteStrings), ...(deriver === "" ? {} : { deriver: parseStorePath(deriver, storeDir) }) };
  }
}

function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new ClassicUsageError(text === "" ? "number expected" : `'${text}' is not a number`);
  return Number(text);
}
