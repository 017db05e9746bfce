import { join } from "node:path";
import { joinErrors, separateErrors } from "../core/config/config-errors.ts";
import { evaluateConfig } from "../core/config/evaluate.ts";
import type { Evaluation } from "../core/config/evaluation.ts";
import type { IsolateLimits } from "../core/config/isolate-limits.ts";
import type { DerivationResult, EvaluationRequest } from "../core/config/protocol.ts";
import type { InputSettings } from "../core/config/project-inputs.ts";
import { TsosError } from "../core/error/tsos-error.ts";
import type { CommandContext } from "./context.ts";
import { CONFIG_KINDS, findConfig, getConfig, type ConfigKind } from "./find-config.ts";
import { findInstallation } from "./installation.ts";
import { UsageError } from "./usage-error.ts";

/** Evaluates with this installation's runtime and cache. */
export async function evaluate<R extends EvaluationRequest>(context: CommandContext, file: string | undefined, request: R): Promise<Evaluation<R["kind"]>> {
  const { openRuntimeFolder } = await import("../core/config/runtime-folder.ts");
  return evaluateConfig({
    file,
    request,
    runtime: openRuntimeFolder(join(findInstallation(), "dist")),
    cacheDir: join(context.places.cache, "evaluation"),
    parsedFolder: parsedFolder(context),
    signal: context.signal,
    report: context.report,
    limits: readLimits(context.env),
    inputs: inputSettings(context),
  });
}

/** Where files of the Nix language stay parsed. */
export function parsedFolder(context: CommandContext): string {
  return join(context.places.cache, "nix", "parsed");
}

/** How much an evaluation may take, as far as the environment says it. */
export function readLimits(env: CommandContext["env"]): Partial<IsolateLimits> {
  const read = (limit: keyof IsolateLimits, name: string): Partial<IsolateLimits> => {
    const text = env[name];
    if (text === undefined || text === "") return {};
    if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError({ code: "cli.bad-limit", message: `${name} must be a whole number from 1 on, got "${text}"` });
    return { [limit]: Number(text) };
  };
  return { ...read("heapMegabytes", "TSOS_EVALUATION_MEGABYTES"), ...read("cpuSeconds", "TSOS_EVALUATION_SECONDS") };
}

/** How a command gets at inputs. */
export function inputSettings(context: CommandContext): InputSettings {
  return { openContext: async () => (await import("./source-context.ts")).openSourceContext(context), locked: context.flags.locked };
}

/**
 * Evaluates and, at the same time, type-checks the file (unless `check` is false). The evaluation's own error
 * comes first, since it is the one that stops a build.
 */
export async function evaluateChecked<R extends EvaluationRequest>(context: CommandContext, file: string | undefined, request: R, check: boolean): Promise<Evaluation<R["kind"]>> {
  const known = check && file !== undefined ? await findKnownModules(context, file) : [];
  const checking = check && file !== undefined ? typeCheck(context, file, known) : Promise.resolve();
  checking.catch(() => undefined);
  const evaluation = await evaluate(context, file, request).catch(async (error: unknown) => {
    throw await withTypeErrors(error, check && file !== undefined ? checkWithLocked(context, file, checking) : checking);
  });
  // What modules of inputs declare belongs to the types of the configuration, and only now are they known for sure.
  if (check && file !== undefined) await endTypeCheck(context, file, { checking: evaluation.inputModules.join("\n") === known.join("\n") ? checking : typeCheck(context, file, evaluation.inputModules), evaluation });
  return evaluation;
}

/** Waits for a type check; where that fails and the compiler had not heard of all inputs, it looks again. */
export async function endTypeCheck(context: CommandContext, file: string, { checking, evaluation }: { readonly checking: Promise<void>; readonly evaluation: Pick<Evaluation<EvaluationRequest["kind"]>, "inputs" | "inputModules"> }): Promise<void> {
  try {
    await checking;
  } catch (error) {
    if (evaluation.inputs.length === 0) throw error;
    const { declareInputs } = await import("./input-types.ts");
    const { findProject } = await import("../core/config/find-project.ts");
    if (!declareInputs(findProject(file), evaluation.inputs)) throw error;
    await typeCheck(context, file, evaluation.inputModules);
  }
}

