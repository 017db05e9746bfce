import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { formatError } from "../core/error/format-error.ts";
import { TsosError } from "../core/error/tsos-error.ts";
import type { ProgressListener } from "../core/util/progress.ts";
import type { LocalStore } from "../core/store/store.ts";
import { ExitCode } from "./exit-code.ts";
import type { GlobalFlags } from "./global-flags.ts";
import { createProgressRenderer } from "./output/progress-renderer.ts";
import { createStyle, wantsColor, type Style } from "./output/style.ts";
import { findPlaces, type Places } from "./places.ts";
import { UsageError } from "./usage-error.ts";

/** What a command has to work with; nothing else reaches the machine. */
export type CommandContext = {
  readonly flags: GlobalFlags;
  readonly version: string;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  readonly places: Places;
  readonly jobs: number;
  readonly cores: number;
  readonly signal: AbortSignal;
  readonly report: ProgressListener;
  /** For stdout: results only. */
  readonly print: (text: string) => void;
  /** For stderr: what people read beside the result. */
  readonly say: (text: string) => void;
  /** For stderr, a caught error that does not end the command. */
  readonly complain: (error: unknown) => Promise<void>;
  readonly outStyle: Style;
  readonly errStyle: Style;
  /** Takes live lines off the terminal before another program writes on it. */
  readonly quietScreen: () => void;
  /** The same for a program that takes this one's place: what signals mean is for it to say, until this is disposed of. */
  readonly handTerminalOver: () => Disposable;
  /** Opened at the first call, closed when the command ends. */
  openStore(): Promise<LocalStore>;
};

/** Makes the context, runs the command, renders what it throws, and gives the exit code. */
export async function withContext(flags: GlobalFlags, version: string, run: (context: CommandContext) => Promise<number>): Promise<number> {
  const { env } = process;
  const uid = process.getuid?.() ?? 0;
  const places = findPlaces(env, uid, flags.store);
  const errColor = wantsColor(flags.color, env, process.stderr.isTTY === true);
  const outStyle = createStyle(wantsColor(flags.color, env, process.stdout.isTTY === true));
  const errStyle = createStyle(errColor);
  const renderer = createProgressRenderer({
    stream: process.stderr,
    live: process.stderr.isTTY === true && env["TERM"] !== "dumb" && flags.verbosity >= 0,
    style: errStyle,
    verbosity: flags.verbosity,
    now: () => performance.now(),
  });

  const controller = new AbortController();
  let interrupts = 0;
  const interrupt = (): void => {
    // Builds get the chance to end and clean up; who asks again does not want to wait.
    if (++interrupts > 1) process.exit(ExitCode.interrupted);
    controller.abort(new TsosError({ code: "cli.interrupted", message: "interrupted" }));
  };
  const STOPPING = ["SIGINT", "SIGTERM"] as const;
  const heedSignals = (): void => {
    for (const signal of STOPPING) process.on(signal, interrupt);
  };
  heedSignals();
  const ignoreSignals = (): void => {
    for (const signal of STOPPING) process.off(signal, interrupt);
  };
  // Who reads the results may have seen enough.
  const onPipe = (error: NodeJS.ErrnoException): void => process.exit(error.code === "EPIPE" ? ExitCode.done : ExitCode.failed);
  process.stdout.on("error", onPipe);

  let store: Promise<LocalStore> | undefined;
  const context: CommandContext = {
    flags,
    version,
    folder: process.cwd(),
    env,
    uid,
    places,
    jobs: flags.jobs ?? availableParallelism(),
    cores: flags.cores ?? availableParallelism(),
    signal: controller.signal,
    report: renderer.report,
    print: (text) => {
      renderer.close();
      process.stdout.write(`${text}\n`);
    },
    say: (text) => {
      if (flags.verbosity >= 0) renderer.write(text);
    },
    complain: async (error) => renderer.write(await render(error, errColor, flags.verbosity > 0)),
    outStyle,
    errStyle,
    quietScreen: () => renderer.close(),
    handTerminalOver: () => {
      renderer.close();
      ignoreSignals();
      return { [Symbol.dispose]: heedSignals };
    },
    openStore: () => {
      store ??= Promise.all([import("./open-store-choice.ts"), import("../core/build/load-build-settings.ts")]).then(async ([{ openStoreChoice }, { loadBuildSettings }]) =>
        openStoreChoice({ autoOptimise: (await loadBuildSettings({ env })).autoOptimise, root: places.storeRoot, daemon: places.daemon }, renderer.report),
      );
      return store;
    },
  };

  try {
    return await run(context);
  } catch (error) {
    renderer.close();
    if (controller.signal.aborted) {
      process.stderr.write("tsos: interrupted\n");
      return ExitCode.interrupted;
    }
    return await reportError(error, { json: flags.json, color: flags.color, verbose: flags.verbosity > 0 });
  } finally {
    renderer.close();
    ignoreSignals();
    process.stdout.off("error", onPipe);
    await store?.then((opened) => opened[Symbol.asyncDispose]()).catch(() => undefined);
  }
}

/** Says what ended a command, on stderr and with `json` on stdout too, and gives the exit code. */
export async function reportError(error: unknown, { json, color, verbose }: { readonly json: boolean; readonly color: GlobalFlags["color"]; readonly verbose: boolean }): Promise<number> {
  if (json && error instanceof TsosError) process.stdout.write(`${JSON.stringify({ version: 1, error: describeError(error) })}\n`);
  process.stderr.write(`${await render(error, wantsColor(color, process.env, process.stderr.isTTY === true), verbose)}\n`);
  return error instanceof UsageError ? ExitCode.usage : ExitCode.failed;
}

function render(error: unknown, color: boolean, verbose: boolean): Promise<string> {
  return formatError(error, { color, verbose, folder: process.cwd(), readSource: (file) => readFile(file, "utf8").catch(() => undefined) });
}

/** The stable form of an error for `--json`. */
export function describeError(error: TsosError): Record<string, unknown> {
  const { code, message, hint, at, related, data } = error;
  const several = "errors" in error && Array.isArray(error.errors) ? { errors: error.errors.flatMap((one: unknown) => (one instanceof TsosError ? [describeError(one)] : [])) } : {};
  return { code, message, hint, at, related, data, ...several };
}
