import { join } from "node:path";
import { compileNix } from "../nix/compile.ts";
import { colourReport } from "../nix/colour-report.ts";
import { autoCall, selectAttributePath, type AutoArguments } from "../nix/auto-call.ts";
import { INTERNAL_FOLDER, showPath } from "../nix/builtins/fetchurl-file.ts";
import { findInSearchPath } from "../nix/builtins/file-builtins.ts";
import { installBuiltins } from "../nix/builtins/builtin-table.ts";
import { Evaluator } from "../nix/evaluator.ts";
import { describeDerivation, findDerivations } from "../nix/find-derivations.ts";
import { formatSyntax } from "../nix/format-syntax.ts";
import { formatValue } from "../nix/format-value.ts";
import { requireEvaluated, toJson } from "../nix/json.ts";
import { formatNixErrorBytes, NixError } from "../nix/nix-error.ts";
import type { ParsedFiles } from "../nix/parsed-files.ts";
import { printValue } from "../nix/print-value.ts";
import { parseNix } from "../nix/parse.ts";
import { canonicalPath } from "../nix/canonical-path.ts";
import type { NixIo } from "../nix/nix-io.ts";
import { requireKind, resolveExpressionPath, resolveSymlinks } from "../nix/resolve-path.ts";
import { Closure, NO_POSITION, textOf, type Slot, type Value } from "../nix/value.ts";
import { writeXml } from "../nix/xml.ts";
import { TsosError } from "../error/tsos-error.ts";
import { toByteString, type ByteString } from "../util/bytes.ts";
import { unreachable } from "../util/unreachable.ts";
import { keepEvaluation, type EvaluationEvent } from "./evaluation-cache.ts";
import { evaluationKey } from "./evaluation-key.ts";
import { createEvaluationWorld, recordWorld, stampObservations, type EvaluationWorld, type WorldRecord } from "./evaluation-world.ts";
import { openParsedFileCache } from "./parsed-file-cache.ts";
import { isPseudoUrl } from "./nix-configuration.ts";
import { findLockedInputs, openFlake, selectFlakeAttribute } from "./open-flake.ts";
import { checkFlake } from "./check-flake.ts";
import { describeFlakeOutput, describeProgram, findFlakeBash } from "./flake-outputs.ts";
import { indentJson } from "./indent-json.ts";
import { describeInstallable } from "./installable-outputs.ts";
import { createEvaluationIo } from "./evaluation-io.ts";
import type { EvaluationJob, EvaluationReads, EvaluationSettings, EvaluationSource, FoundDerivation, FoundProgram, FoundSource, Selection, StoreCall, ValueFormat } from "./evaluation-protocol.ts";
import { tuneForFiles } from "../util/tune-engine.ts";
import { writeLog } from "./write-log.ts";
import { writeWhole } from "./write-whole.ts";
import type { FlakeReport } from "./flake-report.ts";
import type { StoreChannel } from "./store-channel.ts";
import type { FlakePurpose } from "./flake-flags.ts";

export type EvaluationHost = Omit<StoreChannel, "write"> & {
  /** Names the program that evaluates: what it keeps for itself is of no use to another. */
  readonly program: string;
  found(derivation: FoundDerivation): void;
  /** The exit status of an error: another than 1 where a build failed. */
  statusOf(error: NixError): number;
  readStandardInput(): ByteString;
};

/** What some jobs find beside derivations. */
export type EvaluationResult = { readonly source?: FoundSource | undefined; readonly program?: FoundProgram | undefined; readonly reads?: EvaluationReads | undefined; readonly report?: FlakeReport | undefined };

