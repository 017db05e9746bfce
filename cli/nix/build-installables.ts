import { existsSync, readFileSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import { derivationOutputPaths } from "../../core/derivation/derivation-output-paths.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { EvaluationSource } from "../../core/interop/evaluation-protocol.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { formatStorePath, isStorePathBaseName, parseStorePath, storePathName, type StorePath } from "../../core/store-path/store-path.ts";
import { substitutePaths } from "../../core/build/substitute-paths.ts";
import { fromByteString, toByteString } from "../../core/util/bytes.ts";
import { compareUtf8 } from "../../core/util/ordering.ts";
import { indentMessage } from "./build-words.ts";
import { buildTargets, describeMissing, nixBuildOptions } from "./build-targets.ts";
import { ClassicUsageError, parseClassicArguments, type ClassicOptions } from "./classic-arguments.ts";
import { runEvaluationJob } from "./evaluate.ts";
import { evaluationSettings } from "./evaluation-settings.ts";
import { openEvaluationStores, type EvaluationStores } from "./evaluation-stores.ts";
import { createFlakeArguments, type FlakeArguments } from "./flake-arguments.ts";
import { splitFlakeReference, splitOutputs } from "./flake-reference.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { realStoreDir } from "./store-location.ts";

/** Flags that `nix build` has and `nix-build` has not. */
const OWN_FLAGS = new Set(["--file", "--json", "--print-out-paths", "--rebuild", "--print-build-logs", "--profile"]);

/** Whether a command line is one of `nix build`, whose words are attributes, flakes and store paths, and not of `nix-build`. */
export function isOfInstallables(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end).some((argument) => OWN_FLAGS.has(argument) || /^-[A-Za-z]*[fL]/.test(argument) || /^[^-].*\^[^/]*$/.test(argument));
}

/** What is built: outputs of a derivation, or a path that is there or that a binary cache has. */
type Wanted = { readonly drvPath: StorePath; readonly outputs: readonly string[] } | { readonly drvPath: undefined; readonly path: StorePath };

type Flags = { file: string | undefined; expression: string | undefined; outLink: string | undefined; profile: string | undefined; isDry: boolean; isJson: boolean; printsPaths: boolean; rebuilds: boolean; isImpure: boolean; showsLogs: boolean };

