import { Socket } from "node:net";
import { loadCacheSettings } from "../../core/cache/load-cache-settings.ts";
import { loadDaemonSettings } from "../../core/daemon/load-daemon-settings.ts";
import { startDaemon } from "../../core/daemon/server/daemon-server.ts";
import { serveConnection } from "../../core/daemon/server/serve-connection.ts";
import type { DaemonHost } from "../../core/daemon/server/session.ts";
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
  const store = await context.openStore();
  const host = await createHost(context);
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

async function createHost(context: CommandContext): Promise<DaemonHost> {
  const [caches, settings] = await Promise.all([loadCacheSettings({ env: context.env }), loadDaemonSettings({ env: context.env })]);
  const { storeRoot } = context.places;
  // What Nix's builders expect to be there. One that is linked statically, as this one is.
  const sandboxShell = findProgram(context.env, "busybox");
  return {
    version: `tsos ${context.version}`,
    openStore: () => openLocalStore(storeRoot === undefined ? {} : { root: storeRoot }),
    trust: caches.trust,
    trustedSubstituters: settings.trustedSubstituters,
    substituters: caches.substituters,
    onError: (error) => void context.complain(error),
    async buildOptions(store, session, { signal, report }) {
      const own = { ...context, signal, report };
      const options = await createBuildOptions(own, store, () => findSandboxTool(own, store));
      const substituter = !session.useSubstitutes
        ? undefined
        : session.substituters === undefined
          ? options.substituter
          : await createSubstituter(own, store, { ...caches, substituters: session.substituters }, options.settings);
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