/** Does what a command asks, prints values as they are there, and gives the exit status and the error as it is printed. */
export function runEvaluation(settings: EvaluationSettings, job: EvaluationJob, host: EvaluationHost): { readonly status: number; readonly error?: ByteString; readonly isUsage?: boolean } & EvaluationResult {
  try {
    return { status: 0, ...evaluate(settings, job, host) };
  } catch (error) {
    if (error instanceof NixError) return { status: error.status ?? host.statusOf(error), error: formatError(error, settings), isUsage: error.kind === "usage" };
    if (error instanceof TsosError) return { status: 1, error: toByteString(`error: ${error.message}`) };
    if (error instanceof RangeError && error.message.includes("call stack")) return { status: 1, error: "error: stack overflow (possible infinite recursion)" };
    if (error instanceof Error && isTooLong(error)) return { status: 1, error: `error: out of memory: a string is longer than ${MOST_BYTES} bytes, or a list than memory` };
    if (error instanceof Error && "code" in error && error.code === "EPIPE") return { status: 1 };
    throw error;
  }
}

function formatError(error: NixError, { showTrace, colours, logsJson }: EvaluationSettings): ByteString {
  const text = formatNixErrorBytes(error, { showTrace });
  if (colours !== true && logsJson !== true) return text;
  const own = error.traces.filter(({ print }) => print === "always").map(({ message }) => message);
  return colourReport(text, new Set(error.kind === "throw" && !error.bytes.startsWith("file '") ? [...own, error.bytes] : own));
}

/** As long as a string of the engine may be. */
const MOST_BYTES = 536_870_888;

function isTooLong(error: Error): boolean {
  return (error instanceof RangeError && /^(Invalid (string|array|typed array) length|Array buffer allocation failed)/.test(error.message)) || ("code" in error && (error.code === "ERR_STRING_TOO_LONG" || error.code === "ERR_FS_FILE_TOO_LARGE"));
}

/** An evaluation that takes less time than this is sooner done again than found, in milliseconds. */
const WORTH_KEEPING = 100;

function evaluate(settings: EvaluationSettings, job: EvaluationJob, host: EvaluationHost): EvaluationResult {
  const world = createEvaluationWorld(settings.environment, settings.currentTime);
  const write = (to: "print" | "log", text: ByteString): void => (to === "print" ? writeWhole(1, text) : writeLog(settings, text));
  const { cacheFolder } = settings;
  if (cacheFolder === undefined) return evaluateWith(settings, job, { ...host, write }, world, undefined);
  // Who started this has looked for it already.
  const key = evaluationKey(settings, job, host.program);
  const startTime = Date.now();
  const start = performance.now();
  const record = recordWorld(world);
  const events: EvaluationEvent[] = [];
  const stored: string[] = [];
  const calls: StoreCall[] = [];
  const recorded: EvaluationHost & StoreChannel = {
    ...host,
    write: (to, text) => {
      events.push([to, text]);
      write(to, text);
    },
    found: (derivation) => {
      events.push(["found", derivation]);
      host.found(derivation);
    },
    put: (object) => {
      stored.push(object.path);
      host.put(object);
    },
    // What the store answers may be another answer tomorrow.
    call: (request) => {
      record.spoil();
      calls.push(request);
      return host.call(request);
    },
    readStandardInput: () => {
      record.spoil();
      return host.readStandardInput();
    },
  };
  const parsedFiles = openParsedFileCache(join(cacheFolder, "parsed"), host.program, { onAsked: tuneForFiles });
  let evaluator: Evaluator | undefined;
  try {
    const result = evaluateWith(settings, job, recorded, record.world, parsedFiles, (made) => (evaluator = made));
    if (key !== undefined && record.isRepeatable() && performance.now() - start > WORTH_KEEPING) {
      keepEvaluation(join(cacheFolder, "evaluations"), key, { observations: stampObservations(world, record.observations(), startTime, tokensOnly(record, evaluator)), events, stored });
    }
    return { ...result, ...(job.kind === "derivations" && job.wantsReads === true ? { reads: { observations: record.observations(), isRepeatable: record.isTold(), calls } } : {}) };
  } finally {
    parsedFiles.save();
  }
}

/** `path`: of the file, its links followed. */
type OpenSource = (source: EvaluationSource) => { readonly text: ByteString; readonly file: ByteString; readonly folder: ByteString; readonly path?: ByteString };

