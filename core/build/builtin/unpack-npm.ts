import type { BuiltinBuilder } from "../builtin-builder.ts";
import { getArgument, jsonArgument, outputPath, stringList, stringRecord } from "./builtin-arguments.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";

/**
 * `src`, an npm tarball → the package's folder. `bin` is a JSON object of programs and their paths, which
 * become executable; `folder` the place in the result that the package gets, such as `usr`; `prune` a JSON list
 * of globs to leave out.
 */
export function createUnpackNpm(workers: WorkerPool): BuiltinBuilder {
  return async (context) => {
    const source = context.resolvedPath(getArgument(context, "src"));
    await workers.run(
      {
        kind: "unpack-npm",
        source,
        target: outputPath(context),
        folder: context.env.get("folder") ?? "",
        prune: jsonArgument(context, "prune", stringList, []),
        executables: Object.values(jsonArgument(context, "bin", stringRecord, {})),
      },
      context.signal,
    );
  };
}
