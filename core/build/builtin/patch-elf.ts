import { z } from "zod";
import type { BuiltinBuilder } from "../builtin-builder.ts";
import { getArgument, jsonArgument, outputPath, pathsArgument, stringList, stringRecord } from "./builtin-arguments.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";

const wrappers = z.record(
  z.string(),
  z.strictObject({ env: stringRecord.optional(), defaults: stringRecord.optional(), prefix: stringRecord.optional(), args: stringList.optional() }),
);

/**
 * `trees` (JSON list: packages and all that they need) → one relocated tree, see `patchTree`. `patchelf` is

 * the tree that holds patchelf and its libraries, or a JSON list of trees. Further arguments, all JSON:
 * `main`, `wrappers`, `links`, `linkFolders`, `concatenate`,
 * `rewrite`, `remove`; and `patchLibraries` ("1").
 */
export function createPatchElf(workers: WorkerPool): BuiltinBuilder {
  return async (context) => {
    const trees = pathsArgument(context, "trees");
    const patchelf = getArgument(context, "patchelf");
    await workers.run(
      {
        kind: "patch-elf",
        trees,
        main: context.env.has("main") ? pathsArgument(context, "main") : trees,
        target: outputPath(context),
        prefix: getArgument(context, "out"),
        patchelf: patchelf.startsWith("[") ? pathsArgument(context, "patchelf") : [context.realPath(patchelf)],
        wrappers: jsonArgument(context, "wrappers", wrappers, {}),
        links: jsonArgument(context, "links", stringRecord, {}),
        linkFolders: jsonArgument(context, "linkFolders", stringList, []),
        concatenate: jsonArgument(context, "concatenate", z.record(z.string(), stringList), {}),
        rewrite: jsonArgument(context, "rewrite", stringList, []),
        remove: jsonArgument(context, "remove", stringList, []),
        patchLibraries: context.env.get("patchLibraries") === "1",
      },
      context.signal,
    );
  };
}