/** Files of which nothing counts but their tokens. */
function tokensOnly(record: WorldRecord, evaluator: Evaluator | undefined): ReadonlySet<ByteString> {
  const withoutPlaces = evaluator?.filesWithoutPlaces();
  return new Set([...record.code()].filter((path) => withoutPlaces?.has(path) === true));
}

/**
 * More than a system needs, since only what is used is touched. Memory that threads could share does not count as the
 * engine's own: else it collects the young over and over, and all of the old, because of so large an array.
 */
const makeWords = (words: number): Int32Array => new Int32Array(new SharedArrayBuffer(4 * Math.max(words, 1 << 25)));

function evaluateWith(settings: EvaluationSettings, job: EvaluationJob, host: EvaluationHost & StoreChannel, world: EvaluationWorld, parsedFiles: ParsedFiles | undefined, made?: (evaluator: Evaluator) => void): EvaluationResult {
  const io = createEvaluationIo(settings, host, world);
  const evaluator = new Evaluator({ io, settings: settings.language, parsedFiles, makeWords });
  made?.(evaluator);
  installBuiltins(evaluator);
  for (const ref of settings.registryOverrides?.inputsFrom ?? []) {
    if (io.fetcher !== undefined) for (const [from, to] of findLockedInputs(evaluator, io.fetcher, ref, settings.folder)) io.fetcher.overrideRegistry(from, to);
  }
  const print = (text: ByteString): void => host.write("print", text);
  const locate = (path: ByteString): ByteString => {
    if (io.fetchEntry !== undefined && (isPseudoUrl(path) || path.startsWith("flake:"))) return io.fetchEntry(path);
    if (path.startsWith("<") && path.endsWith(">") && path.length > 2) return findFile(evaluator, path.slice(1, -1));
    return path.startsWith("/") ? path : `${settings.folder}/${path}`;
  };
  const open: OpenSource = (source) => {
    if (source.kind === "flake") throw new TsosError({ code: "nix.not-a-file", message: `'${source.ref}' is a flake, expected a file or an expression` });
    if (source.kind === "text") {
      return { text: source.label === "stdin" ? host.readStandardInput() : source.text, file: toByteString(`«${source.label}»`), folder: source.folder ?? settings.folder };
    }
    const located = locate(source.path);
    const file = source.shell === true ? resolveShellPath(io, located) : resolveExpressionPath(io, located);
    const path = resolveSymlinks(io, file);
    return { text: io.readSource?.(path).text() ?? io.readFile(path), file, folder: file.slice(0, file.lastIndexOf("/")) || "/", path };
  };

  switch (job.kind) {
    case "find-files":
      for (const name of job.names) {
        const file = findFile(evaluator, name);
        if (file.startsWith(`${INTERNAL_FOLDER}/`)) throw new NixError("eval", `'${showPath(file)}' has no physical path`);
        print(`${file}\n`);
      }
      return {};
    case "parse":
      for (const from of job.sources) {
        const { text, file, folder } = open(from);
        const parsed = parseNix(text, file, { basePath: folder, home: io.home, settings: settings.language, warn: (text) => io.log(text) });
        compileNix(parsed, new Set(evaluator.globals.keys()));
        print(`${formatSyntax(parsed.expression)}\n`);
      }
      return {};
    case "values": {
      const { format } = job;
      forEachSelected(evaluator, settings, job, open, (slot, args) => {
        const called = args.size === 0 ? slot : autoCall(evaluator, args, slot);
        const value = job.apply === undefined ? called : evaluator.call(evaluator.force(evaluator.load(job.apply, toByteString("«string»"), settings.folder)), [called], NO_POSITION);
        printResult(evaluator, value, format, print);
      });
      return {};
    }
    case "source": {
      let found: FoundSource | undefined;
      forEachSelected(evaluator, settings, job, open, (slot) => {
        found = describeSource(evaluator, slot);
      });
      return { source: found };
    }
    case "derivations": {
      let count = 0;
      let flake: Value | undefined;
      forEachSelected(evaluator, settings, job, open, (slot, args, of, path, purpose) => {
        flake = of;
        if (job.outputs !== undefined) {
          const index = count++;
          for (const { drvPath, outputName, outputs } of describeInstallable(evaluator, slot, args, { shown: job.attributePaths[index] ?? path ?? "", wish: job.outputs[index], path })) host.found({ drvPath, outputName, installable: { index, outputs } });
          return;
        }
        if (path !== undefined && purpose !== "shell") {
          count++;
          return host.found(describeFlakeOutput(evaluator, slot, path));
        }
        for (const set of findDerivations(evaluator, slot, args)) {
          count++;
          host.found(describeDerivation(evaluator, set));
        }
      });
      if (job.shell === undefined || (job.shell === "of-flake" ? 0 : job.shell.known) + count !== 1) return {};
      // What is found last is the shell itself.
      if (job.shell === "of-flake") {
        const bash = flake === undefined ? undefined : findFlakeBash(evaluator, flake, settings.currentSystem);
        if (bash !== undefined) host.found(bash);
        return {};
      }
      try {
        const value = evaluator.force(evaluator.load(job.shell.expression, toByteString("«string»"), settings.folder));
        const [set] = findDerivations(evaluator, value, new Map());
        if (set === undefined) throw new NixError("eval", "the 'bashInteractive' attribute in <nixpkgs> did not evaluate to a derivation");
        host.found({ ...describeDerivation(evaluator, set), outputName: "out", isShell: true });
      } catch (error) {
        if (!(error instanceof NixError)) throw error;
        io.log(`${formatNixErrorBytes(error, { showTrace: settings.showTrace })}\nuses bash from your environment`);
      }
      return {};
    }
    case "program": {
      let program: FoundProgram | undefined;
      forEachSelected(evaluator, settings, job, open, (slot, args, flake, path) => {
        program = describeProgram(evaluator, args.size === 0 ? slot : autoCall(evaluator, args, slot), path ?? "what is to be run", flake !== undefined);
      });
      return { program };
    }
    case "check-flake": {
      const { fetcher } = io;
      if (fetcher === undefined) throw new TsosError({ code: "nix.no-fetcher", message: "this evaluation fetches no sources" });
      const flake = openFlake(evaluator, fetcher, job.ref, { folder: settings.folder, writeLock: job.writeLock, flags: job.flags });
      return { report: checkFlake(evaluator, evaluator.force(flake), settings.currentSystem, job.allSystems) };
    }
    default:
      return unreachable(job);
  }
}