/** Of an evaluation that failed nothing tells which inputs there are but the lock, which has those that were fetched. */
async function checkWithLocked(context: CommandContext, file: string, checking: Promise<void>): Promise<void> {
  try {
    await checking;
  } catch (error) {
    const { configurationName, lockFilePath } = await import("../core/config/project-inputs.ts");
    const { readLockFile } = await import("../core/config/lock-file.ts");
    const { findProject } = await import("../core/config/find-project.ts");
    const { declareInputs } = await import("./input-types.ts");
    const project = findProject(file);
    const names = Object.keys(readLockFile(lockFilePath(project))[configurationName(project, file)] ?? {});
    if (!declareInputs(project, names.map((name) => ({ name })))) throw error;
    await typeCheck(context, file);
  }
}

/** Of a file or an input that cannot be read the compiler would say the same in other words, and more that only follows from it. */
const UNREAD = /^(config\.(syntax|missing-file|missing-package)$|input\.|lock\.|source\.)/;

/** What is wrong besides with the types: the evaluation ends at some mistakes before it comes to others. */
async function withTypeErrors(error: unknown, checking: Promise<void>): Promise<unknown> {
  if (!(error instanceof TsosError)) return error;
  const found = separateErrors(error);
  if (found.some(({ code }) => UNREAD.test(code))) return error;
  const wrong = await checking.then(() => undefined, (thrown: unknown) => thrown);
  if (!(wrong instanceof TsosError)) return error;
  // A mistake that the types name can be why nothing settles.
  if (error.code === "option.unsettled") return wrong;
  const isTold = (one: TsosError): boolean => found.some(({ at, related }) => [at, ...related].some((place) => place?.file === one.at?.file && place?.line === one.at?.line));
  return joinErrors([...found, ...separateErrors(wrong).filter((one) => !isTold(one))]);
}

async function findKnownModules(context: CommandContext, file: string): Promise<readonly string[]> {
  const { findKnownInputModules } = await import("../core/config/known-input-modules.ts");
  return findKnownInputModules(join(context.places.cache, "evaluation"), file);
}

/** @throws ConfigErrors with every diagnostic of the compiler */
export async function typeCheck(context: CommandContext, file: string, inputModules: readonly string[] = []): Promise<void> {
  const { typeCheckConfig } = await import("../core/config/type-check.ts");
  const { findProject } = await import("../core/config/find-project.ts");
  const { declareUsedModules } = await import("./input-types.ts");
  declareUsedModules(findProject(file), file);
  await typeCheckConfig({ file, inputModules, installation: findInstallation(), cacheDir: join(context.places.cache, "check"), signal: context.signal });
}

/** What a command's target names: the toplevel, a package (`pkgs.NAME`) or an option that holds a derivation. */
export async function evaluateTarget(context: CommandContext, target: string | undefined, check: boolean, kinds: readonly ConfigKind[] = ["system", "home"]): Promise<{ readonly evaluation: Evaluation<"system"> | Evaluation<"package"> | Evaluation<"option">; readonly derivation: DerivationResult; readonly mainProgram?: string | undefined }> {
  if (target === undefined) {
    const evaluation = await evaluateChecked(context, getConfig(context, kinds), { kind: "system" }, check);
    return { evaluation, derivation: evaluation.result.toplevel };
  }
  if (target.startsWith("pkgs.")) {
    const evaluation = await evaluateChecked(context, findConfig(context, CONFIG_KINDS), { kind: "package", name: target.slice("pkgs.".length) }, check);
    return { evaluation, derivation: evaluation.result.package, mainProgram: evaluation.result.package.mainProgram };
  }
  const evaluation = await evaluateChecked(context, getConfig(context, CONFIG_KINDS), { kind: "option", path: target }, check).catch((error: unknown) => {
    if (error instanceof TsosError && error.code === "option.unknown" && !target.includes(".") && error.at === undefined) {
      throw new TsosError({ code: error.code, message: error.message, hint: [error.hint, `a package is written "pkgs.${target}"`].filter((line) => line !== undefined).join("; "), cause: error });
    }
    throw error;
  });
  const { derivation } = evaluation.result.option;
  if (derivation === undefined) {
    throw new TsosError({
      code: "cli.not-a-derivation",
      message: `the option "${target}" is not a derivation, so it cannot be realised`,
      hint: `print its value with "tsos eval ${target}"`,
    });
  }
  return { evaluation, derivation };
}
