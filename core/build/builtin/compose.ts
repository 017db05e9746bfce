import type { BuiltinBuilder } from "../builtin-builder.ts";
import { jsonArgument, outputPath, pathsArgument, stringList, stringListRecord, stringRecord } from "./builtin-arguments.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";

/**
 * `trees` (JSON list) → one tree. `alternatives` (JSON object, link → candidates of which the first that exists is
 * taken), `links` (JSON object, path → target), `directories` (JSON list) and `concatenate`
 * (JSON object, path → globs of the files that it is made of) are added, `remove` (JSON list of globs) left out.
 */
export function createCompose(workers: WorkerPool): BuiltinBuilder {
  return async (context) => {
    await workers.run(
      {
        kind: "compose",
        trees: pathsArgument(context, "trees"),
        target: outputPath(context),
        links: jsonArgument(context, "links", stringRecord, {}),
        alternatives: jsonArgument(context, "alternatives", stringListRecord, {}),
        directories: jsonArgument(context, "directories", stringList, []),
        concatenate: jsonArgument(context, "concatenate", stringListRecord, {}),
        remove: jsonArgument(context, "remove", stringList, []),
      },
      context.signal,
    );
  };
}