/** `nix build`: attributes of a file or an expression, flakes, store paths, each with `^outputs`. Nix: src/nix/build.cc */
export async function buildInstallables(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const { env } = environment;
  const flags: Flags = { file: undefined, expression: undefined, outLink: "result", profile: undefined, isDry: false, isJson: false, printsPaths: false, rebuilds: false, isImpure: false, showsLogs: false };
  const flakes = createFlakeArguments(environment.warn);
  const options = parseClassicArguments(args, env, environment.warn, (argument, value) => takeFlag(flags, argument, value) || flakes.take(argument, value));
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  if (flags.file !== undefined && flags.expression !== undefined) throw new ClassicUsageError("'--file' and '--expr' are exclusive");
  if (flags.file !== undefined && options.settings.find("pure-eval") === "true") throw new ClassicUsageError("'--file' is not compatible with '--pure-eval'");
  options.showsBuildOutput = flags.showsLogs;
  options.namesBuildOutput = true;

  await using stores = openEvaluationStores(env, environment.uid, options);
  const { storeDir } = realStoreDir(stores.choice);
  const wanted = await findWanted(environment, options, stores, flakes, flags, storeDir);
  if (typeof wanted === "number") return wanted;

  const derivations = wanted.flatMap((one) => (one.drvPath === undefined ? [] : [one.drvPath]));
  await stores.bring(derivations);
  const store = await stores.openBuilding();
  const named = wanted.map((one) => (one.drvPath === undefined ? one : { drvPath: one.drvPath, outputs: nameOutputs(store, one.drvPath, one.outputs) }));
  const targets = named.flatMap((one) => (one.drvPath === undefined ? [] : one.outputs.map((output) => ({ drvPath: one.drvPath, output }))));
  const building = await nixBuildOptions(environment, options, store);
  if (options.settings.bool("print-missing", true)) for (const line of await describeMissing(building, store, targets)) environment.say(line);
  if (flags.isDry) {
    if (flags.isJson) environment.print(`${JSON.stringify(named.map((one) => describeUnbuilt(store, one)))}\n`);
    return 0;
  }
  const plain = named.flatMap((one) => (one.drvPath === undefined ? [one.path] : []));
  if (plain.length > 0) await substitutePaths(store, plain, building);
  const paths = await buildTargets(environment, options, store, targets, flags.rebuilds, building).catch((error: unknown) => {
    if (!(error instanceof TsosError) || error.code !== "build.failed" || environment.signal.aborted) throw error;
    environment.say(`error: ${indentMessage(error.message)}`);
  });
  // The newer commands have no codes of their own for builds that failed.
  if (paths === undefined) return 1;
  await store.flush();

  let next = 0;
  const built = named.map((one) => (one.drvPath === undefined ? one : { ...one, paths: one.outputs.map((output) => [output, paths[next++]!] as const) }));
  const show = (path: StorePath): string => formatStorePath(path, store.storeDir);
  if (flags.isJson) {
    environment.print(`${JSON.stringify(built.map((one) => (one.drvPath === undefined ? show(one.path) : { drvPath: show(one.drvPath), outputs: Object.fromEntries(one.paths.map(([output, path]) => [output, show(path)])) })))}\n`);
  }
  if (flags.outLink !== undefined) {
    for (const [index, one] of built.entries()) {
      const link = resolve(`${flags.outLink}${index === 0 ? "" : `-${index}`}`);
      if (one.drvPath === undefined) await store.addPermanentRoot(one.path, link);
      else for (const [output, path] of one.paths) await store.addPermanentRoot(path, output === "out" ? link : `${link}-${output}`);
    }
  }
  const all = built.flatMap((one) => (one.drvPath === undefined ? [one.path] : one.paths.map(([, path]) => path)));
  if (flags.printsPaths) for (const path of all) environment.print(`${show(path)}\n`);
  if (flags.profile !== undefined) {
    if (all.length !== 1) throw new TsosError({ code: "nix.usage", message: `'--profile' requires that the arguments produce a single store path, but there are ${all.length}` });
    const { setProfile } = await import("../../core/store/profile.ts");
    await setProfile(store, resolve(flags.profile), all[0]!);
  }
  return 0;
}

function takeFlag(flags: Flags, argument: string, value: () => string): boolean {
  switch (argument) {
    case "-f":
    case "--file":
      flags.file = value();
      return true;
    case "-E":
    case "--expr":
      flags.expression = value();
      return true;
    case "-o":
    case "--out-link":
      flags.outLink = value();
      return true;
    case "--no-link":
      flags.outLink = undefined;
      return true;
    case "--profile":
      flags.profile = value();
      return true;
    case "--dry-run":
      flags.isDry = true;
      return true;
    case "--json":
      flags.isJson = true;
      return true;
    case "--print-out-paths":
      flags.printsPaths = true;
      return true;
    case "--rebuild":
      flags.rebuilds = true;
      return true;
    case "-L":
    case "--print-build-logs":
      flags.showsLogs = true;
      return true;
    case "--impure":
      flags.isImpure = true;
      return true;
    default:
      return false;
  }
}

