import { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { PUBLIC_CACHE } from "../../core/cache/public-cache.ts";
import { loadCacheSettings, type CacheSettings } from "../../core/cache/load-cache-settings.ts";
import { connectSocket } from "../../core/daemon/client/open-stream.ts";
import { loadDaemonSettings } from "../../core/daemon/load-daemon-settings.ts";
import { startDaemon } from "../../core/daemon/server/daemon-server.ts";
import { serveConnection } from "../../core/daemon/server/serve-connection.ts";
import type { DaemonHost } from "../../core/daemon/server/session.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parsePublicKey } from "../../core/narinfo/signature.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import { createBuildOptions } from "../build-options.ts";
import type { CommandContext } from "../context.ts";
import { ExitCode } from "../exit-code.ts";
import { findProgram } from "../nix/find-on-path.ts";
import { createSubstituter } from "../substituter.ts";
import { findSandboxTool } from "../tools.ts";

export type DaemonArguments = { readonly socket?: string; readonly stdio: boolean };

/** The first descriptor that a service manager hands over. */
const FIRST_PASSED = 3;

/** `tsos daemon`: serves the store until it is interrupted; with `--stdio` one client, until it goes away. */
export async function daemon(context: CommandContext, args: DaemonArguments): Promise<number> {
  const { storeRoot, daemon: other } = context.places;
  if (other !== undefined && args.stdio) return passOn(other);
  if (other !== undefined) throw new TsosError({ code: "daemon.no-store", message: `this user may not write the store, which the daemon at "${other}" serves already`, hint: "name a store of your own with --store DIR" });
  const store = await context.openStore();
  const host = await createHost(context, storeRoot);
  if (args.stdio) {
    const input = new Socket({ fd: 0, readable: true, writable: false });
    // Whoever could start it has the rights of this user already.
    await serveConnection(host, { input, output: process.stdout, trusted: true });
    return ExitCode.done;
  }
  const settings = await loadDaemonSettings({ env: context.env });
  const passed = context.env["LISTEN_PID"] === String(process.pid) && Number(context.env["LISTEN_FDS"]) >= 1;
  const path = args.socket ?? `${store.stateDir}/daemon-socket/socket`;
  await using _server = await startDaemon({
    host,
    access: settings,
    listen: passed ? { fd: FIRST_PASSED } : { path },
    stateDir: store.stateDir,
    onConnection: ({ user, pid, trusted }) => {
      if (context.flags.verbosity > 0) context.say(`process ${pid} of ${user}${trusted ? " (trusted)" : ""}`);
    },
    onRefused: (user) => context.say(`${user} may not use this daemon`),
  });
  context.print(context.flags.json ? JSON.stringify({ version: 1, socket: passed ? null : path }) : passed ? "listening on the socket that was passed" : path);
  await new Promise<void>((resolve) => {
    if (context.signal.aborted) resolve();
    else context.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  return ExitCode.interrupted;
}

/** Who may not write the store is who they are to its daemon. */
async function passOn(socket: string): Promise<number> {
  const { input, output } = await connectSocket(socket, `unix://${socket}`);
  process.stdin.pipe(output);
  await pipeline(input, process.stdout);
  return ExitCode.done;
}

async function createHost(context: CommandContext, storeRoot: string | undefined): Promise<DaemonHost> {
  const [caches, settings] = await Promise.all([loadCacheSettings({ env: context.env }), loadDaemonSettings({ env: context.env })]);
  // What Nix's builders expect to be there. One that is linked statically, as this one is.
  const sandboxShell = findProgram(context.env, "busybox");
  return {
    version: `tsos ${context.version}`,
    openStore: () => openLocalStore(storeRoot === undefined ? {} : { root: storeRoot }),
    trust: caches.trust,
    // What nixpkgs is asked of anyway; its key counts for what comes from there.
    trustedSubstituters: [...settings.trustedSubstituters, ...PUBLIC_CACHE.substituters],
    substituters: caches.substituters,
    onError: (error) => void context.complain(error),
    async buildOptions(store, session, { signal, report }) {
      const own = { ...context, signal, report, flags: { ...context.flags, builders: session.others.get("builders") ?? context.flags.builders } };
      const options = await createBuildOptions(own, store, () => findSandboxTool(own, store));
      const theirs = withClientKeys(caches, session.others);
      const substituter = !session.useSubstitutes
        ? undefined
        : session.substituters === undefined && theirs === caches
          ? options.substituter
          : await createSubstituter(own, store, withPublicKeys(theirs, session.substituters ?? caches.substituters), options.settings);
      return {
        ...options,
        ...(sandboxShell === undefined ? {} : { sandboxShell }),
        substituter,
        keepFailed: session.keepFailed,
        keepGoing: session.keepGoing,
        jobs: session.jobs ?? options.jobs,
        cores: session.cores ?? options.cores,
      };
    },
  };
}

function withPublicKeys({ trust }: CacheSettings, substituters: readonly string[]): CacheSettings {
  const isAsked = PUBLIC_CACHE.substituters.some((url) => substituters.includes(url));
  return { substituters, trust: isAsked ? { ...trust, publicKeys: [...trust.publicKeys, ...PUBLIC_CACHE.trustedPublicKeys.map(parsePublicKey)] } : trust };
}

/** Keys that a trusted client names count for what its builds fetch; the same where it names none. */
function withClientKeys(caches: CacheSettings, settings: ReadonlyMap<string, string>): CacheSettings {
  const keys = ["trusted-public-keys", "extra-trusted-public-keys"].flatMap((name) => (settings.get(name) ?? "").split(/\s+/)).filter((key) => key !== "");
  const isLenient = settings.get("require-sigs") === "false";
  if (keys.length === 0 && !isLenient) return caches;
  const { publicKeys, requireSignatures } = caches.trust;
  return { ...caches, trust: { requireSignatures: requireSignatures && !isLenient, publicKeys: [...publicKeys, ...keys.map(parsePublicKey)] } };
}
