import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Evaluation } from "../../core/config/evaluation.ts";
import { findProject } from "../../core/config/find-project.ts";
import type { LockedInput } from "../../core/config/lock-file.ts";
import type { ConfigurationInputs, InputChange } from "../../core/config/update-inputs.ts";
import { TsosError } from "../../core/error/tsos-error.ts";
import { isHomeManager, isNixpkgs } from "../../core/interop/types/is-nixpkgs.ts";
import type { CommandContext } from "../context.ts";
import { evaluate } from "../evaluation.ts";
import { ExitCode } from "../exit-code.ts";
import { CONFIG_KINDS, getConfig } from "../find-config.ts";
import { openSourceContext } from "../source-context.ts";
import { UsageError } from "../usage-error.ts";

/** Locks inputs to what their sources are now, and says what changed. */
export async function update(context: CommandContext, args: { readonly inputs: readonly string[]; readonly types?: boolean }): Promise<number> {
  if (context.flags.locked) throw new UsageError({ code: "cli.usage", message: "--locked forbids what update is for", hint: "leave it out" });
  const files = findFiles(context);
  const project = findProject(files[0]!);
  const evaluations: Evaluation<"inputs">[] = [];
  for (const file of files) evaluations.push(await evaluate(context, file, { kind: "inputs" }));
  const configurations: readonly ConfigurationInputs[] = evaluations.map(({ inputs }, i) => ({ file: files[i]!, declared: inputs }));
  if (args.types === true) {
    const { makeTypesOfInputs } = await import("../pinned-types.ts");
    const names = await makeTypesOfInputs(context, project, configurations);
    if (context.flags.json) context.print(JSON.stringify({ version: 1, types: names }));
    else context.print(names.length === 0 ? "no input is a tree of nixpkgs or home-manager" : `types of ${names.join(", ")}`);
    return ExitCode.done;
  }
  const { updateInputs } = await import("../../core/config/update-inputs.ts");
  const { lockPath, changes } = await updateInputs({ project, configurations, names: args.inputs, context: await openSourceContext(context, { refresh: true }) }).catch((error: unknown) => {
    throw error instanceof TsosError ? locate(error, evaluations) : error;
  });
  if (changes.some(({ kind, root }) => (kind === "added" || kind === "updated") && root !== undefined && (isNixpkgs(root) || isHomeManager(root)))) (await import("../pinned-types.ts")).makeTypesInBackground(context, context.flags.config);
  if (context.flags.json) {
    context.print(JSON.stringify({ version: 1, lock: lockPath, inputs: changes.map((change) => ({ name: change.name, configuration: change.configuration, change: change.kind, old: change.from?.locked ?? null, new: change.to?.locked ?? null })) }));
    return ExitCode.done;
  }
  for (const change of changes) context.print(describeChange(context, change, new Set(changes.map(({ configuration }) => configuration)).size > 1));
  if (changes.length === 0) context.say(`${relative(context.folder, files[0]!) || files[0]!} declares no inputs`);
  return ExitCode.done;
}

/** The named configuration, or the nearest and the one of the other kind beside it. */
function findFiles(context: CommandContext): readonly string[] {
  const first = getConfig(context, CONFIG_KINDS);
  if (context.flags.config !== undefined) return [realpathSync(first)];
  return CONFIG_KINDS.map((kind) => join(dirname(first), `${kind}.config.ts`)).filter((file) => existsSync(file)).map((file) => realpathSync(file));
}

function describeChange(context: CommandContext, change: InputChange, several: boolean): string {
  const name = context.outStyle.bold(change.name) + (several ? ` (${change.configuration})` : "");
  switch (change.kind) {
    case "added":
      return `${name}: added ${describeInput(change.to)}`;
    case "removed":
      return `${name}: removed, was ${describeInput(change.from)}`;
    case "unchanged":
      return `${name}: unchanged, ${describeInput(change.to)}`;
    case "updated":
      return `${name}: ${describeInput(change.from)} → ${describeInput(change.to)}`;
  }
}

function describeInput(input: LockedInput | undefined): string {
  if (input === undefined) return "nothing";
  const { rev, lastModified, narHash } = input.locked;
  const date = typeof lastModified === "number" && lastModified > 0 ? ` (${new Date(lastModified * 1000).toISOString().slice(0, 10)})` : "";
  // A commit says all; without one only the hash does.
  return `${input.url}${rev === undefined && !input.url.includes("narHash=") ? ` ${String(narHash)}` : ""}${date}`;
}

/** An error about an input with the place where it is declared. */
function locate(error: TsosError, evaluations: readonly Evaluation<"inputs">[]): TsosError {
  const { input, ...data } = error.data as { readonly input?: { readonly path: readonly string[] } };
  const name = input?.path[0];
  const at = name === undefined ? undefined : evaluations.map(({ result }) => result.places[name]).find((place) => place !== undefined);
  return new TsosError({ code: error.code, message: error.message, hint: error.hint, at: error.at ?? at, related: error.at === undefined || at === undefined ? error.related : [...error.related, { ...at, note: "declared here" }], data, cause: error.cause });
}
