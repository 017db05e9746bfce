import type { EvaluationSource, ValueFormat } from "../../core/interop/evaluation-protocol.ts";
import { toByteString } from "../../core/util/bytes.ts";
import { ClassicUsageError, parseClassicArguments } from "./classic-arguments.ts";
import { runEvaluationJob } from "./evaluate.ts";
import { createFlakeArguments } from "./flake-arguments.ts";
import { splitFlakeReference } from "./flake-reference.ts";
import { openEvaluationStores } from "./evaluation-stores.ts";
import { evaluationSettings } from "./evaluation-settings.ts";
import { answerHelp } from "./help.ts";
import type { NixEnvironment } from "./nix-environment.ts";

/** `nix eval` of a file or an expression: pure unless it is of a file. Nix: src/nix/eval.cc */
export async function evaluate(environment: NixEnvironment, args: readonly string[]): Promise<number> {
  const { env } = environment;
  let file: string | undefined;
  let expression: string | undefined;
  let apply: string | undefined;
  let format: ValueFormat["kind"] = "full";
  let pretty = process.stdout.isTTY === true;
  let impure = false;
  let readOnly = false;
  const flakes = createFlakeArguments(environment.warn);
  // The flag of files makes what follows impure; it may come after the others.
  const options = parseClassicArguments(args.flatMap((argument) => (argument === "--impure" ? ["--tsos-impure"] : [argument])), env, environment.warn, (argument, value) => {
    switch (argument) {
      case "-f":
      case "--file":
        file = value();
        return true;
      case "-E":
      case "--expr":
        expression = value();
        return true;
      case "--apply":
        apply = value();
        return true;
      case "--tsos-impure":
        impure = true;
        return true;
      case "--read-only":
        readOnly = true;
        return true;
      case "--pretty":
      case "--no-pretty":
        pretty = argument === "--pretty";
        return true;
      case "--json":
      case "--raw":
        if (format !== "full" && format !== argument.slice(2)) throw new ClassicUsageError("--raw and --json are mutually exclusive");
        format = argument.slice(2) as ValueFormat["kind"];
        return true;
      default:
        return flakes.take(argument, value);
    }
  });
  if (options.wants !== undefined) return answerHelp(environment, options.wants);
  const { words } = options;
  if (file !== undefined && expression !== undefined) throw new ClassicUsageError("'--file' and '--expr' are exclusive");
  if (file !== undefined && options.settings.find("pure-eval") === "true") throw new ClassicUsageError("'--file' is not compatible with '--pure-eval'");
  if (words.length > 1) throw new ClassicUsageError(`unexpected argument '${words[1]!}'`);
  // Without a file or an expression the word names an attribute of a flake.
  const flake = file === undefined && expression === undefined ? splitFlakeReference(words[0] ?? ".") : undefined;
  await using stores = openEvaluationStores(env, environment.uid, options);
  const known = flakes.settings(evaluationSettings(options, stores.choice, env, options.readOnly || readOnly));
  const settings = { ...known, pure: options.settings.bool("pure-eval", file === undefined && !impure) && !impure };
  const source: EvaluationSource = flake !== undefined ? { kind: "flake", ref: toByteString(flake.ref), attribute: toByteString(flake.attribute), writeLock: flakes.writeLock(), flags: flakes.flags(options.settings) } : expression === undefined ? (file === "-" ? { kind: "text", text: "", label: "stdin" } : { kind: "file", path: toByteString(file!) }) : { kind: "text", text: toByteString(expression), label: "string" };
  const kind = format as ValueFormat["kind"];
  return await runEvaluationJob(
    environment,
    {
      settings,
      job: {
        kind: "values",
        format: kind === "xml" ? { kind, strict: true, locations: true } : { kind, strict: true, purpose: "eval command", pretty },
        sources: [source],
        attributePaths: [toByteString(words[0] ?? "")],
        autoArguments: [...options.autoArguments.values()],
        ...(apply === undefined ? {} : { apply: toByteString(apply) }),
      },
      stores,
      options,
    },
    async () => undefined,
  );
}
