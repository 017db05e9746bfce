import type { EvaluationJob, EvaluationSource, FoundDerivation } from "../../core/interop/evaluation-protocol.ts";
import { createEvaluationStore } from "../../core/interop/evaluation-store.ts";
import { createStoreFetcher } from "../../core/interop/fetch-into-store.ts";
import { openEvaluation, type EvaluationEnd } from "../../core/interop/evaluation-session.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { realise } from "../../core/build/realise.ts";
import type { BuildOptions } from "../../core/build/build-options.ts";
import { createScopedSubstituter } from "../../core/cache/scoped-substituter.ts";
import { PUBLIC_CACHE } from "../../core/cache/public-cache.ts";
import { parsePublicKey } from "../../core/narinfo/signature.ts";
import type { LocalStore } from "../../core/store/store.ts";
import { parseStorePath, type StorePath } from "../../core/store-path/store-path.ts";
import { fromByteString, toByteString, type ByteString } from "../../core/util/bytes.ts";
import { createBuildOptions } from "../build-options.ts";
import type { CommandContext } from "../context.ts";
import { sandboxOf } from "../nix/build-targets.ts";
import { evaluationSettings } from "../nix/evaluation-settings.ts";
import { splitOutputs } from "../nix/flake-reference.ts";
import { locateStore } from "../nix/store-location.ts";
import { openSourceContext } from "../source-context.ts";
import { createSubstituter } from "../substituter.ts";
import { findSandboxTool } from "../tools.ts";
import type { NixProject } from "./find-project.ts";
import type { ProjectOptions } from "./nix-flags.ts";
import type { FlakePurpose } from "../../core/interop/flake-flags.ts";

export type ProjectOutput = { readonly drvPath: StorePath; readonly output: string };

export type ProjectEvaluation = { readonly found: readonly (Omit<FoundDerivation, keyof ProjectOutput> & ProjectOutput)[]; readonly end: EvaluationEnd };

/**
 * Evaluates something of a Nix project with this machine's Nix settings, into the store of this command. A flake is
 * evaluated in pure mode, unless flags say otherwise.
 *
 * @throws TsosError `nix.evaluation`, with the error as the Nix language tells it
 */
export async function evaluateProject(context: CommandContext, project: Pick<NixProject, "kind">, given: ProjectOptions, job: EvaluationJob, env: NodeJS.ProcessEnv = context.env): Promise<ProjectEvaluation> {
  const { options } = given;
  const store = await context.openStore();
  const known = given.flakes.settings(evaluationSettings(options, locateStore(env, context.uid, context.places.storeRoot), env, false));
  const settings = { ...known, pure: project.kind === "flake" && options.settings.bool("pure-eval", true) };
  await using session = openEvaluation(new URL("./nix-worker.cjs", import.meta.url));
  const found: ProjectEvaluation["found"][number][] = [];
  const end = await session.run(
    settings,
    job,
    async () => createEvaluationStore(store, (targets) => realiseProject(context, given, targets), createStoreFetcher(store, () => openSourceContext(context))),
    async (derivation) => void found.push({ ...derivation, ...toOutput(derivation, store.storeDir) }),
  );
  if (end.status !== 0) throw new TsosError({ code: "nix.evaluation", message: fromByteString(end.error ?? "the evaluation failed").replace(/^error:\s*/, "") });
  return { found, end };
}

export function toOutput({ drvPath, outputName }: FoundDerivation, storeDir: string): ProjectOutput {
  return { drvPath: parseStorePath(fromByteString(drvPath), storeDir), output: fromByteString(outputName) };
}

/** A project's expression as a source of an evaluation. */
export type ProjectSource = { readonly source: EvaluationSource; readonly attributePaths: readonly ByteString[]; /** Of a flake that is built: as `^` names them. */ readonly output?: ByteString | undefined };

export function sourceOf(project: NixProject, purpose: FlakePurpose, { flakes, options }: ProjectOptions): ProjectSource {
  if (project.kind === "file") return { source: { kind: "file", path: toByteString(project.file), shell: purpose === "shell" }, attributePaths: [toByteString(project.attribute)] };
  const { folder, file } = project;
  const { attribute, outputs } = purpose === "build" ? splitOutputs(project.attribute) : { attribute: project.attribute, outputs: undefined };
  const ref = toByteString(file.startsWith("/") ? folder : file);
  return { source: { kind: "flake", ref, attribute: toByteString(attribute), writeLock: flakes.writeLock(), flags: flakes.flags(options.settings), purpose }, attributePaths: [""], output: outputs };
}

/** Builds outputs as this command builds, or takes them from its binary caches and from the public one of nixpkgs. */
export async function realiseProject(context: CommandContext, given: ProjectOptions, wanted: readonly ProjectOutput[], check = false): Promise<readonly StorePath[]> {
  const store = await context.openStore();
  const targets = new Map<StorePath, Set<string>>();
  for (const { drvPath, output } of wanted) targets.set(drvPath, (targets.get(drvPath) ?? new Set()).add(output));
  const outputs = await realise(store, [...targets].map(([drvPath, names]) => ({ drvPath, outputs: [...names] })), { ...(await projectBuildOptions(context, store, given)), check });
  const paths = wanted.map(({ drvPath, output }) => outputs.get(drvPath)!.get(output)!);
  await store.addTemporaryRoot(...paths);
  return paths;
}

/** The same for all outputs of derivations. */
export async function realiseWhole(context: CommandContext, given: ProjectOptions, drvPaths: readonly StorePath[]): Promise<void> {
  const store = await context.openStore();
  await realise(store, drvPaths.map((drvPath) => ({ drvPath })), await projectBuildOptions(context, store, given));
}

async function projectBuildOptions(context: CommandContext, store: LocalStore, { options: { settings } }: ProjectOptions): Promise<BuildOptions> {
  // What Nix's settings show to builds, such as the shell at /bin/sh, its expressions rely on.
  const options = { ...(await createBuildOptions(context, store, () => findSandboxTool(context, store))), ...sandboxOf(context, settings), extraPlatforms: settings.list("extra-platforms") };
  const isNamed = settings.find("substituters") !== undefined;
  const substituters = isNamed ? settings.list("substituters") : PUBLIC_CACHE.substituters;
  if (store.builds !== undefined) return { ...options, substituterUrls: [...new Set([...(options.substituterUrls ?? []), ...(context.flags.offline ? [] : substituters)])] };
  const keys = [...settings.list("trusted-public-keys"), ...(isNamed ? [] : PUBLIC_CACHE.trustedPublicKeys)];
  const theirs = await createSubstituter(context, store, { substituters, trust: { publicKeys: keys.map(parsePublicKey), requireSignatures: settings.bool("require-sigs", true) } }, options.settings);
  if (theirs === undefined) return options;
  return { ...options, substituter: createScopedSubstituter(options.substituter, theirs, { has: () => true }) };
}
