import type { BuiltinBuilder } from "../builtin-builder.ts";
import { jsonArgument, outputPath, pathsArgument, stringList, stringRecord } from "./builtin-arguments.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";

/**
 * `trees` (JSON list) → one tree. `links` (JSON object, path → target) and `directories` (JSON list) are added,
 * `remove` (JSON list of globs) are left out.
 */
export function createCompose(workers: WorkerPool): BuiltinBuilder {
  return async (context) => {
    await workers.run(
      {
        kind: "compose",
        trees: pathsArgument(context, "trees"),
        target: outputPath(context),
        links: jsonArgument(context, "links", stringRecord, {}),
        directories: jsonArgument(context, "directories", stringList, []),
        remove: jsonArgument(context, "remove", stringList, []),
      },
      context.signal,
    );
  };
}