/** What the words mean, in their order; a number is the exit code of an evaluation that failed. */
async function findWanted(environment: NixEnvironment, options: ClassicOptions, stores: EvaluationStores, flakes: FlakeArguments, flags: Flags, storeDir: string): Promise<readonly Wanted[] | number> {
  const { file, expression } = flags;
  const hasExpression = file !== undefined || expression !== undefined;
  const words = options.words.length > 0 ? options.words : [hasExpression ? "" : "."];
  const wanted: Wanted[][] = words.map(() => []);
  const sources: EvaluationSource[] = [];
  const attributes: string[] = [];
  const outputs: (string | undefined)[] = [];
  /** Of each thing that is evaluated, which word it is. */
  const places: number[] = [];
  for (const [index, word] of words.entries()) {
    const { attribute: prefix, outputs: names } = splitOutputs(word);
    const path = hasExpression || !prefix.includes("/") ? undefined : findStorePath(prefix, storeDir);
    if (path !== undefined) {
      if (names === undefined && path.endsWith(".drv")) environment.warn(`The interpretation of store paths arguments ending in \`.drv\` recently changed. If this command is now failing try again with '${storeDir}/${path}^*'`);
      wanted[index]!.push(names === undefined ? { drvPath: undefined, path } : { drvPath: path, outputs: names.split(",") });
      continue;
    }
    places.push(index);
    outputs.push(names === undefined ? undefined : toByteString(names));
    if (hasExpression) attributes.push(prefix === "." ? "" : prefix);
    else {
      const { ref, attribute } = splitFlakeReference(prefix);
      sources.push({ kind: "flake", ref: toByteString(ref), attribute: toByteString(attribute), writeLock: flakes.writeLock(), flags: flakes.flags(options.settings) });
    }
  }
  if (file !== undefined) sources.push(file === "-" ? { kind: "text", text: "", label: "stdin" } : { kind: "file", path: toByteString(file) });
  else if (expression !== undefined) sources.push({ kind: "text", text: toByteString(expression), label: "string" });
  if (sources.length === 0) return wanted.flat();

  const known = flakes.settings(evaluationSettings(options, stores.choice, environment.env, options.readOnly));
  const settings = { ...known, pure: options.settings.bool("pure-eval", file === undefined) && !flags.isImpure };
  const job = { kind: "derivations", sources, attributePaths: hasExpression ? attributes.map(toByteString) : [""], autoArguments: [...options.autoArguments.values()], outputs } as const;
  const status = await runEvaluationJob(environment, { settings, job, stores, options }, async ({ drvPath, installable }) => {
    const path = parseStorePath(fromByteString(drvPath), storeDir);
    const names = installable!.outputs.map(fromByteString);
    wanted[places[installable!.index]!]!.push(names.length === 0 ? { drvPath: undefined, path } : { drvPath: path, outputs: names });
  });
  return status === 0 ? wanted.flat() : status;
}

/** The path of the store that a file name leads to. */
function findStorePath(name: string, storeDir: string): StorePath | undefined {
  let path = resolve(name);
  if (!path.startsWith(`${storeDir}/`) && existsSync(path)) path = realpathSync(path);
  const base = path.startsWith(`${storeDir}/`) ? path.slice(storeDir.length + 1).split("/")[0]! : "";
  return isStorePathBaseName(base) ? base : undefined;
}

function readOutputs(store: LocalStore, drvPath: StorePath): ReadonlyMap<string, StorePath | undefined> {
  const derivation = parseDerivation(readFileSync(store.realPath(drvPath)), storePathName(drvPath).slice(0, -".drv".length), store.storeDir);
  const known = derivationOutputPaths(derivation, store.storeDir);
  return new Map([...derivation.outputs.keys()].map((name) => [name, known.get(name)]));
}

/** In order; all there are for `*`. */
export function nameOutputs(store: LocalStore, drvPath: StorePath, outputs: readonly string[]): readonly string[] {
  const known = readOutputs(store, drvPath);
  const names = outputs.includes("*") ? [...known.keys()] : outputs;
  for (const name of names) {
    if (!known.has(name)) throw new TsosError({ code: "nix.unknown-output", message: `derivation '${formatStorePath(drvPath, store.storeDir)}' does not have output '${name}'` });
  }
  return [...new Set(names)].sort(compareUtf8);
}

function describeUnbuilt(store: LocalStore, one: Wanted): unknown {
  const show = (path: StorePath | undefined): string | null => (path === undefined ? null : formatStorePath(path, store.storeDir));
  if (one.drvPath === undefined) return show(one.path);
  const known = readOutputs(store, one.drvPath);
  return { drvPath: show(one.drvPath), outputs: Object.fromEntries(one.outputs.map((name) => [name, show(known.get(name))])) };
}
