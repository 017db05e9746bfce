import { createReadStream } from "node:fs";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { basename, join, normalize, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { findBuildLog, type BuildLogFile } from "../../core/build/build-log.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { unreachable } from "../../core/util/unreachable.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { dumpToOutput } from "../output/dump-to-output.ts";
import type { StoreArguments } from "../store-arguments.ts";
import { readLinkInto, toStorePath } from "../follow-links.ts";
import { restoreStandardInput } from "../read-standard-input.ts";
import { UsageError } from "../usage-error.ts";

/** The store by hand. */
export async function store(context: CommandContext, args: StoreArguments): Promise<number> {
  switch (args.action) {
    case "add":
      return add(context, args);
    case "cat":
      return cat(context, args);
    case "ls":
      return list(context, args);
    case "dump":
      for (const path of needPaths(args)) await dumpToOutput(resolve(path), context.signal);
      return ExitCode.done;
    case "restore": {
      const [target] = needPaths(args);
      const narSize = await restoreStandardInput(resolve(target!));
      if (context.flags.json) context.print(JSON.stringify({ version: 1, path: resolve(target!), narSize }));
      return ExitCode.done;
    }
    case "info":
      return (await import("./store-inspect.ts")).info(context, args, (opened) => needStorePaths(opened, args));
    case "diff":
      return (await import("./store-inspect.ts")).diff(context, args, (opened) => needStorePaths(opened, args));
    case "closure": {
      const opened = await context.openStore();
      const closure = await opened.closure(needStorePaths(opened, args), { direction: args.reverse ? "referrers" : "references" });
      printPaths(context, opened, [...closure].sort());
      return ExitCode.done;
    }
    case "why":
      return why(context, args);
    case "verify":
      return (await import("./store-maintain.ts")).verify(context, args);
    case "repair":
      return (await import("./store-maintain.ts")).repair(context, (opened) => needStorePaths(opened, args));
    case "optimise":
      return (await import("./store-maintain.ts")).optimise(context, args, (opened) => needStorePaths(opened, args));
    case "export":
      return (await import("./store-maintain.ts")).exportTo(context, args, (opened) => needStorePaths(opened, args));
    case "import":
      return (await import("./store-maintain.ts")).importFrom(context);
    case "log":
      return log(context, args);
    case "realise":
      return realiseDerivations(context, args);
    case "copy":
      return (await import("./store-share.ts")).copy(context, args, (opened, paths) => needStorePaths(opened, { ...args, paths: [...paths] }));
    case "sign":
      return (await import("./store-share.ts")).sign(context, args, (opened) => needStorePaths(opened, args));
    case "serve":
      return (await import("./store-share.ts")).serve(context, args);
    default:
      return unreachable(args.action);
  }
}

function needPaths(args: StoreArguments): readonly string[] {
  if (args.paths.length > 0) return args.paths;
  throw new UsageError({ code: "cli.missing-path", message: `"tsos store ${args.action}" needs a path`, hint: `write tsos store ${args.action} /nix/store/…` });
}

/** Store paths as given, or as links and files below them lead to. */
function needStorePaths(opened: LocalStore, args: StoreArguments): StorePath[] {
  return needPaths(args).map((path) => toStorePath(opened, path));
}

async function cat(context: CommandContext, args: StoreArguments): Promise<number> {
  if (args.from !== undefined) {
    needPaths(args);
    return (await import("./store-inspect.ts")).catFrom(context, args);
  }
  const opened = await context.openStore();
  for (const path of needPaths(args)) {
    const file = await findInStore(opened, path);
    if (!(await stat(file)).isFile()) throw new TsosError({ code: "cli.not-a-file", message: `"${path}" is not a file`, hint: `tsos store ls ${path} lists it` });
    await pipeline(createReadStream(file), process.stdout, { end: false });
  }
  return ExitCode.done;
}

async function list(context: CommandContext, args: StoreArguments): Promise<number> {
  if (args.from !== undefined) {
    needPaths(args);
    return (await import("./store-inspect.ts")).listFrom(context, args);
  }
  const opened = await context.openStore();
  for (const path of needPaths(args)) {
    const folder = await findInStore(opened, path);
    if (!(await stat(folder)).isDirectory()) throw new TsosError({ code: "cli.not-a-folder", message: `"${path}" is not a folder`, hint: `tsos store cat ${path} prints it` });
    const entries = await readdir(folder, { withFileTypes: true });
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort((a, b) => (a < b ? -1 : 1));
    if (context.flags.json) context.print(JSON.stringify({ version: 1, path, entries: names }));
    else for (const name of names) context.print(name);
  }
  return ExitCode.done;
}

/** Where on this machine a file of a store path is, links within the store followed. */
async function findInStore(opened: LocalStore, path: string): Promise<string> {
  const full = path.startsWith("/") ? path : resolve(path);
  let logical = full.startsWith(`${opened.storeDir}/`) ? normalize(full) : readLinkInto(full, opened.storeDir);
  for (let links = 0; ; links++) {
    const storePath = toStorePath(opened, logical);
    if (!(await opened.isValidPath(storePath))) throw new TsosError({ code: "store.invalid-path", message: `path "${formatStorePath(storePath, opened.storeDir)}" is not valid` });
    // A link on the way leads to a logical path, which need not be there on this machine.
    const link = links < MAX_LINKS ? await findFirstLink(opened, logical) : undefined;
    if (link === undefined) break;
    logical = link;
  }
  const real = opened.realPath(logical);
  await stat(real).catch((cause: unknown) => {
    throw new TsosError({ code: "cli.no-such-file", message: `there is no "${path}" in the store`, cause });
  });
  return real;
}

const MAX_LINKS = 40;

/** The path with its first symbolic link replaced by where that leads, if it has one. */
async function findFirstLink(opened: LocalStore, logical: string): Promise<string | undefined> {
  const parts = logical.slice(opened.storeDir.length + 1).split("/");
  let at = opened.storeDir;
  for (const [i, part] of parts.entries()) {
    const target = await readlink(opened.realPath(`${at}/${part}`)).catch(() => undefined);
    if (target !== undefined) {
      const led = normalize(join(target.startsWith("/") ? target : `${at}/${target}`, ...parts.slice(i + 1)));
      if (!led.startsWith(`${opened.storeDir}/`)) throw new TsosError({ code: "cli.not-a-store-path", message: `"${logical}" leads out of the store, to "${led}"` });
      return led;
    }
    at = `${at}/${part}`;
  }
  return undefined;
}

function printPaths(context: CommandContext, opened: LocalStore, paths: readonly StorePath[]): void {
  const full = paths.map((path) => formatStorePath(path, opened.storeDir));
  if (context.flags.json) context.print(JSON.stringify({ version: 1, paths: full }));
  else for (const path of full) context.print(path);
}

async function add(context: CommandContext, args: StoreArguments): Promise<number> {
  const opened = await context.openStore();
  const added: StorePath[] = [];
  for (const file of needPaths(args)) added.push(await opened.addPathToStore(args.name ?? basename(resolve(file)), resolve(file), { signal: context.signal, likelyNew: true }));
  printPaths(context, opened, added);
  return ExitCode.done;
}

async function why(context: CommandContext, args: StoreArguments): Promise<number> {
  const opened = await context.openStore();
  const [path, needed, ...rest] = needStorePaths(opened, args);
  if (rest.length > 0) throw new UsageError({ code: "cli.too-many-paths", message: `"tsos store why" takes one path or two, got ${args.paths.length}`, hint: "tsos store why PATH says what keeps it, tsos store why A B why A needs B" });
  if (needed !== undefined) return (await import("./store-inspect.ts")).whyOne(context, opened, path!, needed);
  const found = await opened.findRootsOf(path!);
  if (context.flags.json) context.print(JSON.stringify({ version: 1, roots: found.map(({ root, way }) => ({ source: root.source, way: way.map((step) => formatStorePath(step, opened.storeDir)) })) }));
  else if (found.length === 0) context.print("no root reaches it: the next tsos gc deletes it");
  else for (const { root, way } of found) context.print([root.source, ...way.map((step) => formatStorePath(step, opened.storeDir))].join("\n  → "));
  return ExitCode.done;
}

async function log(context: CommandContext, args: StoreArguments): Promise<number> {
  const opened = await context.openStore();
  for (const path of needStorePaths(opened, args)) {
    // A path that is no derivation means the one that made it.
    const derivation = path.endsWith(".drv") ? path : (await opened.findPathInfo(path))?.deriver;
    const file = derivation === undefined ? undefined : await findBuildLog(opened, derivation);
    if (file === undefined) {
      throw new TsosError({ code: "store.no-log", message: `there is no build log of "${formatStorePath(path, opened.storeDir)}"`, hint: "logs are kept of what was built on this machine" });
    }
    const text = await readBuildLog(file);
    if (context.flags.json) context.print(JSON.stringify({ version: 1, path: formatStorePath(path, opened.storeDir), derivation: formatStorePath(derivation!, opened.storeDir), log: text }));
    else context.print(text.replace(/\n$/, ""));
  }
  return ExitCode.done;
}

async function readBuildLog({ file, compression }: BuildLogFile): Promise<string> {
  switch (compression) {
    case "none":
      return readFile(file, "utf8");
    case "gzip":
      return gunzipSync(await readFile(file)).toString();
    case "bzip2":
      throw new TsosError({ code: "store.packed-log", message: `the build log "${file}" is packed with bzip2`, hint: `Nix wrote it; read it with: bzcat ${file}` });
    default:
      return unreachable(compression);
  }
}

async function realiseDerivations(context: CommandContext, args: StoreArguments): Promise<number> {
  const { realiseDerivationPaths } = await import("../realise.ts");
  const opened = await context.openStore();
  const outputs = await realiseDerivationPaths(context, opened, needStorePaths(opened, args));
  printPaths(context, opened, outputs);
  return ExitCode.done;
}
