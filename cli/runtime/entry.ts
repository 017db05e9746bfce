// What the isolate runs: the authoring API, the embedded packages and the modules, behind `start`.
import "./prelude.ts";
import * as api from "../../core/index.ts";
import { createProjectFiles } from "../../core/package/project-files.ts";
import { evaluateRequest } from "./evaluate-request.ts";
import { createStart } from "./isolate-main.ts";

const evaluate = createStart({
  api,
  open: (host) => {
    const registry = new api.EvaluationRegistry();
    return {
      inFolder: (folder) => createProjectFiles(registry, host, folder),
      evaluate: (definition, request) => evaluateRequest({ definition, request, registry, host }),
    };
  },
});

/** The value of the runtime's script; the build reads the names of exports from it. */
export const start = Object.assign(evaluate, { exports: Object.keys(api), folderExports: ["path", "readFile", "readFolder"] });
