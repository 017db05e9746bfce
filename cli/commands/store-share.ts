import { readFile } from "node:fs/promises";
import { findBuildLog } from "../../core/build/build-log.ts";
import { BinaryCache } from "../../core/cache/binary-cache.ts";
import { copyPaths, type CopyOptions } from "../../core/cache/copy-paths.ts";
import { untrusted } from "../../core/cache/untrusted.ts";
import { loadCacheSettings } from "../../core/cache/load-cache-settings.ts";
import { LookupCache } from "../../core/cache/lookup-cache.ts";
import { openBinaryCache } from "../../core/cache/open-binary-cache.ts";
import { serveCache } from "../../core/cache/serve-cache.ts";
import { isTrusted } from "../../core/cache/trust.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { findOutputsAt, receiveRealisations, sendRealisations, type RealisationSource, type RealisationTarget } from "../../core/daemon/client/copy-realisations.ts";
import { openRemoteStore } from "../../core/daemon/client/open-remote-store.ts";
import { RemoteStore } from "../../core/daemon/client/remote-store.ts";
import { isRemoteUrl } from "../../core/daemon/client/remote-url.ts";
import { loadFetchSettings } from "../../core/fetch/load-fetch-settings.ts";
import { narInfoFingerprint } from "../../core/narinfo/narinfo.ts";
import { isSignedRealisation, type Realisation } from "../../core/narinfo/realisation.ts";
import { formatSignature, parseSecretKey, signFingerprint, type SecretKey } from "../../core/narinfo/signature.ts";
import { prepareEnd } from "../../core/util/end-process.ts";
import { tuneEngine } from "../../core/util/tune-engine.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import type { LocalStore, Store } from "../../core/store/store.ts";
import { formatStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import type { StoreArguments } from "../store-arguments.ts";
import { sshCommand } from "../ssh-command.ts";
import { lookupFolder } from "../substituter.ts";
import { UsageError } from "../usage-error.ts";

/** `tsos store copy --to URL PATH…`, `--from URL PATH…`. */
export async function copy(context: CommandContext, args: StoreArguments, paths: (store: LocalStore, given: readonly string[]) => readonly StorePath[]): Promise<number> {
  if ((args.from === undefined) === (args.to === undefined)) throw new UsageError({ code: "cli.copy-where", message: '"tsos store copy" needs --from URL or --to URL', hint: "write tsos store copy --to file:///srv/cache /nix/store/…" });
  tuneEngine();
  prepareEnd();
  const local = await context.openStore();
  await using other = await openPlace(context, (args.to ?? args.from)!, local.storeDir);
  const [from, to]: [Store, Store] = args.to === undefined ? [other, local] : [local, other];
  const { trust } = await loadCacheSettings({ env: context.env });
  const options: CopyOptions = {
    ...(context.flags.jobs === undefined ? {} : { jobs: context.flags.jobs }),
    noRecursive: !args.recursive,
    signal: context.signal,
    report: context.report,
    // What comes into the store must be somebody's whose word counts; what leaves it is for others to judge.
    check: args.to !== undefined || args.checkSignatures === false ? undefined : (info) => {
      if (!isTrusted(info, trust, local.storeDir)) throw untrusted(info.path, local.storeDir);
    },
  };
  const { wanted, copied: before } = await wantedPaths(args, { source: realisationsOf(other), from, local, paths, options, signal: context.signal });
  const { copied, present } = await copyPaths(from, to, wanted, options);
  if (args.to === undefined) await local.flush();
  const all = await closureOf(local, wanted, args.recursive);
  try {
    if (args.to !== undefined) await sendRealisations(local, realisationsOf(other), all, context.signal);
    else {
      const isTaken = (realisation: Realisation): boolean => args.checkSignatures === false || !trust.requireSignatures || (other instanceof BinaryCache && other.url.trusted) || isSignedRealisation(realisation, trust.publicKeys);
      await receiveRealisations(realisationsOf(other), local, all, isTaken, context.signal);
    }
  } catch (error) {
    // The paths are there all the same.
    if (!(error instanceof TsosError) || error.code !== "daemon.no-realisations") throw error;
    context.report({ kind: "message", level: "warning", text: error.message });
  }
  if (context.flags.json) context.print(JSON.stringify({ version: 1, copied: [...before, ...copied].map((path) => formatStorePath(path, local.storeDir)), present }));
  else context.say(`${before.length + copied.length} paths copied, ${present} were there`);
  return ExitCode.done;
}

/** A cache by its URL, the store of a daemon or of another machine, or another store's folder. */
export async function openPlace(context: CommandContext, url: string, storeDir: string): Promise<Store> {
  const root = /^local\?root=(\/.*)$/.exec(url)?.[1] ?? (url.startsWith("/") ? url : undefined);
  if (root !== undefined) return openLocalStore({ root });
  if (isRemoteUrl(url)) return openRemoteStore(url, { storeDir, environment: context.env, ssh: sshCommand(context.env), report: context.report });
  const settings = { ...(await loadFetchSettings({ env: context.env })), offline: context.flags.offline };
  return openBinaryCache(url, { settings, environment: context.env, storeDir, lookups: LookupCache.open(lookupFolder(context)) });
}

async function closureOf(store: LocalStore, paths: readonly StorePath[], recursive: boolean): Promise<Iterable<StorePath>> {
  return recursive ? store.closure(paths) : paths;
}

/** Another place as what says, or is told, what outputs of derivations turned out to be. */
function realisationsOf(place: Store): RealisationSource & RealisationTarget {
  if (place instanceof BinaryCache || place instanceof RemoteStore) return place;
  const store = place as LocalStore;
  return { findRealisation: (id) => store.findRealisation(id), addRealisation: (realisation) => store.registerRealisations([realisation]) };
}

const OUTPUTS_OF = /^(.*\.drv)\^(\*|[^*/]+)$/;

/** Paths as they are, and for `….drv^out,dev` or `….drv^*` those outputs; what comes from elsewhere needs its derivation here, so that comes first. */
async function wantedPaths(
  args: StoreArguments,
  { source, from, local, paths, options, signal }: { readonly source: RealisationSource; readonly from: Store; readonly local: LocalStore; readonly paths: (store: LocalStore, given: readonly string[]) => readonly StorePath[]; readonly options: CopyOptions; readonly signal: AbortSignal },
): Promise<{ readonly wanted: readonly StorePath[]; readonly copied: readonly StorePath[] }> {
  const isPlain = (path: string): boolean => !OUTPUTS_OF.test(path);
  const wanted = args.paths.length === 0 || args.paths.some(isPlain) ? [...paths(local, args.paths.filter(isPlain))] : [];
  const copied: StorePath[] = [];
  for (const text of args.paths) {
    const [, drv, names] = OUTPUTS_OF.exec(text) ?? [];
    if (drv === undefined) continue;
    const [drvPath] = paths(local, [drv]) as [StorePath];
    if (args.from !== undefined && !(await local.isValidPath(drvPath))) copied.push(...(await copyPaths(from, local, [drvPath], { ...options, noRecursive: false })).copied);
    wanted.push(...(await findOutputsAt(args.from === undefined ? local : source, local, drvPath, names === "*" ? undefined : names!.split(","), signal)));
    // It is what the realisations are kept by.
    if (args.from !== undefined) wanted.push(drvPath);
  }
  return { wanted, copied };
}

/** `tsos store sign --key-file FILE PATH…`. */
export async function sign(context: CommandContext, args: StoreArguments, paths: (store: LocalStore) => readonly StorePath[]): Promise<number> {
  const keys = await readKeys(args.keyFile ?? []);
  if (keys.length === 0) throw new UsageError({ code: "cli.missing-key", message: '"tsos store sign" needs --key-file FILE', hint: "a key as nix key generate-secret makes it" });
  const store = await context.openStore();
  const chosen = args.recursive ? await store.closure(paths(store)) : paths(store);
  let count = 0;
  for (const path of chosen) {
    const info = await store.getPathInfo(path);
    const fingerprint = narInfoFingerprint(info, store.storeDir);
    const fresh = keys.map((key) => formatSignature(signFingerprint(fingerprint, key))).filter((signature) => !info.signatures.includes(signature));
    if (fresh.length === 0) continue;
    await store.addSignatures(path, fresh);
    count++;
  }
  if (context.flags.json) context.print(JSON.stringify({ version: 1, signed: count }));
  else context.say(`${count} paths signed`);
  return ExitCode.done;
}

/** `tsos store serve`: until it is interrupted. */
export async function serve(context: CommandContext, args: StoreArguments): Promise<number> {
  const store = await context.openStore();
  const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(args.listen) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new UsageError({ code: "cli.bad-address", message: `"${args.listen}" is no address to listen on`, hint: "write --listen 127.0.0.1:5000" });
  const token = args.tokenFile === undefined ? undefined : (await readText(args.tokenFile)).trim();
  if (token === "") throw new TsosError({ code: "cli.empty-token", message: `"${args.tokenFile}" is empty, expected a token` });
  await using server = await serveCache(store, {
    host: host === undefined || host === "" ? "127.0.0.1" : host.replace(/^\[|\]$/g, ""),
    port: Number(port),
    token,
    secretKeys: await readKeys(args.keyFile ?? []),
    findLog: (derivation) => findBuildLog(store, derivation),
    onError: (error) => void context.complain(error),
  });
  context.print(context.flags.json ? JSON.stringify({ version: 1, url: server.url }) : server.url);
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    else context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return ExitCode.interrupted;
}

async function readKeys(files: readonly string[]): Promise<SecretKey[]> {
  return Promise.all(files.map(async (file) => parseSecretKey((await readText(file)).trim())));
}

async function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((cause: unknown) => {
    throw new TsosError({ code: "cli.no-such-file", message: `cannot read "${file}": ${cause instanceof Error ? cause.message : String(cause)}`, cause });
  });
}
