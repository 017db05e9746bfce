import { Socket } from "node:net";
import { serveConnection } from "../../core/daemon/server/serve-connection.ts";
import { startDaemon } from "../../core/daemon/server/daemon-server.ts";
import type { DaemonHost } from "../../core/daemon/server/session.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { NixConfiguration } from "../../core/interop/nix-configuration.ts";
import { openLocalStore } from "../../core/store/local-store.ts";
import { makeStoreLayout } from "../../core/store/store-layout.ts";
import type { ProgressListener } from "../../core/util/progress.ts";
import { nixBuildOptions, nixTrust } from "./build-targets.ts";
import { ClassicUsageError, parseClassicArguments, type ClassicOptions } from "./classic-arguments.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { locateStore } from "./store-location.ts";

/** The first descriptor that a service manager hands over. */
const FIRST_PASSED = 3;

/** `nix-daemon`: serves the store by the settings of nix.conf. Nix: src/nix/unix/daemon.cc */
export async function daemon(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const { env } = environment;
  let stdio = false;
  let trusted: boolean | undefined;
  const needsFeature: string[] = [];
  const options = parseClassicArguments(args, env, environment.warn, (argument) => {
    switch (argument) {
      case "--daemon":
        return true;
      case "--stdio":
        stdio = true;
        return true;
      case "--force-trusted":
      case "--force-untrusted":
      case "--default-trust":
        needsFeature.push("daemon-trust-override");
        trusted = argument === "--default-trust" ? undefined : argument === "--force-trusted";
        return true;
      default:
        return false;
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  if (options.words.length > 0) throw new ClassicUsageError(`unexpected argument '${options.words[0]!}'`);
  const { settings } = options;
  for (const feature of needsFeature) {
    if (!settings.list("experimental-features").includes(feature)) {
      environment.say(`error: experimental Nix feature '${feature}' is disabled; add '--extra-experimental-features ${feature}' to enable it`);
      return 1;
    }
  }
  const storeOptions = locateStore(env, environment.uid, options.storeUrl);
  const host = await createHost(environment, options, () => openLocalStore({ ...storeOptions, autoOptimise: options.settings.bool("auto-optimise-store", false) }));
  if (stdio) {
    // Whoever could start it has the rights of this user already.
    await serveConnection(host, { input: new Socket({ fd: 0, readable: true, writable: false }), output: process.stdout, trusted: trusted ?? true });
    return 0;
  }
  const { stateDir } = makeStoreLayout(storeOptions);
  const passed = env["LISTEN_PID"] === String(process.pid) && Number(env["LISTEN_FDS"]) >= 1;
  const trustedUsers = settings.find("trusted-users") === undefined ? ["root"] : settings.list("trusted-users");
  const access = { trustedUsers: trusted === undefined ? trustedUsers : trusted ? ["*"] : [], allowedUsers: settings.find("allowed-users") === undefined ? ["*"] : settings.list("allowed-users") };
  await environment.whileBuilding(async () => {
    await using _server = await startDaemon({
      host,
      access,
      listen: passed ? { fd: FIRST_PASSED } : { path: env["NIX_DAEMON_SOCKET_PATH"] ?? `${stateDir}/daemon-socket/socket` },
      stateDir,
      onConnection: ({ user, pid, trusted: isTrusted }) => environment.say(`accepted connection from pid ${pid}, user ${user}${isTrusted ? " (trusted)" : ""}`),
      onRefused: (user) => environment.say(`error: user '${user}' is not allowed to connect to the Nix daemon`),
    });
    await new Promise<void>((resolve) => {
      if (environment.signal.aborted) resolve();
      else environment.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  });
  return 0;
}

async function createHost(environment: NixEnvironment, options: ClassicOptions, openStore: DaemonHost["openStore"]): Promise<DaemonHost> {
  const { settings } = options;
  return {
    version: "2.34.8",
    openStore,
    trust: await nixTrust(environment, settings),
    trustedSubstituters: settings.list("trusted-substituters"),
    substituters: settings.list("substituters"),
    onError: (error) => environment.say(`error: ${error instanceof Error ? error.message : String(error)}`),
    async buildOptions(store, session, { signal, report }) {
      const own = { ...environment, signal };
      const { substituter, ...build } = await nixBuildOptions(own, { ...options, settings: withClient(settings, session.others, report) }, store, session.substituters);
      return {
        ...build,
        signal,
        report,
        ...(session.useSubstitutes && substituter !== undefined ? { substituter } : {}),
        keepFailed: session.keepFailed,
        keepGoing: session.keepGoing,
        jobs: session.jobs ?? build.jobs,
        cores: session.cores ?? build.cores,
      };
    },
  };
}

/** A client's settings over the daemon's own. Who sent them was looked at before. */
function withClient(own: NixConfiguration, others: ReadonlyMap<string, string>, report: ProgressListener): NixConfiguration {
  const settings = own.copy();
  for (const [name, value] of others) {
    try {
      settings.set(name, value);
    } catch (error) {
      if (!(error instanceof TsosError)) throw error;
      report({ kind: "message", level: "warning", text: error.message });
    }
  }
  return settings;
}
