import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import type { EvaluationSource, FoundDerivation } from "../../core/interop/evaluation-protocol.ts";
import { formatStorePath, isStorePathBaseName, parseStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { fromByteString, toByteString } from "../../core/util/bytes.ts";
import { buildInstallables, isOfInstallables } from "./build-installables.ts";
import { buildTargets, describeMissing, nixBuildOptions } from "./build-targets.ts";
import { parseClassicArguments, splitStandardInput } from "./classic-arguments.ts";
import { runEvaluationJob } from "./evaluate.ts";
import { createFlakeArguments } from "./flake-arguments.ts";
import { namesFlake, splitFlakeReference } from "./flake-reference.ts";
import { openEvaluationStores } from "./evaluation-stores.ts";
import { evaluationSettings } from "./evaluation-settings.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { repairTargets } from "./repair-targets.ts";
import { realStoreDir } from "./store-location.ts";

export type WantedOutput = { readonly drvPath: StorePath; readonly output: string };

/** `nix-build`: evaluates, builds, makes links; with a flag of `nix build`, that. Nix: src/nix/nix-build */
export async function build(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  if (isOfInstallables(args)) return buildInstallables(environment, args);
  const { env } = environment;
  const attributePaths: string[] = [];
  let outLink: string | undefined = "./result";
  let dryRun = false;
  let check = false;
  let repair = false;
  let impure = false;
  const flakes = createFlakeArguments(environment.warn);
  let fromArguments = false;
  const options = parseClassicArguments(args, env, environment.warn, (argument, value) => {
    switch (argument) {
      case "--add-drv-link":
      case "--indirect":
        return true;
      case "--no-out-link":
      case "--no-link":
        outLink = undefined;
        return true;
      case "--attr":
      case "-A":
        attributePaths.push(value());
        return true;
      case "--drv-link":
        value();
        return true;
      case "--out-link":
      case "-o":
        outLink = value();
        return true;
      case "--impure":
        impure = true;
        return true;
      case "--dry-run":
        dryRun = true;
        return true;
      case "--check":
        check = true;
        return true;
      case "--repair":
        repair = true;
        return true;
      case "--exclude":
        value();
        return true;
      case "--expr":
      case "-E":
        fromArguments = true;
        return true;
      case "--pure":
        return true;
      default:
        return flakes.take(argument, value);
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  const { readStandardInput, names } = splitStandardInput(options.words);
  if (!fromArguments && names.length === 0 && !readStandardInput) names.push(".");

  await using stores = openEvaluationStores(env, environment.uid, options);
  const { storeDir } = realStoreDir(stores.choice);
  const wanted: WantedOutput[] = [];
  const sources: EvaluationSource[] = readStandardInput ? [{ kind: "text", text: "", label: "stdin" }] : [];
  if (!readStandardInput) {
    for (const name of names) {
      if (fromArguments) sources.push({ kind: "text", text: toByteString(name), label: "string" });
      else {
        const derivation = parseDerivationArgument(name, storeDir);
        // Beyond the classic command.
        if (namesFlake(name)) {
          const { ref, attribute } = splitFlakeReference(name);
          sources.push({ kind: "flake", ref: toByteString(ref), attribute: toByteString(attribute), writeLock: flakes.writeLock(), flags: flakes.flags(options.settings) });
        } else if (derivation === undefined) sources.push({ kind: "file", path: toByteString(name) });
        else wanted.push(derivation);
      }
    }
  }
  if (sources.length > 0) {
    const known = flakes.settings(evaluationSettings(options, stores.choice, env, options.readOnly));
    // Flakes are evaluated in pure mode.
    const settings = sources.some(({ kind }) => kind === "flake") ? { ...known, pure: !impure && options.settings.bool("pure-eval", true) } : known;
    const job = { kind: "derivations", sources, attributePaths: attributePaths.length === 0 ? [""] : attributePaths.map(toByteString), autoArguments: [...options.autoArguments.values()] } as const;
    const status = await runEvaluationJob(environment, { settings, job, stores, options }, async (found) => void wanted.push(toWanted(found, storeDir)));
    if (status !== 0) return status;
  }

  await stores.bring(wanted.map(({ drvPath }) => drvPath));
  const store = await stores.openBuilding();
  const build = await nixBuildOptions(environment, options, store);
  if (options.verbosity >= 0 && options.settings.bool("print-missing", true)) for (const line of await describeMissing(build, store, wanted)) environment.say(line);
  if (dryRun) return 0;
  const paths = await buildTargets(environment, options, store, wanted, check, build);
  if (repair) await repairTargets(environment, store, paths, build);
  await store.flush();
  const numbers = new Map<StorePath, number>();
  for (const [index, { drvPath, output }] of wanted.entries()) {
    if (!numbers.has(drvPath)) numbers.set(drvPath, numbers.size);
    const number = numbers.get(drvPath)!;
    if (outLink !== undefined) await store.addPermanentRoot(paths[index]!, resolve(`${outLink as string}${number > 0 ? `-${number + 1}` : ""}${output === "out" ? "" : `-${output}`}`));
  }
  for (const path of paths) environment.print(`${formatStorePath(path, storeDir)}\n`);
  return 0;
}

export function toWanted({ drvPath, outputName }: FoundDerivation, storeDir: string): WantedOutput {
  return { drvPath: parseStorePath(fromByteString(drvPath), storeDir), output: fromByteString(outputName) };
}

/** `…/x.drv` or `…/x.drv!dev` of the store, or a link to it; undefined for what is an expression's file. */
export function parseDerivationArgument(argument: string, storeDir: string): WantedOutput | undefined {
  const [file, outputs = "out"] = argument.split("!", 2) as [string, string | undefined];
  let path = resolve(file);
  try {
    path = realpathSync(path);
  } catch {
    // A path of a store that is elsewhere.
  }
  const name = path.startsWith(`${storeDir}/`) ? path.slice(storeDir.length + 1) : "";
  if (!name.endsWith(".drv") || !isStorePathBaseName(name)) return undefined;
  if (outputs.includes(",")) throw new TsosError({ code: "nix.several-outputs", message: `building more than one derivation output is not supported, in '${argument}'` });
  return { drvPath: name, output: outputs };
}

/** A folder that is gone when the command ends. */
export function temporaryFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `${name}-`));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
