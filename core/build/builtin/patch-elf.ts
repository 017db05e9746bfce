import type { BuiltinBuilder } from "../builtin-builder.ts";
import {
  getArgument, isRecord, isStringList, isStringRecord, jsonArgument, outputPath, pathsArgument, stringList, stringListRecord, stringRecord,
} from "./builtin-arguments.ts";
import type { Shape } from "./builtin-arguments.ts";
import type { Wrapper } from "./tree/wrap-program.ts";
import type { WorkerPool } from "./worker/worker-pool.ts";

const wrappers: Shape<Readonly<Record<string, Wrapper>>> = {
  name: "an object of wrappers: { env?, defaults?, prefix?, args? }",
  test: (value): value is Readonly<Record<string, Wrapper>> => isRecord(value) && Object.values(value).every(isWrapper),
};

function isWrapper(value: unknown): value is Wrapper {
  return (
    isRecord(value) &&
    Object.entries(value).every(([name, part]) => (name === "args" ? isStringList(part) : ["env", "defaults", "prefix"].includes(name) && isStringRecord(part)))
  );
}

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
        patchelf: patchelf.startsWith("[") ? pathsArgument(context, "patchelf") : [context.resolvedPath(patchelf)],
        wrappers: jsonArgument(context, "wrappers", wrappers, {}),
        links: jsonArgument(context, "links", stringRecord, {}),
        linkFolders: jsonArgument(context, "linkFolders", stringList, []),
        concatenate: jsonArgument(context, "concatenate", stringListRecord, {}),
        rewrite: jsonArgument(context, "rewrite", stringList, []),
        remove: jsonArgument(context, "remove", stringList, []),
        bubblewrap: await context.bubblewrap(),
        patchLibraries: context.env.get("patchLibraries") === "1",
      },
      context.signal,
    );
  };
}
