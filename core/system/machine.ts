import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TsosError } from "../error/tsos-error.ts";
import type { ProgressListener } from "../util/progress.ts";
import { ACTIVATION_ROOTS, holdRunning } from "./activate/activation-roots.ts";
import { checkRoot, placeOsRoot } from "./activate/activation-steps.ts";
import { makeFolder, writeDurably } from "./activate/durable-file.ts";
import { parseManifest } from "./activate/read-manifest.ts";
import { setSystemProfile, SYSTEM_PROFILE } from "./activate/system-profile.ts";
import { makeCgroups } from "./machine-cgroup.ts";
import { enterMachine, findRunningMachine, machineStateFile, type MachineState, processStartTime, type RunningMachine } from "./running-machine.ts";

export type MachineOptions = {
  /** For people and as the machine's folder names: letters, digits, `-`. */
  readonly name: string;
  /** The machine's root folder; made if it is not there. Its state stays in it from one start to the next. */
  readonly root: string;
  /** The logical path of the toplevel to boot. */
  readonly toplevel: string;
  /** The folder whose paths the machine sees at `storeDir`. */
  readonly realStoreDir: string;
  /** Default `/nix/store`. */
  readonly storeDir?: string | undefined;
  /** Where the console's log goes. */
  readonly stateFolder: string;
  /** `systemd-nspawn` as a command and its first arguments; a seed's is run through its own `ld.so`. */
  readonly nspawn: readonly [string, ...string[]];
  /** How long booting may take: default 90 s. */
  readonly timeoutSeconds?: number | undefined;
  /**
   * Called with the links that keep alive what the machine uses, once they are made and before they are needed:
   * each has to become an indirect root of the store.
   */
  readonly addRoot?: ((link: string) => Promise<void>) | undefined;
  readonly report?: ProgressListener | undefined;
  readonly signal?: AbortSignal | undefined;
};

export type ForwardedPort = AsyncDisposable & { readonly hostPort: number; readonly machinePort: number };

/** A machine that this process started, and which ends with it. */
export type Machine = RunningMachine &
  AsyncDisposable & {
    readonly name: string;
    /** Units that failed at boot. */
    readonly failedUnits: readonly string[];
    /** Host loopback port (0: any that is free) → port of the machine's loopback. */
    forwardPort(hostPort: number, machinePort: number): Promise<ForwardedPort>;
    /** Shuts it down; when that takes too long, ends it. */
    stop(): Promise<void>;
    /** Resolves when it is down, by itself or by `stop`. */
    readonly stopped: Promise<void>;
  };

const SIGRTMIN_PLUS_3 = 37;
const STOP_SECONDS = 30;

