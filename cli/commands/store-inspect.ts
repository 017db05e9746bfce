import { formatHash } from "../../core/hash/hash.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { listNar, type NarListing } from "../../core/nar/nar-listing.ts";
import { readNar } from "../../core/nar/read-nar.ts";
import { compareClosures, type ClosureMember } from "../../core/store/compare-closures.ts";
import type { ValidPathInfo } from "../../core/store/path-info.ts";
import type { LocalStore, Store } from "../../core/store/store.ts";
import { whyDepends } from "../../core/store/why-depends.ts";
import { splitPackageName } from "../../core/system/generation-difference.ts";
import { formatContentAddress } from "../../core/store-path/content-address.ts";
import { formatStorePath, splitStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { fromByteString, toByteString } from "../../core/util/bytes.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { StoreArguments } from "../store-arguments.ts";
import { formatBytes } from "../output/units.ts";
import { UsageError } from "../usage-error.ts";
import { openPlace } from "./store-share.ts";

/** `tsos store info [--from URL] PATH…`. */
export async function info(context: CommandContext, args: StoreArguments, paths: (store: LocalStore) => readonly StorePath[]): Promise<number> {
  const local = await context.openStore();
  const other = args.from === undefined ? undefined : await openPlace(context, args.from, local.storeDir);
  try {
    for (const path of paths(local)) {
      const found = await (other ?? local).getPathInfo(path);
      const full = (one: StorePath): string => formatStorePath(one, local.storeDir);
      const fields = {
        path: full(path),
        narHash: formatHash(found.narHash, "sri"),
        narSize: found.narSize,
        closureSize: other === undefined ? await localClosureSize(local, path) : await closureSize(other, found),
        references: found.references.map(full),
        deriver: found.deriver === undefined ? null : full(found.deriver),
        registrationTime: other === undefined ? found.registrationTime : null,
        signatures: found.signatures,
        ca: found.contentAddress === undefined ? null : formatContentAddress(found.contentAddress),
        ultimate: found.ultimate,
      };
      if (context.flags.json) context.print(JSON.stringify({ version: 1, ...fields }));
      else for (const [key, value] of Object.entries(fields)) context.print(`${key}: ${Array.isArray(value) ? value.join(" ") : String(value)}`);
    }
  } finally {
    await other?.[Symbol.asyncDispose]();
  }
  return ExitCode.done;
}

async function localClosureSize(store: LocalStore, path: StorePath): Promise<number> {
  return (await members(store, path)).reduce((total, { narSize }) => total + narSize, 0);
}

/** Level by level, as each description names the next. */
async function closureSize(store: Store, start: ValidPathInfo): Promise<number> {
  const infos = new Map<StorePath, ValidPathInfo>([[start.path, start]]);
  for (let level: readonly ValidPathInfo[] = [start]; level.length > 0; ) {
    const next = [...new Set(level.flatMap(({ references }) => references))].filter((path) => !infos.has(path));
    level = await Promise.all(next.map((path) => store.getPathInfo(path)));
    for (const one of level) infos.set(one.path, one);
  }
  return [...infos.values()].reduce((total, { narSize }) => total + narSize, 0);
}

async function members(store: LocalStore, path: StorePath): Promise<ClosureMember[]> {
  return Promise.all([...(await store.closure([path]))].map(async (one) => ({ path: one, narSize: (await store.getPathInfo(one)).narSize })));
}

/** `tsos store diff A B`. */
export async function diff(context: CommandContext, args: StoreArguments, paths: (store: LocalStore) => readonly StorePath[]): Promise<number> {
  const store = await context.openStore();
  const [before, after, ...rest] = paths(store);
  if (after === undefined || rest.length > 0) throw new UsageError({ code: "cli.two-paths", message: `"tsos store diff" compares two paths, got ${args.paths.length}`, hint: "write tsos store diff BEFORE AFTER" });
  const difference = compareClosures(await members(store, before!), await members(store, after), splitPackageName);
  const full = (path: StorePath): string => formatStorePath(path, store.storeDir);
  if (context.flags.json) {
    context.print(JSON.stringify({ version: 1, ...difference, added: difference.added.map(full), removed: difference.removed.map(full) }));
    return ExitCode.done;
  }
  const versions = (list: readonly string[]): string => (list.length === 0 ? "∅" : list.map((version) => (version === "" ? "ε" : version)).join(", "));
  for (const { name, before: was, after: is, sizeChange } of difference.changes) {
    const what = was.join("\0") === is.join("\0") ? versions(is) : `${versions(was)} → ${versions(is)}`;
    context.print(`${name}: ${what}${sizeChange === 0 ? "" : `, ${signed(sizeChange)}`}`);
  }
  context.say(`${difference.added.length} paths added, ${difference.removed.length} removed, ${signed(difference.sizeChange)}`);
  return ExitCode.done;
}

function signed(bytes: number): string {
  return `${bytes < 0 ? "-" : "+"}${formatBytes(Math.abs(bytes))}`;
}

/** `tsos store why A B`: the chain of references, each with a file that names the next. */
export async function whyOne(context: CommandContext, store: LocalStore, from: StorePath, to: StorePath): Promise<number> {
  const chain = await whyDepends(store, from, to, { limit: context.flags.json ? 10 : 1, signal: context.signal });
  const full = (path: StorePath): string => formatStorePath(path, store.storeDir);
  if (context.flags.json) {
    const steps = chain?.map(({ path, places }) => ({ path: full(path), places: places.map((place) => ({ ...place, file: shown(place.file) })) }));
    context.print(JSON.stringify({ version: 1, chain: steps ?? null }));
    return chain === undefined ? ExitCode.failed : ExitCode.done;
  }
  if (chain === undefined) {
    context.print(`"${full(from)}" does not need "${full(to)}"`);
    return ExitCode.failed;
  }
  for (const [i, { path, places }] of chain.entries()) {
    context.print(`${"  ".repeat(i)}${i === 0 ? "" : "→ "}${full(path)}`);
    for (const place of places) context.print(`${"  ".repeat(i + 1)}${place.file === "" ? "itself" : shown(place.file)}${place.kind === "symlink" ? " (link)" : ` (byte ${place.offset})`}: …${place.context.trim()}…`);
  }
  return ExitCode.done;
}

function shown(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

/** `tsos store ls --from URL PATH…`, where `PATH` may go on below the store path. */
export async function listFrom(context: CommandContext, args: StoreArguments): Promise<number> {
  const local = await context.openStore();
  await using other = await openPlace(context, args.from!, local.storeDir);
  for (const path of args.paths) {
    const { path: storePath, rest } = splitStorePath(path.replace(/\/+$/, ""), local.storeDir);
    const found = findIn(await listNar(other.narFromPath(storePath)), path, rest);
    if (found.kind !== "directory") throw new TsosError({ code: "cli.not-a-folder", message: `"${path}" is not a folder`, hint: `tsos store cat --from ${args.from} ${path} prints it` });
    const names = [...found.entries].map(([name, node]) => (node.kind === "directory" ? `${shown(name)}/` : shown(name)));
    if (context.flags.json) context.print(JSON.stringify({ version: 1, path, entries: names }));
    else for (const name of names) context.print(name);
  }
  return ExitCode.done;
}

function findIn(listing: NarListing, path: string, rest: string): NarListing {
  let found: NarListing | undefined = listing;
  for (const name of rest.split("/").filter((part) => part !== "")) found = found?.kind === "directory" ? found.entries.get(toByteString(name)) : undefined;
  if (found === undefined) throw new TsosError({ code: "cli.no-such-file", message: `there is no "${path}" in the cache` });
  return found;
}

/** `tsos store cat --from URL PATH…`: the file out of the archive as it comes, nothing is kept. */
export async function catFrom(context: CommandContext, args: StoreArguments): Promise<number> {
  const local = await context.openStore();
  await using other = await openPlace(context, args.from!, local.storeDir);
  for (const path of args.paths) {
    const { path: storePath, rest } = splitStorePath(path, local.storeDir);
    const wanted = toByteString(rest.replace(/^\/+/, ""));
    let current: string | undefined;
    let seen = false;
    await readNar(other.narFromPath(storePath), {
      regular(name) {
        current = name;
        seen ||= name === wanted;
      },
      contents(bytes) {
        // The bytes are only lent.
        if (current === wanted) process.stdout.write(Uint8Array.from(bytes));
      },
    });
    if (!seen) throw new TsosError({ code: "cli.not-a-file", message: `"${fromByteString(toByteString(path))}" is not a file of the cache`, hint: `tsos store ls --from ${args.from} ${path} lists it` });
  }
  return ExitCode.done;
}
