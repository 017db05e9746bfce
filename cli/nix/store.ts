import { createReadStream, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { findBuildLog } from "../../core/build/build-log.ts";
import { repairPath } from "../../core/build/repair-path.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { Derivation } from "../../core/derivation/derivation.ts";
import { derivationOutputPaths } from "../../core/derivation/derivation-output-paths.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { decompress } from "../../core/compression/decompress.ts";
import { formatHash } from "../../core/hash/hash.ts";
import { makeFixedOutputPath } from "../../core/store-path/make-store-path.ts";
import { isDerivationPath, parseStorePath, storePathName, type StorePath } from "../../core/store-path/store-path.ts";
import { fromByteString } from "../../core/util/bytes.ts";
import { compareUtf8 } from "../../core/util/ordering.ts";
import { toStorePath } from "../follow-links.ts";
import { buildTargets, describeMissing, nixBuildOptions } from "./build-targets.ts";
import { ClassicUsageError, parseClassicArguments } from "./classic-arguments.ts";
import { deleteDead, describeFreed, kept, parseSize } from "./collect-garbage.ts";
import { parseAlgorithm, parseAny } from "./hash.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { openNixStore } from "./open-store.ts";
import { repairTargets } from "./repair-targets.ts";
import { dumpToOutput } from "../output/dump-to-output.ts";
import { restoreStandardInput } from "../read-standard-input.ts";
import { quoteForShell } from "./shell-words.ts";
import { locateStore } from "./store-location.ts";
import { allowFlags, show, type StoreCall } from "./store-call.ts";
import { printDotGraph, printGraphMl } from "./store-graph.ts";
import { dumpDb, loadDb, registerValidity } from "./store-registration.ts";
import { exportTo, generateBinaryCacheKey, importFrom, init, optimise, repairPaths, serve } from "./store-transfer.ts";

const OPERATIONS: Readonly<Record<string, (call: StoreCall) => Promise<number>>> = {
  "--realise": realise,
  "--add": add,
  "--add-fixed": addFixed,
  "--print-fixed-path": printFixedPath,
  "--query": query,
  "--print-env": printEnvironment,
  "--read-log": readLog,
  "--check-validity": checkValidity,
  "--gc": gc,
  "--delete": deletePaths,
  "--dump": dump,
  "--restore": restore,
  "--verify": verify,
  "--verify-path": verifyPath,
  "--export": exportTo,
  "--import": importFrom,
  "--dump-db": dumpDb,
  "--load-db": loadDb,
  "--register-validity": registerValidity,
  "--init": init,
  "--optimise": optimise,
  "--repair-path": repairPaths,
  "--serve": serve,
  "--generate-binary-cache-key": generateBinaryCacheKey,
};

const NAMES: Readonly<Record<string, string>> = { "-r": "--realise", "--realize": "--realise", "-A": "--add", "-q": "--query", "-l": "--read-log", "--optimize": "--optimise" };

/** `nix-store`. Nix: src/nix/nix-store */
export async function store(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const flags: string[] = [];
  const piped: string[] = [];
  let operation: string | undefined;
  let root: string | undefined;
  let noOutput = false;
  const options = parseClassicArguments(args, environment.env, environment.warn, (argument, value) => {
    const name = NAMES[argument] ?? argument;
    if (OPERATIONS[name] !== undefined) {
      if (operation !== undefined && operation !== name) throw new ClassicUsageError("only one operation may be specified");
      operation = name;
    } else if (argument === "--add-root") root = resolve(value());
    else if (argument === "--indirect") return true;
    else if (argument === "--no-output") noOutput = true;
    else if (argument === "--stdin") piped.push(...readFileSync(0, "utf8").split(/\s+/).filter((word) => word !== ""));
    else {
      flags.push(argument);
      if (argument === "--max-freed") flags.push(value());
    }
    return true;
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  if (operation === undefined) throw new ClassicUsageError("no operation specified");
  await using opened = openNixStore(locateStore(environment.env, environment.uid, options.storeUrl), options.settings);
  return await OPERATIONS[operation]!({ environment, options, store: await opened.open(), flags, args: [...options.words, ...piped], root, noOutput, print: (line) => environment.print(`${line}\n`) });
}

function readDerivation({ store: opened }: StoreCall, path: StorePath): Derivation {
  return parseDerivation(readFileSync(opened.realPath(path)), storePathName(path).replace(/\.drv$/, ""), opened.storeDir);
}

async function realise(call: StoreCall): Promise<number> {
  allowFlags(call, "--dry-run", "--check", "--ignore-unknown", "--repair");
  const { environment, options, store: opened, args } = call;
  const targets: { readonly drvPath: StorePath; readonly output: string }[] = [];
  const plain: StorePath[] = [];
  for (const argument of args) {
    const [file, outputs] = argument.split("!", 2) as [string, string | undefined];
    const path = toStorePath(opened, file);
    if (!isDerivationPath(path)) {
      if (!(await opened.isValidPath(path))) {
        if (call.flags.includes("--ignore-unknown")) continue;
        environment.say(`don't know how to build these paths:\n  ${show(call, path)}`);
        throw new TsosError({ code: "nix.invalid-path", message: `path '${show(call, path)}' is required, but there is no substituter that can build it` });
      }
      plain.push(path);
      continue;
    }
    const names = outputs === undefined ? [...readDerivation(call, path).outputs.keys()].sort(compareUtf8) : outputs.split(",");
    for (const output of names) targets.push({ drvPath: path, output });
  }
  const build = await nixBuildOptions(environment, options, opened);
  if (options.settings.bool("print-missing", true)) for (const line of await describeMissing(build, opened, targets)) environment.say(line);
  if (call.flags.includes("--dry-run")) return 0;
  const built = await buildTargets(environment, options, opened, targets, call.flags.includes("--check"), build);
  if (call.flags.includes("--repair")) await repairTargets(environment, opened, [...built, ...plain], build);
  await opened.flush();
  let roots = 0;
  let last: StorePath | undefined;
  if (call.root === undefined && options.gcWarning && built.length + plain.length > 0) environment.warn("you did not specify '--add-root'; the result might be removed by the garbage collector");
  for (const [index, path] of [...built, ...plain].entries()) {
    const target = targets[index];
    if (target === undefined || target.drvPath !== last) roots++;
    last = target?.drvPath;
    let shown = show(call, path);
    if (call.root !== undefined) {
      shown = `${call.root}${roots > 1 ? `-${roots}` : ""}${target === undefined || target.output === "out" ? "" : `-${target.output}`}`;
      await opened.addPermanentRoot(path, shown);
    }
    if (!call.noOutput) call.print(shown);
  }
  return 0;
}

async function add(call: StoreCall): Promise<number> {
  allowFlags(call);
  for (const file of call.args) call.print(show(call, await call.store.addPathToStore(basename(file), resolve(file), { likelyNew: true })));
  return 0;
}

async function addFixed(call: StoreCall): Promise<number> {
  allowFlags(call, "--recursive");
  const [type, ...files] = call.args;
  if (type === undefined) throw new ClassicUsageError("first argument must be hash algorithm");
  const method = call.flags.includes("--recursive") ? "nar" : "flat";
  for (const file of files) call.print(show(call, await call.store.addPathToStore(basename(file), resolve(file), { method, algorithm: parseAlgorithm(type), likelyNew: true })));
  return 0;
}

async function printFixedPath(call: StoreCall): Promise<number> {
  allowFlags(call, "--recursive");
  const [type, text, name, ...more] = call.args;
  if (type === undefined || text === undefined || name === undefined || more.length > 0) throw new ClassicUsageError("'--print-fixed-path' requires three arguments");
  const hash = parseAny(text, parseAlgorithm(type));
  call.print(show(call, makeFixedOutputPath({ name, method: call.flags.includes("--recursive") ? "nar" : "flat", hash, storeDir: call.store.storeDir })));
  return 0;
}

const QUERIES: Readonly<Record<string, string>> = {
  "--outputs": "outputs", "--requisites": "requisites", "-R": "requisites", "--references": "references",
  "--referrers": "referrers", "--referers": "referrers", "--referrers-closure": "referrers-closure", "--referers-closure": "referrers-closure",
  "--deriver": "deriver", "-d": "deriver", "--valid-derivers": "valid-derivers", "--binding": "binding", "-b": "binding",
  "--hash": "hash", "--size": "size", "--tree": "tree", "--graph": "graph", "--graphml": "graphml", "--resolve": "resolve", "--roots": "roots",
};
const QUERY_OPTIONS = new Set(["--use-output", "-u", "--force-realise", "--force-realize", "-f", "--include-outputs"]);

async function query(call: StoreCall): Promise<number> {
  const { store: opened, flags } = call;
  let kind: string | undefined;
  for (const flag of flags) {
    const found = QUERIES[flag];
    if (found === undefined && !QUERY_OPTIONS.has(flag)) throw new ClassicUsageError(`unknown flag '${flag}'`);
    if (found !== undefined && kind !== undefined && kind !== found) throw new ClassicUsageError(`query type '${flag}' conflicts with earlier flag`);
    kind = found ?? kind;
  }
  kind ??= "outputs";
  const force = flags.some((flag) => flag === "-f" || flag.startsWith("--force"));
  const useOutput = kind === "outputs" || flags.includes("-u") || flags.includes("--use-output");
  const args = [...call.args];
  const binding = kind === "binding" ? args.shift() : undefined;
  if (kind === "binding" && binding === undefined) throw new ClassicUsageError("expected binding name");

  /** The paths that an argument means. */
  const subjects = async (argument: string): Promise<readonly StorePath[]> => {
    const path = toStorePath(opened, argument);
    if (force) await realise({ ...call, flags: [], args: [show(call, path)], noOutput: true });
    if (!useOutput || !isDerivationPath(path)) return [path];
    return [...new Set([...derivationOutputPaths(readDerivation(call, path), opened.storeDir).values()].filter((output) => output !== undefined))].sort(compareUtf8);
  };
  const printSorted = async (paths: Iterable<StorePath>): Promise<void> => {
    for (const path of [...(await opened.sortTopologically(paths))].reverse()) call.print(show(call, path));
  };
  const all = async (): Promise<readonly StorePath[]> => (await Promise.all(args.map(subjects))).flat();

  switch (kind) {
    case "outputs":
      for (const argument of args) for (const path of await subjects(argument)) call.print(show(call, path));
      break;
    case "requisites":
      await printSorted(await opened.closure(await all(), { includeOutputs: flags.includes("--include-outputs") }));
      break;
    case "references":
      await printSorted((await Promise.all((await all()).map((path) => opened.getPathInfo(path)))).flatMap((info) => info.references));
      break;
    case "referrers":
      await printSorted((await Promise.all((await all()).map((path) => opened.queryReferrers(path)))).flat());
      break;
    case "referrers-closure":
      await printSorted(await opened.closure(await all(), { direction: "referrers" }));
      break;
    case "deriver":
      for (const argument of args) {
        const { deriver } = await opened.getPathInfo(toStorePath(opened, argument));
        call.print(deriver === undefined ? "unknown-deriver" : show(call, deriver));
      }
      break;
    case "valid-derivers":
      await printSorted((await Promise.all(args.map((argument) => opened.queryValidDerivers(toStorePath(opened, argument))))).flat());
      break;
    case "binding":
      for (const argument of args) {
        let path = toStorePath(opened, argument);
        if (!isDerivationPath(path)) {
          const { deriver } = await opened.getPathInfo(path);
          if (deriver === undefined) throw new TsosError({ code: "nix.no-deriver", message: `deriver of path '${show(call, path)}' is not known` });
          path = deriver;
        }
        const value = readDerivation(call, path).env.get(binding!);
        if (value === undefined) throw new TsosError({ code: "nix.no-binding", message: `derivation '${show(call, path)}' has no environment binding named '${binding!}'` });
        call.print(fromByteString(value));
      }
      break;
    case "hash":
    case "size":
      for (const path of await all()) {
        const info = await opened.getPathInfo(path);
        call.print(kind === "size" ? String(info.narSize) : formatHash(info.narHash, "nix32", true));
      }
      break;
    case "tree": {
      const done = new Set<StorePath>();
      for (const argument of args) await printTree(call, toStorePath(opened, argument), "", "", done);
      break;
    }
    case "graph":
      await printDotGraph(call, await all());
      break;
    case "graphml":
      await printGraphMl(call, await all());
      break;
    case "resolve":
      for (const argument of args) call.print(show(call, toStorePath(opened, argument)));
      break;
    case "roots": {
      const { settings } = call.options;
      const reaching = await opened.closure(await all(), { direction: "referrers", includeOutputs: settings.bool("keep-outputs", false), includeDerivers: settings.bool("keep-derivations", true) });
      for (const root of (await opened.findRoots()).filter(({ path }) => reaching.has(path))) call.print(`${root.source} -> ${show(call, root.path)}`);
      break;
    }
  }
  return 0;
}

/** What a path refers to, below it; what was shown before is only named. */
async function printTree(call: StoreCall, path: StorePath, first: string, rest: string, done: Set<StorePath>): Promise<void> {
  if (done.has(path)) {
    call.print(`${first}${show(call, path)} [...]`);
    return;
  }
  done.add(path);
  call.print(`${first}${show(call, path)}`);
  const { references } = await call.store.getPathInfo(path);
  const sorted = [...(await call.store.sortTopologically(references))].reverse();
  for (const [index, reference] of sorted.entries()) {
    const isLast = index === sorted.length - 1;
    await printTree(call, reference, rest + (isLast ? "└───" : "├───"), rest + (isLast ? "    " : "│   "), done);
  }
}

async function printEnvironment(call: StoreCall): Promise<number> {
  allowFlags(call);
  const [argument, ...more] = call.args;
  if (argument === undefined || more.length > 0) throw new ClassicUsageError("'--print-env' requires one derivation store path");
  const derivation = readDerivation(call, parseStorePath(argument, call.store.storeDir));
  for (const [name, value] of [...derivation.env].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const shown = fromByteString(name);
    call.print(`export ${shown}; ${shown}=${quoteForShell(fromByteString(value))}`);
  }
  call.print(`export _args; _args=${quoteForShell(fromByteString(derivation.args.join(" ")))}`);
  return 0;
}

async function readLog(call: StoreCall): Promise<number> {
  allowFlags(call);
  for (const argument of call.args) {
    const path = toStorePath(call.store, argument);
    const deriver = isDerivationPath(path) ? path : (await call.store.getPathInfo(path)).deriver;
    const found = deriver === undefined ? undefined : await findBuildLog(call.store, deriver);
    if (found === undefined) throw new TsosError({ code: "nix.no-log", message: `build log of derivation '${show(call, path)}' is not available` });
    await pipeline(decompress(found.compression, createReadStream(found.file)), process.stdout, { end: false });
  }
  return 0;
}

async function checkValidity(call: StoreCall): Promise<number> {
  allowFlags(call, "--print-invalid");
  for (const argument of call.args) {
    const path = toStorePath(call.store, argument);
    if (await call.store.isValidPath(path)) continue;
    if (!call.flags.includes("--print-invalid")) throw new TsosError({ code: "nix.invalid-path", message: `path '${show(call, path)}' is not valid` });
    call.print(show(call, path));
  }
  return 0;
}

async function gc(call: StoreCall): Promise<number> {
  const { store: opened, flags } = call;
  if (call.args.length > 0) throw new ClassicUsageError("no arguments expected");
  const at = flags.indexOf("--max-freed");
  const maxFreed = at < 0 ? undefined : parseSize("--max-freed", flags[at + 1]!);
  const [action, ...more] = flags.filter((_, index) => at < 0 || (index !== at && index !== at + 1));
  if (more.length > 0 || (action !== undefined && !["--print-roots", "--print-live", "--print-dead"].includes(action))) throw new ClassicUsageError(`bad sub-operation '${more[0] ?? action!}' in GC`);
  if (action !== undefined && maxFreed !== undefined) throw new ClassicUsageError("option --max-freed cannot be combined with --print-live, --print-dead, or --print-roots");
  if (action === "--print-roots") {
    for (const line of (await opened.findRoots()).map(({ source, path }) => `${source} -> ${show(call, path)}`).sort(compareUtf8)) call.print(line);
    return 0;
  }
  if (action === undefined) {
    call.print(await deleteDead(call.environment, call.options, opened, { dryRun: false, maxFreed }));
    return 0;
  }
  const { settings } = call.options;
  const { deleted } = await opened.collectGarbage({ dryRun: true, ...kept(settings) });
  const dead = new Set(deleted.map((path) => basename(path)));
  const paths = action === "--print-dead" ? [...dead] : (await opened.queryAllValidPaths()).filter((path) => !dead.has(path));
  for (const path of paths.sort(compareUtf8)) call.print(`${opened.storeDir}/${path}`);
  return 0;
}

async function deletePaths(call: StoreCall): Promise<number> {
  allowFlags(call);
  const paths = call.args.map((argument) => toStorePath(call.store, argument));
  const result = await call.store.collectGarbage({ paths, signal: call.environment.signal, ...kept(call.options.settings) });
  call.print(describeFreed(result.deleted.length, result.bytesFreed, false));
  return 0;
}

async function dump(call: StoreCall): Promise<number> {
  allowFlags(call);
  const [path, ...more] = call.args;
  if (path === undefined || more.length > 0) throw new ClassicUsageError("only one argument allowed");
  await dumpToOutput(resolve(path));
  return 0;
}

async function restore(call: StoreCall): Promise<number> {
  allowFlags(call);
  const [path, ...more] = call.args;
  if (path === undefined || more.length > 0) throw new ClassicUsageError("only one argument allowed");
  await restoreStandardInput(resolve(path));
  return 0;
}

async function verify(call: StoreCall): Promise<number> {
  allowFlags(call, "--check-contents", "--repair");
  const { store: opened, environment, options } = call;
  const problems = await opened.verify({ checkContents: call.flags.includes("--check-contents"), signal: environment.signal });
  for (const problem of problems) environment.say(`error: ${"path" in problem ? `path '${show(call, problem.path)}' is ${problem.kind}` : "link" in problem ? `link '${problem.link}' was modified` : problem.message}`);
  if (!call.flags.includes("--repair") || problems.length === 0) return problems.length > 0 ? 1 : 0;
  const build = await nixBuildOptions(environment, options, opened);
  let left = 0;
  for (const problem of problems) {
    try {
      if ("path" in problem) await environment.whileBuilding(() => repairPath(opened, problem.path, { build, substituter: build.substituter, signal: environment.signal }));
      else if ("link" in problem) await opened.removeLink(problem);
      else left++;
    } catch (error) {
      if (!(error instanceof TsosError)) throw error;
      environment.warn(error.message);
      left++;
    }
  }
  await opened.flush();
  return left > 0 ? 1 : 0;
}

async function verifyPath(call: StoreCall): Promise<number> {
  allowFlags(call);
  const asked = new Set(call.args.map((argument) => toStorePath(call.store, argument)));
  for (const path of asked) if (!(await call.store.isValidPath(path))) throw new TsosError({ code: "nix.invalid-path", message: `path '${show(call, path)}' is not valid` });
  const { narHashOfPath } = await import("../../core/nar/dump-path.ts");
  let status = 0;
  for (const path of asked) {
    const info = await call.store.getPathInfo(path);
    const { hash } = await narHashOfPath(call.store.realPath(path), { signal: call.environment.signal });
    const [expected, actual] = [formatHash(info.narHash, "nix32", true), formatHash(hash, "nix32", true)];
    if (expected === actual) continue;
    call.environment.say(`error: path '${show(call, path)}' was modified! expected hash '${expected}', got '${actual}'`);
    status = 1;
  }
  return status;
}