/** As for other commands, but a folder stands for its `shell.nix` first. */
function resolveShellPath(io: NixIo, start: ByteString): ByteString {
  const path = resolveExpressionPath(io, start, false);
  if (requireKind(io, resolveSymlinks(io, path)) !== "directory") return path;
  for (const name of ["shell.nix", "default.nix"]) {
    const file = canonicalPath(`${path}/${name}`);
    if (io.fileKind(resolveSymlinks(io, file)) !== undefined) return file;
  }
  throw new NixError("eval", `neither 'shell.nix' nor 'default.nix' found in '${path}'`);
}

function forEachSelected(e: Evaluator, settings: EvaluationSettings, job: Selection, open: OpenSource, use: (slot: Slot, args: AutoArguments, flake?: Value, path?: ByteString, purpose?: FlakePurpose) => void): void {
  const args: AutoArguments = new Map(
    job.autoArguments.map(({ name, kind, text }): [ByteString, Slot] => [name, kind === "string" ? text : e.load(text, toByteString("«string»"), open({ kind: "text", label: "string", text: "" }).folder)]),
  );
  // Several attributes of one flake: locked, and its outputs called, once.
  const opened = new Map<ByteString, Value>();
  for (const source of job.sources) {
    if (source.kind === "flake") {
      const { fetcher } = e.io;
      if (fetcher === undefined) throw new TsosError({ code: "nix.no-fetcher", message: "this evaluation fetches no sources" });
      const flake = opened.get(source.ref) ?? openFlake(e, fetcher, source.ref, { folder: settings.folder, writeLock: source.writeLock, flags: source.flags });
      opened.set(source.ref, flake);
      const { slot, path } = selectFlakeAttribute(e, flake, source.attribute, { system: settings.currentSystem, purpose: source.purpose, shown: fetcher.formatFlakeRef(fetcher.parseFlakeRef(source.ref, { folder: settings.folder })) });
      e.force(slot);
      use(slot, new Map(), flake, path, source.purpose);
      continue;
    }
    const { text, file, folder, path: whole } = open(source);
    const root = e.load(text, file, folder, undefined, whole);
    e.force(root);
    const argsFor = (slot: Slot): AutoArguments => (job.inNixShell === true && takesInNixShell(e, slot) ? new Map([...args, ["inNixShell", true]]) : args);
    for (const path of job.attributePaths) {
      const slot = selectAttributePath(e, path, argsFor(root), root);
      e.force(slot);
      use(slot, argsFor(slot));
    }
  }
}

