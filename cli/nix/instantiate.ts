import { resolve } from "node:path";
import type { EvaluationJob, EvaluationSource, FoundDerivation, ValueFormat } from "../../core/interop/evaluation-protocol.ts";
import { fromByteString, toByteString } from "../../core/util/bytes.ts";
import { parseClassicArguments, splitStandardInput } from "./classic-arguments.ts";
import { answerHelp } from "./help.ts";
import { openEvaluationStores } from "./evaluation-stores.ts";
import { evaluationSettings } from "./evaluation-settings.ts";
import { runEvaluationJob } from "./evaluate.ts";
import type { NixEnvironment } from "./nix-environment.ts";
import { parseStorePath } from "../../core/store-path/store-path.ts";

/** `nix-instantiate`: evaluates to values or to derivations in the store. Nix: src/nix/nix-instantiate */
export async function instantiate(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const { env } = environment;
  const attributePaths: string[] = [];
  let fromArguments = false;
  let findFile = false;
  let evaluateOnly = false;
  let parseOnly = false;
  let format: ValueFormat["kind"] = "plain";
  let locations = true;
  let strict = false;
  let readWrite = false;
  let dryRun = false;
  let root: string | undefined;
  const options = parseClassicArguments(args, env, environment.warn, (argument, value) => {
    switch (argument) {
      case "--expr":
      case "-E":
        fromArguments = true;
        return true;
      case "--eval":
      case "--eval-only":
        evaluateOnly = true;
        return true;
      case "--read-write-mode":
        readWrite = true;
        return true;
      case "--parse":
      case "--parse-only":
        parseOnly = evaluateOnly = true;
        return true;
      case "--find-file":
        findFile = true;
        return true;
      case "--attr":
      case "-A":
        attributePaths.push(value());
        return true;
      case "--add-root":
        root = value();
        return true;
      case "--indirect":
        return true;
      case "--raw":
      case "--xml":
      case "--json":
        format = argument.slice(2) as ValueFormat["kind"];
        return true;
      case "--no-location":
        locations = false;
        return true;
      case "--strict":
        strict = true;
        return true;
      case "--dry-run":
        dryRun = true;
        return true;
      default:
        return false;
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  const { readStandardInput, names: files } = splitStandardInput(options.words);

  await using stores = openEvaluationStores(env, environment.uid, options);
  const readOnly = dryRun || options.readOnly || (evaluateOnly && !readWrite);
  const settings = evaluationSettings(options, stores.choice, env, readOnly);
  if (!readStandardInput && files.length === 0 && !fromArguments && !findFile) files.push("./default.nix");
  const sources: EvaluationSource[] = [
    ...(readStandardInput ? [{ kind: "text", text: "", label: "stdin" } as const] : []),
    ...files.map((text): EvaluationSource => (fromArguments ? { kind: "text", text: toByteString(text), label: "string" } : { kind: "file", path: toByteString(text) })),
  ];
  const selection = {
    sources,
    attributePaths: attributePaths.length === 0 ? [""] : attributePaths.map(toByteString),
    autoArguments: [...options.autoArguments.values()],
  };
  const valueFormat = (kind: ValueFormat["kind"]): ValueFormat => (kind === "xml" ? { kind, strict, locations } : { kind, strict });
  const job: EvaluationJob = findFile
    ? { kind: "find-files", names: files.map(toByteString) }
    : parseOnly
      ? { kind: "parse", sources }
      : evaluateOnly
        ? { kind: "values", format: valueFormat(format), ...selection }
        : { kind: "derivations", ...selection };

  let roots = 0;
  let warned = !options.gcWarning;
  return await runEvaluationJob(environment, { settings, job, stores, options }, async ({ drvPath, outputName }: FoundDerivation) => {
    let shown = fromByteString(drvPath);
    if (root === undefined) {
      if (!warned) environment.warn("you did not specify '--add-root'; the result might be removed by the garbage collector");
      warned = true;
    } else {
      const link = resolve(root) + (++roots > 1 ? `-${roots}` : "");
      const store = await stores.open();
      await store.addPermanentRoot(parseStorePath(shown, store.storeDir), link);
      shown = link;
    }
    environment.print(`${shown}${outputName === "out" ? "" : `!${fromByteString(outputName)}`}\n`);
  });
}
