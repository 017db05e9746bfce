import type { BuiltinBuilder } from "../builtin-builder.ts";
import { DEFAULT_PRUNE } from "./archive/unpack-deb-archive.ts";
import { getArgument, jsonArgument, outputPath, stringList } from "./builtin-arguments.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";

/**
 * `src`, a Debian package → its files, `/bin`, `/sbin` and `/lib*` moved into `/usr`. `package` and `version`,
 * where given, must be what the package says of itself; `prune` is a JSON list of globs to leave out.
 */
export function createUnpackDeb(workers: WorkerPool): BuiltinBuilder {
  return async (context) => {
    const source = context.resolvedPath(getArgument(context, "src"));
    await workers.run(
      {
        kind: "unpack-deb",
        source,
        target: outputPath(context),
        prune: jsonArgument(context, "prune", stringList, [...DEFAULT_PRUNE]),
        package: context.env.get("package"),
        version: context.env.get("packageVersion"),
      },
      context.signal,
    );
  };
}