/** Of a call of `fetchurl`, as `nix-prefetch-url` reads it. */
function describeSource(e: Evaluator, slot: Slot): FoundSource {
  const set = e.forceAttrs(slot, NO_POSITION, "while evaluating the source attribute to prefetch");
  const urls = set.get("urls");
  if (urls === undefined) throw e.error("eval", "attribute 'urls' missing");
  const [first] = e.forceList(urls, NO_POSITION, "while evaluating the urls to prefetch");
  if (first === undefined) throw e.error("eval", "'urls' list is empty");
  const text = (name: string, context: string): ByteString | undefined => {
    const found = set.get(name);
    return found === undefined ? undefined : textOf(e.forceString(found, NO_POSITION, context));
  };
  return {
    url: textOf(e.forceString(first, NO_POSITION, "while evaluating the first url from the urls list")),
    hashMode: text("outputHashMode", "while evaluating the outputHashMode of the source to prefetch"),
    name: text("name", "while evaluating the name of the source to prefetch"),
  };
}

function takesInNixShell(e: Evaluator, slot: Slot): boolean {
  const value = e.force(slot);
  return value instanceof Closure && e.formalsOf(value).some(({ name }) => name === "inNixShell");
}

/** What is printed as XML stands there as far as it came, also where the value then fails. */
function printResult(e: Evaluator, slot: Slot, format: ValueFormat, print: (text: ByteString) => void): void {
  if (format.kind !== "xml") return print(formatResult(e, slot, format));
  let pieces: ByteString[] = [];
  const flush = (): void => {
    print(pieces.join(""));
    pieces = [];
  };
  try {
    writeXml(e, slot, new Set(), { locations: format.locations, lazy: !format.strict }, (text) => {
      if (pieces.push(text) >= 4096) flush();
    });
  } finally {
    flush();
  }
}

function formatResult(e: Evaluator, slot: Slot, format: Exclude<ValueFormat, { readonly kind: "xml" }>): ByteString {
  switch (format.kind) {
    case "raw":
      return e.coerceToString(slot, NO_POSITION, new Set(), `while generating the ${format.purpose ?? "nix-instantiate"} output`, false, true);
    case "json":
      e.force(slot);
      if (!format.strict) requireEvaluated(e, slot);
      return `${format.pretty === true ? indentJson(toJson(e, slot, new Set(), true)) : toJson(e, slot, new Set(), true)}\n`;
    case "full":
      return `${printValue(e, slot)}\n`;
    case "plain":
      if (format.strict) e.forceDeep(slot);
      return `${formatValue(e, e.force(slot), !format.strict)}\n`;
    default:
      return unreachable(format.kind);
  }
}

function findFile(e: Evaluator, name: ByteString): ByteString {
  return findInSearchPath(e, e.io.searchPath, name, NO_POSITION);
}
