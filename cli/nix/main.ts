import { TsosError } from "../../core/error/tsos-error.ts";
import { openEvaluation } from "../../core/interop/evaluation-session.ts";
import { formatLogEvent, formatLogMessage } from "../../core/interop/json-log.ts";
import { colourReport, wantsColours } from "../../core/nix/colour-report.ts";
import { fromByteString, toByteString } from "../../core/util/bytes.ts";
import { endProcess, prepareEnd } from "../../core/util/end-process.ts";
import { findNearestName } from "../../core/util/suggest.ts";
import { ExitCode } from "../exit-code.ts";
import { buildStatus } from "./build-status.ts";
import { classicWords } from "./classic-words.ts";
import { ClassicUsageError } from "./classic-arguments.ts";
import type { NixEnvironment } from "./nix-environment.ts";

export { endProcess } from "../../core/util/end-process.ts";

type Command = {
  /** Its classic name, for messages that scripts know. */
  readonly classic: string;
  readonly run: (environment: NixEnvironment, args: readonly string[]) => Promise<number>;
};

const COMMANDS: Readonly<Record<string, Command>> = {
  instantiate: { classic: "nix-instantiate", run: async (e, args) => (await import("./instantiate.ts")).instantiate(e, args) },
  build: { classic: "nix-build", run: async (e, args) => (await import("./build.ts")).build(e, args) },
  shell: { classic: "nix-shell", run: async (e, args) => (await import("./shell.ts")).shell(e, args) },
  store: { classic: "nix-store", run: async (e, args) => (await import("./store.ts")).store(e, args) },
  eval: { classic: "nix eval", run: async (e, args) => (await import("./eval.ts")).evaluate(e, args) },
  hash: { classic: "nix-hash", run: async (e, args) => (await import("./hash.ts")).hash(e, args) },
  "prefetch-url": { classic: "nix-prefetch-url", run: async (e, args) => (await import("./prefetch-url.ts")).prefetchUrl(e, args) },
  convert: { classic: "nix convert", run: async (e, args) => (await import("./convert.ts")).convert(e, args) },
  "copy-closure": { classic: "nix-copy-closure", run: async (e, args) => (await import("./copy-closure.ts")).copyClosure(e, args) },
  daemon: { classic: "nix-daemon", run: async (e, args) => (await import("./daemon.ts")).daemon(e, args) },
  "collect-garbage": { classic: "nix-collect-garbage", run: async (e, args) => (await import("./collect-garbage.ts")).collectGarbage(e, args) },
};

/**
 * `tsos nix COMMAND …`: the classic commands with the classic arguments. It goes round the command line of the other
 * commands, so that a short evaluation starts soon.
 */
export async function nixMain(argv: readonly string[]): Promise<number> {
  const [name, ...args] = argv;
  const command = name === undefined ? undefined : COMMANDS[name];
  if (name === undefined || command === undefined) return explainCommands(name);
  const controller = new AbortController();
  let interrupts = 0;
  let building = 0;
  const interrupt = (): void => {
    // A build gets the chance to end and clean up; an evaluation has nothing to clean up.
    if (++interrupts > 1 || building === 0) {
      // Node would wait for a thread that waits for its reader or for a file.
      prepareEnd();
      endProcess(ExitCode.interrupted);
    }
    controller.abort(new TsosError({ code: "cli.interrupted", message: "interrupted by the user" }));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  const colours = wantsColours(process.stderr.isTTY, process.env);
  const colour = (text: string): string => (colours && /^(error|warning|note): /.test(text) ? fromByteString(colourReport(toByteString(text))) : text);
  // Before the arguments are read: that may have something to say already.
  const format = args.lastIndexOf("--log-format");
  const logsJson = format >= 0 && args[format + 1] === "internal-json";
  const sayLine = (text: string): void => void (logsJson ? process.stderr.write(formatLogMessage(toByteString(text)), "latin1") : process.stderr.write(`${colour(text)}\n`));
  const environment: NixEnvironment = {
    command: `tsos nix ${name}`,
    classic: command.classic,
    env: process.env,
    uid: process.getuid?.() ?? 0,
    signal: controller.signal,
    openEvaluation: () => openEvaluation(new URL("./nix-worker.cjs", import.meta.url), buildStatus),
    whileBuilding: async (run) => {
      building++;
      try {
        return await run();
      } finally {
        building--;
      }
    },
    handTerminalOver: () => {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    },
    print: (text) => void process.stdout.write(text),
    say: sayLine,
    sayBytes: (text) => void process.stderr.write(logsJson ? formatLogMessage(text) : `${text}\n`, "latin1"),
    warn: (text) => sayLine(`warning: ${text}`),
    logEvent: (event) => {
      if (!logsJson) return false;
      const line = formatLogEvent(event);
      if (line !== undefined) process.stderr.write(line, "latin1");
      return true;
    },
  };
  try {
    const code = await command.run(environment, args);
    return controller.signal.aborted ? ExitCode.interrupted : code;
  } catch (error) {
    if (controller.signal.aborted) {
      environment.say("error: interrupted by the user");
      return ExitCode.interrupted;
    }
    if (error instanceof ClassicUsageError) {
      // There the records begin when the arguments are understood.
      process.stderr.write(`${colour(`error: ${error.message}\nTry '${environment.command} --help' for more information.`)}\n`);
      return ExitCode.failed;
    }
    if (!(error instanceof TsosError)) throw error;
    const classic = classicWords(error);
    environment.say(`error:${(classic ?? error.message).startsWith("\n") ? "" : " "}${classic ?? error.message}${error.hint === undefined || classic !== undefined ? "" : `\n  hint: ${error.hint}`}`);
    // There it is a mistake in how the command was called.
    if (error.code === "nix-settings.syntax") environment.say(`Try '${environment.command} --help' for more information.`);
    return buildStatus(error);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

function explainCommands(name: string | undefined): number {
  const names = Object.keys(COMMANDS);
  const list = `tsos nix COMMAND: the classic commands, with their own arguments\n\n${names.map((one) => `  ${one.padEnd(18)}${COMMANDS[one]!.classic}`).join("\n")}\n`;
  if (name === "--help" || name === "help") {
    process.stdout.write(list);
    return ExitCode.done;
  }
  const near = name === undefined ? undefined : findNearestName(name, names);
  process.stderr.write(name === undefined ? list : `error: there is no command "tsos nix ${name}"${near === undefined ? `\n\n${list}` : `\n  hint: did you mean "${near}"?\n`}`);
  return ExitCode.usage;
}