/**
 * Boots a toplevel in a container of its own and waits until it is up. Nothing of it is left on the host when it
 * ends, nor when this process is killed, but its root folder.
 *
 * @throws TsosError `machine.running`, `machine.boot-failed`, `machine.needs-root`
 */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { name, toplevel, stateFolder, signal } = options;
  signal?.throwIfAborted();
  if (process.getuid?.() !== 0) {
    throw new TsosError({ code: "machine.needs-root", message: "a machine can only be started as root", hint: "run the command with sudo" });
  }
  // Its mode is that of the machine's own `/`.
  makeFolder(options.root);
  mkdirSync(stateFolder, { recursive: true });
  const root = realpathSync(options.root);
  if (findRunningMachine(root) !== undefined) {
    throw new TsosError({ code: "machine.running", message: `the machine with the root "${root}" is running already` });
  }
  const storeDir = options.storeDir ?? "/nix/store";
  await prepareRoot(root, storeDir, options);

  // A name that was used before may still have cgroups, which nspawn would stumble over.
  const cgroups = makeCgroups(`tsos-${name}-${randomBytes(4).toString("hex")}`);
  const stateFile = machineStateFile(root);
  const guardian = startGuardian(cgroups, stateFile);
  const consoleFile = join(stateFolder, "console.log");
  const child = startNspawn({ ...options, root, storeDir, cgroups, consoleFile });
  const stopped = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  let hasEnded = false;
  void stopped.then(() => (hasEnded = true));

  let leader: number | undefined;
  const servers = new Set<Server>();
  let relay: ChildProcess | undefined;
  let stopping: Promise<void> | undefined;
  const stop = async (graceful: boolean): Promise<void> => {
    for (const server of servers) server.close();
    relay?.kill();
    if (graceful && leader !== undefined && !hasEnded) {
      kill(leader, SIGRTMIN_PLUS_3);
      await Promise.race([stopped, sleep(STOP_SECONDS * 1000, undefined, { ref: false })]);
    }
    // The guardian ends what is left and removes the cgroups and the state file.
    const done = once(guardian, "exit");
    guardian.stdin?.end();
    await done;
    await stopped;
  };

  try {
    const deadline = Date.now() + (options.timeoutSeconds ?? 90) * 1000;
    leader = await waitForLeader(child, () => hasEnded, deadline, signal);
    const state: MachineState = { version: 1, name, root, leader, leaderStartTime: processStartTime(leader) ?? "" };
    writeDurably(stateFile, `${JSON.stringify(state, undefined, 2)}\n`, 0o644);
    const running = enterMachine(state);
    const failedUnits = await waitUntilUp(running, () => hasEnded, deadline, signal);
    const startedLeader = leader;
    options.report?.({ kind: "message", level: "debug", text: `the machine "${name}" is up, its first process is ${leader}` });
    return {
      ...running,
      name,
      failedUnits,
      stopped,
      stop: async () => await (stopping ??= stop(true)),
      async forwardPort(hostPort, machinePort) {
        relay ??= startRelay(startedLeader);
        const server = await forward(relay, hostPort, machinePort);
        servers.add(server);
        const address = server.address();
        return {
          hostPort: typeof address === "object" && address !== null ? address.port : hostPort,
          machinePort,
          [Symbol.asyncDispose]: async () => {
            servers.delete(server);
            await new Promise((resolve) => server.close(resolve));
          },
        };
      },
      [Symbol.asyncDispose]: async () => await (stopping ??= stop(true)),
    };
  } catch (error) {
    const journal = leader === undefined || hasEnded ? "" : await readJournalErrors(leader, root, name);
    await stop(false);
    signal?.throwIfAborted();
    const console = tail(consoleFile, 30);
    throw new TsosError({
      code: "machine.boot-failed",
      message: `the machine "${name}" does not come up: ${error instanceof Error ? error.message : String(error)}`,
      hint: [journal === "" ? "" : `its journal's errors:\n${journal}`, console === "" ? "" : `the end of its console:\n${console}`, `all of it: ${consoleFile}`].filter((part) => part !== "").join("\n"),
      data: { toplevel },
      cause: error,
    });
  }
}

async function prepareRoot(root: string, storeDir: string, { toplevel, realStoreDir, addRoot }: MachineOptions): Promise<void> {
  const real = (path: string): string => join(realStoreDir, relative(storeDir, path));
  const manifestFile = join(real(toplevel), "manifest.json");
  const manifest = parseManifest(JSON.parse(readFileSync(manifestFile, "utf8")), manifestFile);
  checkRoot(root, { ...manifest, osRoot: real(manifest.osRoot), systemPath: real(manifest.systemPath) });
  placeOsRoot(root, manifest.osRoot, real(manifest.osRoot));
  makeFolder(join(root, storeDir));
  const profile = join(root, SYSTEM_PROFILE);
  const number = setSystemProfile(profile, toplevel);
  await addRoot?.(`${profile}-${number}-link`);
  holdRunning(root, toplevel);
  for (const link of Object.values(ACTIVATION_ROOTS)) await addRoot?.(join(root, link));
}

type NspawnInput = MachineOptions & { readonly storeDir: string; readonly cgroups: readonly string[]; readonly consoleFile: string };

/**
 * nspawn looks for `/usr/` before it mounts anything, so the store is in place first, in a mount namespace that
 * only it sees. The tmpfs on /run takes what nspawn would leave on the host.
 */
const NSPAWN_SCRIPT = `
set -e
root=$1 store=$2 real=$3; shift 3
while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift
mount --rbind "$real" "$root$store"
mount -o remount,bind,ro "$root$store"
case "$root" in /run/*) ;; *) mount -t tmpfs -o mode=755 tmpfs /run ;; esac
exec "$@"
`;

function startNspawn({ root, storeDir, realStoreDir, cgroups, consoleFile, nspawn, name, toplevel }: NspawnInput): ChildProcess {
  const log = openSync(consoleFile, "w");
  try {
    return spawn(
      "unshare",
      [
        ...["--mount", "--propagation", "slave", "sh", "-c", NSPAWN_SCRIPT, "sh", root, storeDir, realStoreDir, ...cgroups, "--"],
        ...nspawn,
        ...["--register=no", "--keep-unit", "--private-network", "--resolv-conf=off", "--timezone=off", "--link-journal=no"],
        ...["--console=pipe", "--quiet", `--machine=${name}`, "--directory", root, `${toplevel}/init`],
      ],
      // A session of its own: Ctrl-C in the terminal means this process, which then shuts the machine down.
      { stdio: ["ignore", log, log], detached: true, env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } },
    );
  } finally {
    closeSync(log);
  }
}

