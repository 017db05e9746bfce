import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { TsosError } from "../../core/error/tsos-error.ts";
import { parseDerivation } from "../../core/derivation/parse-derivation.ts";
import type { EvaluationSource } from "../../core/interop/evaluation-protocol.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { formatStorePath, storePathName, type StorePath } from "../../core/store-path/store-path.ts";
import { toByteString } from "../../core/util/bytes.ts";
import { runOnTerminal } from "../../core/util/run-on-terminal.ts";
import { parseDerivationArgument, temporaryFolder, toWanted, type WantedOutput } from "./build.ts";
import { buildTargets, describeMissing, nixBuildOptions } from "./build-targets.ts";
import { ClassicUsageError, parseClassicArguments, splitStandardInput } from "./classic-arguments.ts";
import { runEvaluationJob } from "./evaluate.ts";
import { evaluationSettings } from "./evaluation-settings.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { prepareShell } from "./shell-environment.ts";
import { quoteForShell, splitShellWords } from "./shell-words.ts";
import { openEvaluationStores } from "./evaluation-stores.ts";
import { realStoreDir } from "./store-location.ts";

/** `nix-shell`: a shell with the environment of a derivation's builder. Nix: src/nix/nix-build */
export async function shell(environment: NixEnvironment, givenArguments: readonly string[]): Promise<number> {
  const { env } = environment;
  const script = readScript(givenArguments);
  const attributePaths: string[] = [];
  const exclude: RegExp[] = [];
  const keep = new Set<string>();
  let interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
  let command = "";
  let pure = false;
  let packages = false;
  let fromArguments = false;
  let dryRun = false;
  const options = parseClassicArguments(script?.args ?? givenArguments, env, environment.warn, (argument, value) => {
    switch (argument) {
      case "--attr":
      case "-A":
        attributePaths.push(value());
        return true;
      case "--command":
      case "--run":
        if (argument === "--run") interactive = false;
        command = `${value()}\nexit`;
        return true;
      case "--exclude":
        exclude.push(new RegExp(value()));
        return true;
      case "--expr":
      case "-E":
        fromArguments = true;
        return true;
      case "--pure":
        pure = true;
        return true;
      case "--packages":
      case "-p":
        packages = true;
        return true;
      case "-i":
        if (script === undefined) return false;
        interactive = false;
        command = interpreterCommand(value(), script.file, script.rest);
        return true;
      case "--keep":
        keep.add(value());
        return true;
      case "--dry-run":
        dryRun = true;
        return true;
      case "--add-drv-link":
      case "--indirect":
      case "--no-out-link":
      case "--no-link":
        return true;
      case "--drv-link":
      case "--out-link":
      case "-o":
        value();
        return true;
      default:
        return false;
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  const { readStandardInput, names } = splitStandardInput(options.words);
  if (packages && fromArguments) throw new ClassicUsageError("'-p' and '-E' are mutually exclusive");
  if (packages) {
    const inputs = names.splice(0).map((name) => `(${name}) `).join("");
    names.push(`{...}@args: with import <nixpkgs> args; (pkgs.runCommandCC or pkgs.runCommand) "shell" { buildInputs = [ ${inputs}]; } ""`);
    fromArguments = true;
  } else if (!fromArguments && names.length === 0) {
    if (!readStandardInput && !existsSync("shell.nix") && !existsSync("default.nix")) {
      throw new TsosError({ code: "nix.no-shell-file", message: "no argument specified and no 'shell.nix' or 'default.nix' file found in the working directory" });
    }
    names.push(".");
  }

  await using stores = openEvaluationStores(env, environment.uid, options);
  const { storeDir } = realStoreDir(stores.choice);
  const wanted: WantedOutput[] = [];
  const sources: EvaluationSource[] = readStandardInput ? [{ kind: "text", text: "", label: "stdin" }] : [];
  const folder = script === undefined ? process.cwd() : dirname(resolve(script.file));
  if (!readStandardInput) {
    for (const name of names) {
      const derivation = fromArguments ? undefined : parseDerivationArgument(name, storeDir);
      if (derivation !== undefined) wanted.push(derivation);
      else if (fromArguments) sources.push({ kind: "text", text: toByteString(name), label: "string", folder: toByteString(folder) });
      else sources.push({ kind: "file", path: toByteString(/^<.*>$/.test(name) ? name : resolve(folder, name)), shell: true });
    }
  }
  const ownShell = env["NIX_BUILD_SHELL"];
  // Of a script all that is relative is relative to where it stands.
  const settings = { ...evaluationSettings(options, stores.choice, { ...env, IN_NIX_SHELL: pure ? "pure" : "impure" }, options.readOnly), folder: toByteString(folder) };
  let bashOutput: WantedOutput | undefined;
  const status = await runEvaluationJob(
    environment,
    {
      settings,
      job: {
        kind: "derivations",
        sources,
        attributePaths: attributePaths.length === 0 ? [""] : attributePaths.map(toByteString),
        autoArguments: [...options.autoArguments.values()],
        inNixShell: true,
        ...(ownShell === undefined ? { shell: { expression: "(import <nixpkgs> {}).bashInteractive", known: wanted.length } } : {}),
      },
      stores,
      options,
    },
    async (found) => {
      if (found.isShell === true) bashOutput = toWanted(found, storeDir);
      else wanted.push(toWanted(found, storeDir));
    },
  );
  if (status !== 0) return status;
  const [target] = wanted;
  if (target === undefined || wanted.length > 1) throw new ClassicUsageError("nix-shell requires a single derivation");

  await stores.bring([target.drvPath, ...(bashOutput === undefined ? [] : [bashOutput.drvPath])]);
  const store = await stores.openBuilding();
  const derivation = parseDerivation(readFileSync(store.realPath(target.drvPath)), storePathName(target.drvPath).replace(/\.drv$/, ""), storeDir);
  const inputs: WantedOutput[] = bashOutput === undefined ? [] : [bashOutput];
  for (const [drvPath, outputs] of derivation.inputDerivations) {
    if (exclude.some((pattern) => pattern.test(formatStorePath(drvPath, storeDir)))) continue;
    for (const output of outputs) inputs.push({ drvPath, output });
  }
  const build = await nixBuildOptions(environment, options, store);
  if (options.settings.bool("print-missing", true)) for (const line of await describeMissing(build, store, inputs)) environment.say(line);
  if (dryRun) return 0;
  const paths = await buildTargets(environment, options, store, inputs, false, build);
  const bash = ownShell ?? (bashOutput === undefined ? "bash" : `${formatStorePath(paths[0]!, storeDir)}/bin/bash`);
  return await enter(environment, store, [...paths], { derivation, bash });

  async function enter(e: NixEnvironment, at: LocalStore, keepAlive: readonly StorePath[], what: { readonly derivation: typeof derivation; readonly bash: string }): Promise<number> {
    await at.addTemporaryRoot(...keepAlive);
    using own = temporaryFolder("nix-shell");
    const prepared = prepareShell({
      ...what,
      storeDir,
      folder: own.path,
      pure,
      keep,
      cores: options.settings.int("cores", 0),
      isRoot: e.uid === 0,
      command,
      env: { ...env, IN_NIX_SHELL: pure ? "pure" : "impure" },
    });
    e.handTerminalOver();
    return await runOnTerminal(what.bash, [...(interactive ? ["--rcfile"] : []), prepared.rcFile], { env: prepared.env }).catch((cause: unknown) => {
      throw new TsosError({ code: "nix.cannot-start-shell", message: `executing shell '${what.bash}': ${cause instanceof Error ? cause.message : String(cause)}`, cause });
    });
  }
}

type Script = { readonly file: string; readonly args: readonly string[]; readonly rest: readonly string[] };

/** A file that begins with `#!` is a script: its lines `#! nix-shell …` are the arguments, the others its own. */
function readScript([file, ...rest]: readonly string[]): Script | undefined {
  if (file === undefined || file.startsWith("-")) return undefined;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
  if (!text.startsWith("#!")) return undefined;
  const lines = text.split("\n").filter((line) => line !== "").slice(1);
  const args = lines.flatMap((line) => {
    const match = /^#!\s*(?:nix-shell|tsos\s+nix\s+shell)\s+(.*)$/.exec(line.trimEnd());
    return match === null ? [] : splitShellWords(match[1]!);
  });
  return { file, args, rest };
}

/** How an interpreter is given the script: two of them look at the script's first line themselves. */
function interpreterCommand(interpreter: string, file: string, rest: readonly string[]): string {
  const words = [file, ...rest].map(quoteForShell);
  if (interpreter.includes("ruby")) return `exec ${interpreter} -e 'load(ARGV.shift)' -- ${words.join(" ")}`;
  return `exec ${interpreter.includes("perl") ? "-a PERL " : ""}${interpreter} ${words.join(" ")}`;
}
