import type { BuildService, BuildServiceOptions, BuildWish } from "../../store/build-service.ts";
import { parseStorePath, storePathName } from "../../store-path/store-path.ts";
import { createActivityIds, type ProgressActivity, type ProgressListener } from "../../util/progress.ts";
import { readBuildResult } from "../wire/build-result.ts";
import type { DerivedPath } from "../wire/derived-path.ts";
import { formatDerivedPath, parseDerivedPath } from "../wire/derived-path.ts";
import { readPaths } from "../wire/path-codec.ts";
import { ACTIVITY, OPERATION, RESULT } from "../wire/protocol.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import type { WireWriter } from "../wire/wire-writer.ts";
import type { AskOptions, DaemonConnection } from "./daemon-connection.ts";
import type { DaemonMessage } from "./daemon-message.ts";
import { failedBuilds } from "./failed-builds.ts";

/** The version of the protocol since which a daemon answers for each wish. */
const WITH_RESULTS = 34;

const MODES = { normal: 0, repair: 1, check: 2 } as const;

/** Has a daemon build and substitute. */
export function createDaemonBuilds(pool: ConnectionPool<DaemonConnection>, storeDir: string): BuildService {
  return {
    realise: (wishes, options) =>
      pool.use(async (connection) => {
        await sendOptions(connection, options);
        const write = (writer: WireWriter): void => {
          writer.strings(wishes.map((wish) => formatWish(wish, storeDir)));
          writer.number(MODES[options.mode ?? "normal"]);
        };
        const listen: AskOptions = { onMessage: options.report === undefined ? undefined : reportMessages(options.report, storeDir) };
        const { minor } = connection;
        if (minor < WITH_RESULTS) {
          await connection.ask(OPERATION.buildPaths, write, (reader) => reader.number(), listen);
          return;
        }
        const results = await connection.ask(OPERATION.buildPathsWithResults, write, (reader) => reader.list(async () => ({ wish: wishOf(parseDerivedPath(await reader.text(), storeDir)), result: await readBuildResult(reader, { minor }) })), listen);
        const failure = failedBuilds(results, storeDir);
        if (failure !== undefined) throw failure;
      }, options.signal),
    findMissing: (wishes, options) =>
      pool.use(async (connection) => {
        await sendOptions(connection, options);
        return connection.ask(
          OPERATION.queryMissing,
          (writer) => void writer.strings(wishes.map((wish) => formatWish(wish, storeDir))),
          async (reader) => ({
            build: await readPaths(reader, storeDir),
            substitute: await readPaths(reader, storeDir),
            unknown: await readPaths(reader, storeDir),
            downloadSize: await reader.number(),
            narSize: await reader.number(),
          }),
        );
      }, options.signal),
  };
}

function sendOptions(connection: DaemonConnection, { keepFailed = false, keepGoing = false, jobs, cores, substitute = true, substituters = [], settings: further = new Map() }: BuildServiceOptions): Promise<void> {
  const settings = new Map<string, string>([...(substituters.length === 0 ? [] : [["extra-substituters", substituters.join(" ")] as const]), ...further]);
  return connection.setOptions({ keepFailed, keepGoing, jobs, cores, useSubstitutes: substitute, settings });
}

function wishOf(target: DerivedPath): BuildWish {
  return target.kind === "opaque" ? { kind: "path", path: target.path } : { kind: "derivation", path: target.drvPath, outputs: target.outputs };
}

function formatWish({ kind, path, outputs }: BuildWish, storeDir: string): string {
  const derived: DerivedPath = kind === "path" ? { kind: "opaque", path } : { kind: "built", drvPath: path, outputs: outputs === undefined ? undefined : [...outputs] };
  return formatDerivedPath(derived, storeDir);
}

/** What a daemon says is going on, as this program reports what it does itself. */
function reportMessages(report: ProgressListener, storeDir: string): (message: DaemonMessage) => void {
  const nextId = createActivityIds();
  const known = new Map<number, number>();
  return (message) => {
    if (message.kind === "start") {
      const activity = activityOf(message.type);
      const [path] = message.fields;
      if (activity === undefined || typeof path !== "string" || !path.startsWith(`${storeDir}/`)) return;
      const id = nextId();
      known.set(message.id, id);
      report({ kind: "start", id, activity, subject: storePathName(parseStorePath(path, storeDir)).replace(/\.drv$/, ""), path });
      return;
    }
    const id = message.kind === "stop" || message.kind === "result" ? known.get(message.id) : undefined;
    if (id === undefined) return;
    // How it ended is in the answer, which is for all of them.
    if (message.kind === "stop") report({ kind: "stop", id, outcome: "done" });
    else if (message.kind === "result" && message.type === RESULT.buildLogLine) report({ kind: "log", id, line: String(message.fields[0] ?? "") });
    else if (message.kind === "result" && message.type === RESULT.progress) {
      const [done, total] = message.fields.map(Number);
      report({ kind: "progress", id, done: done ?? 0, ...(total === undefined || total === 0 ? {} : { total }) });
    }
  };
}

function activityOf(type: number): ProgressActivity | undefined {
  if (type === ACTIVITY.build) return "build";
  return type === ACTIVITY.substitute ? "substitute" : undefined;
}
