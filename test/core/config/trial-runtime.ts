// A runtime without options and packages, for tests of what carries it.
import "../../../cli/runtime/prelude.ts";
import { createStart } from "../../../cli/runtime/isolate-main.ts";
import { TsosError } from "../../../core/error/tsos-error.ts";

const api = {
  defineSystem: (system: unknown) => system,
  TsosError,
  notPure: Object.freeze({}),
};

export const start = Object.assign(
  createStart({
    api,
    open: (host) => ({
      modules: new Map(),
      inFolder: (folder) => ({
        path: (name: string) => host.hashPath(folder, name),
        readFile: (name: string) => host.readFile(folder, name),
        readFolder: (name: string) => host.readFolder(folder, name),
      }),
      evaluate: (definition, request) => {
        const value = typeof definition === "function" ? (definition as (request: unknown) => unknown)(request) : definition;
        return { result: { kind: "option", option: { path: "", value } }, instantiation: { derivations: [], sources: [] }, warnings: [], inputs: [] };
      },
    }),
  }),
  { exports: [...Object.keys(api), "path", "readFile", "readFolder"], folderExports: ["path", "readFile", "readFolder"] },
);