/**
 * Waits for the end of its input, which comes also when this process is killed; then ends what is in the cgroups
 * and removes them.
 */
const GUARDIAN_SCRIPT = `
state=$1; shift
cat > /dev/null
n=0
while [ $n -lt 100 ]; do
  pids=
  for group; do [ -d "$group" ] && pids="$pids $(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null)"; done
  pids=$(echo $pids)
  [ -z "$pids" ] && break
  kill -KILL $pids 2>/dev/null
  n=$((n + 1))
  sleep 0.05
done
for group; do [ -d "$group" ] && find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; done
rm -f "$state"
`;

function startGuardian(cgroups: readonly string[], stateFile: string): ChildProcess {
  return spawn("sh", ["-c", GUARDIAN_SCRIPT, "sh", stateFile, ...cgroups], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
}

/** The process that is the machine's first one: nspawn's child that has the number 1 in a namespace of its own. */
async function waitForLeader(nspawn: ChildProcess, hasEnded: () => boolean, deadline: number, signal: AbortSignal | undefined): Promise<number> {
  for (;;) {
    signal?.throwIfAborted();
    if (hasEnded()) throw new Error("its container ended at once");
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      const status = readStatus(entry);
      if (status !== undefined && /^PPid:\s*(\d+)$/m.exec(status)?.[1] === String(nspawn.pid) && /^NSpid:.*\s1$/m.test(status)) return Number(entry);
    }
    if (Date.now() > deadline) throw new Error("its container does not start in time");
    await sleep(20, undefined, { signal }).catch(() => {});
  }
}

async function waitUntilUp(machine: RunningMachine, hasEnded: () => boolean, deadline: number, signal: AbortSignal | undefined): Promise<readonly string[]> {
  for (;;) {
    signal?.throwIfAborted();
    if (hasEnded()) throw new Error("it shut down while it was starting");
    const state = (await machine.run(["systemctl", "is-system-running"])).stdout.trim();
    if (state === "running") return [];
    if (state === "degraded") {
      const failed = await machine.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full"]);
      return failed.stdout.split("\n").map((line) => line.trim().split(/\s+/)[0] ?? "").filter((unit) => unit !== "");
    }
    if (Date.now() > deadline) {
      const jobs = (await machine.run(["systemctl", "list-jobs", "--no-legend"])).stdout.trim();
      throw new Error(`it is not up in time, its state is "${state === "" ? "unknown" : state}"${jobs === "" ? "" : `, and it waits for:\n${jobs}`}`);
    }
    await sleep(60, undefined, { signal }).catch(() => {});
  }
}

async function readJournalErrors(leader: number, root: string, name: string): Promise<string> {
  const machine = enterMachine({ version: 1, name, root, leader, leaderStartTime: "" });
  const result = await machine.run(["journalctl", "-b", "-q", "-p", "err", "-n", "20", "--no-pager"], { timeoutSeconds: 10 });
  return result.stdout.trim();
}

/** Runs in the machine's network and connects there what it is handed. */
const RELAY_PROGRAM = `
const net = require("node:net");
process.on("message", ({ port }, socket) => {
  if (!socket) return;
  const peer = net.connect({ host: "127.0.0.1", port });
  const end = () => { socket.destroy(); peer.destroy(); };
  socket.on("error", end); peer.on("error", end);
  socket.pipe(peer); peer.pipe(socket);
});
process.on("disconnect", () => process.exit(0));
`;

function startRelay(leader: number): ChildProcess {
  const relay = spawn("nsenter", [`--net=/proc/${leader}/ns/net`, "--", process.execPath, "-e", RELAY_PROGRAM], {
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    detached: true,
  });
  // Sockets are passed over the channel; it must not keep this process alive by itself.
  relay.unref();
  relay.channel?.unref();
  return relay;
}

async function forward(relay: ChildProcess, hostPort: number, machinePort: number): Promise<Server> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    if (!relay.connected) socket.destroy();
    else relay.send({ port: machinePort }, socket, (error) => error && socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      reject(new TsosError({ code: "machine.port", message: `the port "${hostPort}" of this host cannot be used: ${cause.code ?? cause.message}`, hint: "choose another port", cause })),
    );
    server.listen(hostPort, "127.0.0.1", resolve);
  });
  return server;
}

function readStatus(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return undefined;
  }
}

function kill(pid: number, signal: number): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It is gone.
  }
}

function tail(file: string, count: number): string {
  try {
    // Colours and line drawing of systemd's status lines.
    return readFileSync(file, "utf8").replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, "").trimEnd().split(/\r?\n/).slice(-count).join("\n");
  } catch {
    return "";
  }
}
