// What the isolate runs: the authoring API, the embedded packages and the modules, behind `start`.
import "./prelude.ts";
import * as api from "../../core/index.ts";
import { DerivationMemory } from "../../core/package/derivation-memory.ts";
import { DEFAULT_STORE_DIR } from "../../core/store-path/store-path.ts";
import { createInputTable } from "../../core/package/input-table.ts";
import { createProjectFiles } from "../../core/package/project-files.ts";
import { evaluateRequest } from "./evaluate-request.ts";
import { createNixInputs } from "./nix-inputs.ts";
import { createStart } from "./isolate-main.ts";

// A realm outlives its evaluation only where somebody watches a configuration.
const memory = new DerivationMemory(DEFAULT_STORE_DIR);

const evaluate = createStart({
  api,
  open: (host, { kind }) => {
    const registry = new api.EvaluationRegistry({ memory });
    const modules = new Map<string, unknown>();
    const nix = createNixInputs(registry, host);
    const reader = { ...host, importNix: nix.importFile, showNix: nix.showFile, showProjectNix: nix.showProjectFile, evaluateNix: nix.evaluate };
    const inputs = createInputTable(registry, reader, modules, kind === "inputs");
    return {
      modules,
      inFolder: (folder, input) => ({
        ...createProjectFiles(registry, reader, folder, input),
        defineInputs: (specs: Readonly<Record<string, api.InputLike>>) => inputs.declare(checkOwn(specs, input), folder, new Error("defineInputs")),
      }),
      evaluate: (definition, request) => evaluateRequest({ definition, request, registry, host, inputs, nix }),
    };
  },
});

/** An input is a tree: what it needs of others, its user declares. */
function checkOwn<T>(specs: T, input: string | undefined): T {
  if (input === undefined) return specs;
  throw new api.TsosError({ code: "input.nested", message: `a module of the input "${input}" declares inputs of its own`, hint: "let it take what it needs as an option, and declare the input in the configuration" });
}

/** The value of the runtime's script; the build reads the names of exports from it. */
export const start = Object.assign(evaluate, { exports: Object.keys(api), folderExports: ["defineInputs", "nixExpression", "nixFile", "path", "readFile", "readFolder"] });
